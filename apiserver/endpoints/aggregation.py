"""Aggregated APIs: groups that APIServices register, answered by parts of this process.

An `Extension` is what an extension API server would be: some kinds of one group and version, and
how to read them. It is served as long as an APIService for its version says so and is available:
a local one always is, one with a Service while that has addresses. Nothing of it is stored, so
its kinds can be read and not watched. APIServices of groups that nobody here answers keep a
condition that says so. Nothing runs while no APIService, Service or endpoint of one changes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from apimachinery.errors import ApiError, NotFound
from apimachinery.gvk import GroupVersion
from apimachinery.meta import Obj
from apiserver.auth.user import User
from apiserver.endpoints.api import ClusterApi, Read
from apiserver.endpoints.local import LocalTransport, OwnCall
from apiserver.registry.apiregistration.apiservices import APISERVICES
from apiserver.registry.resource import Resource
from apiserver.storage import Event, Key, Subscription

logger = logging.getLogger(__name__)

MANAGER = "kube-apiserver"
_SERVICES, _SLICES = "services", "endpointslices.discovery.k8s.io"
_SERVICE_NAME = "kubernetes.io/service-name"

Spawn = Callable[[str, Coroutine[Any, Any, None]], None]


@dataclass(frozen=True, slots=True)
class Extension:
    """Kinds of one group and version that are computed when they are read."""

    version: GroupVersion
    kinds: Sequence[tuple[Resource, Read]]


class Availability(NamedTuple):
    """The condition Available of an APIService."""

    status: str
    reason: str
    message: str


LOCAL = Availability("True", "Local", "Local APIServices are always available")
PASSED = Availability("True", "Passed", "all checks passed")


class Aggregation:
    """Follows the APIServices of one cluster, and serves the extensions that they register."""

    def __init__(
        self, api: ClusterApi, user: User, spawn: Spawn, extensions: Iterable[Extension]
    ) -> None:
        self._api, self._spawn = api, spawn
        self._transport = LocalTransport(api, user, MANAGER)
        self._extensions = {one.version: one for one in extensions}
        # The APIServices that somebody else would serve, by name.
        self._remote: set[str] = set()
        self._subscriptions: dict[str, Subscription] = {}

    def start(self) -> None:
        """Serve what is registered, and follow what changes."""
        self._subscribe(APISERVICES.key, self._on_apiservices)
        for entry in self._api.store.list(APISERVICES.key):
            self._consider(entry.key.name, entry.obj())

    def stop(self) -> None:
        """Follow no more."""
        for subscription in self._subscriptions.values():
            subscription.cancel()
        self._subscriptions.clear()

    # -- following -------------------------------------------------------------------------------

    def _subscribe(self, resource: str, sink: Callable[[Sequence[Event]], None]) -> None:
        if resource in self._subscriptions:
            return
        store = self._api.store
        self._subscriptions[resource] = store.hub.subscribe(
            resource,
            after=store.revision,
            sink=sink,
            closed=lambda _reason: self._closed(resource),
        )

    def _closed(self, resource: str) -> None:
        self._subscriptions.pop(resource, None)

    def _on_apiservices(self, events: Sequence[Event]) -> None:
        for event in events:
            name = event.entry.key.name
            if event.type == "DELETED":
                self._remote.discard(name)
                self._withdraw(_version_of(event.obj))
            else:
                self._consider(name, event.obj)

    def _on_backends(self, events: Sequence[Event]) -> None:
        """A Service or its addresses have changed: look at those that stand behind one."""
        touched = {_backend(event.obj) for event in events}
        for name in sorted(self._remote):
            found = self._api.objects.get(APISERVICES.key, "", name)
            if found is not None and _service_of(found) in touched:
                self._consider(name, found)

    # -- deciding --------------------------------------------------------------------------------

    def _consider(self, name: str, apiservice: Obj) -> None:
        """Serve or withdraw what an APIService registers, and see to its condition."""
        version = _version_of(apiservice)
        if _service_of(apiservice) is None:
            self._remote.discard(name)
            self._serve(version)
            self._tell(apiservice, LOCAL)
            return
        self._remote.add(name)
        self._subscribe(_SERVICES, self._on_backends)
        self._subscribe(_SLICES, self._on_backends)
        found = self._availability(apiservice)
        if found.status == "True":
            self._serve(version)
        else:
            self._withdraw(version)
        self._tell(apiservice, found)

    def _availability(self, apiservice: Obj) -> Availability:
        service = apiservice["spec"]["service"]
        namespace, name = service.get("namespace") or "", service.get("name") or ""
        port = service.get("port") or 443
        shown = f'service/{name} in "{namespace}"'
        found = self._api.objects.get(_SERVICES, namespace, name)
        if found is None:
            return Availability("False", "ServiceNotFound", f"{shown} is not present")
        wanted = next((p for p in found["spec"].get("ports") or () if p["port"] == port), None)
        if wanted is None:
            message = f"{shown} is not listening on port {port}"
            return Availability("False", "ServicePortError", message)
        port_name = wanted.get("name") or ""
        if not self._addresses(namespace, name, port_name):
            message = f'endpoints for {shown} have no addresses with port name "{port_name}"'
            return Availability("False", "MissingEndpoints", message)
        version = _version_of(apiservice)
        if version not in self._extensions:
            url = f"https://{found['spec'].get('clusterIP')}:{port}/apis/{version.api_version}"
            message = f"failing or missing response from {url}: Get {url}: EOF"
            return Availability("False", "FailedDiscoveryCheck", message)
        return PASSED

    def _addresses(self, namespace: str, service: str, port: str) -> bool:
        """Tell whether a Service's port has an address that is ready."""
        for entry in self._api.store.list(_SLICES, namespace):
            if entry.labels.get(_SERVICE_NAME) != service:
                continue
            part = self._api.objects.parse(entry)
            if not any((p.get("name") or "") == port for p in part.get("ports") or ()):
                continue
            for endpoint in part.get("endpoints") or ():
                if (endpoint.get("conditions") or {}).get("ready") is not False:
                    return True
        return False

    # -- serving ---------------------------------------------------------------------------------

    def _serve(self, version: GroupVersion) -> None:
        extension = self._extensions.get(version)
        for resource, read in extension.kinds if extension else ():
            if resource.key not in self._api.computed:
                self._api.computed[resource.key] = read
                self._api.catalog.add(resource)

    def _withdraw(self, version: GroupVersion) -> None:
        extension = self._extensions.get(version)
        for resource, _ in extension.kinds if extension else ():
            if self._api.computed.pop(resource.key, None) is not None:
                self._api.catalog.remove(resource.key)

    # -- status ----------------------------------------------------------------------------------

    def _tell(self, apiservice: Obj, wanted: Availability) -> None:
        found = _condition(apiservice)
        if found is None or tuple(found.get(k) for k in ("status", "reason", "message")) != wanted:
            self._spawn("available", self._write(apiservice["metadata"]["name"], wanted))

    async def _write(self, name: str, wanted: Availability) -> None:
        entry = self._api.store.get(Key(APISERVICES.key, "", name))
        if entry is None:
            return
        old = entry.obj()
        before = _condition(old) or {}
        moved = before.get("status") != wanted.status
        condition = {
            "type": "Available",
            "status": wanted.status,
            "lastTransitionTime": self._api.clock.timestamp()
            if moved
            else before.get("lastTransitionTime"),
            "reason": wanted.reason,
            "message": wanted.message,
        }
        others = [
            one
            for one in (old.get("status") or {}).get("conditions") or ()
            if one.get("type") != "Available"
        ]
        new = {**old, "status": {"conditions": [*others, condition]}}
        try:
            await self._transport.call(_status_update(name, new))
        except NotFound:
            return
        except ApiError as error:
            # Whoever changed it in between will be looked at in turn.
            logger.info("status of %s: %s", name, error.message)


def _status_update(name: str, new: Obj) -> OwnCall:
    kind, plural = APISERVICES.kind, APISERVICES.plural
    return OwnCall("update", kind, plural, name, new, subresource="status")


def _version_of(apiservice: Obj) -> GroupVersion:
    spec = apiservice.get("spec") or {}
    return GroupVersion(spec.get("group") or "", spec.get("version") or "")


def _service_of(apiservice: Obj) -> tuple[str, str] | None:
    service = (apiservice.get("spec") or {}).get("service")
    if service is None:
        return None
    return service.get("namespace") or "", service.get("name") or ""


def _backend(obj: Obj) -> tuple[str, str]:
    """Return the Service that an event's object is, or belongs to."""
    meta = obj["metadata"]
    owner = (meta.get("labels") or {}).get(_SERVICE_NAME)
    return meta.get("namespace") or "", owner if "endpoints" in obj and owner else meta["name"]


def _condition(apiservice: Obj) -> Obj | None:
    conditions = (apiservice.get("status") or {}).get("conditions") or ()
    return next((one for one in conditions if one.get("type") == "Available"), None)
