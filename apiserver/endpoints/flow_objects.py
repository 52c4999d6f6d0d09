"""The API server's care for FlowSchemas and PriorityLevelConfigurations.

- The condition Dangling of each FlowSchema says whether its priority level is there.
- The objects that Kubernetes brings come back when they are deleted, and get their specs back: the
  mandatory ones always, the others as long as `apf.kubernetes.io/autoupdate-spec` says so. As
  there, that takes up to a minute.

Nothing runs while none of these objects changes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from apimachinery.clock import Timer
from apimachinery.errors import ApiError
from apimachinery.meta import Obj, annotations_of
from apiserver.auth.user import User
from apiserver.endpoints.api import ClusterApi
from apiserver.endpoints.local import LocalTransport, OwnCall
from apiserver.flowcontrol import bootstrap
from apiserver.registry.bootstrap import initial_write
from apiserver.registry.flowcontrol.flowschemas import FLOWSCHEMAS
from apiserver.registry.flowcontrol.prioritylevelconfigurations import PRIORITYLEVELCONFIGURATIONS
from apiserver.registry.resource import Resource
from apiserver.storage import Event, Key, Subscription

logger = logging.getLogger(__name__)

AUTOUPDATE = "apf.kubernetes.io/autoupdate-spec"
CONSUMER = "api-priority-and-fairness-config-consumer-v1"
PRODUCER = "api-priority-and-fairness-config-producer-v1"
_APPLY = "application/apply-patch+yaml"
# Seconds. Kubernetes looks once a minute.
RESTORED_AFTER = 60.0

Spawn = Callable[[str, Coroutine[Any, Any, None]], None]


class FlowObjects:
    """Follows the objects of one cluster."""

    def __init__(self, api: ClusterApi, user: User, spawn: Spawn) -> None:
        self._api, self._spawn = api, spawn
        self._consumer = LocalTransport(api, user, CONSUMER)
        self._producer = LocalTransport(api, user, PRODUCER)
        self._subscriptions: list[Subscription] = []
        self._timer: Timer | None = None

    def start(self) -> None:
        """See to what there is, and to what changes."""
        store = self._api.store
        for resource, sink in (
            (PRIORITYLEVELCONFIGURATIONS, self._on_levels),
            (FLOWSCHEMAS, self._on_schemas),
        ):
            subscription = store.hub.subscribe(
                resource.key, after=store.revision, sink=sink, closed=lambda _reason: None
            )
            self._subscriptions.append(subscription)
        self._consider_all()
        self._spawn("flow objects", self._restore())

    def stop(self) -> None:
        """See to nothing any more."""
        for subscription in self._subscriptions:
            subscription.cancel()
        self._subscriptions.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- following -------------------------------------------------------------------------------

    def _on_levels(self, events: Sequence[Event]) -> None:
        if any(event.type != "MODIFIED" for event in events):
            self._consider_all()
        self._restore_later()

    def _on_schemas(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.type != "DELETED":
                self._consider(event.obj)
        self._restore_later()

    def _restore_later(self) -> None:
        if self._timer is None:
            self._timer = self._api.clock.call_later(RESTORED_AFTER, self._restore_now)

    def _restore_now(self) -> None:
        self._timer = None
        self._spawn("flow objects", self._restore())

    # -- dangling --------------------------------------------------------------------------------

    def _consider_all(self) -> None:
        for entry in self._api.store.list(FLOWSCHEMAS.key):
            self._consider(entry.obj())

    def _consider(self, schema: Obj) -> None:
        """Write the condition Dangling where it does not say what is so."""
        level = ((schema.get("spec") or {}).get("priorityLevelConfiguration") or {}).get("name", "")
        there = self._api.store.get(Key(PRIORITYLEVELCONFIGURATIONS.key, "", level)) is not None
        wanted = bootstrap.dangling(level, found=there)
        conditions = (schema.get("status") or {}).get("conditions") or ()
        same = (one for one in conditions if one.get("type") == wanted["type"])
        old: Obj = next(same, {})
        if any(old.get(name) != value for name, value in wanted.items()):
            wanted["lastTransitionTime"] = self._api.clock.timestamp()
            self._spawn("dangling", self._apply_condition(schema["metadata"]["name"], wanted))

    async def _apply_condition(self, name: str, condition: Obj) -> None:
        body = {
            "apiVersion": bootstrap.API_VERSION,
            "kind": FLOWSCHEMAS.kind.kind,
            "metadata": {"name": name},
            "status": {"conditions": [condition]},
        }
        await self._try(
            self._consumer,
            OwnCall(
                "patch",
                FLOWSCHEMAS.kind,
                FLOWSCHEMAS.plural,
                name,
                body,
                subresource="status",
                content_type=_APPLY,
                params={"fieldManager": CONSUMER, "force": "true"},
            ),
        )

    # -- what Kubernetes brings ------------------------------------------------------------------

    async def _restore(self) -> None:
        now = self._api.clock.timestamp()
        for resource, objects in (
            (PRIORITYLEVELCONFIGURATIONS, bootstrap.priority_levels()),
            (FLOWSCHEMAS, bootstrap.flow_schemas(now)),
        ):
            names = {obj["metadata"]["name"] for obj in objects}
            for obj in objects:
                await self._ensure(resource, obj)
            for entry in self._api.store.list(resource.key):
                # Brought by a version of Kubernetes that had others.
                if (
                    entry.key.name not in names
                    and annotations_of(entry.obj()).get(AUTOUPDATE) == "true"
                ):
                    await self._try(self._producer, _call("delete", resource, entry.key.name))

    async def _ensure(self, resource: Resource, wanted: Obj) -> None:
        api, name = self._api, wanted["metadata"]["name"]
        complete = initial_write(api.catalog, wanted, api.identity, api.clock.timestamp()).obj or {}
        entry = api.store.get(Key(resource.key, "", name))
        if entry is None:
            body = {**wanted, "metadata": dict(wanted["metadata"])}
            body["metadata"].pop("generation")
            await self._try(self._producer, _call("create", resource, "", body))
            return
        found = entry.obj()
        mandatory = name in bootstrap.MANDATORY
        said = annotations_of(found).get(AUTOUPDATE, "")
        if said not in ("true", "false"):
            # Nobody has said: an object that nobody has changed is still ours.
            said = "true" if mandatory or found["metadata"].get("generation") == 1 else "false"
        ours = mandatory or said == "true"
        said = "true" if mandatory else said
        spec = complete["spec"] if ours else found.get("spec")
        if spec == found.get("spec") and annotations_of(found).get(AUTOUPDATE) == said:
            return
        annotations = {**annotations_of(found), AUTOUPDATE: said}
        new = {**found, "spec": spec, "metadata": {**found["metadata"], "annotations": annotations}}
        await self._try(self._producer, _call("update", resource, name, new))

    async def _try(self, transport: LocalTransport, call: OwnCall) -> None:
        try:
            await transport.call(call)
        except ApiError as error:
            # Somebody else has changed the object; that will be looked at in turn.
            logger.info("%s %s %s: %s", call.verb, call.resource, call.name, error.message)


def _call(verb: str, resource: Resource, name: str, body: Obj | None = None) -> OwnCall:
    return OwnCall(verb, resource.kind, resource.plural, name, body)
