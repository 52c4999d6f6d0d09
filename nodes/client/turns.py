"""A way to the API on which only so many calls are under way at a time; the others wait in order.

What clients of Kubernetes keep by --kube-api-qps: a component that has thousands of things to say
at once says them one after the other, instead of having most of them refused for waiting too long.
"""

from __future__ import annotations

import asyncio

from apimachinery.meta import Obj
from nodes.client.transport import Call, Cancellable, Closed, Deliver, Transport


class Turns:
    """Keeps Transport, over another one. Watches are not counted."""

    def __init__(self, far: Transport, together: int | asyncio.Semaphore) -> None:
        """`together`: how many, or the turns that several share."""
        self._far = far
        self._turns = asyncio.Semaphore(together) if isinstance(together, int) else together

    async def call(self, call: Call) -> Obj:
        async with self._turns:
            return await self._far.call(call)

    def watch(self, call: Call, after: int, deliver: Deliver, closed: Closed) -> Cancellable:
        return self._far.watch(call, after, deliver, closed)
