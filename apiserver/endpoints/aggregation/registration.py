"""APIServices for the groups of CustomResourceDefinitions, kept by the API server itself.

As kube-aggregator's autoregistration: each group-version that a definition serves has one, it is
made anew when somebody deletes it, and goes along with the last definition that serves it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from apimachinery.errors import ApiError, NotFound
from apimachinery.gvk import GroupVersion
from apimachinery.meta import Obj
from apiserver.auth.user import User
from apiserver.endpoints.aggregation.ordering import CUSTOM_GROUP, CUSTOM_VERSION
from apiserver.endpoints.api import ClusterApi
from apiserver.endpoints.local import LocalTransport, OwnCall
from apiserver.registry.apiextensions.customresourcedefinitions import (
    CUSTOMRESOURCEDEFINITIONS as DEFINITIONS,
)
from apiserver.registry.apiregistration.apiservices import APISERVICES
from apiserver.storage import Event, Subscription

logger = logging.getLogger(__name__)

MANAGER = "kube-apiserver"
MANAGED, ALWAYS = "kube-aggregator.kubernetes.io/automanaged", "true"
RETRY_AFTER = 1.0
Spawn = Callable[[str, Coroutine[Any, Any, None]], None]


class CustomGroups:
    """Keeps the APIServices of one cluster's custom groups."""

    def __init__(self, api: ClusterApi, user: User, spawn: Spawn) -> None:
        self._api, self._spawn = api, spawn
        self._transport = LocalTransport(api, user, MANAGER)
        # What each definition serves, by its name.
        self._served: dict[str, frozenset[GroupVersion]] = {}
        # APIServices that have to be looked at; a dict, since order is kept.
        self._pending: dict[str, None] = {}
        self._working = False
        self._subscriptions: list[Subscription] = []

    def start(self) -> None:
        """See to the groups that there are, and follow what changes."""
        store = self._api.store
        for resource, sink in (
            (DEFINITIONS.key, self._on_definitions),
            (APISERVICES.key, self._on_apiservices),
        ):
            made = store.hub.subscribe(
                resource, after=store.revision, sink=sink, closed=lambda _reason: None
            )
            self._subscriptions.append(made)
        for crd in self._api.objects.list(DEFINITIONS.key):
            self._put(crd["metadata"]["name"], _served(crd))

    def stop(self) -> None:
        """Follow no more."""
        for subscription in self._subscriptions:
            subscription.cancel()
        self._subscriptions.clear()
        self._pending.clear()

    def _on_definitions(self, events: Sequence[Event]) -> None:
        for event in events:
            name = event.entry.key.name
            self._put(name, frozenset() if event.type == "DELETED" else _served(event.obj))

    def _on_apiservices(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.entry.labels.get(MANAGED) == ALWAYS:
                self._enqueue(event.entry.key.name)

    def _put(self, name: str, served: frozenset[GroupVersion]) -> None:
        before = self._served.pop(name, frozenset())
        if served:
            self._served[name] = served
        for version in sorted(before ^ served):
            self._enqueue(f"{version.version}.{version.group}")

    def _enqueue(self, name: str) -> None:
        self._pending[name] = None
        if not self._working:
            self._working = True
            self._spawn("custom groups", self._work())

    async def _work(self) -> None:
        try:
            while self._pending:
                name = next(iter(self._pending))
                del self._pending[name]
                try:
                    await self._reconcile(name)
                except ApiError as error:
                    logger.warning("APIService %s: trying again: %s", name, error.message)
                    self._api.clock.call_later(RETRY_AFTER, self._retry, name)
        finally:
            self._working = False

    def _retry(self, name: str) -> None:
        if self._subscriptions:
            self._enqueue(name)

    async def _reconcile(self, name: str) -> None:
        """Make, restore or delete one APIService, unless somebody else has made it."""
        version, _, group = name.partition(".")
        wanted = GroupVersion(group, version)
        is_served = any(wanted in served for served in self._served.values())
        found = self._api.objects.get(APISERVICES.key, "", name)
        if found is None:
            if is_served:
                await self._call("create", "", _apiservice(wanted))
            return
        if (found["metadata"].get("labels") or {}).get(MANAGED) != ALWAYS:
            return
        if not is_served:
            await self._call("delete", name, {})
        elif found["spec"] != _apiservice(wanted)["spec"]:
            await self._call("update", name, {**found, "spec": _apiservice(wanted)["spec"]})

    async def _call(self, verb: str, name: str, body: Obj) -> None:
        kind, plural = APISERVICES.kind, APISERVICES.plural
        try:
            await self._transport.call(OwnCall(verb, kind, plural, name, body))
        except NotFound:
            return  # somebody else was faster


def _served(crd: Obj) -> frozenset[GroupVersion]:
    spec = crd["spec"]
    return frozenset(
        GroupVersion(spec["group"], version["name"])
        for version in spec.get("versions") or ()
        if version.get("served")
    )


def _apiservice(version: GroupVersion) -> Obj:
    return {
        "apiVersion": APISERVICES.kind.api_version,
        "kind": APISERVICES.kind.kind,
        "metadata": {
            "name": f"{version.version}.{version.group}",
            "labels": {MANAGED: ALWAYS},
        },
        "spec": {
            "group": version.group,
            "version": version.version,
            "groupPriorityMinimum": CUSTOM_GROUP,
            "versionPriority": CUSTOM_VERSION,
        },
    }
