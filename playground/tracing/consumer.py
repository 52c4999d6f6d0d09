"""The stream of the trace page: requests as they end, collapsed when there are many.

Browser to site:
    hello {after, filter}   first; `after` is the number of the last request that it has, or null
    filter {filter}         what is shown from now on, as the REST API has it
    details {on}            whether stages note what they do, while this stream is open

Site to browser:
    snapshot {items, count, rev, recording}         the newest first
    batch {items, skipped, count, rev, recording}   what has ended since
    status {upstream, text} · error {code, text} · pong {t}

The worker is asked anew as soon as it has answered, and answers when there is something, so that
nobody is asked while no page is open.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import httpx

from playground.accounts.models import User
from playground.sandboxes.gateway import CONTROL, Cluster, refusal
from playground.topology import protocol
from playground.topology.consumer import ClusterConsumer
from playground.topology.protocol import Close
from playground.topology.upstream import UPSTREAMS, Upstreams
from playground.tracing.restricting import only_of

# What a page shows at first, and what one frame holds: more is counted.
SHOWN, BATCH = 200, 100
WAIT = 10
# Longer than an answer takes, shorter than anybody forgets it: details end with the page.
LEASE = 30
PATIENCE = httpx.Timeout(10.0, read=WAIT + 10.0)
RETRY = 1.0
_FILTERS = (
    *("who", "user", "verb", "resource", "namespace", "object", "code"),
    *("terminal", "session"),
)
_LONGEST = 600


class TraceConsumer(ClusterConsumer):
    """One page's view of the requests of a cluster."""

    upstreams: Upstreams = UPSTREAMS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._url = ""
        self._filter: dict[str, str] = {}
        self._only: dict[str, str] = {}
        self._details = False
        self._after: int | None = None
        self._asking: asyncio.Task[None] | None = None

    async def begin(self, user: User, cluster: Cluster) -> None:
        """Wait for the page to say what it wants."""
        self._url = f"{CONTROL}/{quote(cluster.name)}/traces"
        self._only = only_of(user, cluster)
        self.tasks.start(self._sessions(), "trace session")

    async def hear(self, frame: dict[str, Any]) -> None:
        """Take what the page wants from now on."""
        if not self._url:
            return
        match frame["op"]:
            case "hello":
                after = frame.get("after")
                self._after = after if isinstance(after, int) and after >= 0 else None
                self._filter = _filter(frame.get("filter"))
                self._details = frame.get("details") is True
            case "filter":
                self._filter, self._after = _filter(frame.get("filter")), None
            case "details":
                self._details = frame.get("on") is True
            case _:
                return
        await self._ask_anew()

    async def _ask_anew(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
        self._asking = self.tasks.begin(self._pump(), "requests")

    async def _pump(self) -> None:
        while True:
            try:
                await self._once()
            except httpx.HTTPError as error:
                text = f"The cluster worker does not answer: {error}"
                await self.send(protocol.encode("status", upstream="down", text=text))
                await asyncio.sleep(RETRY)

    async def _once(self) -> None:
        first = self._after is None
        limit = SHOWN if first else BATCH
        params: dict[str, str | int] = {**self._filter, **self._only, "limit": limit}
        if not first:
            params |= {"after": self._after or 0, "wait": WAIT}
        if self._details:
            params["details"] = LEASE
        answer = await self.upstreams.client().get(self._url, params=params, timeout=PATIENCE)
        if answer.is_error:
            error = refusal(answer.status_code, answer.content)
            await self.send(protocol.encode("error", code=error.reason, text=error.message))
            if answer.status_code == httpx.codes.NOT_FOUND:
                await self.end(Close.CLUSTER_GONE)
            await asyncio.sleep(WAIT)
            return
        found = answer.json()
        # A worker that was started anew counts from the beginning.
        restarted = self._after is not None and found["count"] < self._after
        self._after = None if restarted else int(found["count"])
        if not restarted:
            await self._show(found, first=first)

    async def _show(self, found: dict[str, Any], *, first: bool) -> None:
        shared = {"count": found["count"], "rev": found["revision"], "items": found["items"]}
        op = "snapshot" if first else "batch"
        skipped = 0 if first else found["skipped"]
        await self.send(
            protocol.encode(op, **shared, skipped=skipped, recording=found["recording"])
        )

    async def _sessions(self) -> None:
        """End the stream of a session that was ended elsewhere."""
        while True:
            await asyncio.sleep(LEASE)
            if not await self.still_signed_in():
                await self.end(Close.SIGNED_OUT)
                return


def _filter(given: object) -> dict[str, str]:
    """Return what of a filter the worker knows."""
    if not isinstance(given, dict):
        return {}
    texts = {key: str(given[key])[:_LONGEST] for key in _FILTERS if given.get(key)}
    if texts.get("who") not in (None, "people", "workers", "all"):
        del texts["who"]
    return texts
