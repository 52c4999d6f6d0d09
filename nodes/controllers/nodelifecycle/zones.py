"""How fast nodes that are not ready may be emptied: zone by zone, slower where many are ill.

A zone taints one node in ten seconds. Where more than half of a zone is not ready it is as likely
to be the network as the nodes: large zones go on ten times slower, small ones stop. A zone of
which nothing is left goes on as usual, unless no zone is left at all: then it is we who see
nothing, and nobody is driven away. Nothing ticks: whoever waits is told how long.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from apimachinery.meta import Obj, labels_of, name_of
from apimachinery.nodes import REGION_LABEL, ZONE_LABEL, condition_status

# kube-controller-manager's --node-eviction-rate, --secondary-node-eviction-rate (nodes a second),
# --large-cluster-size-threshold (nodes) and --unhealthy-zone-threshold.
RATE, SLOW_RATE = 0.1, 0.01
LARGE = 50
UNHEALTHY = 0.55
# Two of three may be ill in a small zone without its being called so.
_FEW = 2
EXCLUDED = "node.kubernetes.io/exclude-disruption"


class State(Enum):
    """How a zone stands."""

    NORMAL = "Normal"
    PARTIAL = "PartialDisruption"
    FULL = "FullDisruption"


def state_of(ready: int, unready: int) -> State:
    if not ready and unready:
        return State.FULL
    if unready > _FEW and unready / (ready + unready) >= UNHEALTHY:
        return State.PARTIAL
    return State.NORMAL


def rate_of(state: State, size: int) -> float:
    """Return how many nodes of a zone may be tainted a second."""
    if state is State.PARTIAL:
        return SLOW_RATE if size > LARGE else 0.0
    return RATE


def zone_of(node: Obj) -> tuple[str, str]:
    labels = labels_of(node)
    return labels.get(REGION_LABEL, ""), labels.get(ZONE_LABEL, "")


def named(key: tuple[str, str]) -> str:
    """Name a zone as the logs and metrics of Kubernetes do."""
    return ":\x00:".join(key) if any(key) else ""


@dataclass(slots=True)
class _Zone:
    state: State = State.NORMAL
    ready: int = 0
    unready: int = 0
    rate: float = RATE
    next: float = 0.0  # when a node may be tainted again, in cluster seconds
    waiting: dict[str, None] = field(default_factory=dict)  # nodes, in the order they came

    def pace(self, rate: float, now: float) -> None:
        """Go on at another rate; who had to wait waits anew."""
        if rate != self.rate:
            waits = not self.rate or now < self.next
            self.rate = rate
            self.next = now + 1 / rate if waits and rate else now


class Zones:
    """The nodes of a cluster by zone, and whose turn it is."""

    def __init__(self) -> None:
        self.stopped = False  # no zone is left: "master disruption mode"
        self._zones: dict[tuple[str, str], _Zone] = {}
        self._nodes: dict[str, tuple[tuple[str, str], bool | None]] = {}

    def counts(self) -> dict[str, tuple[int, int]]:
        """Return how many nodes of each zone are ready, and how many are not."""
        return {
            named(key): (zone.ready, zone.unready)
            for key, zone in self._zones.items()
            if zone.ready or zone.unready
        }

    def states(self) -> dict[str, State]:
        """Return how each zone stands, by its name."""
        return {named(key): zone.state for key, zone in self._zones.items()}

    def observe(self, node: Obj, *, gone: bool = False) -> None:
        """Count a node as it is now."""
        name = name_of(node)
        if (before := self._nodes.pop(name, None)) is not None:
            self._count(*before, -1)
        if gone:
            return
        status = condition_status(node, "Ready")
        # Who has never said anything, and who is not to be counted, tells nothing of the zone.
        counts = bool(status) and EXCLUDED not in labels_of(node)
        now = (zone_of(node), status == "True" if counts else None)
        self._nodes[name] = now
        self._count(*now, 1)

    def assess(self, now: float) -> bool:
        """Set the pace of each zone; tell whether any goes at another from now on."""
        populated = [zone for zone in self._zones.values() if zone.ready or zone.unready]
        states = [state_of(zone.ready, zone.unready) for zone in populated]
        stopped = all(state is State.FULL for state in states)
        if stopped == self.stopped and states == [zone.state for zone in populated]:
            return False
        self.stopped = stopped
        for zone, state in zip(populated, states, strict=True):
            zone.state = state
            zone.pace(0.0 if stopped else rate_of(state, zone.ready + zone.unready), now)
        return True

    def turn(self, node: Obj, now: float) -> float | None:
        """Queue for a taint: 0 is now, otherwise in so many seconds, None until somebody calls."""
        zone, name = self._zone(zone_of(node)), name_of(node)
        zone.waiting[name] = None
        if next(iter(zone.waiting)) != name or not zone.rate:
            return None
        if now < zone.next:
            return zone.next - now
        zone.next = now + 1 / zone.rate
        return 0.0

    def leave(self, name: str) -> list[str]:
        """Wait no longer; return who is first now, if that was this one's place."""
        for zone in self._zones.values():
            if name in zone.waiting:
                first = next(iter(zone.waiting)) == name
                del zone.waiting[name]
                return list(zone.waiting)[:1] if first else []
        return []

    def _zone(self, key: tuple[str, str]) -> _Zone:
        return self._zones.setdefault(key, _Zone())

    def _count(self, key: tuple[str, str], ready: bool | None, change: int) -> None:  # noqa: FBT001
        if ready is not None:
            zone = self._zone(key)
            zone.ready += change * ready
            zone.unready += change * (not ready)
