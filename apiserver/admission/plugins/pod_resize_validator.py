"""PodResizeValidator: a running pod is not made larger than its node."""

from __future__ import annotations

from collections.abc import Iterator

from apimachinery import pods
from apimachinery.errors import Forbidden
from apimachinery.meta import Obj, labels_of
from apimachinery.quantity import Quantity, parse
from apiserver.admission.interfaces import UPDATE, AdmissionRequest, Rule
from apiserver.registry.strategy import ObjectReader

OS = "kubernetes.io/os"


class PodResizeValidator:
    """Refuses resizes that the pod's node can never grant."""

    name = "PodResizeValidator"
    handles = Rule(("pods",), (UPDATE,), ("resize",))

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects

    def validate(self, request: AdmissionRequest) -> None:
        pod = request.object or {}
        spec = pod.get("spec") or {}
        name = spec.get("nodeName") or ""
        if not name or spec == (request.old_object or {}).get("spec"):
            return
        node = self._objects.get("nodes", "", name)
        if node is None:
            raise request.refusal(f'node "{name}" not found')
        if lacking := "; ".join(_lacking(pod, node)):
            why = f"Node didn't have enough allocatable resources: {lacking}"
            raise _with_cause(request.refusal(why), "NodeCapacity")
        system = labels_of(node).get(OS, "")
        if system != "linux":
            why = f'pod resize is only supported on linux nodes, node "{name}" is "{system}"'
            raise _with_cause(request.refusal(why), "UnsupportedPlatform")


def _lacking(pod: Obj, node: Obj) -> Iterator[str]:
    allocatable = (node.get("status") or {}).get("allocatable") or {}
    requests = pods.requests(pod)
    for resource, amount in (("cpu", Quantity.milli_value), ("memory", Quantity.value)):
        wanted = requests.get(resource)
        asked = amount(wanted) if wanted is not None else 0
        there = amount(parse(allocatable.get(resource)))
        if asked > there:
            yield f"{resource}, requested: {asked}, allocatable: {there}"


def _with_cause(refusal: Forbidden, reason: str) -> Forbidden:
    refusal.details = {**(refusal.details or {}), "causes": [{"reason": reason}]}
    return refusal
