"""What one object takes of a quota, by the names that quotas use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from apimachinery import pods
from apimachinery.clock import parse_time
from apimachinery.meta import Obj, annotations_of, is_deleting
from apimachinery.quantity import NANO, ZERO, Quantity, parse
from apimachinery.quota.devices import (
    CLAIMS,
    Around,
    Usage,
    by_class,
    by_resource,
    counted_with,
    is_of_devices,
)

ONE = parse("1")
# A pod that uses nothing still takes up a place in the store, and no more than that.
LEFT_OVER: Usage = {"count/pods": ONE}
COMPUTE = ("cpu", "memory", "ephemeral-storage")
# Core kinds that quotas also count by their bare name.
BARE_NAMES = frozenset(
    (
        "configmaps",
        "persistentvolumeclaims",
        "pods",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "services",
    )
)
# What quotas name otherwise than by `count/`.
NAMED = BARE_NAMES | {CLAIMS}
STORAGE_CLASS = ".storageclass.storage.k8s.io/"
_HUGE = "hugepages-"


def usage_of(resource: str, obj: Obj, around: Around) -> Usage:
    """Return what the object takes. `resource` is str(GroupResource)."""
    if resource == CLAIMS:
        return _device_claim(obj, {f"count/{resource}": ONE}, around)
    special = _SPECIAL.get(resource)
    counted = {f"count/{resource}": ONE}
    if resource in BARE_NAMES:
        counted[resource] = ONE
    return counted if special is None else special(obj, counted)


def _pod(pod: Obj, counted: Usage) -> Usage:
    if not counts(pod):
        return LEFT_OVER
    return counted | compute_usage(pods.requests(pod), pods.limits(pod))


def counts(pod: Obj) -> bool:
    """Tell whether a pod may still use anything."""
    return not pods.is_terminal(pod) and not (
        is_deleting(pod) and pod["metadata"].get("deletionGracePeriodSeconds") == 0
    )


def released_at(pod: Obj) -> float | None:
    """Return when (seconds) a pod that is being deleted uses nothing more, whatever its node says.

    Its grace has gone by twice then: a node that is lost must not keep its pods' share.
    """
    metadata = pod["metadata"]
    grace = metadata.get("deletionGracePeriodSeconds")
    if grace is None or not is_deleting(pod):
        return None
    return parse_time(metadata["deletionTimestamp"]).timestamp() + float(grace)


def compute_usage(requests: Mapping[str, Quantity], limits: Mapping[str, Quantity]) -> Usage:
    """Return requests and limits by the names of quotas."""
    found: Usage = {}
    for name, amount in requests.items():
        found[f"requests.{name}"] = amount
        if name in COMPUTE or name.startswith(_HUGE):
            found[name] = amount
    for name, amount in limits.items():
        if name in COMPUTE:
            found[f"limits.{name}"] = amount
    return found


def _service(service: Obj, counted: Usage) -> Usage:
    spec = service.get("spec") or {}
    ports = spec.get("ports") or ()
    found = dict(counted)
    if spec.get("type") == "NodePort":
        found["services.nodeports"] = _whole(len(ports))
    if spec.get("type") == "LoadBalancer":
        found["services.loadbalancers"] = ONE
        if spec.get("allocateLoadBalancerNodePorts") is False:
            allocated = sum(1 for port in ports if port.get("nodePort"))
        else:
            allocated = len(ports)
        found["services.nodeports"] = _whole(allocated)
    return found


def _claim(claim: Obj, counted: Usage) -> Usage:
    found = dict(counted)
    name = _storage_class(claim)
    if name:
        found[f"{name}{STORAGE_CLASS}persistentvolumeclaims"] = ONE
    requested = _storage(claim)
    if requested is not None:
        found["requests.storage"] = requested
        if name:
            found[f"{name}{STORAGE_CLASS}requests.storage"] = requested
    return found


def _storage_class(claim: Obj) -> str:
    """Return the class of a claim; the annotation of old days comes first."""
    noted = annotations_of(claim).get("volume.beta.kubernetes.io/storage-class")
    name: str = (claim.get("spec") or {}).get("storageClassName") or "" if noted is None else noted
    return name


def _storage(claim: Obj) -> Quantity | None:
    """Return the larger one of what is asked for and what is set aside, in whole bytes."""
    spec, status = claim.get("spec") or {}, claim.get("status") or {}
    requested = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if requested is None:
        return None
    largest = max(parse(requested), parse((status.get("allocatedResources") or {}).get("storage")))
    return Quantity(largest.value() * NANO, largest.format)


def _device_claim(claim: Obj, counted: Usage, around: Around) -> Usage:
    devices = by_class(claim)
    resources = by_resource(devices, around)
    if resources and (pod := counted_with(claim, around)) is not None:
        resources = beyond(resources, _pod(pod, {}))
    return counted | devices | resources


def beyond(new: Usage, old: Usage) -> Usage:
    """Return by how much the new usage is larger."""
    grown = {name: amount - old.get(name, ZERO) for name, amount in new.items()}
    return {name: amount for name, amount in grown.items() if amount > ZERO}


_SPECIAL: dict[str, Callable[[Obj, Usage], Usage]] = {
    "pods": _pod,
    "services": _service,
    "persistentvolumeclaims": _claim,
}
# Their size can change; of all others only the number counts.
CAN_GROW = frozenset(("services", "persistentvolumeclaims", "pods"))


def _whole(number: int) -> Quantity:
    return parse(str(number))


def concerns(resource: str, name: str) -> bool:
    """Tell whether a quota's resource `name` is about objects of `resource`."""
    if name == f"count/{resource}":
        return True
    if name.startswith("count/"):
        return False
    if resource == "services":
        return name == resource or name.startswith("services.")
    if resource == "persistentvolumeclaims":
        return name in {resource, "requests.storage"} or STORAGE_CLASS in name
    if resource == "pods":
        return name == resource or _is_compute(name)
    if resource == CLAIMS:
        return is_of_devices(name)
    return resource in BARE_NAMES and name == resource


def sharing(resource: str, names: Iterable[str]) -> list[str]:
    """Return all resources of which objects count by the names by which those of one count."""
    others = (one for one in ("pods", CLAIMS) if one != resource)
    return [resource, *(one for one in others if any(concerns(one, name) for name in names))]


def _is_compute(name: str) -> bool:
    kind, _, what = name.partition(".")
    if kind == "limits":
        return what in COMPUTE
    if kind == "requests" and what != "storage" and STORAGE_CLASS not in name:
        return True
    return name in COMPUTE or name.startswith(_HUGE)


def unsaid(pod: Obj, names: set[str]) -> str:
    """Say which containers leave out what a quota counts; "" if none does."""
    required = {name for name in names if name.rpartition(".")[2] in {"cpu", "memory"}}
    missing: dict[str, set[str]] = {}
    spec: dict[str, Any] = pod.get("spec") or {}
    for kind in ("containers", "initContainers"):
        for container in spec.get(kind) or ():
            said = compute_usage(
                pods.container_resources(container, "requests"),
                pods.container_resources(container, "limits"),
            )
            for name in required - said.keys():
                missing.setdefault(name, set()).add(container.get("name", ""))
    told = [f"{name} for: {','.join(sorted(who))}" for name, who in sorted(missing.items())]
    return f"must specify {'; '.join(told)}" if told else ""
