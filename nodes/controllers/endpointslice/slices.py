"""From endpoints to slices with as few writes as possible: pure functions.

An endpoint stays in the slice in which it is. What is new goes where something changes anyway,
then into the fullest slice that has room, then into new slices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from apimachinery.meta import Obj

MOST = 100

# Ports and endpoints together, by the identity of the ports.
Wanted: TypeAlias = Mapping[tuple[Any, ...], tuple[list[Obj], list[Obj]]]


class Changes(NamedTuple):
    """What to write: (ports, endpoints) of new slices, of changed ones, and slices that go."""

    create: list[tuple[list[Obj], list[Obj]]]
    update: list[tuple[Obj, list[Obj], list[Obj]]]
    delete: list[Obj]


def changes(present: Sequence[Obj], wanted: Wanted) -> Changes:
    """Plan how the slices of one address type come to hold what is wanted.

    A slice that would go is used for one that would be made. A service without endpoints keeps
    one empty slice to say so.
    """
    groups: dict[tuple[Any, ...], list[Obj]] = {}
    for one in present:
        groups.setdefault(ports_key(one.get("ports")), []).append(one)
    result = Changes([], [], [])
    for key, (ports, endpoints) in wanted.items():
        planned = plan(groups.pop(key, []), endpoints)
        result.create.extend((ports, new) for new in planned.create)
        result.update.extend((one, ports, left) for one, left in planned.update)
        result.delete.extend(planned.delete)
    result.delete.extend(one for group in groups.values() for one in group)
    if len(result.delete) == len(present) and not result.create:
        _keep_one_empty(result)
    while result.create and result.delete:
        ports, endpoints = result.create.pop()
        result.update.append((result.delete.pop(), ports, endpoints))
    return result


def _keep_one_empty(result: Changes) -> None:
    for one in result.delete:
        if not one.get("endpoints") and not one.get("ports"):
            result.delete.remove(one)
            return
    result.create.append(([], []))


class Plan(NamedTuple):
    """What to write: endpoint lists for new slices, changed slices, slices that go."""

    create: list[list[Obj]]
    update: list[tuple[Obj, list[Obj]]]
    delete: list[Obj]


def ports_key(ports: Sequence[Obj] | None) -> tuple[Any, ...]:
    """Identify a set of ports, in whatever order they stand."""
    wanted = ("name", "port", "protocol", "appProtocol")
    return tuple(
        sorted(tuple(str(port.get(name) or "") for name in wanted) for port in ports or ())
    )


def identity(endpoint: Obj) -> tuple[str, ...]:
    """Tell endpoints apart: by pod, and by address where there is no pod."""
    target = endpoint.get("targetRef") or {}
    return (target.get("uid") or "", *sorted(endpoint.get("addresses") or ()))


def plan(present: Sequence[Obj], wanted: Sequence[Obj]) -> Plan:
    """Plan how slices of one set of ports come to hold the wanted endpoints."""
    missing = {identity(endpoint): endpoint for endpoint in wanted}
    kept: list[tuple[Obj, list[Obj], bool]] = []
    for one in present:
        endpoints, changed = _keep(one, missing)
        kept.append((one, endpoints, changed))
    new = list(missing.values())
    for _, endpoints, changed in kept:
        if changed and endpoints:
            _fill(endpoints, new)
    create: list[list[Obj]] = []
    while len(new) >= MOST:
        create.append(new[:MOST])
        del new[:MOST]
    if new:
        create += _place_rest(kept, new)
    return Plan(
        create,
        [(one, endpoints) for one, endpoints, changed in kept if changed and endpoints],
        [one for one, endpoints, _ in kept if not endpoints],
    )


def _keep(present: Obj, missing: dict[tuple[str, ...], Obj]) -> tuple[list[Obj], bool]:
    """Return what of a slice stays, as it is now, and whether that changes the slice."""
    endpoints, changed = [], False
    for endpoint in present.get("endpoints") or ():
        now = missing.pop(identity(endpoint), None)
        if now is None:
            changed = True
            continue
        changed = changed or now != endpoint
        endpoints.append(now)
    return endpoints, changed


def _fill(endpoints: list[Obj], new: list[Obj]) -> None:
    room = max(MOST - len(endpoints), 0)
    endpoints += new[:room]
    del new[:room]


def _place_rest(kept: list[tuple[Obj, list[Obj], bool]], new: list[Obj]) -> list[list[Obj]]:
    """Put what is left into the fullest slice with room for it; else into one of its own."""
    fitting = [
        index
        for index, (_, endpoints, _) in enumerate(kept)
        if endpoints and len(endpoints) + len(new) <= MOST
    ]
    if not fitting:
        return [list(new)]
    index = max(fitting, key=lambda at: len(kept[at][1]))
    one, endpoints, _ = kept[index]
    kept[index] = (one, [*endpoints, *new], True)
    return []
