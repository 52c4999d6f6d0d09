"""The stream of a list: pages of rows while they are read, then every change, folded by object.

Browser to site:
    hello {rev, kinds}      `rev`: the page has everything until then; `kinds`: tell of new kinds
    ping {t}                answered by pong {t}

Site to browser:
    columns {columns}       once, and again when the list is read anew: the page forgets its rows
    rows {rows, read, total}    a page of the list
    ready {rev}             that was all of it
    batch {rev, ev}         changes: [row] for what is there, uid for what is gone
    kinds {}                the cluster serves other kinds than before
    behind {by}             the page was away or reads slowly, and lacks so many revisions: it
                            catches up with the batch or list that follows
    gap {from, to, skipped} the page read too slowly: revisions that were skipped; columns follow
    beat {rev}              every five seconds
    status {upstream: ok|down, text}
    error {code, reason, text}  the API refuses; the stream ends

The address names the list's path, selectors, and `rev` for a list as it was: that has no changes.

What it promises: the page's rows are those of the API at `rev`. A watch that expired is followed by
the whole list again; changes of one object within a moment are one.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Hashable, Mapping
from typing import Any
from urllib.parse import parse_qs

import httpx
import orjson

from playground.accounts.models import User
from playground.objects import rows
from playground.objects.feed import FEEDS, PASSES, WATCH_TIMEOUT, Feed, Reader
from playground.sandboxes import access
from playground.sandboxes.gateway import Cluster, Identity, Refused, api_root, refusal
from playground.topology import protocol
from playground.topology.consumer import ClusterConsumer
from playground.topology.protocol import Close
from playground.topology.reflector import FIRST_WAIT, LONGEST_WAIT, Expired, check, lines
from playground.topology.upstream import UPSTREAMS, Upstreams

# 500 rows of pods are about a megabyte of JSON: 5 ms of the event loop.
PAGE = 500
_PATH = re.compile(r"/(api|apis)(/[A-Za-z0-9][A-Za-z0-9.:_-]*)+")
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"


class ListConsumer(ClusterConsumer):
    """Follows one list, as its user."""

    upstreams: Upstreams = UPSTREAMS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._hello: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._revision = 0
        self._root = ""
        self._past = False
        self._headers = httpx.Headers()
        self._sight: Hashable = None

    async def begin(self, user: User, cluster: Cluster) -> None:
        """Start to read as soon as the page has said what it has."""
        identity: Identity = access.identity(user, cluster)
        rev = self._query("rev")
        self._past = rev.isdecimal()
        self._root = api_root(cluster.name, int(rev[:18]) if self._past else None)
        self._headers = httpx.Headers([*identity.headers, ("Accept", rows.ACCEPT)])
        self._sight = access.sight(identity)
        self.tasks.start(self._follow(), "list")
        self.tasks.start(self.beat(lambda: self._revision), "beat of a list")

    async def hear(self, frame: dict[str, Any]) -> None:
        """Take a hello, once."""
        if frame["op"] == "hello" and not self._hello.done():
            self._hello.set_result(frame)

    async def _follow(self) -> None:
        self._greet(await self._hello)
        path, params = self._asked()
        if not path:
            await self._refuse(400, "BadRequest", "this is no address of a list")
            return
        wait = FIRST_WAIT
        while True:
            try:
                if not self._revision:
                    await self._list(path, params)
                if self._past:
                    return  # which does not change
                await self._relay(path, params)
            except Expired:
                self._revision = 0
                continue
            except Refused as error:
                if error.code == httpx.codes.GONE and not self._past:
                    # The page took so long to read a list that its revision is no longer kept.
                    self._revision = 0
                    await asyncio.sleep(FIRST_WAIT)
                    continue
                if error.code not in PASSES:
                    await self._refuse(error.code, error.reason, error.message)
                    return
                trouble = error.message
            except (httpx.HTTPError, orjson.JSONDecodeError) as error:
                trouble = str(error) or type(error).__name__
            await self.send(protocol.encode("status", upstream="down", text=trouble))
            await asyncio.sleep(wait)
            wait = min(wait * 1.7, LONGEST_WAIT)

    def _greet(self, hello: Mapping[str, Any]) -> None:
        if hello.get("kinds") and not self._past:
            self.tasks.start(self._watch_kinds(), "kinds")
        if isinstance(seen := hello.get("rev"), int):
            self._revision, self.late = seen, True

    def _asked(self) -> tuple[str, dict[str, str]]:
        """Return the list's address, empty if it is none, and its parameters."""
        path = self._query("path")
        params = {"includeObject": "Metadata"}
        for ours, theirs in (("selector", "labelSelector"), ("fields", "fieldSelector")):
            if text := self._query(ours):
                params[theirs] = text
        return (path if _PATH.fullmatch(path) else ""), params

    def _query(self, name: str) -> str:
        values = parse_qs(self.scope["query_string"].decode()).get(name)
        return values[0] if values else ""

    async def _list(self, path: str, params: Mapping[str, str]) -> None:
        asked = {**params, "limit": str(PAGE)}
        read, first = 0, True
        while True:
            page = await self._get(path, asked)
            if first:
                await self.send(protocol.encode("columns", columns=rows.columns(page)))
                first = False
            found = list(rows.rows(page))
            read += len(found)
            meta = page.get("metadata") or {}
            total = read + int(meta.get("remainingItemCount") or 0)
            await self.send(protocol.encode("rows", rows=found, read=read, total=total))
            if not meta.get("continue"):
                break
            asked["continue"] = meta["continue"]
        self._revision = rows.revision(page)
        await self.send(protocol.encode("ready", rev=self._revision))

    async def _get(self, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        client = self.upstreams.client()
        response = await client.get(self._root + path, params=dict(params), headers=self._headers)
        if response.is_error:
            raise refusal(response.status_code, response.content)
        return dict(orjson.loads(response.content))

    async def _relay(self, path: str, params: Mapping[str, str]) -> None:
        """Send what changes, as fast as the page takes it. Raises Expired, or Refused."""
        reader = Reader(self._revision)
        client, url = self.upstreams.client(), self._root + path
        feed = FEEDS.join(client, url, params, self._headers, self._sight, reader)
        try:
            told: str | None = None
            while True:
                if feed.ended is not None:
                    raise feed.ended
                if feed.trouble != told and (feed.trouble or feed.open):
                    told = feed.trouble
                    state = "down" if told else "ok"
                    await self.send(protocol.encode("status", upstream=state, text=told))
                await self._catch_up(feed, reader)
                await reader.wake.wait()
                reader.wake.clear()
        finally:
            FEEDS.leave(feed, reader)

    async def _catch_up(self, feed: Feed, reader: Reader) -> None:
        """Send what is new; a page that is too far behind is told so, and reads all again."""
        seen = self._revision
        await self.tell_behind(feed.revision - seen)
        try:
            frame = feed.after(reader)
        except Expired:
            now = feed.revision
            gap = protocol.encode("gap", **{"from": seen}, to=now, skipped=now - seen)
            await self.send(gap)
            raise
        self._revision = max(seen, feed.revision)
        if frame:
            await self.send(frame)

    async def _watch_kinds(self) -> None:
        """Tell when a definition of custom resources comes, goes or is established."""
        headers = httpx.Headers(self._headers)
        headers["Accept"] = _METADATA
        client = self.upstreams.client()
        url = self._root + _DEFINITIONS
        while True:
            try:
                first = await client.get(url, params={"limit": "1"}, headers=headers)
                if first.is_error:
                    return  # the menu follows the pages then
                since = orjson.loads(first.content)["metadata"]["resourceVersion"]
                params = {"watch": "1", "resourceVersion": since, "timeoutSeconds": "600"}
                async with client.stream(
                    "GET", url, params=params, headers=headers, timeout=WATCH_TIMEOUT
                ) as response:
                    await check(response)
                    async for _ in lines(response.aiter_raw()):
                        await self.send(protocol.encode("kinds"))
            except (Refused, httpx.HTTPError, orjson.JSONDecodeError, KeyError):
                await asyncio.sleep(LONGEST_WAIT)

    async def _refuse(self, code: int, reason: str, text: str) -> None:
        await self.send(protocol.encode("error", code=code, reason=reason, text=text))
        await self.end(Close.FORBIDDEN if code == 403 else Close.REFUSED)
