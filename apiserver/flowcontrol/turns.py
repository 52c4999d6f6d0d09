"""Fair turns of the event loop itself.

What limits this server is not how many requests are under way but one thread. A request that waits
for nobody holds its seat for no longer than it computes, so a thousand of them that come at once
would be served in the order in which they came, whoever sent them. Therefore a pass of the event
loop serves requests as they come only for `QUANTUM`; those that come after that wait, and each
following pass takes some of them by fair turns: of the clusters, of their priority levels, of
their queues. While there is less to do than that, this costs a reading of the clock.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING

from apiserver.flowcontrol.fair import FairTurns

if TYPE_CHECKING:
    from apiserver.flowcontrol.filter import FlowFilter

# Seconds. Ten or so small requests: whoever comes next is not kept from noticing anything.
QUANTUM = 0.002
# Seats that are given out in one pass of the loop.
BATCH = 8


class Turns:
    """The passes of one event loop, shared by all clusters that it serves."""

    def __init__(self, quantum: float = QUANTUM) -> None:
        self._quantum = quantum
        self._clusters: FairTurns[FlowFilter] = FairTurns()
        self._armed = False
        self._began = 0.0

    def open(self) -> bool:
        """Tell whether this pass still serves requests as they come."""
        now = perf_counter()
        if self._armed:
            return now - self._began < self._quantum
        self._began = now
        self.arm()
        return True

    def wait(self, cluster: FlowFilter) -> None:
        """A request of the cluster has begun to wait."""
        self._clusters.join(cluster)
        self.arm()

    def arm(self) -> None:
        """Look at those who wait in the next pass."""
        if not self._armed:
            self._armed = True
            asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        self._armed = False
        if not self._clusters:
            return
        self._began = perf_counter()
        left = BATCH
        while left > 0:
            cluster = self._clusters.next(lambda one: one.ready() is not None)
            if cluster is None:
                break
            width = cluster.serve_next()
            self._clusters.served(cluster, width)
            left -= width
        for cluster in [one for one in self._clusters if not one.waiting]:
            self._clusters.leave(cluster)
        # Those who found no seat are looked at when one is left.
        if left <= 0:
            self.arm()
