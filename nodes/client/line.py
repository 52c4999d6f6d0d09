"""A way to the API that can be cut: what a node behind a broken link has.

While it is cut every call fails as one over a dead link does, and open watches end; what uses it
tries again by its own rules, and finds its way back once the line is mended.
"""

from __future__ import annotations

from apimachinery.errors import ApiError
from apimachinery.meta import Obj
from nodes.client.transport import Call, Cancellable, Closed, Deliver, Transport, Unreached

_CUT = "dial tcp: connect: no route to host"


class Line:
    """Keeps Transport, over another one."""

    def __init__(self, far: Transport) -> None:
        self._far = far
        self._cut = False
        self._watches: set[_Watch] = set()

    def cut(self) -> None:
        """Let nothing through any more."""
        self._cut = True
        for watch in list(self._watches):
            watch.end(Unreached(_CUT))

    def mend(self) -> None:
        """Let calls through again. Watches that have ended stay ended."""
        self._cut = False

    async def call(self, call: Call) -> Obj:
        if self._cut:
            raise Unreached(_CUT)
        answer = await self._far.call(call)
        if self._cut:
            # It was done, or not: who asked cannot know.
            raise Unreached(_CUT)
        return answer

    def watch(self, call: Call, after: int, deliver: Deliver, closed: Closed) -> Cancellable:
        watch = _Watch(self._watches, closed)
        if self._cut:
            watch.end(Unreached(_CUT))
        else:
            watch.far = self._far.watch(call, after, deliver, watch.ended)
        return watch


class _Watch:
    """A watch of the other transport, which ends with it, with the line, or when cancelled."""

    __slots__ = ("_all", "_closed", "far")

    def __init__(self, every: set[_Watch], closed: Closed) -> None:
        self.far: Cancellable | None = None
        self._all, self._closed = every, closed
        every.add(self)

    def cancel(self) -> None:
        self._all.discard(self)
        if self.far is not None:
            self.far.cancel()
            self.far = None

    def ended(self, error: ApiError | None) -> None:
        self._all.discard(self)
        self.far = None
        self._closed(error)

    def end(self, error: ApiError) -> None:
        """Break off, and say why."""
        self.cancel()
        self._closed(error)
