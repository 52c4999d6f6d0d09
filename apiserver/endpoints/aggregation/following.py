"""Follows the APIServices of a cluster: who serves which group-version, and whether they can.

An APIService with a Service stands for a server on the cluster's network: it is checked when
something about it changes, again soon while it fails, and every half minute while it does not.
Requests for its group-version are handed on to it as long as the checks pass.

An `Extension` is what such a server would be, as a part of this process: some kinds of one group
and version, and how to read them. It is served as long as an APIService for its version says so
and is available: a local one always is, one with a Service while that has addresses. Nothing of it
is stored, so its kinds can be read and not watched.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from apimachinery.clock import Timer
from apimachinery.errors import ApiError, NotFound
from apimachinery.gvk import GroupVersion
from apimachinery.meta import Obj
from apiserver.auth.user import User
from apiserver.endpoints.aggregation import discovering
from apiserver.endpoints.aggregation.availability import (
    LOCAL,
    SERVICE_NAME,
    SERVICES,
    SLICES,
    Availability,
    check_discovery,
    check_service,
)
from apiserver.endpoints.aggregation.remotes import NO_OPENAPI, Remote, Server
from apiserver.endpoints.api import ClusterApi, Read
from apiserver.endpoints.local import LocalTransport, OwnCall
from apiserver.registry.apiregistration.apiservices import APISERVICES
from apiserver.registry.resource import Resource
from apiserver.storage import Event, Key, Subscription

logger = logging.getLogger(__name__)

MANAGER = "kube-apiserver"
# Seconds until a server that passed is looked at again, and one that failed: twice as long each
# time, up to the same.
RESYNC, RETRY = 30.0, 0.25

Spawn = Callable[[str, Coroutine[Any, Any, None]], None]


@dataclass(frozen=True, slots=True)
class Extension:
    """Kinds of one group and version that are computed when they are read."""

    version: GroupVersion
    kinds: Sequence[tuple[Resource, Read]]


class Aggregation:
    """Follows the APIServices of one cluster, and serves what they register."""

    def __init__(
        self, api: ClusterApi, user: User, spawn: Spawn, extensions: Iterable[Extension] = ()
    ) -> None:
        self._api, self._spawn = api, spawn
        self._transport = LocalTransport(api, user, MANAGER)
        self._extensions = {one.version: one for one in extensions}
        # The APIServices that have a Service, by name.
        self._remote: set[str] = set()
        self._subscriptions: dict[str, Subscription] = {}
        # Of servers: the checks that go on (True: once more), the next ones, and failures so far.
        self._checks: dict[str, bool] = {}
        self._timers: dict[str, Timer] = {}
        self._failures: dict[str, int] = {}

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
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

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
        version, server = _version_of(apiservice), Server.of(apiservice)
        if server is None:
            self._remote.discard(name)
            self._drop(version)
            self._serve(version)
            self._tell(apiservice, LOCAL)
            return
        self._remote.add(name)
        self._subscribe(SERVICES, self._on_backends)
        self._subscribe(SLICES, self._on_backends)
        if version not in self._extensions:
            self._register(name, version, server)
            return
        found = check_service(server, self._api.objects)
        if found.holds:
            self._serve(version)
        else:
            self._withdraw(version)
        self._tell(apiservice, found)

    # -- servers ---------------------------------------------------------------------------------

    def _register(self, name: str, version: GroupVersion, server: Server) -> None:
        """Hand requests for a group-version on to a server, once it passes its checks."""
        remote = self._api.remotes.get(version)
        if remote is None:
            remote = Remote(name, version, server)
            remote.discovered = discovering.stale(remote)
            self._api.remotes.put(remote)
            self._api.catalog.generation += 1
        if remote.server != server:
            # Two servers may call different documents by one name.
            remote.server, remote.openapi_v2 = server, NO_OPENAPI
        self._check_soon(name)

    def _check_soon(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
        if name in self._checks:
            self._checks[name] = True
            return
        self._checks[name] = False
        self._spawn("aggregated API", self._check(name))

    async def _check(self, name: str) -> None:
        try:
            while True:
                self._checks[name] = False
                passed = await self._try_check(name)
                if not self._checks[name]:
                    break
        finally:
            del self._checks[name]
        if passed is None or not self._subscriptions:
            self._failures.pop(name, None)
            return
        failures = self._failures[name] = 0 if passed else self._failures.get(name, 0) + 1
        delay = RESYNC if passed else min(RESYNC, RETRY * 2 ** min(failures, 10))
        self._timers[name] = self._api.clock.call_later(delay, self._check_soon, name)

    async def _try_check(self, name: str) -> bool | None:
        """Look at a server; a fault of ours is logged, and looked at again as one of its own is."""
        try:
            return await self._check_once(name)
        except Exception:
            logger.exception("APIService %s could not be checked", name)
            return False

    async def _check_once(self, name: str) -> bool | None:
        """Look at a server; tell whether it passed, None where it is registered no more."""
        api, objects = self._api, self._api.objects
        apiservice = objects.get(APISERVICES.key, "", name)
        remote = None if apiservice is None else api.remotes.get(_version_of(apiservice))
        if remote is None or apiservice is None:
            return None
        found = check_service(remote.server, objects)
        if found.holds:
            found = await check_discovery(remote, api.remotes.servers, objects)
        before = _known(remote)
        remote.available = found.holds
        if found.holds and api.remotes.servers is not None:
            await discovering.discover(remote, api.remotes.servers)
            if not api.remotes.has_room_for_discovery():
                logger.warning("APIService %s: no room for its discovery", name)
                discovering.forget(remote)
            if not api.remotes.has_room():
                logger.warning("APIService %s: no room for its OpenAPI v2 document", name)
                remote.openapi_v2 = NO_OPENAPI
        else:
            remote.discovered = discovering.stale(remote)
        if before != _known(remote):
            api.catalog.generation += 1
        self._tell(apiservice, found)
        return found.holds

    def _drop(self, version: GroupVersion) -> None:
        if self._api.remotes.remove(version):
            self._api.catalog.generation += 1

    # -- extensions ------------------------------------------------------------------------------

    def _serve(self, version: GroupVersion) -> None:
        extension = self._extensions.get(version)
        for resource, read in extension.kinds if extension else ():
            if resource.key not in self._api.computed:
                self._api.computed[resource.key] = read
                self._api.catalog.add(resource)

    def _withdraw(self, version: GroupVersion) -> None:
        self._drop(version)
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


def _known(remote: Remote) -> tuple[object, ...]:
    """Return all that documents are made of."""
    part = remote.openapi_v2.part
    return remote.available, remote.discovered, remote.resources, remote.openapi, part


def _service_of(apiservice: Obj) -> tuple[str, str] | None:
    service = (apiservice.get("spec") or {}).get("service")
    if service is None:
        return None
    return service.get("namespace") or "", service.get("name") or ""


def _backend(obj: Obj) -> tuple[str, str]:
    """Return the Service that an event's object is, or belongs to."""
    meta = obj["metadata"]
    owner = (meta.get("labels") or {}).get(SERVICE_NAME)
    return meta.get("namespace") or "", owner if "endpoints" in obj and owner else meta["name"]


def _condition(apiservice: Obj) -> Obj | None:
    conditions = (apiservice.get("status") or {}).get("conditions") or ()
    return next((one for one in conditions if one.get("type") == "Available"), None)
