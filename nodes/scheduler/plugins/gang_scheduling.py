"""GangScheduling: of a gang so many pods get their nodes as are needed, or none."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from apimachinery.meta import name_of, namespace_of
from nodes.scheduler.framework import (
    SUCCESS,
    Change,
    Code,
    CycleState,
    Event,
    GroupPlugin,
    Hint,
    PermitPlugin,
    PreEnqueuePlugin,
    Readers,
    Status,
)
from nodes.scheduler.podgroup import needed
from nodes.scheduler.podinfo import PodInfo

_NOT_ALL_HERE = "waiting for minCount pods from a gang to appear in scheduling queue"
_NOT_ALL_PLACED = "waiting for minCount pods from a gang to be scheduled"
# So long a pod keeps its node while others of its gang have none yet.
_PATIENCE = 300.0


class GangScheduling(GroupPlugin, PreEnqueuePlugin, PermitPlugin):
    """Lets pods into the queue once enough of a gang are there, and be bound once enough fit."""

    name = "GangScheduling"

    def hints(self) -> Mapping[Event, Hint]:
        return {
            Event.UNSCHEDULED_ADDED: _is_companion,
            Event.POD_ADDED: _is_companion,
            Event.GROUP_ADDED: _is_its_group,
        }

    def looks_at(self, pod: PodInfo) -> Hashable:
        return pod.group

    def pre_enqueue(self, pod: PodInfo, readers: Readers) -> Status:
        key = pod.group
        if key is None or self.groups is None:
            return SUCCESS
        group = self.group_objects.get(*key)
        if group is None:
            return Status.unresolvable(
                f'waiting for pods\'s pod group "{key[1]}" to appear in scheduling queue'
            )
        if self.groups.known(key) < needed(group):
            return Status.unresolvable(_NOT_ALL_HERE)
        return SUCCESS

    def permit(self, state: CycleState, pod: PodInfo, node: str) -> tuple[Status, float]:
        key = pod.group
        if key is None or self.groups is None:
            return SUCCESS, 0.0
        group = self.group_objects.get(*key)
        if group is None:
            why = f'podgroup.scheduling.k8s.io "{key[1]}" not found'
            return Status.error(f"failed to get podGroup {'/'.join(key)}: {why}"), 0.0
        if self.groups.placed(key, state.place_of) < needed(group):
            return Status(Code.WAIT, (_NOT_ALL_PLACED,)), _PATIENCE
        return SUCCESS, 0.0


def _is_companion(pod: PodInfo, change: Change, readers: Readers) -> bool:
    """Tell whether a pod that came is of the same group."""
    return pod.group is not None and pod.group == PodInfo.group_of(change.obj)


def _is_its_group(pod: PodInfo, change: Change, readers: Readers) -> bool:
    return pod.group == (namespace_of(change.obj), name_of(change.obj))
