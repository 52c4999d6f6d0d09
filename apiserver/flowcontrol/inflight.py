"""Limits of what is under way at once, where priority and fairness is switched off.

As k8s.io/apiserver pkg/server/filters/maxinflight.go: reads and writes are counted apart, what may
run long is not counted, and members of system:masters are never refused.
"""

from __future__ import annotations

from apimachinery.errors import Overloaded
from apiserver.flowcontrol.options import FlowOptions

READ_ONLY, MUTATING = "readOnly", "mutating"
_READS = frozenset({"get", "list", "watch"})


def kind_of(verb: str) -> str:
    """Return which kind of request a verb is: it only reads, or it may change something."""
    return READ_ONLY if verb in _READS else MUTATING


class Place:
    """A request's place while it is served. It is left once."""

    __slots__ = ("_kind", "_limit")

    def __init__(self, limit: InFlightLimit, kind: str) -> None:
        self._limit: InFlightLimit | None = limit
        self._kind = kind
        limit.under_way[kind] += 1

    def leave(self) -> None:
        limit, self._limit = self._limit, None
        if limit is not None:
            limit.under_way[self._kind] -= 1


class InFlightLimit:
    """The requests of one cluster that are under way."""

    def __init__(self, options: FlowOptions) -> None:
        self._limits = {READ_ONLY: options.reads, MUTATING: options.writes}
        self.under_way = {READ_ONLY: 0, MUTATING: 0}
        self.dropped = {READ_ONLY: 0, MUTATING: 0}

    def enter(self, verb: str, *, exempt: bool) -> Place:
        """Return a place. Raises Overloaded."""
        kind = kind_of(verb)
        limit = self._limits[kind]
        if limit and self.under_way[kind] >= limit and not exempt:
            self.dropped[kind] += 1
            raise Overloaded
        return Place(self, kind)
