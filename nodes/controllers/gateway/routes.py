"""Which listeners of a Gateway take an HTTPRoute, and why others do not. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from apimachinery.meta import Obj, namespace_of


class Fact(NamedTuple):
    """A condition without its time."""

    type: str
    holds: bool
    reason: str
    message: str = ""


def listeners_for(route: Obj, parent: Obj, gateway: Obj) -> list[Obj]:
    """Return the listeners that a route asks for and that let it in."""
    return [
        one
        for one in _named(parent, gateway)
        if _lets_in(one, route, gateway) and _hosts_meet(one, route)
    ]


def accepted(route: Obj, parent: Obj, gateway: Obj) -> Fact:
    """Say whether a gateway takes a route, and why not."""
    named = _named(parent, gateway)
    allowing = [one for one in named if _lets_in(one, route, gateway)]
    if not named:
        return Fact("Accepted", False, "NoMatchingParent", "no listener is of that name or port")
    if not allowing:
        return Fact("Accepted", False, "NotAllowedByListeners", "no listener allows its namespace")
    if not any(_hosts_meet(one, route) for one in allowing):
        words = "no listener has a hostname of the route"
        return Fact("Accepted", False, "NoMatchingListenerHostname", words)
    return Fact("Accepted", True, "Accepted")


def _named(parent: Obj, gateway: Obj) -> list[Obj]:
    return [
        one
        for one in gateway["spec"].get("listeners") or ()
        if parent.get("sectionName") in (None, one["name"])
        and parent.get("port") in (None, one.get("port"))
    ]


def _lets_in(listener: Obj, route: Obj, gateway: Obj) -> bool:
    allowed = (listener.get("allowedRoutes") or {}).get("namespaces") or {}
    return allowed.get("from") == "All" or namespace_of(route) == namespace_of(gateway)


def _hosts_meet(listener: Obj, route: Obj) -> bool:
    hosts, own = route["spec"].get("hostnames") or (), listener.get("hostname")
    return not hosts or not own or any(_meet(own, host) for host in hosts)


def _meet(one: str, other: str) -> bool:
    """Tell whether two hostnames, each perhaps with a wildcard, have one in common."""
    if one == other:
        return True
    for wide, narrow in ((one, other), (other, one)):
        if wide.startswith("*.") and narrow.removeprefix("*").endswith(wide[1:]):
            return True
    return False


def backends(route: Obj) -> Iterator[Obj]:
    for rule in route["spec"].get("rules") or ():
        yield from rule.get("backendRefs") or ()
