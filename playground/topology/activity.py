"""How busy a control plane is, for the pages that show it: asked while one of them is seen.

The worker answers when there is something to tell, so an idle cluster is asked every ten seconds,
and a busy one once a second, however many pages look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx

from playground.sandboxes.gateway import CONTROL, Identity, refusal
from playground.topology import protocol

WAIT = 10
# Between two answers: more often is only flicker.
PAUSE = 1.0
PATIENCE = httpx.Timeout(10.0, read=WAIT + 10.0)
RETRY = 5.0
_NO_NEWS: dict[str, Any] = {"requests": 0, "refused": 0, "from": {}}


class Activity:
    """Asks what the control plane of one cluster does, as long as somebody wants to know."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        cluster: str,
        identity: Identity,
        tell: Callable[[str], None],
    ) -> None:
        self._client, self._tell = client, tell
        self._headers = httpx.Headers(identity.headers)
        self._url = f"{CONTROL}/{quote(cluster)}/activity"
        self._wanted = asyncio.Event()
        # The number of the last request that was told of; None before the first answer.
        self._after: int | None = None
        self._busy = False
        self._latest: dict[str, Any] | None = None

    @property
    def latest(self) -> str | None:
        """How it stands, for a page that begins to look while others do."""
        if self._latest is None:
            return None
        news = {} if "forbidden" in self._latest else _NO_NEWS
        return protocol.encode("activity", **self._latest | news)

    def want(self, *, wanted: bool) -> None:
        """Begin or stop to ask."""
        if wanted == self._wanted.is_set():
            return
        if wanted:
            # What happened while nobody looked is no news.
            self._after, self._busy, self._latest = None, False, None
            self._wanted.set()
        else:
            self._wanted.clear()

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self._wanted.wait()
            try:
                await self._once()
            except (httpx.HTTPError, ValueError):
                # The streams of objects say so when a worker is away.
                await asyncio.sleep(RETRY)
                continue
            await asyncio.sleep(PAUSE)

    async def _once(self) -> None:
        params: dict[str, int] = {}
        if self._after is not None:
            # What waits may be done without another request: it is looked at again soon.
            params = {"after": self._after, "wait": 1 if self._busy else WAIT}
        answer = await self._client.get(
            self._url, params=params, headers=self._headers, timeout=PATIENCE
        )
        if answer.status_code == httpx.codes.FORBIDDEN:
            self._show({"forbidden": refusal(answer.status_code, answer.content).message})
            # Rights rarely change.
            await asyncio.sleep(WAIT)
            return
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        # A worker that was started anew counts from the beginning.
        restarted = self._after is not None and found["count"] < self._after
        self._after = None if restarted else int(found["count"])
        self._busy = bool(found["controllers"] or found["scheduler"]["active"])
        self._show(found)

    def _show(self, found: dict[str, Any]) -> None:
        if self._wanted.is_set() and found != self._latest:
            self._latest = found
            self._tell(protocol.encode("activity", **found))
