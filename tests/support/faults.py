"""A transport that refuses what it is told to refuse: for tests of what happens then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apimachinery.errors import ApiError
from apimachinery.meta import Obj
from nodes.client.transport import Call, Cancellable, Transport, WatchEvent


@dataclass
class _Fault:
    verb: str
    resource: str
    error: Exception
    times: int
    name: str


class Faulty:
    """Passes calls on, except those that a `fail` is for."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner
        self._faults: list[_Fault] = []

    def fail(
        self, verb: str, resource: str, error: Exception, *, times: int = 1, name: str = ""
    ) -> None:
        """Refuse the next `times` calls of a verb ("*": any) on a resource ("pods")."""
        self._faults.append(_Fault(verb, resource, error, times, name))

    async def call(self, call: Call) -> Obj:
        for fault in self._faults:
            if (
                fault.times > 0
                and fault.verb in ("*", call.verb)
                and fault.resource == call.resource
                and fault.name in ("", call.name)
            ):
                fault.times -= 1
                raise fault.error
        return await self.inner.call(call)

    def watch(
        self,
        call: Call,
        after: int,
        deliver: Callable[[Sequence[WatchEvent]], None],
        closed: Callable[[ApiError | None], None],
    ) -> Cancellable:
        return self.inner.watch(call, after, deliver, closed)
