"""Which daemons are to go and where new ones are to come, a few at a time. Pure functions.

Without `maxSurge` an old daemon goes and a new one takes its place; with it the new one comes
first, and the old one goes when the new one is available.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from apimachinery.intorstring import scaled
from apimachinery.meta import Obj, annotations_of, is_deleting, labels_of, name_of
from apimachinery.pods import is_ready, node_name
from nodes.controllers.common import podfacts
from nodes.controllers.common.revisions import POD_HASH
from nodes.controllers.daemonset.placement import Fit

GENERATION = "deprecated.daemonset.template.generation"
POD_GENERATION = "pod-template-generation"


@dataclass(slots=True)
class Plan:
    """Pods that are to go, and nodes that are to get one."""

    delete: list[Obj] = field(default_factory=list)
    create: list[str] = field(default_factory=list)


class Seen(NamedTuple):
    """A DaemonSet, what nodes make of it and its pods by node, as one reconcile sees them."""

    obj: Obj
    hashed: str
    fits: dict[str, Fit]
    by_node: dict[str, list[Obj]]
    now: float

    @property
    def wanted(self) -> list[str]:
        return [node for node, fitting in self.fits.items() if fitting.run]

    def is_current(self, pod: Obj) -> bool:
        generation = annotations_of(self.obj).get(GENERATION)
        labels = labels_of(pod)
        return labels.get(POD_HASH) == self.hashed or (
            generation is not None and labels.get(POD_GENERATION) == generation
        )

    def available_in(self, pod: Obj) -> float | None:
        min_ready = int(self.obj["spec"].get("minReadySeconds") or 0)
        return podfacts.available_in(pod, min_ready, self.now)

    def is_available(self, pod: Obj) -> bool:
        return self.available_in(pod) == 0

    def limits(self) -> tuple[int, int]:
        """Return how many may be too many, and how many missing, while an update goes on."""
        rolling = (self.obj["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
        total = len(self.wanted)
        surge = scaled(rolling.get("maxSurge") or 0, total, round_up=True)
        missing = scaled(rolling.get("maxUnavailable", 1), total, round_up=True)
        return surge, missing if surge or missing else 1


def surplus(seen: Seen, running: Sequence[Obj], *, surging: bool) -> list[Obj]:
    """Return the pods of one node that are too many; `surging`: a new one may be beside an old."""
    if not surging:
        # All but the one that stays: bound before unbound, then the oldest.
        return sorted(running, key=lambda pod: (not node_name(pod), age(pod)))[1:]
    by_age = sorted(running, key=age)
    new = [pod for pod in by_age if seen.is_current(pod)]
    old = [pod for pod in by_age if not seen.is_current(pod)]
    extra = new[1:] + old[1:]
    if new and old and (not is_ready(old[0]) or seen.is_available(new[0])):
        extra.append(old[0])
    return extra


def plan(seen: Seen) -> Plan:
    """Return the next step of an update; nothing where somebody else has to delete."""
    if (seen.obj["spec"].get("updateStrategy") or {}).get("type") == "OnDelete":
        return Plan()
    surge, missing = seen.limits()
    return _surging(seen, surge) if surge else _replacing(seen, missing)


def _replacing(seen: Seen, room: int) -> Plan:
    """Those that do not work may go at once, and as many others as may be unavailable."""
    broken: list[Obj] = []
    working: list[Obj] = []
    for node in seen.wanted:
        new, old = _pair(seen, node)
        if len(new) + len(old) != 1:
            room -= 1  # to be made or cleaned up; until then it counts as unavailable
        elif new:
            room -= not seen.is_available(new[0])
        elif seen.is_available(old[0]):
            working += old
        else:
            room -= 1
            broken += old
    return Plan(broken + working[: max(room, 0)])


def _surging(seen: Seen, room: int) -> Plan:
    """Where the old one does not work a new one may come at once, elsewhere as many as may."""
    done = Plan()
    possible: list[str] = []
    for node in seen.wanted:
        new, old = _pair(seen, node)
        if len(new) > 1 or len(old) > 1:
            room -= 1
        elif not old:
            continue
        elif not new:
            (possible if seen.is_available(old[0]) else done.create).append(node)
        elif seen.is_available(new[0]):
            done.delete += old
        else:
            room -= 1
    done.create += possible[: max(room, 0)]
    return done


def _pair(seen: Seen, node: str) -> tuple[list[Obj], list[Obj]]:
    """Return a node's pods of the present template, and those of earlier ones."""
    alive = [pod for pod in seen.by_node.get(node, ()) if not is_deleting(pod)]
    new = [pod for pod in alive if seen.is_current(pod)]
    return new, [pod for pod in alive if not seen.is_current(pod)]


def age(pod: Obj) -> tuple[str, str]:
    return (pod["metadata"].get("creationTimestamp") or "", name_of(pod))
