"""Which endpoint is for which zone or node: pure functions.

A Service may prefer what is near (`trafficDistribution`): then each endpoint is for its own zone.
Or it leaves that to the controller (the annotation `topology-mode: Auto`): then each zone gets its
nodes' share of all CPUs in endpoints, if that can be done without overload.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from apimachinery.meta import Obj, annotations_of, labels_of
from apimachinery.nodes import condition_status
from apimachinery.quantity import parse

ZONE = "topology.kubernetes.io/zone"
_MODES = ("service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode")
_NEAR = ("PreferClose", "PreferSameZone", "PreferSameNode")
_EXCLUDED = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
# By how much an endpoint may have more to do than its share.
_OVERLOAD = 0.2

ENABLED, DISABLED = "TopologyAwareHintsEnabled", "TopologyAwareHintsDisabled"
HAS_BEEN_ENABLED = "Topology Aware Hints has been enabled"
HAS_BEEN_DISABLED = "Topology Aware Hints has been disabled"
_NO_NODE_INFO = (
    "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes"
)
_NO_ZONE = "One or more endpoints do not have a zone specified"
_NOTHING = "No hints allocated for zones"

Shares: TypeAlias = Mapping[str, float]
Endpoints: TypeAlias = list[Obj]


class Allocation(NamedTuple):
    """How many endpoints a zone is to have: at least, at most, and by its share."""

    least: int
    most: int
    wanted: float


class CannotHint(Exception):
    """Why no endpoint is for one zone more than for another, in Kubernetes' words."""


def is_automatic(service: Obj) -> bool:
    """Tell whether zones are to be served by the shares of their nodes."""
    annotations = annotations_of(service)
    given = next((annotations[one] for one in _MODES if one in annotations), "")
    return given in ("Auto", "auto")


def prefer_near(service: Obj, endpoints: Iterable[Obj]) -> None:
    """Say of ready endpoints that they are for their zone, or node, if the service likes that."""
    wish = service["spec"].get("trafficDistribution")
    if wish not in _NEAR:
        return
    for one in endpoints:
        if not _is_ready(one):
            continue
        hints: Obj = {}
        if "zone" in one:
            hints["forZones"] = [{"name": one["zone"]}]
        if wish == "PreferSameNode" and "nodeName" in one:
            hints["forNodes"] = [{"name": one["nodeName"]}]
        if hints:
            one["hints"] = hints


def what_counts(node: Obj | None) -> tuple[object, ...]:
    """Return all of a node that its zone's share depends on."""
    if node is None:
        return ()
    labels, status = labels_of(node), node.get("status") or {}
    return (
        labels.get(ZONE),
        any(one in labels for one in _EXCLUDED),
        condition_status(node, "Ready"),
        (status.get("allocatable") or {}).get("cpu"),
    )


def shares_of(nodes: Iterable[Obj]) -> Shares | None:
    """Return each zone's share of all CPUs; None if they are not known, or there is one alone."""
    by_zone: Counter[str] = Counter()
    for node in nodes:
        zone, excluded, ready, cpu = what_counts(node)
        if excluded or ready != "True":
            continue
        if not zone or not cpu or not (amount := parse(str(cpu)).milli_value()):
            return None
        by_zone[str(zone)] += amount
    total = by_zone.total()
    return {zone: cpu / total for zone, cpu in by_zone.items()} if len(by_zone) > 1 else None


def is_overloaded(counts: Mapping[str, int], shares: Shares | None) -> bool:
    """Tell whether some zone has too few endpoints for its share."""
    if not counts or not shares:
        return bool(counts)
    total = sum(counts.values())
    return any(
        zone not in counts or counts[zone] < math.ceil(total * share / (1 + _OVERLOAD))
        for zone, share in shares.items()
    )


def allocations(shares: Shares | None, count: int) -> dict[str, Allocation]:
    """Divide so many endpoints among the zones. Raises CannotHint."""
    if shares is None:
        raise CannotHint(_NO_NODE_INFO)
    about = f"({count} endpoints, {len(shares)} zones)"
    if len(shares) > count:
        raise CannotHint(f"Insufficient number of endpoints {about}")
    least = {zone: math.ceil(share * count / (1 + _OVERLOAD)) for zone, share in shares.items()}
    spare = count - sum(least.values())
    if spare < 0:
        raise CannotHint(
            "Unable to allocate minimum required endpoints to each zone without exceeding overload"
            f" threshold {about}"
        )
    return {
        zone: Allocation(least[zone], least[zone] + spare, max(share * count, least[zone]))
        for zone, share in shares.items()
    }


def allocate(
    changing: Sequence[Endpoints], unchanged: Sequence[Endpoints], shares: Shares | None
) -> tuple[Counter[str], list[int]]:
    """Give the endpoints of slices that are written their zones, and the others where they must.

    Return how many each zone has, and which of the unchanged are changed. Raises CannotHint.
    """
    count = sum(_is_ready(one) for slice_ in (*changing, *unchanged) for one in slice_)
    wanted = allocations(shares, count)
    given: Counter[str] = Counter()
    touched = []
    for at, endpoints in enumerate(unchanged):
        found = _given(endpoints, given, wanted)
        if found is None:
            touched.append(at)
        else:
            given.update(found)
    open_ = [
        one
        for endpoints in (*changing, *(unchanged[at] for at in touched))
        for one in endpoints
        if _is_ready(one)
    ]
    if any(not one.get("zone") for one in open_):
        raise CannotHint(_NO_ZONE)
    for one in open_:
        given[one["zone"]] += 1
        one["hints"] = _for_zone(one["zone"])
    _redistribute(open_, *_givers_and_takers(wanted, given), given)
    if not given:
        raise CannotHint(_NOTHING)
    return given, touched


def _is_ready(endpoint: Obj) -> bool:
    return bool(endpoint["conditions"].get("ready"))


def _for_zone(zone: str) -> Obj:
    return {"forZones": [{"name": zone}]}


def _given(
    endpoints: Endpoints, before: Mapping[str, int], wanted: Mapping[str, Allocation]
) -> Counter[str] | None:
    """Count the hints that a slice has; None if they will not do."""
    found: Counter[str] = Counter()
    for one in endpoints:
        if not _is_ready(one):
            continue
        zones = [zone["name"] for zone in (one.get("hints") or {}).get("forZones") or ()]
        if not zones or any(zone not in wanted for zone in zones):
            return None
        found.update(zones)
    if any(count + before.get(zone, 0) > wanted[zone].most for zone, count in found.items()):
        return None
    return found


def _givers_and_takers(
    wanted: Mapping[str, Allocation], given: Mapping[str, int]
) -> tuple[Counter[str], Counter[str]]:
    """Return how many endpoints each zone has to give, and to take."""
    over = {zone: given.get(zone, 0) - one.wanted for zone, one in wanted.items()}
    gives: Counter[str] = Counter()
    takes: Counter[str] = Counter()
    highest: Callable[[str], float] = lambda zone: over[zone]  # noqa: E731
    while True:
        giver, taker = max(sorted(over), key=highest), min(sorted(over), key=highest)
        more, fewer = over[giver], -over[taker]
        if (more < 1.0 and fewer < 1.0) or more < 0.5 or fewer < 0.5:
            return gives, takes
        gives[giver] += 1
        takes[taker] += 1
        over[giver] -= 1
        over[taker] += 1


def _redistribute(
    endpoints: Endpoints, gives: Counter[str], takes: Counter[str], given: Counter[str]
) -> None:
    for one in endpoints:
        zone = one["zone"]
        if gives[zone] <= 0:
            continue
        taker = next((zone for zone in sorted(takes) if takes[zone] > 0), None)
        if taker is None:
            return
        one["hints"] = _for_zone(taker)
        gives[zone] -= 1
        takes[taker] -= 1
        given[zone] -= 1
        given[taker] += 1
