"""DefaultIngressClass: an ingress that names no class gets the one marked as default."""

from __future__ import annotations

from apimachinery.meta import annotations_of, name_of
from apiserver.admission.interfaces import CREATE, AdmissionRequest, Rule
from apiserver.registry.strategy import ObjectReader

CLASSES = "ingressclasses.networking.k8s.io"
DEFAULT = "ingressclass.kubernetes.io/is-default-class"
LEGACY = "kubernetes.io/ingress.class"


class DefaultIngressClass:
    """Fills in spec.ingressClassName."""

    name = "DefaultIngressClass"
    handles = Rule(("ingresses.networking.k8s.io",), (CREATE,))

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects

    def admit(self, request: AdmissionRequest) -> None:
        ingress = request.object
        if ingress is None or LEGACY in annotations_of(ingress):
            return
        spec = ingress.setdefault("spec", {})
        if spec.get("ingressClassName") is not None:
            return
        defaults = [
            each
            for each in self._objects.list(CLASSES)
            if annotations_of(each).get(DEFAULT) == "true"
        ]
        if defaults:
            # Of several the youngest counts, and of those the first by name.
            born = {each["metadata"].get("creationTimestamp") or "" for each in defaults}
            youngest = max(born)
            names = [
                name_of(each)
                for each in defaults
                if (each["metadata"].get("creationTimestamp") or "") == youngest
            ]
            spec["ingressClassName"] = min(names)
