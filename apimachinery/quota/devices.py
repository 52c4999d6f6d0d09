"""How many devices a claim is for, by the names of quotas: of the class, and of what it stands for.

A class of devices stands for an extended resource of its own, and for one that it names. Devices
that a claim asks for count as such resources too, but for those that a pod has asked for already:
the claim that the scheduler makes for a pod's extended resources counts beyond the pod alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from apimachinery.meta import Obj, annotations_of, controller_of, name_of, namespace_of, uid_of
from apimachinery.quantity import ZERO, Quantity, parse
from apimachinery.resourceclaims import EXTENDED_CLAIM, IMPLICIT, extended_claim, wishes

Usage = dict[str, Quantity]

CLAIMS, CLASSES = "resourceclaims.resource.k8s.io", "deviceclasses.resource.k8s.io"
DEVICES = ".deviceclass.resource.k8s.io/devices"
MOST_DEVICES = 32  # that a claim can be given: what a request for all of them counts as
_REQUESTS = "requests."


class Around(Protocol):
    """The other objects of a cluster, by `str(GroupResource)`. Shared: read only."""

    def get(self, resource: str, namespace: str, name: str) -> Obj | None: ...

    def list(self, resource: str, namespace: str) -> Iterable[Obj]: ...


def is_of_devices(name: str) -> bool:
    """Tell whether devices may count by a quota's name: by their class, or as a resource."""
    return name.endswith(DEVICES) or is_extended(name)


def is_extended(name: str) -> bool:
    """Tell whether a quota's name is about requests for an extended resource."""
    resource = name.removeprefix(_REQUESTS)
    if resource == name or "/" not in resource:
        return False
    return resource.startswith(IMPLICIT) or "kubernetes.io/" not in resource


def by_class(claim: Obj) -> Usage:
    """Count devices by class; of alternatives the largest number of each class."""
    found: Usage = {}
    devices = (claim.get("spec") or {}).get("devices") or {}
    for request in devices.get("requests") or ():
        most: Usage = {}
        for wish in wishes(request):
            name = f"{wish.get('deviceClassName') or ''}{DEVICES}"
            most[name] = max(most.get(name, ZERO), parse(str(_devices(wish))))
        for name, amount in most.items():
            found[name] = found.get(name, ZERO) + amount
    return found


def by_resource(devices: Usage, around: Around) -> Usage:
    """Count devices, given by class, as the resources for which their classes stand."""
    found: Usage = {}
    for counted, amount in devices.items():
        name = counted.removesuffix(DEVICES)
        device_class = around.get(CLASSES, "", name)
        if device_class is None:
            continue
        named = device_class["spec"].get("extendedResourceName")
        for resource in (f"{IMPLICIT}{name}", *((named,) if named else ())):
            quota_name = f"{_REQUESTS}{resource}"
            found[quota_name] = found.get(quota_name, ZERO) + amount
    return found


def counted_with(claim: Obj, around: Around) -> Obj | None:
    """Return the pod for whose extended resources a claim was made, None if it is no such claim.

    Of several claims of a pod it is the one that the pod's status names; before it names one, the
    oldest.
    """
    owner = controller_of(claim)
    if not _is_extended(claim) or owner is None:
        return None
    if (owner.get("kind"), owner.get("apiVersion")) != ("Pod", "v1"):
        return None
    pod = around.get("pods", namespace_of(claim), owner["name"])
    if pod is None or uid_of(pod) != owner["uid"]:
        return None
    if named := extended_claim(pod):
        return pod if named == name_of(claim) else None
    others = (one for one in around.list(CLAIMS, namespace_of(claim)) if _is_extended(one))
    siblings = (one for one in others if (controller_of(one) or {}).get("uid") == owner["uid"])
    return None if any(_age(one) < _age(claim) for one in siblings) else pod


def _is_extended(claim: Obj) -> bool:
    return annotations_of(claim).get(EXTENDED_CLAIM) == "true"


def _age(claim: Obj) -> tuple[str, str]:
    return claim["metadata"].get("creationTimestamp") or "", name_of(claim)


def _devices(wish: Mapping[str, Any]) -> int:
    match wish.get("allocationMode"):
        case "ExactCount":
            count: int = wish.get("count") or 0
            return count
        case "All":
            return MOST_DEVICES
        case _:
            return 0
