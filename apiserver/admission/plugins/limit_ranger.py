"""LimitRanger: a LimitRange gives containers defaults, and bounds to pods and claims."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apimachinery import pods
from apimachinery.meta import Obj
from apimachinery.quantity import Quantity, parse
from apiserver.admission.interfaces import CREATE, UPDATE, AdmissionRequest, Rule
from apiserver.admission.limits import violations
from apiserver.registry.strategy import ObjectReader

ANNOTATION = "kubernetes.io/limit-ranger"
_KINDS = (("containers", "container"), ("initContainers", "init container"))


class LimitRanger:
    """Fills in requests and limits, then checks them against every range of the namespace."""

    name = "LimitRanger"
    handles = Rule(("pods", "persistentvolumeclaims"), (CREATE, UPDATE), ("", "resize"))

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects

    def admit(self, request: AdmissionRequest) -> None:
        if not _concerns(request) or request.resource.resource != "pods":
            return
        for limit_range in self._objects.list("limitranges", request.namespace):
            _apply_defaults(request.object or {}, limit_range)

    def validate(self, request: AdmissionRequest) -> None:
        if not _concerns(request) or request.object is None:
            return
        check = _of_pod if request.resource.resource == "pods" else _of_claim
        for limit_range in self._objects.list("limitranges", request.namespace):
            found = list(dict.fromkeys(check(request.object, limit_range)))
            if found:
                told = found[0] if len(found) == 1 else f"[{', '.join(found)}]"
                raise request.refusal(told)


def _concerns(request: AdmissionRequest) -> bool:
    """Tell whether resources may be new: a pod's change only by the subresource for it."""
    if request.resource.resource == "pods" and request.operation is UPDATE:
        return request.subresource == "resize"
    return not request.subresource


def _limits(limit_range: Obj, kind: str) -> Iterator[Obj]:
    for limit in (limit_range.get("spec") or {}).get("limits") or ():
        if limit.get("type") == kind:
            yield limit


def _apply_defaults(pod: Obj, limit_range: Obj) -> None:
    requests: dict[str, str] = {}
    limits: dict[str, str] = {}
    for limit in _limits(limit_range, "Container"):
        requests |= limit.get("defaultRequest") or {}
        limits |= limit.get("default") or {}
    notes: list[str] = []
    spec = pod.get("spec") or {}
    for kind, words in _KINDS:
        for container in spec.get(kind) or ():
            name = container.get("name", "")
            if added := _fill(container, "requests", requests):
                notes.append(f"{', '.join(added)} request for {words} {name}")
            if added := _fill(container, "limits", limits):
                notes.append(f"{', '.join(added)} limit for {words} {name}")
    if notes:
        metadata = pod.setdefault("metadata", {})
        said = {ANNOTATION: f"LimitRanger plugin set: {'; '.join(notes)}"}
        metadata["annotations"] = {**(metadata.get("annotations") or {}), **said}


def _fill(container: Obj, field: str, defaults: dict[str, str]) -> list[str]:
    resources: dict[str, Any] = container.get("resources") or {}
    present = resources.get(field) or {}
    added = sorted(name for name in defaults if name not in present)
    if added:
        filled = {**present, **{name: defaults[name] for name in added}}
        container["resources"] = {**resources, field: filled}
    return added


def _of_pod(pod: Obj, limit_range: Obj) -> Iterator[str]:
    spec = pod.get("spec") or {}
    for limit in _limits(limit_range, "Container"):
        for kind, _ in _KINDS:
            for container in spec.get(kind) or ():
                requests = pods.container_resources(container, "requests")
                limits = pods.container_resources(container, "limits")
                yield from violations(limit, requests, limits)
    for limit in _limits(limit_range, "Pod"):
        yield from violations(limit, pods.requests(pod), pods.limits(pod))


def _of_claim(claim: Obj, limit_range: Obj) -> Iterator[str]:
    resources = (claim.get("spec") or {}).get("resources") or {}
    requests: dict[str, Quantity] = {
        name: parse(given) for name, given in (resources.get("requests") or {}).items()
    }
    for limit in _limits(limit_range, "PersistentVolumeClaim"):
        bounds = {field: limit[field] for field in ("min", "max") if limit.get(field)}
        # A claim has no limits: what it asks for is held against both bounds.
        yield from violations({"type": limit["type"], **bounds}, requests, None)
