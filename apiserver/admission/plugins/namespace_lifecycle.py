"""NamespaceLifecycle: nothing is made in a namespace that is missing or on its way out."""

from __future__ import annotations

from apimachinery.errors import Forbidden, NotFound
from apimachinery.gvk import GroupResource
from apiserver.admission.interfaces import (
    ANY,
    CREATE,
    DELETE,
    UPDATE,
    AdmissionRequest,
    Rule,
)
from apiserver.registry.strategy import ObjectReader

NAMESPACES = GroupResource("", "namespaces")
IMMORTAL = frozenset({"default", "kube-system", "kube-public"})
# Telling whether a namespace exists would tell those who may only ask about rights.
REVIEWS = GroupResource("authorization.k8s.io", "localsubjectaccessreviews")


class NamespaceLifecycle:
    """Refuses writes to namespaces that are missing, and creations in those that terminate."""

    name = "NamespaceLifecycle"
    handles = Rule((ANY,), (CREATE, UPDATE, DELETE), (ANY,))

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects

    def admit(self, request: AdmissionRequest) -> None:
        if request.resource == NAMESPACES:
            if request.operation is DELETE and request.name in IMMORTAL:
                raise Forbidden(NAMESPACES, request.name, "this namespace may not be deleted")
            return
        namespace = request.namespace
        if not namespace or request.operation is DELETE or request.resource == REVIEWS:
            return
        found = self._objects.get("namespaces", "", namespace)
        if found is None:
            raise NotFound(NAMESPACES, namespace)
        if request.operation is CREATE and _terminating(found):
            raise _refusal(request)


def _terminating(namespace: dict[str, object]) -> bool:
    status = namespace.get("status")
    return isinstance(status, dict) and status.get("phase") == "Terminating"


def _refusal(request: AdmissionRequest) -> Forbidden:
    namespace = request.namespace
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    error = request.refusal(why)
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {namespace} is being terminated",
        "field": "metadata.namespace",
    }
    error.details = {**(error.details or {}), "causes": [cause]}
    return error
