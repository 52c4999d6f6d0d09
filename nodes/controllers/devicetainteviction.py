"""Pods leave devices whose NoExecute taints their claims do not tolerate, or for a while only.

A device is tainted in its ResourceSlice, or by a DeviceTaintRule; what tolerates it stands in the
claim's allocation, and who uses it in `reservedFor`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from apimachinery.devicetaints import added, ends, selects
from apimachinery.features import TAINT_RULES
from apimachinery.meta import Obj, is_deleting, namespace_of, uid_of
from apimachinery.resourceclaims import is_done, results, users
from nodes.client.lister import Key, key_of
from nodes.client.resources import DEVICETAINTRULES, PODS, RESOURCECLAIMS, RESOURCESLICES
from nodes.controllers.common.base import ManagerContext
from nodes.controllers.common.taintmanager import TaintManager
from nodes.controllers.devicetaintrules import RuleStatus, device_of

_POOL, _USER = "pool", "user"


class DeviceTaintEvictionController(TaintManager):
    """Keys are pods."""

    name = "device-taint-eviction-controller"
    service_account = "device-taint-eviction-controller"
    component = "device-taint-eviction"
    counter = "device_taint_eviction_controller_pod_deletions_total"
    event = "DeviceTaintManagerEviction"
    disruption = "DeletionByDeviceTaintManager"
    why = "Device Taint manager: deleting due to NoExecute taint"

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self._status = RuleStatus(self) if TAINT_RULES in context.served.features else None

    def start(self) -> None:
        self.informer(RESOURCECLAIMS).add_index(_POOL, _pools)
        self.informer(RESOURCECLAIMS).add_index(_USER, _users)
        self.informer(RESOURCESLICES).add_index(_POOL, lambda one: [_pool_of_slice(one)])
        self.informer(RESOURCECLAIMS).on_change(self._on_claim)
        self.informer(RESOURCESLICES).on_change(self._on_slice)
        self.informer(PODS).on_change(self._on_pod)
        if self._status is not None:
            self.informer(DEVICETAINTRULES).on_change(self._on_rule)

    def _on_claim(self, old: Obj | None, new: Obj | None) -> None:
        for claim in (old, new):
            for user in users(claim) if claim is not None else ():
                self.queue.add(Key(namespace_of(claim or {}), user["name"]))
            if claim is not None and self._status is not None:
                self._status.changed(claim)

    def _on_slice(self, old: Obj | None, new: Obj | None) -> None:
        for one in (old, new):
            if one is not None:
                for claim in self.informer(RESOURCECLAIMS).by_index(_POOL, _pool_of_slice(one)):
                    self._on_claim(None, claim)

    def _on_rule(self, old: Obj | None, new: Obj | None) -> None:
        if old is not None and new is not None and old["spec"] == new["spec"]:
            return
        every = [one for one in (old, new) if one is not None]
        for claim in self.informer(RESOURCECLAIMS).list():
            if any(selects(one, *device_of(result)) for one in every for result in results(claim)):
                self._on_claim(None, claim)
        if new is not None and self._status is not None:
            self._status.loop.queue.add(key_of(new))

    def _on_pod(self, old: Obj | None, new: Obj | None) -> None:
        pod = new if new is not None else old
        if pod is None:
            return
        if (pod.get("spec") or {}).get("resourceClaims"):
            self.queue.add(key_of(pod))
        if self._status is not None and old is not None and (new is None or self.stays(new)):
            for claim in self.informer(RESOURCECLAIMS).by_index(_USER, uid_of(pod)):
                self._status.changed(claim)

    def stays(self, pod: Obj) -> bool:
        return is_deleting(pod) or is_done(pod)

    def time_left(self, pod: Obj) -> float | None:
        claims = self.informer(RESOURCECLAIMS).by_index(_USER, uid_of(pod))
        ends = [end for claim in claims for end in self._ends(claim)]
        return min(ends) - self.clock.seconds() if ends else None

    def _ends(self, claim: Obj) -> Iterator[float]:
        """Yield when a claim's users have to have left, for each device that drives them away."""
        rules = self._rules()
        for result in results(claim):
            borne = result.get("tolerations") or ()
            pool = f"{result.get('driver')}/{result.get('pool')}"
            for one in self.informer(RESOURCESLICES).by_index(_POOL, pool):
                for device in one["spec"].get("devices") or ():
                    if device["name"] == result.get("device"):
                        yield from ends(device.get("taints") or (), borne)
            yield from ends(added(rules, *device_of(result)), borne)

    def _rules(self) -> Sequence[Obj]:
        return self.informer(DEVICETAINTRULES).list() if self._status is not None else ()

    def has_left(self, pod: Obj) -> None:
        if self._status is None:
            return
        claims = self.informer(RESOURCECLAIMS).by_index(_USER, uid_of(pod))
        found = [
            (device_of(result), result.get("tolerations") or ())
            for claim in claims
            for result in results(claim)
        ]
        self._status.evicted(
            rule
            for rule in self._rules()
            if any(list(ends(added((rule,), *device), borne)) for device, borne in found)
        )


def _pools(claim: Obj) -> list[str]:
    return [f"{one.get('driver')}/{one.get('pool')}" for one in results(claim)]


def _users(claim: Obj) -> list[str]:
    return [str(one.get("uid")) for one in users(claim)]


def _pool_of_slice(one: Obj) -> str:
    spec = one["spec"]
    return f"{spec.get('driver')}/{(spec.get('pool') or {}).get('name')}"
