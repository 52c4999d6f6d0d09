"""RuntimeClass: a pod's overhead and node choice come from its runtime class, never from it."""

from __future__ import annotations

from typing import Any

from apimachinery.meta import Obj
from apimachinery.quantity import parse
from apiserver.admission.interfaces import CREATE, AdmissionRequest, Rule
from apiserver.admission.tolerations import merge
from apiserver.registry.strategy import ObjectReader

CLASSES = "runtimeclasses.node.k8s.io"


class RuntimeClass:
    """Sets overhead, node selector and tolerations; refuses an overhead that disagrees."""

    name = "RuntimeClass"
    handles = Rule(("pods",), (CREATE,))

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects

    def admit(self, request: AdmissionRequest) -> None:
        spec = (request.object or {}).get("spec") or {}
        found = self._class(request, spec)
        if found is not None:
            _set_overhead(request, spec, found)
            _set_scheduling(request, spec, found)

    def validate(self, request: AdmissionRequest) -> None:
        spec = (request.object or {}).get("spec") or {}
        found = self._class(request, spec)
        if found is not None and _fixed(found):
            if not _same(_fixed(found), spec.get("overhead") or {}):
                raise request.refusal(
                    "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
                )
        elif spec.get("overhead"):
            raise request.refusal(
                "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
            )

    def _class(self, request: AdmissionRequest, spec: dict[str, Any]) -> Obj | None:
        name = spec.get("runtimeClassName")
        if not name:
            return None
        found = self._objects.get(CLASSES, "", name)
        if found is None:
            raise request.refusal(f'pod rejected: RuntimeClass "{name}" not found')
        return found


def _fixed(runtime_class: Obj) -> dict[str, Any]:
    return (runtime_class.get("overhead") or {}).get("podFixed") or {}


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(parse(one[k]) == parse(other[k]) for k in one)


def _set_overhead(request: AdmissionRequest, spec: dict[str, Any], found: Obj) -> None:
    fixed = _fixed(found)
    if not fixed:
        return
    given = spec.get("overhead")
    if given and not _same(fixed, given):
        raise request.refusal(
            "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
        )
    spec["overhead"] = dict(fixed)


def _set_scheduling(request: AdmissionRequest, spec: dict[str, Any], found: Obj) -> None:
    scheduling = found.get("scheduling")
    if scheduling is None:
        return
    wanted = scheduling.get("nodeSelector") or {}
    selector = spec.get("nodeSelector") or {}
    for key, value in wanted.items():
        if selector.get(key, value) != value:
            raise request.refusal(
                f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; "
                f"pod.spec.nodeSelector[{key}] = {selector[key]}"
            )
    if wanted:
        spec["nodeSelector"] = {**selector, **wanted}
    merged = merge(spec.get("tolerations") or (), scheduling.get("tolerations") or ())
    if merged:
        spec["tolerations"] = [dict(each) for each in merged]
