"""A way to the API on which calls are asked again when the answer says after which time.

What client-go's rest client does with Retry-After: server-side throttling (429) and what may pass
by itself (5xx) are asked again, up to ten times. A refusal without a time, as that of a disruption
budget with nothing left, is the caller's at once. It goes around what gives turns to calls, so that
nobody waits for one who waits. Watches end, and their informers come back by their own rules.
"""

from __future__ import annotations

from apimachinery.clock import Clock
from apimachinery.errors import ApiError
from apimachinery.meta import Obj
from nodes.client.rest import may_pass
from nodes.client.transport import Call, Cancellable, Closed, Deliver, Transport

# client-go's: rest/request.go.
RETRIES = 10


class Patient:
    """Keeps Transport, over another one."""

    __slots__ = ("_clock", "_far")

    def __init__(self, far: Transport, clock: Clock) -> None:
        self._far, self._clock = far, clock

    async def call(self, call: Call) -> Obj:
        for _ in range(RETRIES):
            try:
                return await self._far.call(call)
            except ApiError as error:
                wait = error.retry_after
                if not wait or not may_pass(error):
                    raise
            await self._clock.sleep(wait)
        return await self._far.call(call)

    def watch(self, call: Call, after: int, deliver: Deliver, closed: Closed) -> Cancellable:
        return self._far.watch(call, after, deliver, closed)
