"""The stream of pages that have no other: how far the cluster is, every two seconds.

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

EVERY = 2.0
# A session that was ended elsewhere loses its streams within half a minute.
BEATS_BETWEEN_SESSION_CHECKS = 15


class PulseConsumer(ClusterConsumer):
    """Tells the revision of a cluster; the worker looks it up in memory."""

    upstreams: Upstreams = UPSTREAMS

    async def begin(self, user: User, cluster: Cluster) -> None:
        """Ask from now on."""
        url = f"{CONTROL}/{quote(cluster.name)}"
        self.tasks.start(self._beats(url), "pulse")

    async def _beats(self, url: str) -> None:
        beats = 0
        while True:
            if not await self._once(url):
                await self.end(Close.CLUSTER_GONE)
                return
            await asyncio.sleep(EVERY)
            beats += 1
            if beats % BEATS_BETWEEN_SESSION_CHECKS == 0 and not await self.still_signed_in():
                await self.end(Close.SIGNED_OUT)
                return

    async def _once(self, url: str) -> bool:
        """Tell the revision, or what is wrong; return False for a cluster that is gone."""
        try:
            answer = await self.upstreams.client().get(url)
        except httpx.HTTPError as error:
            await self._down(f"The cluster worker does not answer: {error}")
            return True
        if answer.status_code == httpx.codes.NOT_FOUND:
            return False
        if answer.is_error:
            await self._down(refusal(answer.status_code, answer.content).message)
            return True
        found: dict[str, Any] = answer.json()
        await self.send(protocol.encode("beat", rev=int(found["revision"])))
        return True

    async def _down(self, text: str) -> None:
        await self.send(protocol.encode("status", upstream="down", text=text))
