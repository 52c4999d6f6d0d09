"""Lists one kind and follows it: list, watch from there, and again when the API asks for it.

What it promises: every change of an object reaches `World`, or the next list repairs what was
missed. It never ends by itself, but for `Gone`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from playground.sandboxes.gateway import Identity, Refused, api_root, refusal
from playground.topology.projection import Kind, Row
from playground.topology.world import World

PAGE = 1000  # objects a page of a list: progress shows every 20 ms or so
WATCH_SECONDS = 600  # a watch is renewed this often, so that a dead one cannot last
FIRST_WAIT, LONGEST_WAIT = 0.25, 5.0
# What one may not read, or what is not served, rarely changes.
REFUSED_WAIT = 10.0


class Gone(Exception):
    """The cluster does not exist any more."""


class Expired(Exception):
    """The watch's revision is no longer kept: list again."""


@dataclass(slots=True)
class Report:
    """What a reflector tells: called when the state of its kind changes."""

    synced: Callable[[Kind], None]
    progress: Callable[[Kind, int, int], None]
    refused: Callable[[Kind, Refused | None], None]
    reachable: Callable[[Kind, str], None]


class Reflector:
    """Follows one kind of one cluster."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        cluster: str,
        identity: Identity,
        kind: Kind,
        world: World,
        report: Report,
        revision: int | None = None,
    ) -> None:
        """With `revision` it reads what was there then: `read` alone makes sense."""
        self._client = client
        self._url = f"{api_root(cluster, revision)}{kind.path}"
        self._identity = identity
        self._kind = kind
        self._world = world
        self._report = report
        self._revision = ""

    async def run(self) -> None:
        """Follow until cancelled; raises Gone when the cluster is."""
        wait = FIRST_WAIT
        while True:
            try:
                if not self._revision:
                    await self._list()
                await self._watch()
                wait = FIRST_WAIT
                continue
            except Expired:
                self._revision = ""
                continue
            except Refused as error:
                if error.code == 404 and self._kind.essential:
                    raise Gone from error
                self._revision = ""
                if error.code == 404:
                    # Its definition is gone, and its objects with it.
                    self._world.replace(self._kind.resource, self._kind.table, (), 0)
                if error.code != 410:
                    self._report.refused(self._kind, error)
                    wait = REFUSED_WAIT if error.code in (401, 403, 404) else wait
            except (httpx.HTTPError, orjson.JSONDecodeError) as error:
                self._report.reachable(self._kind, str(error) or type(error).__name__)
            await asyncio.sleep(wait)
            wait = min(wait * 1.7, LONGEST_WAIT)

    async def read(self) -> None:
        """Read everything once."""
        await self._list()

    async def _list(self) -> None:
        rows: list[Row] = []
        params = {"limit": str(PAGE), **self._kind.params}
        while True:
            response = await self._client.get(
                self._url, params=params, headers=httpx.Headers(self._identity.headers)
            )
            if response.is_error:
                raise refusal(response.status_code, response.content)
            page = orjson.loads(response.content)
            rows.extend(self._kind.row(item) for item in page.get("items") or ())
            meta = page.get("metadata") or {}
            left = int(meta.get("remainingItemCount") or 0)
            self._report.progress(self._kind, len(rows), len(rows) + left)
            if not meta.get("continue"):
                break
            params["continue"] = meta["continue"]
        revision = str(meta.get("resourceVersion") or "0")
        self._world.replace(self._kind.resource, self._kind.table, rows, _number(revision))
        self._revision = revision
        self._report.synced(self._kind)

    async def _watch(self) -> None:
        params = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._revision,
            "timeoutSeconds": str(WATCH_SECONDS),
            **self._kind.params,
        }
        headers = httpx.Headers(self._identity.headers)
        timeout = httpx.Timeout(10.0, read=WATCH_SECONDS + 30)
        async with self._client.stream(
            "GET", self._url, params=params, headers=headers, timeout=timeout
        ) as response:
            await check(response)
            self._report.synced(self._kind)
            async for type_, item in events(response):
                self._fold(type_, item)

    def _fold(self, type_: str, item: Mapping[str, Any]) -> None:
        meta = item["metadata"]
        self._revision = meta["resourceVersion"]
        number = _number(self._revision)
        if type_ == "BOOKMARK":
            self._world.revision = max(self._world.revision, number)
        elif type_ == "DELETED":
            self._world.remove(self._kind.resource, self._kind.table, meta["uid"], number)
        else:
            row = self._kind.row(item)
            self._world.put(self._kind.resource, self._kind.table, row, number)


async def check(response: httpx.Response) -> None:
    """Raise Refused where a watch was not opened."""
    if response.is_error:
        raise refusal(response.status_code, await response.aread())


async def events(response: httpx.Response) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Yield the types and objects of a watch. Raises Expired, or Refused, where one says so."""
    async for line in lines(response.aiter_raw()):
        event = orjson.loads(line)
        type_, item = event["type"], event["object"]
        if type_ == "ERROR":
            if item.get("code") == 410:
                raise Expired
            raise Refused(int(item.get("code") or 500), item)
        yield type_, item


async def lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the lines of a stream as soon as each is complete."""
    rest = b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line:
                yield line


def _number(revision: str) -> int:
    return int(revision) if revision.isdecimal() else 0
