"""NamespaceAutoProvision: a namespace is made when the first object comes that wants it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from apiserver.admission.interfaces import ANY, CREATE, AdmissionRequest, Rule
from apiserver.registry.strategy import ObjectReader

# Makes a namespace of that name; that it is there already is no fault.
Provision = Callable[[str], Awaitable[None]]


class NamespaceAutoProvision:
    """Makes the namespaces that creations name; it comes before those that miss them."""

    name = "NamespaceAutoProvision"
    handles = Rule((ANY,), (CREATE,), (ANY,))

    def __init__(self, objects: ObjectReader, provision: Provision) -> None:
        self._objects = objects
        self._provision = provision

    def concerns(self, request: AdmissionRequest) -> bool:
        namespace = request.namespace
        if not namespace or request.dry_run or str(request.resource) == "namespaces":
            return False
        return self._objects.get("namespaces", "", namespace) is None

    async def admit_async(self, request: AdmissionRequest) -> None:
        await self._provision(request.namespace)
