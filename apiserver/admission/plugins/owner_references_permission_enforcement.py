"""OwnerReferencesPermissionEnforcement: nobody gets things deleted that they may not delete.

An owner reference hands the fate of an object to the garbage collector, so it takes the right to
delete the object; one that blocks the owner's deletion takes the right to set its finalizers.
"""

from __future__ import annotations

from typing import Any

from apimachinery.gvk import GroupVersion
from apimachinery.meta import Obj
from apiserver.admission.interfaces import ANY, CREATE, UPDATE, AdmissionRequest, May, Rule
from apiserver.registry.catalog import Catalog

Reference = dict[str, Any]


class OwnerReferencesPermissionEnforcement:
    """Checks the rights behind changes of metadata.ownerReferences."""

    name = "OwnerReferencesPermissionEnforcement"
    handles = Rule((ANY,), (CREATE, UPDATE), (ANY,))

    def __init__(self, may: May, catalog: Catalog | None) -> None:
        self._may, self._catalog = may, catalog

    def validate(self, request: AdmissionRequest) -> None:
        # The status of a pod cannot change its owners, and old kubelets send them garbled.
        if (str(request.resource), request.subresource) == ("pods", "status"):
            return
        new, old = _owners(request.object), _owners(request.old_object)
        if new == old:
            return
        about = request.resource
        if not self._may(
            request.user,
            "delete",
            about.group,
            about.resource,
            request.name,
            request.namespace,
            request.subresource,
        ):
            raise request.refusal("cannot set an ownerRef on a resource you can't delete: , <nil>")
        for reference in _newly_blocking(new, old):
            self._check_blocking(request, reference)

    def _check_blocking(self, request: AdmissionRequest, reference: Reference) -> None:
        api_version, kind = reference.get("apiVersion") or "", reference.get("kind") or ""
        group = GroupVersion.parse(api_version)
        found = self._catalog.of_kind(group.kind(kind)) if self._catalog else None
        if found is None:
            raise request.refusal(
                "cannot set blockOwnerDeletion in this case because cannot find RESTMapping for "
                f"APIVersion {api_version} Kind {kind}: "
                f'no matches for kind "{kind}" in version "{api_version}"'
            )
        # An owner is in the namespace of what it owns, or in none.
        namespace = request.namespace if found.resource.namespaced else ""
        if not self._may(
            request.user,
            "update",
            group.group,
            found.plural,
            reference.get("name") or "",
            namespace,
            "finalizers",
        ):
            raise request.refusal(
                "cannot set blockOwnerDeletion if an ownerReference refers to a resource you "
                "can't set finalizers on: , <nil>"
            )


def _owners(obj: Obj | None) -> list[Reference]:
    return ((obj or {}).get("metadata") or {}).get("ownerReferences") or []


def _newly_blocking(new: list[Reference], old: list[Reference]) -> list[Reference]:
    before = {each.get("uid") for each in old if each.get("blockOwnerDeletion")}
    blocking = (each for each in new if each.get("blockOwnerDeletion"))
    return [each for each in blocking if each.get("uid") not in before]
