"""Pods leave devices whose NoExecute taints their claims do not tolerate, or for a while only.

A device is tainted in its ResourceSlice; what tolerates it stands in the claim's allocation, and
who uses it in `reservedFor`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from apimachinery.clock import parse_time
from apimachinery.meta import Obj, is_deleting, namespace_of, uid_of
from apimachinery.nodes import NO_EXECUTE, tolerates
from apimachinery.resourceclaims import is_done, users
from nodes.client.lister import Key, key_of
from nodes.client.resources import PODS, RESOURCECLAIMS, RESOURCESLICES
from nodes.controllers.common.taintmanager import TaintManager

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

    def start(self) -> None:
        self.informer(RESOURCECLAIMS).add_index(_POOL, _pools)
        self.informer(RESOURCECLAIMS).add_index(_USER, _users)
        self.informer(RESOURCESLICES).add_index(_POOL, lambda one: [_pool_of_slice(one)])
        self.informer(RESOURCECLAIMS).on_change(self._on_claim)
        self.informer(RESOURCESLICES).on_change(self._on_slice)
        self.informer(PODS).on_change(self._on_pod)

    def _on_claim(self, old: Obj | None, new: Obj | None) -> None:
        for claim in (old, new):
            for user in users(claim) if claim is not None else ():
                self.queue.add(Key(namespace_of(claim or {}), user["name"]))

    def _on_slice(self, old: Obj | None, new: Obj | None) -> None:
        for one in (old, new):
            if one is not None:
                for claim in self.informer(RESOURCECLAIMS).by_index(_POOL, _pool_of_slice(one)):
                    self._on_claim(None, claim)

    def _on_pod(self, old: Obj | None, new: Obj | None) -> None:
        pod = new if new is not None else old
        if pod is not None and (pod.get("spec") or {}).get("resourceClaims"):
            self.queue.add(key_of(pod))

    def stays(self, pod: Obj) -> bool:
        return is_deleting(pod) or is_done(pod)

    def time_left(self, pod: Obj) -> float | None:
        claims = self.informer(RESOURCECLAIMS).by_index(_USER, uid_of(pod))
        ends = [end for claim in claims for end in self._ends(claim)]
        return min(ends) - self.clock.seconds() if ends else None

    def _ends(self, claim: Obj) -> Iterator[float]:
        """Yield when a claim's users have to have left, for each device that drives them away."""
        for result in _results(claim):
            pool = f"{result.get('driver')}/{result.get('pool')}"
            for one in self.informer(RESOURCESLICES).by_index(_POOL, pool):
                for device in one["spec"].get("devices") or ():
                    if device["name"] == result.get("device"):
                        taints = device.get("taints") or ()
                        yield from _ends_of(taints, result.get("tolerations") or ())


def _ends_of(taints: Sequence[Obj], tolerations: Sequence[Obj]) -> Iterator[float]:
    """Yield the second by which each taint wants a device free; none for one that is borne."""
    for taint in taints:
        if taint.get("effect") != NO_EXECUTE:
            continue
        since = parse_time(taint["timeAdded"]).timestamp() if taint.get("timeAdded") else 0.0
        matching = [one for one in tolerations if tolerates(one, taint)]
        limits = [one.get("tolerationSeconds") for one in matching]
        if not matching:
            yield since
        elif all(limit is not None for limit in limits):
            yield since + max(min(float(limit) for limit in limits if limit is not None), 0.0)


def _results(claim: Obj) -> list[Obj]:
    allocation = (claim.get("status") or {}).get("allocation") or {}
    return (allocation.get("devices") or {}).get("results") or []


def _pools(claim: Obj) -> list[str]:
    return [f"{one.get('driver')}/{one.get('pool')}" for one in _results(claim)]


def _users(claim: Obj) -> list[str]:
    return [str(one.get("uid")) for one in users(claim)]


def _pool_of_slice(one: Obj) -> str:
    spec = one["spec"]
    return f"{spec.get('driver')}/{(spec.get('pool') or {}).get('name')}"
