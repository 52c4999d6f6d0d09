"""Nodes that fall silent: their conditions become Unknown, and taints say what is wrong.

A node on another machine lives while it renews its lease; a simulated one until it is switched
off. Nothing ticks: a lease that was renewed is looked at again when it would run out.
Taints that keep pods away come at once; those that drive pods away come zone by zone (`zones`).
"""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.clock import parse_time
from apimachinery.errors import NotFound
from apimachinery.meta import Obj, labels_of, name_of, namespace_of
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
from nodes.client.lister import NODE, Key, key_of
from nodes.client.resources import LEASES, NODES, PODS
from nodes.controllers.common.base import ManagedController, ManagerContext
from nodes.controllers.common.conditions import is_true, put_in_place
from nodes.controllers.nodelifecycle.zones import Zones, named, zone_of

# kube-controller-manager's --node-monitor-grace-period and --node-startup-grace-period.
GRACE, STARTUP_GRACE = 50.0, 60.0
# Its --node-monitor-period: a node that was found silent is tainted when it is looked at again.
PERIOD = 5.0

# What a kubelet reports; without it nothing of this is known.
_REPORTED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
_PRESSURES = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
    "NetworkUnavailable": "node.kubernetes.io/network-unavailable",
}
_OLD_LABELS = {
    "kubernetes.io/os": "beta.kubernetes.io/os",
    "kubernetes.io/arch": "beta.kubernetes.io/arch",
}
_UNREADY = {"False": TAINT_NOT_READY, "Unknown": TAINT_UNREACHABLE}
_NEVER = "NodeStatusNeverUpdated"
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
        self.zones = Zones()
        self._released = False

    def start(self) -> None:
        self._began = self.clock.seconds()
        self.informer(PODS)
        # Zones are counted before anybody asks for them.
        self.informer(NODES).on_change(self._on_node)
        super().start()

    def release(self) -> None:
        # Zones are judged when all nodes are known, not while they are listed.
        self._released = True
        self._assess()
        super().release()

    def is_news(self, lease: Obj) -> bool:
        name, simulated = name_of(lease), leases.is_simulated(lease)
        changed = self._simulated.get(name) != simulated
        self._simulated[name] = simulated
        return changed or name in self._silent

    def _on_node(self, old: Obj | None, new: Obj | None) -> None:
        node = new if new is not None else old
        if node is not None:
            if old is not None and (new is None or zone_of(old) != zone_of(new)):
                self._call(name_of(node))
            self.zones.observe(node, gone=new is None)
            if self._released:
                self._assess()
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
        await self._label(node)
        wait = self._turn(node)
        await self._taint(node, driving=wait == 0)
        if wait == 0:
            self._call(key.name)
        if condition_status(node, "Ready") == "Unknown":
            await self._mark_pods(node)
        return Result(requeue_after=min((w for w in (left, wait) if w), default=None))

    async def _label(self, node: Obj) -> None:
        """Let old names of labels have the value of the new ones."""
        labels = labels_of(node)
        missing = {
            old: labels[new]
            for new, old in _OLD_LABELS.items()
            if new in labels and labels.get(old) != labels[new]
        }
        if missing:
            await self.client.patch(NODES, "", name_of(node), {"metadata": {"labels": missing}})

    # Zones.

    def _assess(self) -> None:
        """Look at every node again when a zone goes at another pace."""
        was_stopped, before = self.zones.stopped, self.zones.states()
        if not self.zones.assess(self.clock.seconds()):
            return
        for zone, state in self.zones.states().items():
            if state != before.get(zone):
                what = "Controller detected that zone is now in new state"
                said = ("logger", self.name, "zone", zone, "newState", state.value)
                self.context.klog.info("node_lifecycle_controller.go:1067", what, *said)
        if was_stopped and not self.zones.stopped:
            # While none could be heard, nobody was silent by their own fault.
            self._began = self.clock.seconds()
        for node in self.informer(NODES).list():
            self.queue.add(key_of(node))

    def _turn(self, node: Obj) -> float | None:
        """Return in how many seconds a node may get the taint that drives pods away.

        0 is now; None is not, or not before something happens.
        """
        status, name = condition_status(node, "Ready"), name_of(node)
        if status not in _UNREADY or self.zones.stopped:
            self._call(name)
            return None
        if any(_drives_away(taint) for taint in taints_of(node)):
            return 0.0  # it stays, or makes place for the other one
        ready = condition(node, "Ready") or {}
        if status == "Unknown" and ready.get("reason") != _NEVER:
            since = parse_time(ready["lastTransitionTime"]).timestamp()
            if (wait := since + PERIOD - self.clock.seconds()) > 0:
                return wait
        return self.zones.turn(node, self.clock.seconds())

    def _call(self, name: str) -> None:
        """Let the next node of a zone come, when this one waits no longer."""
        for following in self.zones.leave(name):
            self.queue.add(Key("", following))

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
                "reason": _NEVER if never else "NodeStatusUnknown",
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

    async def _taint(self, node: Obj, *, driving: bool) -> None:
        """Bring the taints in line; `driving`: the node may have one that drives pods away."""
        present = list(taints_of(node))
        taints = self._wanted_taints(_keys_of(node, driving=driving), present)
        if taints == present:
            return
        body = {
            "metadata": {"resourceVersion": node["metadata"]["resourceVersion"]},
            "spec": {"taints": taints or None},
        }
        await self.client.patch(NODES, "", name_of(node), body)
        if any(_drives_away(one) for one in taints if one not in present):
            self.count("node_collector_evictions_total", named(zone_of(node)))

    def _wanted_taints(
        self, wanted: Sequence[tuple[str, str]], present: Sequence[Obj]
    ) -> list[Obj]:
        """Return the taints as they should be; those of others, and ours that stay, keep still."""
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


def _drives_away(taint: Obj) -> bool:
    return taint.get("effect") == NO_EXECUTE and taint["key"] in _UNREADY.values()


def _is_ours(taint: Obj) -> bool:
    return _drives_away(taint) or (taint.get("effect") == NO_SCHEDULE and taint["key"] in _OURS)


def _keys_of(node: Obj, *, driving: bool) -> list[tuple[str, str]]:
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
    if unready is not None and driving:
        found.append((unready, NO_EXECUTE))
    return found
