"""The stream of pages that have no other: how far the cluster is, as soon as it is there.

The worker answers once there is another revision, or after a while: nothing is asked of a cluster
in which nothing happens, but that.

Browser to site:
    hello {}                first, and no more
Site to browser:
    beat {rev}              the revision that the cluster is at
    status {upstream, text} the worker does not answer; it is asked again
    pong {t}
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

# A busy cluster is told of this often, one that does not answer is asked again so.
PAUSE, AGAIN = 0.5, 2.0
# The worker answers after 20 seconds at the latest.
WAIT = httpx.Timeout(10.0, read=30.0)
# A session that was ended elsewhere loses its streams within half a minute or so.
SESSION_SECONDS = 15.0


class PulseConsumer(ClusterConsumer):
    """Tells the revision of a cluster; the worker looks it up in memory."""

    upstreams: Upstreams = UPSTREAMS

    async def begin(self, user: User, cluster: Cluster) -> None:
        """Ask from now on."""
        url = f"{CONTROL}/{quote(cluster.name)}/revision"
        self.tasks.start(self._beats(url), "pulse")

    async def _beats(self, url: str) -> None:
        loop = asyncio.get_running_loop()
        checked, revision = loop.time(), 0
        while True:
            found = await self._next(url, revision)
            if found is None:
                await self.end(Close.CLUSTER_GONE)
                return
            await asyncio.sleep(PAUSE if found else AGAIN)
            revision = found or revision
            if loop.time() - checked > SESSION_SECONDS:
                checked = loop.time()
                if not await self.still_signed_in():
                    await self.end(Close.SIGNED_OUT)
                    return

    async def _next(self, url: str, after: int) -> int | None:
        """Tell the next revision; return it, 0 where it is not told, None for a gone cluster."""
        client = self.upstreams.client()
        try:
            answer = await client.get(url, params={"after": str(after)}, timeout=WAIT)
        except httpx.HTTPError as error:
            await self._down(f"The cluster worker does not answer: {error}")
            return 0
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if answer.is_error:
            await self._down(refusal(answer.status_code, answer.content).message)
            return 0
        found: dict[str, Any] = answer.json()
        revision = int(found["revision"])
        await self.send(protocol.encode("beat", rev=revision))
        return revision

    async def _down(self, text: str) -> None:
        await self.send(protocol.encode("status", upstream="down", text=text))
