"""Resources of a pod as a whole (`spec.resources`): what containers say stands in for them."""

from __future__ import annotations

from apimachinery.meta import Obj
from apimachinery.quantity import ZERO, Quantity, parse

_OVERCOMMITTED = ("cpu", "memory")


def supported_for_pods(resource: str) -> bool:
    """Tell whether a whole pod may ask for the resource."""
    return resource in _OVERCOMMITTED or resource.startswith("hugepages-")


def default_pod_level(spec: Obj) -> None:
    """Fill in pod requests from containers, else from the pod's limits; then pod limits."""
    resources = spec["resources"]
    if limits := resources.get("limits"):
        requests = dict(resources.get("requests") or {})
        for name, amount in aggregate(spec, "requests").items():
            if name in _OVERCOMMITTED:
                requests.setdefault(name, str(amount))
        for name, limit in limits.items():
            if supported_for_pods(name):
                requests.setdefault(name, limit)
        if requests:
            resources["requests"] = requests


def aggregate(spec: Obj, which: str) -> dict[str, Quantity]:
    """Return what all containers together ask for at the same time, init containers included."""
    total: dict[str, Quantity] = {}
    for container in spec.get("containers") or ():
        _add(total, _amounts(container, which))
    sidecars: dict[str, Quantity] = {}
    peak: dict[str, Quantity] = {}
    for container in spec.get("initContainers") or ():
        amounts = _amounts(container, which)
        if container.get("restartPolicy") == "Always":
            _add(total, amounts)
            _add(sidecars, amounts)
            amounts = sidecars
        else:
            amounts = {k: v + sidecars.get(k, ZERO) for k, v in amounts.items()}
        for name, amount in amounts.items():
            peak[name] = max(peak.get(name, ZERO), amount)
    for name, amount in peak.items():
        total[name] = max(total.get(name, ZERO), amount)
    return total


def _amounts(container: Obj, which: str) -> dict[str, Quantity]:
    given = (container.get("resources") or {}).get(which) or {}
    return {name: parse(amount) for name, amount in given.items()}


def _add(total: dict[str, Quantity], more: dict[str, Quantity]) -> None:
    for name, amount in more.items():
        total[name] = total[name] + amount if name in total else amount
