"""NamespaceExists: nothing happens in a namespace that is not there."""

from __future__ import annotations

from apimachinery.errors import NotFound
from apimachinery.gvk import GroupResource
from apiserver.admission.interfaces import ANY, CREATE, DELETE, UPDATE, AdmissionRequest, Rule
from apiserver.registry.strategy import ObjectReader


class NamespaceExists:
    """Refuses writes and deletions in namespaces that are missing."""

    name = "NamespaceExists"
    handles = Rule((ANY,), (CREATE, UPDATE, DELETE), (ANY,))

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects

    def validate(self, request: AdmissionRequest) -> None:
        namespace = request.namespace
        if not namespace or str(request.resource) == "namespaces":
            return
        if self._objects.get("namespaces", "", namespace) is None:
            raise NotFound(GroupResource("", "namespaces"), namespace)
