"""Which endpoints of a Service port take new connections (proxy.CategorizeEndpoints)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from apimachinery.meta import Obj


class Endpoint(NamedTuple):
    """An address behind a Service port, and how it does."""

    ip: str
    port: int
    node: str
    ready: bool
    serving: bool
    terminating: bool


def endpoints_of(slices: Iterable[Obj], port_name: str, protocol: str) -> list[Endpoint]:
    """Return the endpoints of one Service port, over all its slices, each once."""
    found: dict[tuple[str, int], Endpoint] = {}
    for part in slices:
        for port in part.get("ports") or ():
            if (port.get("name") or "") != port_name or port.get("port") is None:
                continue
            if (port.get("protocol") or "TCP") != protocol:
                continue
            for endpoint in part.get("endpoints") or ():
                for entry in _entries(endpoint, port["port"]):
                    found[entry.ip, entry.port] = entry
    return [found[key] for key in sorted(found)]


def _entries(endpoint: Obj, port: int) -> Iterable[Endpoint]:
    conditions = endpoint.get("conditions") or {}
    ready = conditions.get("ready") is not False
    serving = conditions.get("serving", ready) is not False
    terminating = bool(conditions.get("terminating"))
    node = endpoint.get("nodeName") or ""
    # Consumers take the first address alone; the others are reserved.
    for ip in (endpoint.get("addresses") or ())[:1]:
        yield Endpoint(ip, port, node, ready, serving, terminating)


def usable(endpoints: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    """Return the ready ones; where there is none, those that end but still serve."""
    known = list(endpoints)
    ready = tuple(e for e in known if e.ready)
    return ready or tuple(e for e in known if e.serving and e.terminating)
