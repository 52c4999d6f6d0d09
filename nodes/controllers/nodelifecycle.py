"""Nodes that fall silent: their conditions become Unknown, and taints say what is wrong.

A node on another machine lives while it renews its lease; a simulated one until it is switched
off. Nothing ticks: a lease that was renewed is looked at again when it would run out.
"""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.clock import parse_time
from apimachinery.errors import NotFound
from apimachinery.meta import Obj, name_of, namespace_of
from apimachinery.nodes import (
    NO_EXECUTE,
    NO_SCHEDULE,
    TAINT_NOT_READY,
    TAINT_UNREACHABLE,
    TAINT_UNSCHEDULABLE,
    condition,
    condition_status,
    is_unschedulable,
    taints_of,
)
from nodes.client import leases
from nodes.client.controller import Mapped, Result
from nodes.client.events import NORMAL, WARNING
from nodes.client.lister import NODE, Key
from nodes.client.resources import LEASES, NODES, PODS
from nodes.controllers.common.base import ManagedController, ManagerContext
from nodes.controllers.common.conditions import is_true, put_in_place

# kube-controller-manager's --node-monitor-grace-period and --node-startup-grace-period.
GRACE, STARTUP_GRACE = 50.0, 60.0

# What a kubelet reports; without it nothing of this is known.
_REPORTED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
_PRESSURES = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
    "NetworkUnavailable": "node.kubernetes.io/network-unavailable",
}
_UNREADY = {"False": TAINT_NOT_READY, "Unknown": TAINT_UNREACHABLE}
_OURS = {*_UNREADY.values(), *_PRESSURES.values(), TAINT_UNSCHEDULABLE}


def _node_of_lease(controller: NodeLifecycleController, lease: Obj) -> list[Key]:
    """A lease wakes its node only if that is waited for: most renewals are no news."""
    if namespace_of(lease) != leases.NAMESPACE:
        return []
    return [Key("", name_of(lease))] if controller.is_news(lease) else []


class NodeLifecycleController(ManagedController):
    """Keys are nodes."""

    name = "node-lifecycle-controller"
    service_account = "node-controller"
    component = "node-controller"
    reconciles = NODES
    watches = (Mapped(LEASES, _node_of_lease),)

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        # Silence before we came is no silence: leases may be from before a pause.
        self._began: float | None = None
        self._silent: set[str] = set()
        self._simulated: dict[str, bool] = {}

    def start(self) -> None:
        super().start()
        self._began = self.clock.seconds()
        self.informer(PODS)
        self.informer(NODES).on_change(self._on_node)

    def is_news(self, lease: Obj) -> bool:
        name, simulated = name_of(lease), leases.is_simulated(lease)
        changed = self._simulated.get(name) != simulated
        self._simulated[name] = simulated
        return changed or name in self._silent

    def _on_node(self, old: Obj | None, new: Obj | None) -> None:
        if old is None and new is not None:
            self._tell(
                new, "RegisteredNode", f"event: Registered Node {name_of(new)} in Controller"
            )
        elif new is None and old is not None:
            name = name_of(old)
            self._silent.discard(name)
            self._simulated.pop(name, None)
            self._tell(old, "RemovingNode", f"event: Removing Node {name} from Controller")

    async def reconcile(self, key: Key) -> Result:
        node = self.informer(NODES).get("", key.name)
        if node is None:
            return Result()
        left = self._grace_left(node)
        if left is not None and left <= 0:
            self._silent.add(key.name)
            node = await self._mark_unknown(node)
            left = None
        else:
            self._silent.discard(key.name)
        node = await self._taint(node)
        if condition_status(node, "Ready") in _UNREADY:
            await self._mark_pods(node)
        return Result(requeue_after=left)

    # Health.

    def _grace_left(self, node: Obj) -> float | None:
        """Return the seconds until the node counts as silent; None if it is known to live."""
        lease = self.informer(LEASES).get(leases.NAMESPACE, name_of(node))
        if lease is not None and leases.is_simulated(lease):
            return None
        ready = condition(node, "Ready")
        heard = [self._began or 0.0]
        if lease is not None and (renewed := leases.renewed_at(lease, self.clock)) is not None:
            heard.append(renewed)
        if ready is not None and ready.get("lastHeartbeatTime"):
            heard.append(parse_time(ready["lastHeartbeatTime"]).timestamp())
        grace = GRACE
        if ready is None:
            grace = STARTUP_GRACE
            heard.append(parse_time(node["metadata"]["creationTimestamp"]).timestamp())
        return max(heard) + grace - self.clock.seconds()

    async def _mark_unknown(self, node: Obj) -> Obj:
        status = node.get("status") or {}
        conditions, at = list(status.get("conditions") or []), self.clock.timestamp()
        was_ready = is_true(conditions, "Ready")
        for type_ in _REPORTED:
            old = condition(node, type_)
            if old is not None and old.get("status") == "Unknown":
                continue
            never = old is None
            new: Obj = {
                "type": type_,
                "status": "Unknown",
                "lastHeartbeatTime": node["metadata"]["creationTimestamp"]
                if old is None
                else old.get("lastHeartbeatTime"),
                "lastTransitionTime": at,
                "reason": "NodeStatusNeverUpdated" if never else "NodeStatusUnknown",
                "message": "Kubelet never posted node status."
                if never
                else "Kubelet stopped posting node status.",
            }
            conditions = put_in_place(conditions, new)
        if conditions == (status.get("conditions") or []):
            return node
        changed = {**node, "status": {**status, "conditions": conditions}}
        updated = await self.client.update_status(changed, NODES)
        if was_ready:
            self._tell(node, "NodeNotReady", "status is now: NodeNotReady")
        return updated

    # Taints.

    async def _taint(self, node: Obj) -> Obj:
        present = list(taints_of(node))
        taints = self._wanted_taints(node, present)
        if taints == present:
            return node
        body = {
            "metadata": {"resourceVersion": node["metadata"]["resourceVersion"]},
            "spec": {"taints": taints or None},
        }
        return await self.client.patch(NODES, "", name_of(node), body)

    def _wanted_taints(self, node: Obj, present: Sequence[Obj]) -> list[Obj]:
        """Return the taints as they should be; those of others, and ours that stay, keep still."""
        wanted = _keys_of(node)
        kept = [
            taint
            for taint in present
            if not _is_ours(taint) or (taint["key"], taint["effect"]) in wanted
        ]
        there = {(taint["key"], taint["effect"]) for taint in kept}
        at = self.clock.timestamp()
        return kept + [
            {"key": key, "effect": effect, "timeAdded": at}
            for key, effect in wanted
            if (key, effect) not in there
        ]

    # Pods of a node that is not ready are not ready.

    async def _mark_pods(self, node: Obj) -> None:
        at = self.clock.timestamp()
        for pod in self.informer(PODS).by_index(NODE, name_of(node)):
            conditions = (pod.get("status") or {}).get("conditions")
            if not is_true(conditions, "Ready"):
                continue
            changed = {"type": "Ready", "status": "False", "lastTransitionTime": at}
            body = {"status": {"conditions": put_in_place(conditions, changed)}}
            namespace, name = namespace_of(pod), name_of(pod)
            try:
                await self.client.patch(PODS, namespace, name, body, subresource="status")
            except NotFound:
                continue
            self.recorder.event(pod, WARNING, "NodeNotReady", "Node is not ready")

    def _tell(self, node: Obj, reason: str, words: str) -> None:
        self.recorder.event(node, NORMAL, reason, f"Node {name_of(node)} {words}")


def _is_ours(taint: Obj) -> bool:
    key, effect = taint["key"], taint.get("effect")
    return (effect == NO_SCHEDULE and key in _OURS) or (
        effect == NO_EXECUTE and key in _UNREADY.values()
    )


def _keys_of(node: Obj) -> list[tuple[str, str]]:
    """Return the (key, effect) of the taints that a node's conditions call for."""
    found = []
    unready = _UNREADY.get(condition_status(node, "Ready"))
    if unready is not None:
        found += [(unready, NO_SCHEDULE)]
    found += [
        (key, NO_SCHEDULE)
        for type_, key in _PRESSURES.items()
        if condition_status(node, type_) == "True"
    ]
    if is_unschedulable(node):
        found.append((TAINT_UNSCHEDULABLE, NO_SCHEDULE))
    if unready is not None:
        found.append((unready, NO_EXECUTE))
    return found
