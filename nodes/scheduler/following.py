"""What the scheduler makes of what happens in the cluster: what it knows, and who may go on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from apimachinery.meta import Obj, is_deleting, name_of
from nodes.client import resources
from nodes.client.informer import Informers
from nodes.scheduler import changes
from nodes.scheduler.binding import Waiters, Writer
from nodes.scheduler.cache import Cache
from nodes.scheduler.changes import OTHERS, Meaning
from nodes.scheduler.framework import Change, Event
from nodes.scheduler.groups import Groups
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.queue import Queue


class Follower:
    """Keeps cache, queue and groups up with events, and ends waits that these decide."""

    def __init__(
        self,
        cache: Cache,
        queue: Queue,
        groups: Groups | None,
        writer: Writer,
        waiters: Waiters,
        ours: Callable[[Obj], bool],
    ) -> None:
        """`ours`: whether a pod is one for this scheduler."""
        self._cache, self._queue, self._groups = cache, queue, groups
        self._writer, self._waiters, self._ours = writer, waiters, ours

    def follow(self, informers: Informers, *, taint_rules: bool = False) -> None:
        """Follow nodes first, so that pods find them, then pods and claims."""
        informers.get(resources.NODES).on_change(self._on_node)
        informers.get(resources.PODS).on_change(self.on_pod)
        for resource, meaning in OTHERS:
            informers.get(resource).on_change(partial(self._on_other, meaning))
        if taint_rules:
            # As if the slices had changed whose devices a rule selects.
            meaning = Meaning(*(Event.DEVICES_CHANGED,) * 3)
            informers.get(resources.DEVICETAINTRULES).on_change(partial(self._on_other, meaning))
        if self._groups is not None:
            meaning = Meaning(Event.GROUP_ADDED)
            informers.get(resources.PODGROUPS).on_change(partial(self._on_other, meaning))

    def on_pod(self, old: Obj | None, new: Obj | None) -> None:
        """Take in a pod that came, changed or went."""
        if new is None:
            if old is not None:
                self._forget(old["metadata"]["uid"])
            return
        if old is not None and old["metadata"]["uid"] != new["metadata"]["uid"]:
            self._forget(old["metadata"]["uid"])
            old = None
        phase = (new.get("status") or {}).get("phase")
        if phase in {"Succeeded", "Failed"}:
            self._forget(new["metadata"]["uid"])
            return
        if self._groups is not None:
            self._groups.add(new)
        if new["spec"].get("nodeName"):
            self._on_assigned(old, new)
        elif self._ours(new):
            self._on_unassigned(old, new)
        else:
            self._queue.remove(new["metadata"]["uid"])

    def give_back(self, pod: PodInfo) -> None:
        """Take a pod off the node that it was assumed on: others may need its room."""
        if (placed := self._cache.remove(pod.uid)) is not None:
            self._tell_of_room(*placed)

    def _on_node(self, old: Obj | None, new: Obj | None) -> None:
        if new is None:
            if old is not None:
                self._cache.remove_node(name_of(old))
                self._queue.move(Change(Event.NODE_GONE, old))
            return
        self._cache.set_node(new)
        for event in (Event.NODE_ADDED,) if old is None else changes.of_node(old, new):
            self._queue.move(Change(event, old, new))

    def _on_other(self, meaning: Meaning, old: Obj | None, new: Obj | None) -> None:
        self._writer.changed()
        event = meaning.gone if new is None else meaning.added if old is None else meaning.changed
        if event is not None:
            self._queue.move(Change(event, old, new))

    def _on_assigned(self, old: Obj | None, new: Obj) -> None:
        uid = new["metadata"]["uid"]
        self._queue.remove(uid)
        known = self._cache.place_of(uid) is not None
        if old is not None and known and _same_to_us(old, new):
            return
        self._cache.place(PodInfo.of(new), new["spec"]["nodeName"])
        if old is not None and old["spec"].get("nodeName"):
            for event in changes.of_assigned(old, new):
                self._queue.move(Change(event, old, new))
        elif old is not None or not known:
            self._queue.move(Change(Event.POD_ADDED, None, new))

    def _on_unassigned(self, old: Obj | None, new: Obj) -> None:
        uid = new["metadata"]["uid"]
        if is_deleting(new):
            self._queue.remove(uid)
            self._waiters.reject(uid, "removed")
        elif not self._queue.knows(uid):
            if self._cache.place_of(uid) is None:  # otherwise it is bound, and we shall hear of it
                pod = PodInfo.of(new)
                if pod.nominated:
                    self._cache.nominate(pod, pod.nominated)
                self._queue.add(pod)
                if self._groups is not None:
                    self._queue.move(Change(Event.UNSCHEDULED_ADDED, None, new))
        else:
            events = changes.of_unscheduled(old, new) if old is not None else ()
            pod = PodInfo.of(new)
            if self._cache.place_of(uid) is None:
                self._keep_room(old, pod)
            self._queue.update(pod, [Change(one, old, new) for one in events])

    def _keep_room(self, old: Obj | None, pod: PodInfo) -> None:
        """Keep room on the node that a pod is to have, as it says itself.

        What has been decided here and is not written yet counts where it says nothing.
        """
        before = (old.get("status") or {}).get("nominatedNodeName") if old is not None else ""
        node = pod.nominated or ("" if before else self._cache.nominated(pod.uid))
        if node:
            self._cache.nominate(pod, node)
        else:
            self._cache.unnominate(pod.uid)

    def _forget(self, uid: str) -> None:
        """Take note that a pod is gone, or will never run again."""
        if self._groups is not None:
            self._groups.remove(uid)
        self._queue.remove(uid)
        self._waiters.reject(uid, "removed")
        nominated, placed = self._cache.unnominate(uid), self._cache.remove(uid)
        if (known := placed or nominated) is not None:
            self._tell_of_room(*known)

    def _tell_of_room(self, pod: PodInfo, node: str) -> None:
        gone = {**pod.obj, "spec": {**pod.spec, "nodeName": node}}
        self._queue.move(Change(Event.POD_GONE, gone))


def _same_to_us(old: Obj, new: Obj) -> bool:
    """Tell whether nothing changed but what scheduling does not look at."""
    before, after = old["metadata"], new["metadata"]
    return (
        bool(old["spec"].get("nodeName")) == bool(new["spec"].get("nodeName"))
        and before.get("labels") == after.get("labels")
        and before.get("generation") == after.get("generation")
        and is_deleting(old) == is_deleting(new)
        and (old["spec"] is new["spec"] or old["spec"] == new["spec"])
    )
