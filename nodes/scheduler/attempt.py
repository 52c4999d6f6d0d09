"""One try of the scheduler at one pod, and all that was found out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from operator import add, mul
from typing import Any, NamedTuple

from nodes.scheduler.devices.lacking import Lack
from nodes.scheduler.framework import Scores

# Candidates of a preemption that are kept, the best ones, and victims of each.
CANDIDATES, VICTIMS = 10, 10


class Trigger(NamedTuple):
    """Why a pod is tried: an event, its object, and the plugin that says that it may help.

    obj: NAMESPACE/NAME, or a name.
    """

    event: str
    obj: str = ""
    plugin: str = ""


# What v1.36 calls a pod's own coming; other names are those of events.
NEW = Trigger("UnscheduledPod/Add")


class Column(NamedTuple):
    """What one plugin gave each node that fits: as computed, and from 0 to 100."""

    plugin: str
    weight: int
    raw: Scores
    even: Scores


def summed(table: Sequence[Column], nodes: int) -> list[int]:
    """Return the weighted sum of the scores of each of so many nodes."""
    of_all, parts = 0, list[Iterable[int]]()
    for _, weight, _, even in table:
        if even[0] == even[-1] and even.count(even[0]) == nodes:
            of_all += even[0] * weight
        else:
            parts.append(even if weight == 1 else map(mul, even, repeat(weight)))
    sums: Iterable[int] = repeat(of_all, nodes)
    for part in parts:
        sums = map(add, sums, part)
    return list(sums)


class Victim(NamedTuple):
    """A pod that would have to go: NAMESPACE/NAME."""

    pod: str
    priority: int


class Choice(NamedTuple):
    """A node on which room could be made. `going`: how many victims; some are named."""

    node: str
    victims: tuple[Victim, ...]
    going: int
    violations: int


@dataclass(slots=True)
class Attempt:
    """One try at one pod.

    refused: node -> (plugin, reasons). unresolvable: of those, where nobody's going would help.
    table: what each plugin gave the nodes in `scored`. sums: of these, weighted; () where they are
    not worked out yet. candidates: where room could be made, the best first. seconds: extension
    point -> wall seconds. node is "" where nothing fitted. message is the sentence that the event
    and the condition carry: there is one where the pod is not bound, also where something went
    wrong after its node was chosen. fitting: how many nodes were found to fit; in a large cluster
    the search stops at enough, and the others were not looked at. looked: at how many the filters
    were asked. because: what made it be tried. spared: node -> the extender by which nobody has to
    go there. lacks: of some nodes, which devices are missing there. group: the PodGroup that it was
    tried with. held_back: it fits, and gets no node because of the others of its group.
    """

    pod: str
    uid: str
    number: int
    at: str
    scheduler: str = "default-scheduler"
    node: str = ""
    message: str = ""
    evaluated: int = 0
    fitting: int = 0
    looked: int = 0
    refused: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    unresolvable: set[str] = field(default_factory=set)
    scored: Sequence[str] = field(default_factory=list)
    table: list[Column] = field(default_factory=list)
    sums: Sequence[int] = field(default=(), compare=False)
    tied: tuple[str, ...] = ()
    candidates: tuple[Choice, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    because: Trigger = NEW
    spared: dict[str, str] = field(default_factory=dict)
    lacks: dict[str, list[Lack]] = field(default_factory=dict)
    group: str = ""
    held_back: bool = False

    def totals(self) -> dict[str, int]:
        """Return the weighted sum of each node's scores, the highest first."""
        sums = self._sums()
        return {self.scored[at]: sums[at] for at in _ranked(sums)}

    def best(self, most: int) -> list[int]:
        """Return where in `scored` those with the highest sums are, that which was chosen first."""
        ranked = _ranked(self._sums())
        if self.node in self.scored:
            chosen = self.scored.index(self.node)
            ranked.remove(chosen)
            ranked.insert(0, chosen)
        return ranked[:most]

    def _sums(self) -> Sequence[int]:
        return self.sums or summed(self.table, len(self.scored))

    def summary(self) -> dict[str, Any]:
        """Return what it was about, what came of it and how long that took, as JSON."""
        return {name: getattr(self, name) for name in _SUMMARY}

    def as_json(self, scored: int = 10) -> dict[str, Any]:
        """Return it as JSON, with the scores of the best nodes: [raw, from 0 to 100, weighted]."""
        scores = {
            self.scored[at]: {
                c.plugin: (c.raw[at], c.even[at], c.even[at] * c.weight) for c in self.table
            }
            for at in self.best(scored)
        }
        return {
            **self.summary(),
            "because": self.because._asdict(),
            "group": self.group,
            "heldBack": self.held_back,
            "spared": self.spared,
            "refused": self.refused,
            "lacks": {node: [one._asdict() for one in of] for node, of in self.lacks.items()},
            "unresolvable": sorted(self.unresolvable),
            "tied": self.tied[:scored],
            "scores": scores,
            "candidates": [
                {**one._asdict(), "victims": [victim._asdict() for victim in one.victims]}
                for one in self.candidates
            ],
        }


def _ranked(sums: Sequence[int]) -> list[int]:
    """Return the positions of sums, of the highest first."""
    return sorted(range(len(sums)), key=sums.__getitem__, reverse=True)


_SUMMARY = (
    *("pod", "uid", "number", "at", "scheduler"),
    *("node", "message", "evaluated", "fitting", "seconds"),
)
