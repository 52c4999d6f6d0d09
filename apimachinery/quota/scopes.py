"""A quota's scopes: which pods, or which claims for volumes, it is about at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from apimachinery import pods
from apimachinery.meta import Obj

_AFFINITY = ("podAffinity", "podAntiAffinity")


def in_scope(quota: Obj, resource: str, obj: Obj) -> bool:
    """Tell whether the object is one that the quota is about."""
    requirements = list(_requirements(quota))
    if not requirements:
        return True
    # Scopes are properties of pods and of claims; a quota with scopes is about nothing else.
    holds = {"pods": _pod_holds, "persistentvolumeclaims": _claim_holds}.get(resource)
    return holds is not None and all(holds(each, obj) for each in requirements)


def same_scopes(resource: str, old: Obj, new: Obj) -> bool:
    """Tell whether a change leaves an object in the scopes in which it was."""
    facts = {"pods": _deadline, "persistentvolumeclaims": _attributes_classes}.get(resource)
    return facts is None or facts(old) == facts(new)


def _requirements(quota: Obj) -> Iterator[dict[str, Any]]:
    spec = quota.get("spec") or {}
    for scope in spec.get("scopes") or ():
        yield {"scopeName": scope, "operator": "Exists"}
    yield from (spec.get("scopeSelector") or {}).get("matchExpressions") or ()


def _claim_holds(requirement: dict[str, Any], claim: Obj) -> bool:
    if requirement.get("scopeName") != "VolumeAttributesClass":
        return False
    # While a volume is changed from one class to another both are held.
    names = _attributes_classes(claim)
    return any(_class_holds(requirement, name) for name in names or ("",))


def _attributes_classes(claim: Obj) -> set[str]:
    spec, status = claim.get("spec") or {}, claim.get("status") or {}
    names = (
        spec.get("volumeAttributesClassName"),
        status.get("currentVolumeAttributesClassName"),
        (status.get("modifyVolumeStatus") or {}).get("targetVolumeAttributesClassName"),
    )
    return {name for name in names if name}


def _pod_holds(requirement: dict[str, Any], pod: Obj) -> bool:
    scope = requirement.get("scopeName", "")
    if scope == "PriorityClass":
        return _class_holds(requirement, (pod.get("spec") or {}).get("priorityClassName") or "")
    test = _SCOPES.get(scope)
    return test is not None and test(pod)


def _class_holds(requirement: dict[str, Any], name: str) -> bool:
    operator, values = requirement.get("operator"), requirement.get("values") or ()
    if operator == "Exists":
        return bool(name)
    if operator == "DoesNotExist":
        return not name
    return name in values if operator == "In" else name not in values


def _best_effort(pod: Obj) -> bool:
    return pods.qos_class(pod) == pods.BEST_EFFORT


def _deadline(pod: Obj) -> int | None:
    seconds: int | None = (pod.get("spec") or {}).get("activeDeadlineSeconds")
    return seconds


def _terminating(pod: Obj) -> bool:
    seconds = _deadline(pod)
    return seconds is not None and seconds >= 0


def _cross_namespace(pod: Obj) -> bool:
    affinity = (pod.get("spec") or {}).get("affinity") or {}
    return any(
        term.get("namespaces") or term.get("namespaceSelector") is not None
        for kind in _AFFINITY
        for term in _terms(affinity.get(kind) or {})
    )


def _terms(affinity: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
    for each in affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
        yield each.get("podAffinityTerm") or {}


_SCOPES: dict[str, Callable[[Obj], bool]] = {
    "BestEffort": _best_effort,
    "NotBestEffort": lambda pod: not _best_effort(pod),
    "Terminating": _terminating,
    "NotTerminating": lambda pod: not _terminating(pod),
    "CrossNamespacePodAffinity": _cross_namespace,
}
