"""Links of the simulated network that are cut: packets between their two ends get lost.

An end is a node with all that is on it, a pod, or a Service. Ends are found by name at each new
connection, so a cut holds for a pod that has come back under another address.
"""

from __future__ import annotations

from typing import NamedTuple


class Where(NamedTuple):
    """One side of a connection: its node, whose address it is, the Service it was reached by."""

    node: str
    owner: str
    service: str = ""


class End(NamedTuple):
    """What a cut is between: kind is Node, Pod or Service; the name of the latter is NS/NAME."""

    kind: str
    name: str

    def holds(self, where: Where) -> bool:
        """Tell whether a side of a connection is this end, or on it."""
        if self.kind == "Node":
            return where.node == self.name
        return self.name == (where.owner if self.kind == "Pod" else where.service)


Cut = frozenset[End]


class Cuts:
    """The cuts of one network. False while there is none."""

    def __init__(self) -> None:
        self._cuts: list[Cut] = []

    def __bool__(self) -> bool:
        return bool(self._cuts)

    def add(self, cut: Cut) -> None:
        """Cut the link between two ends."""
        self._cuts.append(cut)

    def remove(self, cut: Cut) -> None:
        """Mend a link; fine if it was never cut."""
        if cut in self._cuts:
            self._cuts.remove(cut)

    def separate(self, one: Where, other: Where) -> bool:
        """Tell whether a packet between these two would get lost."""
        return any(_between(cut, one, other) for cut in self._cuts)


def _between(cut: Cut, one: Where, other: Where) -> bool:
    first, last = cut
    return (first.holds(one) and last.holds(other)) or (first.holds(other) and last.holds(one))
