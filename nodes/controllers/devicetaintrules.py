"""What the status of DeviceTaintRules says: whether pods still have to leave because of one.

A rule whose effect is None drives nobody away. Its status tells, once for each change, what it
would do otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from apimachinery.clock import parse_time
from apimachinery.devicetaints import ends, selects
from apimachinery.meta import Obj, is_deleting, name_of, namespace_of, uid_of
from apimachinery.nodes import NO_EXECUTE
from apimachinery.resourceclaims import is_done, results, users
from nodes.client.controller import DONE, Result
from nodes.client.lister import Key
from nodes.client.resources import DEVICETAINTRULES, PODS, RESOURCECLAIMS, RESOURCESLICES
from nodes.client.rest import STRATEGIC_PATCH
from nodes.controllers.common.base import ManagedController

IN_PROGRESS = "EvictionInProgress"
# At the most so often (in seconds) the status is written while pods leave.
PERIOD = 10.0


class Counted(NamedTuple):
    """What a rule selects, and what it has done."""

    published: int = 0
    allocated: int = 0
    pods: int = 0
    namespaces: int = 0
    evicted: int = 0


class RuleStatus:
    """Keys are DeviceTaintRules, by an own loop of the controller that sends pods away."""

    def __init__(self, controller: ManagedController) -> None:
        self._controller = controller
        self._evicted: Counter[str] = Counter()  # by uid of the rule
        self.loop = controller.also("status of device taint rules", self._tell)

    def changed(self, claim: Obj) -> None:
        """Count again what rules do that select the devices of a claim."""
        for rule in self._controller.informer(DEVICETAINTRULES).list():
            if any(selects(rule, *device_of(one)) for one in results(claim)):
                self.loop.queue.add(Key("", name_of(rule)))

    def evicted(self, rules: Iterable[Obj]) -> None:
        """Count a pod that has been sent away because of rules."""
        for rule in rules:
            self._evicted[uid_of(rule)] += 1
            self.loop.queue.add(Key("", name_of(rule)))

    async def _tell(self, key: Key) -> Result:
        controller = self._controller
        rule = controller.informer(DEVICETAINTRULES).get(*key)
        if rule is None or is_deleting(rule):
            return DONE
        known = next((one for one in _conditions(rule) if one["type"] == IN_PROGRESS), {})
        generation = rule["metadata"].get("generation")
        if known and known.get("observedGeneration") == generation:
            since = parse_time(known["lastTransitionTime"]).timestamp()
            if (left := since + PERIOD - controller.clock.seconds()) > 0:
                return Result(requeue_after=left)
            if rule["spec"]["taint"]["effect"] == "None":
                return DONE
        told = {"type": IN_PROGRESS, **condition(rule, self._count(rule))}
        told["observedGeneration"] = generation
        if told != {name: known.get(name) for name in told}:
            told["lastTransitionTime"] = controller.clock.timestamp()
            body = {"metadata": {"uid": uid_of(rule)}, "status": {"conditions": [told]}}
            await controller.client.patch(
                DEVICETAINTRULES, "", key.name, body, STRATEGIC_PATCH, "status"
            )
        return DONE

    def _count(self, rule: Obj) -> Counted:
        informer = self._controller.informer
        claims = informer(RESOURCECLAIMS).list()
        pods = {key for claim in claims for key in self._leaving(rule, claim)}
        return Counted(
            sum(1 for one in _published(informer(RESOURCESLICES).list()) if selects(rule, *one)),
            sum(1 for claim in claims for one in results(claim) if selects(rule, *device_of(one))),
            len(pods),
            len({key.namespace for key in pods}),
            self._evicted[uid_of(rule)],
        )

    def _leaving(self, rule: Obj, claim: Obj) -> Iterator[Key]:
        """Yield the pods that leave because of a rule, now or later, or would."""
        taint = {**rule["spec"]["taint"], "effect": NO_EXECUTE}
        if not any(
            selects(rule, *device_of(one)) and list(ends((taint,), one.get("tolerations") or ()))
            for one in results(claim)
        ):
            return
        for user in users(claim):
            key = Key(namespace_of(claim), user["name"])
            pod = self._controller.informer(PODS).get(*key)
            if pod is None or uid_of(pod) != user.get("uid"):
                continue
            if not (is_deleting(pod) or is_done(pod)):
                yield key


def condition(rule: Obj, counted: Counted) -> dict[str, str]:
    """Return status, reason and message of the condition."""
    effect, status, words = rule["spec"]["taint"]["effect"], "False", []
    pods = _several(counted.pods, "pod")
    if effect == "None":
        reason = "NoEffect"
        spaces = _several(counted.namespaces, "namespace", "different namespaces")
        words = [
            f"{_several(counted.published, 'published device')} selected.",
            f"{_several(counted.allocated, 'allocated device')} selected.",
            f"{pods} would be evicted in {spaces} if the effect was NoExecute.",
            "This information will not be updated again.",
            "Recreate the DeviceTaintRule to trigger an update.",
        ]
    elif effect != NO_EXECUTE:
        reason, words = "OtherEffect", ["Eviction only happens for the NoExecute effect."]
    elif counted.pods:
        reason, status = "PodsPendingEviction", "True"
        need = "needs" if counted.pods == 1 else "need"
        spaces = _several(counted.namespaces, "namespace", "different namespaces")
        words = [f"{pods} {need} to be evicted in {spaces}."]
    else:
        reason = "Completed" if counted.evicted else "NotStarted"
    if counted.evicted:
        words.append(f"{_several(counted.evicted, 'pod')} evicted since starting the controller.")
    return {"status": status, "reason": reason, "message": " ".join(words)}


def _several(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def _conditions(rule: Obj) -> list[Obj]:
    return (rule.get("status") or {}).get("conditions") or []


def device_of(result: Mapping[str, str]) -> tuple[str, str, str]:
    """Return driver, pool and name of a device that a claim was given."""
    return result["driver"], result["pool"], result["device"]


def _published(slices: Iterable[Obj]) -> Iterator[tuple[str, str, str]]:
    """Yield the devices of the newest generation of each pool."""
    newest: dict[tuple[str, str], int] = {}
    every = [(one["spec"], one["spec"]["pool"]) for one in slices]
    for spec, pool in every:
        key = spec["driver"], pool["name"]
        newest[key] = max(newest.get(key, 0), pool.get("generation") or 0)
    for spec, pool in every:
        key = spec["driver"], pool["name"]
        if (pool.get("generation") or 0) == newest[key]:
            for device in spec.get("devices") or ():
                yield *key, device["name"]
