"""The stream of pages that have no other: how far the cluster is, as soon as it is there.

The worker answers once there is another revision, or after a while: nothing is asked of a cluster
in which nothing happens, but that. However many pages look at a cluster, it is asked once.

Browser to site:
    hello {}                first, and no more
Site to browser:
    beat {rev}              the revision that the cluster is at
    status {upstream, text} the worker does not answer; it is asked again
    pong {t}
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import httpx

from playground.accounts.models import User
from playground.sandboxes.gateway import CONTROL, Cluster, refusal
from playground.tasks import Tasks
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


class Pulse:
    """Asks one cluster how far it is, for all pages that want to know."""

    def __init__(self, client: httpx.AsyncClient, cluster: Cluster) -> None:
        self._client = client
        self._url = f"{CONTROL}/{quote(cluster.name)}/revision"
        self.revision, self.trouble, self.gone = 0, "", False
        self.readers: set[asyncio.Event] = set()
        self.tasks = Tasks()

    async def run(self) -> None:
        """Ask until the cluster is gone."""
        while not self.gone:
            before = (self.revision, self.trouble, False)
            await self._ask()
            if before != (self.revision, self.trouble, self.gone):
                for reader in self.readers:
                    reader.set()
            await asyncio.sleep(AGAIN if self.trouble else PAUSE)

    async def _ask(self) -> None:
        after = {"after": str(0 if self.trouble else self.revision)}
        try:
            answer = await self._client.get(self._url, params=after, timeout=WAIT)
        except httpx.HTTPError as error:
            self.trouble = f"The cluster worker does not answer: {error}"
            return
        if answer.status_code == httpx.codes.NOT_FOUND:
            self.gone = True
        elif answer.is_error:
            self.trouble = refusal(answer.status_code, answer.content).message
        else:
            found: dict[str, Any] = answer.json()
            self.revision, self.trouble = int(found["revision"]), ""


class Pulses:
    """The pulses of the process."""

    def __init__(self) -> None:
        self._open: dict[object, Pulse] = {}
        self._ends = Tasks()

    def join(self, client: httpx.AsyncClient, cluster: Cluster, reader: asyncio.Event) -> Pulse:
        """Return the pulse of a cluster, which sets `reader` when it has something to tell."""
        # A cluster that was deleted and made again under its old name is another one.
        key = (id(client), cluster.name, cluster.uid)
        pulse = self._open.get(key)
        if pulse is None or pulse.gone:
            pulse = self._open[key] = Pulse(client, cluster)
            pulse.tasks.serve(pulse.run, f"pulse of {cluster.name}")
        pulse.readers.add(reader)
        if pulse.revision or pulse.trouble:
            reader.set()
        return pulse

    def leave(self, pulse: Pulse, reader: asyncio.Event) -> None:
        """Take a page off; the last one ends the pulse."""
        pulse.readers.discard(reader)
        if pulse.readers:
            return
        for key in [key for key, known in self._open.items() if known is pulse]:
            del self._open[key]
        self._ends.start(pulse.tasks.stop(), "end of a pulse")


PULSES = Pulses()


class PulseConsumer(ClusterConsumer):
    """Tells the revision of a cluster; the worker looks it up in memory."""

    upstreams: Upstreams = UPSTREAMS

    async def begin(self, user: User, cluster: Cluster) -> None:
        """Ask from now on."""
        self.tasks.start(self._beats(cluster), "pulse")

    async def _beats(self, cluster: Cluster) -> None:
        loop, wake = asyncio.get_running_loop(), asyncio.Event()
        checked = loop.time()
        pulse = PULSES.join(self.upstreams.client(), cluster, wake)
        try:
            while not pulse.gone:
                with suppress(TimeoutError):
                    async with asyncio.timeout(SESSION_SECONDS):
                        await wake.wait()
                if wake.is_set():
                    wake.clear()
                    await self._tell(pulse)
                if loop.time() - checked >= SESSION_SECONDS:
                    checked = loop.time()
                    if not await self.still_signed_in():
                        await self.end(Close.SIGNED_OUT)
                        return
            await self.end(Close.CLUSTER_GONE)
        finally:
            PULSES.leave(pulse, wake)

    async def _tell(self, pulse: Pulse) -> None:
        if pulse.trouble:
            await self.send(protocol.encode("status", upstream="down", text=pulse.trouble))
        elif not pulse.gone:
            await self.send(protocol.encode("beat", rev=pulse.revision))
