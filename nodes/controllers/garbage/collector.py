"""The garbage collector: what has lost all its owners goes, as each owner's deletion asked for.

Background: dependents go after their owner. Foreground: the owner waits until those that block
it are gone. Orphan: dependents stay and forget their owner. An owner that the cache does not
show is asked for live before anything is deleted on its account.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from apimachinery.errors import NotFound
from apimachinery.gvk import GroupVersion
from apimachinery.meta import Obj, is_deleting, revision_of, uid_of
from nodes.client.controller import DONE, Loop, Result
from nodes.client.events import WARNING
from nodes.client.informer import Handler
from nodes.client.resources import APISERVICES, CUSTOMRESOURCEDEFINITIONS, Res
from nodes.client.rest import MERGE_PATCH
from nodes.controllers.common.base import EVENTS_OF_OLD_AND_NEW, ManagerContext
from nodes.controllers.garbage.graph import FOREGROUND, ORPHAN, Graph, Node, Work

# Owners known to be absent: uids never come back, so the answer holds.
_ABSENT_REMEMBERED = 500


class Task(NamedTuple):
    """One thing to do: look whether `uid` has to go ("examine"), or let its dependents stay."""

    action: str
    uid: str


class _Owners(NamedTuple):
    """The references of an object by what is behind them."""

    solid: list[Obj]
    dangling: list[Obj]
    waiting: list[Obj]


class GarbageCollector:
    """Watches every resource; keys are uids."""

    name: ClassVar[str] = "garbage-collector-controller"
    service_account: ClassVar[str] = "generic-garbage-collector"
    component: ClassVar[str] = "garbage-collector-controller"

    def __init__(self, context: ManagerContext) -> None:
        self._context, self._client = context, context.client
        self._graph = Graph()
        self._loop: Loop[Task] = Loop(self.name, context, self._handle, workers=20, rest=0.0)
        self._watched: dict[Res, Handler] = {}
        self._by_kind: dict[tuple[str, str], Res] = {}
        self._absent: OrderedDict[str, None] = OrderedDict()
        # Dependents of kinds that are not served: looked at again when the kinds change.
        self._unserved: set[str] = set()

    @property
    def idle(self) -> bool:
        return self._loop.idle

    def start(self) -> None:
        self._follow_all()
        for source in (CUSTOMRESOURCEDEFINITIONS, APISERVICES):
            kinds = self._context.informers.get(source, whole=False)
            kinds.on_change(lambda old, new: self._loop.queue.add_after(Task("resources", ""), 0.1))

    def release(self) -> None:
        self._loop.release()

    def stop(self) -> None:
        self._loop.stop()

    # What there is to watch.

    def _follow_all(self) -> None:
        now = [
            res
            for res in self._context.served.resources()
            if res.group_resource not in EVENTS_OF_OLD_AND_NEW
        ]
        self._by_kind = {(res.group, res.kind): res for res in now}
        for resource in now:
            if resource not in self._watched:
                self._watched[resource] = self._handler(resource)
                informer = self._context.informers.get(resource, whole=False)
                informer.on_change(self._watched[resource])
        for resource in set(self._watched) - set(now):
            del self._watched[resource]
            self._context.informers.drop(resource)
        again, self._unserved = self._unserved, set()
        self._add(Work(examine=list(again)))

    def _say_resources(self, before: set[Res], now: set[Res]) -> None:
        if before == now:
            return
        added, removed = (" ".join(sorted(map(_gvr, one))) for one in (now - before, before - now))
        logger = ("logger", self.name)
        diff = ("attempt", 1, "diff", f"added: [{added}], removed: [{removed}]")
        what = "syncing garbage collector with updated resources from discovery"
        self._context.klog.info("garbagecollector.go:203", what, *logger, *diff)
        self._context.klog.info("garbagecollector.go:253", "synced garbage collector", *logger)

    def _handler(self, resource: Res) -> Handler:
        def changed(old: Obj | None, new: Obj | None) -> None:
            if old is not None and (new is None or uid_of(new) != uid_of(old)):
                self._add(self._graph.forget(uid_of(old)))
            if new is not None:
                self._add(self._graph.observe(resource, new))

        return changed

    def _add(self, work: Work) -> None:
        for uid in work.examine:
            self._loop.queue.add(Task("examine", uid))
        for uid in work.orphan:
            self._loop.queue.add(Task("orphan", uid))

    # What there is to do.

    async def _handle(self, task: Task) -> Result:
        if task.action == "resources":
            before = set(self._watched)
            self._follow_all()
            self._say_resources(before, set(self._watched))
            return DONE
        node = self._graph.get(task.uid)
        if node is None:
            return DONE
        if task.action == "orphan":
            await self._orphan_dependents(node)
        elif node.waits_for_dependents:
            await self._finish_foreground(node)
        elif not node.deleting:
            await self._examine(node)
        return DONE

    async def _examine(self, node: Node) -> None:
        """Delete the object if no owner is left, or forget those that are not there."""
        latest = await self._client.find(node.resource, node.namespace, node.name)
        if latest is None or uid_of(latest) != node.uid:
            self._add(self._graph.forget(node.uid))
            return
        references = latest["metadata"].get("ownerReferences") or []
        if not references or is_deleting(latest):
            return
        owners = await self._sort_owners(node, references)
        if owners.solid:
            if owners.dangling or owners.waiting:
                await self._drop_references(node, latest, [*owners.dangling, *owners.waiting])
            return
        if owners.waiting and self._graph.dependents(node.uid):
            await self._unblock_circle(node)
            await self._delete(node, latest, "Foreground")
            return
        await self._delete(node, latest, _propagation(latest))

    async def _sort_owners(self, node: Node, references: Sequence[Obj]) -> _Owners:
        owners = _Owners([], [], [])
        for reference in references:
            state = await self._owner_state(node, reference)
            getattr(owners, state).append(reference)
        return owners

    async def _owner_state(self, node: Node, reference: Obj) -> str:
        """Return "solid", "dangling" or "waiting" for what is behind a reference."""
        uid = reference["uid"]
        if uid in self._absent:
            return "dangling"
        known = self._graph.get(uid)
        if known is not None and known.namespace in ("", node.namespace):
            waits = known.waits_for_dependents and reference.get("blockOwnerDeletion")
            return "waiting" if waits else "solid"
        group = GroupVersion.parse(reference["apiVersion"]).group
        resource = self._by_kind.get((group, reference["kind"]))
        if resource is None:
            # A kind that is not served (yet): nothing can be said, so nothing is deleted.
            self._unserved.add(node.uid)
            return "solid"
        if resource.namespaced and not node.namespace:
            self._tell_wrong_namespace(node, reference)
            return "solid"
        namespace = node.namespace if resource.namespaced else ""
        found = await self._client.find(resource, namespace, reference["name"])
        if found is not None and uid_of(found) == uid:
            return "solid"
        if known is not None:
            self._tell_wrong_namespace(node, reference)
        self._remember_absent(uid)
        return "dangling"

    async def _finish_foreground(self, owner: Node) -> None:
        """Let the owner go when nothing blocks it any more, or press on with what does."""
        blocking = self._graph.blocking(owner.uid)
        if not blocking:
            await self._remove_finalizer(owner, FOREGROUND)
            return
        for dependent in blocking:
            if not dependent.waits_for_dependents:
                self._loop.queue.add(Task("examine", dependent.uid))

    async def _orphan_dependents(self, owner: Node) -> None:
        dependents = self._graph.dependents(owner.uid)
        await asyncio.gather(*(self._orphan(one, owner.uid) for one in dependents))
        await self._remove_finalizer(owner, ORPHAN)

    async def _orphan(self, dependent: Node, owner: str) -> None:
        latest = await self._client.find(dependent.resource, dependent.namespace, dependent.name)
        if latest is None or uid_of(latest) != dependent.uid:
            return
        references = latest["metadata"].get("ownerReferences") or []
        await self._drop_references(
            dependent, latest, [ref for ref in references if ref["uid"] == owner]
        )

    async def _unblock_circle(self, node: Node) -> None:
        """If a dependent waits in turn, it may wait for us: then it must not block us."""
        if not any(one.waits_for_dependents for one in self._graph.dependents(node.uid)):
            return
        latest = await self._client.find(node.resource, node.namespace, node.name)
        if latest is None:
            return
        references = [
            {**ref, "blockOwnerDeletion": False} if ref.get("blockOwnerDeletion") else ref
            for ref in latest["metadata"].get("ownerReferences") or []
        ]
        await self._patch_metadata(node, {"ownerReferences": references}, latest)

    # The writes.

    async def _drop_references(self, node: Node, latest: Obj, gone: Sequence[Obj]) -> None:
        uids = {reference["uid"] for reference in gone}
        references = latest["metadata"].get("ownerReferences") or []
        left = [one for one in references if one["uid"] not in uids]
        if len(left) != len(references):
            await self._patch_metadata(node, {"ownerReferences": left or None}, latest)

    async def _remove_finalizer(self, node: Node, finalizer: str) -> None:
        latest = await self._client.find(node.resource, node.namespace, node.name)
        if latest is None or uid_of(latest) != node.uid:
            return
        finalizers = latest["metadata"].get("finalizers") or []
        if finalizer in finalizers:
            left = [one for one in finalizers if one != finalizer]
            await self._patch_metadata(node, {"finalizers": left or None}, latest)

    async def _patch_metadata(self, node: Node, changes: Obj, latest: Obj) -> None:
        """Change metadata, only if it is still what we have seen (a Conflict comes again)."""
        precondition = {"uid": node.uid, "resourceVersion": str(revision_of(latest))}
        try:
            await self._client.patch(
                node.resource,
                node.namespace,
                node.name,
                {"metadata": {**precondition, **changes}},
                MERGE_PATCH,
            )
        except NotFound:
            return

    async def _delete(self, node: Node, latest: Obj, propagation: str) -> None:
        said = ("logger", self.name, "item", str(node), "propagationPolicy", propagation)
        self._context.klog.info("garbagecollector.go:640", "Deleting item", *said)
        try:
            await self._client.delete(
                node.resource,
                node.namespace,
                node.name,
                uid=node.uid,
                revision=str(revision_of(latest)),
                propagation=propagation,
            )
        except NotFound:
            return

    def _tell_wrong_namespace(self, node: Node, reference: Obj) -> None:
        owner = (
            f"[{reference['apiVersion']}/{reference['kind']}, namespace: {node.namespace},"
            f" name: {reference['name']}, uid: {reference['uid']}]"
        )
        about = {
            "apiVersion": node.resource.api_version,
            "kind": node.resource.kind,
            "name": node.name,
            "uid": node.uid,
        } | ({"namespace": node.namespace} if node.namespace else {})
        self._context.recorder.event(
            about,
            WARNING,
            "OwnerRefInvalidNamespace",
            f'ownerRef {owner} does not exist in namespace "{node.namespace}"',
        )

    def _remember_absent(self, uid: str) -> None:
        self._absent[uid] = None
        if len(self._absent) > _ABSENT_REMEMBERED:
            self._absent.popitem(last=False)


def _gvr(resource: Res) -> str:
    return f"{resource.group}/{resource.version}, Resource={resource.plural}"


def _propagation(obj: Obj) -> str:
    """Return how the dependents of an object are treated if it says so itself."""
    finalizers = obj["metadata"].get("finalizers") or ()
    if ORPHAN in finalizers:
        return "Orphan"
    return "Foreground" if FOREGROUND in finalizers else "Background"
