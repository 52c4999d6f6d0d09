"""PodGroups stay while pods of them are at work: the finalizer that admission has put there."""

from __future__ import annotations

from apimachinery.errors import NotFound
from apimachinery.meta import Obj, is_deleting, namespace_of, replace_in
from apimachinery.pods import TERMINAL, group_name, phase_of
from apimachinery.workloads import GROUP_FINALIZER
from nodes.client.controller import DONE, Mapped, Result
from nodes.client.lister import Key
from nodes.client.resources import PODGROUPS, PODS
from nodes.controllers.common.base import ManagedController

_AT_WORK = "at work in group"


def _groups(controller: PodGroupProtection, pod: Obj) -> list[Key]:
    del controller
    name = group_name(pod)
    return [Key(namespace_of(pod), name)] if name else []


def _at_work(pod: Obj) -> list[str]:
    name = group_name(pod) if phase_of(pod) not in TERMINAL else ""
    return [str(Key(namespace_of(pod), name))] if name else []


class PodGroupProtection(ManagedController):
    """Keys are PodGroups. One is in use while a pod names it that has not ended."""

    name = "podgroup-protection-controller"
    service_account = "podgroup-protection-controller"
    component = "podgroup-protection-controller"
    reconciles = PODGROUPS
    watches = (Mapped(PODS, _groups),)

    def start(self) -> None:
        self.informer(PODS).add_index(_AT_WORK, _at_work)
        super().start()

    async def reconcile(self, key: Key) -> Result:
        group = self.informer(PODGROUPS).get(*key)
        if group is None or not is_deleting(group):
            return DONE
        present = group["metadata"].get("finalizers") or []
        if GROUP_FINALIZER in present and not self.informer(PODS).count(_AT_WORK, str(key)):
            left = [one for one in present if one != GROUP_FINALIZER]
            changed = replace_in(group, ("metadata", "finalizers"), left)
            try:
                await self.client.update(changed, resource=PODGROUPS)
            except NotFound:
                return DONE
        return DONE
