"""PodTopologyLabels: a pod takes over the zone and region of its node, as labels."""

from __future__ import annotations

from apimachinery.meta import Obj, labels_of
from apiserver.admission.interfaces import CREATE, AdmissionRequest, Rule
from apiserver.registry.strategy import ObjectReader

LABELS = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")


class PodTopologyLabels:
    """Puts the labels on a Binding, from where they come onto the pod; or on a pod with a node."""

    name = "PodTopologyLabels"
    handles = Rule(("pods",), (CREATE,), ("", "binding"))

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects

    def admit(self, request: AdmissionRequest) -> None:
        obj = request.object or {}
        name = _target(obj) if request.subresource else (obj.get("spec") or {}).get("nodeName")
        node = self._objects.get("nodes", "", name) if name else None
        if node is None:
            return
        given = {key: value for key, value in labels_of(node).items() if key in LABELS}
        if given:
            metadata = obj.setdefault("metadata", {})
            metadata["labels"] = {**given, **(metadata.get("labels") or {})}


def _target(binding: Obj) -> str:
    target = binding.get("target") or {}
    return str(target.get("name") or "") if target.get("kind") == "Node" else ""
