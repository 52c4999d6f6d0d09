"""Follows the CustomResourceDefinitions of a cluster, and serves what they define.

A kind is served from the moment in which its definition is stored, before the client that made
it has been answered: its objects can be made at once. What the definition's status says comes
right after, as a write of its own. Nothing here runs while no definition changes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from apimachinery.cel.rules import compile_rules as compile_cel
from apimachinery.errors import NotFound
from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj, is_deleting, name_of
from apiserver.registry.apiextensions.customresourcedefinitions import (
    CUSTOMRESOURCEDEFINITIONS as DEFINITIONS,
)
from apiserver.registry.apiextensions.names import status_after_naming
from apiserver.registry.calling import Call, no_call
from apiserver.registry.catalog import Catalog
from apiserver.registry.custom import conditions
from apiserver.registry.custom.building import Building
from apiserver.registry.custom.conversion import Converting
from apiserver.registry.custom.restating import restated_entry
from apiserver.registry.custom.schemas import RuleCompiler
from apiserver.registry.custom.strategy import CustomResourceStrategy
from apiserver.registry.custom.writing import OwnWrites
from apiserver.registry.resource import Resource
from apiserver.registry.store import Registry
from apiserver.storage import Entry, Event, Key, StorageError, Subscription

logger = logging.getLogger(__name__)

RETRY_AFTER = 1.0
KEPT_OF_THE_PAST = 16
_GONE = "the custom resource definition is gone"
Spawn = Callable[[str, Coroutine[Any, Any, None]], None]


@dataclass(slots=True)
class _Known:
    """What is kept of a definition: enough to compare names, and what is served of it."""

    facts: Obj
    resource: Resource | None = None
    # What the resource was made from; as long as it is the same, nothing is made anew.
    made_from: Any = None


class CustomResources:
    """The custom kinds of one cluster."""

    def __init__(
        self,
        catalog: Catalog,
        registry: Registry,
        spawn: Spawn,
        compile_rules: RuleCompiler = compile_cel,
        call: Call = no_call,
    ) -> None:
        """`call` reaches conversion webhooks."""
        self._catalog, self._registry, self._spawn = catalog, registry, spawn
        self._store, self._clock = registry.store, registry.clock
        self._writes = OwnWrites(registry)
        self._compile_rules = compile_rules
        self._converting = Converting(call, registry.identity.uid)
        self._known: dict[str, _Known] = {}
        # Definitions whose status has to be looked at; a dict, since order is kept.
        self._pending: dict[str, None] = {}
        self._working = False
        self._subscription: Subscription | None = None
        self._emptying: dict[str, Subscription] = {}
        # What definitions of the past had served, by name and revision.
        self._then: dict[tuple[str, int], Resource | None] = {}

    def start(self) -> None:
        """Serve what is defined, and follow what changes."""
        entries = self._store.list(DEFINITIONS.key)
        found = [(entry, entry.obj()) for entry in entries]
        for entry, crd in found:
            self._known[entry.key.name] = _Known(_facts(crd))
        for entry, crd in found:
            self._follow(entry, crd)
        self._subscription = self._store.hub.subscribe(
            DEFINITIONS.key, after=self._store.revision, sink=self._sink, closed=self._closed
        )

    def stop(self) -> None:
        """Follow no more; what is served stays so."""
        for subscription in (self._subscription, *self._emptying.values()):
            if subscription is not None:
                subscription.cancel()
        self._subscription = None
        self._emptying.clear()
        self._pending.clear()

    @property
    def idle(self) -> bool:
        """No definition waits to be looked at."""
        return not self._pending and not self._working

    # -- following -------------------------------------------------------------------------------

    def _closed(self, reason: str) -> None:
        del reason
        self._subscription = None

    def _sink(self, events: Sequence[Event]) -> None:
        for event in events:
            try:
                self._observe(event)
            except Exception:
                logger.exception("a custom resource definition failed: %s", event.entry.key.name)

    def _observe(self, event: Event) -> None:
        name = event.entry.key.name
        if event.type == "DELETED":
            self._forget(name)
            group = event.obj["spec"]["group"]
        else:
            crd = event.obj
            known = self._known.setdefault(name, _Known({}))
            known.facts = _facts(crd)
            self._follow(event.entry, crd)
            group = crd["spec"]["group"]
        self._look_again(group, name)

    def _look_again(self, group: str, name: str) -> None:
        """Look at the definitions that wait for names that may be free now."""
        for other, known in self._known.items():
            waits = not conditions.is_true(known.facts["status"], "NamesAccepted")
            if other != name and waits and known.facts["spec"]["group"] == group:
                entry = self._store.get(Key(DEFINITIONS.key, "", other))
                if entry is not None:
                    self._follow(entry, entry.obj())

    def _follow(self, entry: Entry, crd: Obj) -> None:
        """Serve what a definition says now, and see to its status."""
        name = entry.key.name
        known = self._known[name]
        status = self._status(crd)
        known.facts["status"] = _naming(status)
        self._serve(known, entry, crd, status)
        if is_deleting(crd):
            if conditions.CLEANUP in conditions.finalizers_of(crd):
                self._enqueue(name)
        elif status != crd.get("status"):
            self._enqueue(name)

    def _status(self, crd: Obj) -> Obj:
        others = (known.facts for known in self._known.values())
        return status_after_naming(crd, others, self._clock.timestamp())

    def _serve(self, known: _Known, entry: Entry, crd: Obj, status: Obj) -> None:
        established = conditions.is_true(status, "Established")
        names = status.get("acceptedNames") or {}
        made_from = (crd["metadata"].get("generation"), names, is_deleting(crd), established)
        if made_from == known.made_from:
            return
        known.made_from = made_from
        resource = None
        if established and names.get("plural"):
            building = Building(crd, names, entry.raw, self._compile_rules, self._converting)
            resource = building.resource()
        before = known.resource
        if before is not None and (resource is None or resource.key != before.key):
            self._withdraw(before)
        known.resource = resource
        if resource is None:
            return
        own = self._catalog.get(resource.key)
        if own is not None and not own.custom:
            known.resource = None  # what is built in goes first
            return
        self._restate(resource, entry.revision)
        self._catalog.add(resource)

    def _withdraw(self, resource: Resource) -> None:
        self._catalog.remove(resource.key)
        self._store.hub.end(resource.key, _GONE)

    def _forget(self, name: str) -> None:
        known = self._known.pop(name, None)
        self._pending.pop(name, None)
        emptying = self._emptying.pop(name, None)
        if emptying is not None:
            emptying.cancel()
        if known is not None and known.resource is not None:
            self._withdraw(known.resource)

    def _restate(self, resource: Resource, revision: int) -> None:
        """Show objects from before a change of the definition as its schema has them now."""
        for entry in self._store.list(resource.key):
            if entry.revision <= revision:
                new = restated_entry(resource, entry)
                if new is not entry:
                    self._store.restate(entry, new)

    # -- status and clean-up ---------------------------------------------------------------------

    def _enqueue(self, name: str) -> None:
        self._pending[name] = None
        if not self._working:
            self._working = True
            self._spawn("custom resource definitions", self._work())

    async def _work(self) -> None:
        try:
            while self._pending:
                name = next(iter(self._pending))
                del self._pending[name]
                await self._reconcile(name)
        finally:
            self._working = False

    async def _reconcile(self, name: str) -> None:
        """See to one definition; what fails is tried again after a while."""
        try:
            crd = self._registry.objects.get(DEFINITIONS.key, "", name)
            if crd is None:
                return
            if not is_deleting(crd):
                await self._writes.change_definition(name, self._named)
            elif conditions.CLEANUP in conditions.finalizers_of(crd):
                await self._clean_up(name, crd)
        except NotFound:
            return
        except (Exception, StorageError):
            logger.exception("custom resource definition %s: trying again", name)
            self._clock.call_later(RETRY_AFTER, lambda: self._retry(name))

    def _retry(self, name: str) -> None:
        if self._subscription is not None and name in self._known:
            self._enqueue(name)

    def _named(self, crd: Obj) -> Obj:
        status = self._status(crd)
        return crd if status == crd.get("status") else crd | {"status": status}

    async def _clean_up(self, name: str, crd: Obj) -> None:
        """Delete the objects of a definition that is going; let it go once there are none."""
        known = self._known.get(name)
        resource = known.resource if known is not None else None
        if resource is None:
            await self._finish(name, conditions.NEVER_ESTABLISHED)
            return
        if not self._store.list(resource.key):
            await self._finish(name, conditions.COMPLETED)
            return
        if name in self._emptying:
            return  # all have been asked to go; the last one tells
        await self._writes.change_definition(
            name, lambda old: self._with_condition(old, conditions.IN_PROGRESS)
        )
        self._await_empty(name, resource)
        refused = await self._writes.delete_all(resource)
        if refused:
            raise refused[0]

    def _await_empty(self, name: str, resource: Resource) -> None:
        def gone(events: Sequence[Event]) -> None:
            del events
            if not self._store.list(resource.key):
                self._enqueue(name)

        def closed(reason: str) -> None:
            del reason
            self._emptying.pop(name, None)

        self._emptying[name] = self._store.hub.subscribe(
            resource.key, after=self._store.revision, sink=gone, closed=closed
        )

    async def _finish(self, name: str, outcome: conditions.Condition) -> None:
        def change(old: Obj) -> Obj:
            kept = [one for one in conditions.finalizers_of(old) if one != conditions.CLEANUP]
            meta = {key: value for key, value in old["metadata"].items() if key != "finalizers"}
            new = self._with_condition(old, outcome)
            return new | {"metadata": meta | ({"finalizers": kept} if kept else {})}

        await self._writes.change_definition(name, change)

    def _with_condition(self, crd: Obj, wanted: conditions.Condition) -> Obj:
        now = self._clock.timestamp()
        return crd | {"status": conditions.with_condition(crd.get("status") or {}, wanted, now)}

    # -- what there is ---------------------------------------------------------------------------

    def schema_of(self, kind: GroupVersionKind) -> Obj | None:
        """Return the OpenAPI schema of a custom kind in one version, None where it is none."""
        for resource in self:
            for one in (resource, *(each.resource for each in resource.versions)):
                strategy = one.strategy if one is not None and one.kind == kind else None
                if isinstance(strategy, CustomResourceStrategy):
                    return strategy.about.schema.node
        return None

    def resource_then(self, entry: Entry) -> Resource | None:
        """Return what a definition had served in the state of `entry`, None for nothing."""
        at = (entry.key.name, entry.revision)
        if at not in self._then:
            self._then[at] = self._built(entry)
            if len(self._then) > KEPT_OF_THE_PAST:
                del self._then[next(iter(self._then))]
        return self._then[at]

    def _built(self, entry: Entry) -> Resource | None:
        crd = entry.obj()
        status = crd.get("status") or {}
        names = status.get("acceptedNames") or {}
        if not conditions.is_true(status, "Established") or not names.get("plural"):
            return None
        return Building(crd, names, entry.raw, self._compile_rules, self._converting).resource()

    def __iter__(self) -> Iterator[Resource]:
        """Yield the custom kinds that are served."""
        for known in self._known.values():
            if known.resource is not None:
                yield known.resource


def _facts(crd: Obj) -> Obj:
    """Return of a definition what others are compared with."""
    return {
        "metadata": {"name": name_of(crd)},
        "spec": {"group": crd["spec"]["group"]},
        "status": _naming(crd.get("status") or {}),
    }


def _naming(status: Obj) -> Obj:
    return {
        "acceptedNames": status.get("acceptedNames") or {},
        "conditions": status.get("conditions") or [],
    }
