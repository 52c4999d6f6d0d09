"""The `status` of a pod, which its kubelet writes: what may not happen to it."""

from __future__ import annotations

from typing import Any

from apimachinery.clock import Clock
from apimachinery.meta import Obj, annotations_of
from apimachinery.validation.field import FieldErrors, Path, duplicate, forbidden, invalid
from apimachinery.validation.names import (
    is_dns1123_subdomain,
    is_ip,
    is_qualified_name,
    parse_ip,
)
from apiserver.registry.podspec.annotations import (
    annotation_update_errors,
    pod_annotation_errors,
)
from apiserver.registry.podspec.checks import immutable, obey
from apiserver.registry.strategy import StatusStrategy, StrategyContext

_METADATA, _STATUS = Path("metadata"), Path("status")
_SYSTEM_CONDITIONS = ("PodScheduled", "Ready", "Initialized")
_NO_WAY_BACK = "may not be transitioned to non-terminated state"
_ONE_EACH = "may specify no more than one IP for each IP family"


def gated(clock: Clock) -> Obj:
    """Return the condition of a pod that is not to be scheduled yet."""
    return {
        "type": "PodScheduled",
        "status": "False",
        "reason": "SchedulingGated",
        "message": "Scheduling is blocked due to non-empty scheduling gates",
        "lastProbeTime": None,
        "lastTransitionTime": clock.timestamp(),
    }


class PodStatusStrategy(StatusStrategy):
    """What has ended does not run again, and the class of quality of service stays."""

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        super().prepare_for_update(new, old, ctx)
        status, before = new.get("status") or {}, old.get("status") or {}
        if not status.get("qosClass") and before.get("qosClass"):
            # Clients of an older version send back what they do not know as nothing.
            new["status"] = status | {"qosClass": before["qosClass"]}

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        status, before = new.get("status") or {}, old.get("status") or {}
        annotations = annotations_of(new)
        path = _METADATA / "annotations"
        yield from annotation_update_errors(annotations, annotations_of(old), path)
        if annotations:
            yield from pod_annotation_errors(annotations, new["spec"], path)
        for at, condition in enumerate(status.get("conditions") or ()):
            kind = condition.get("type") or ""
            if kind not in _SYSTEM_CONDITIONS:
                yield from obey(is_qualified_name, kind, (_METADATA / "conditions")[at] / "Type")
        nominated = status.get("nominatedNodeName")
        if nominated and nominated != before.get("nominatedNodeName"):
            yield from obey(is_dns1123_subdomain, nominated, _STATUS / "nominatedNodeName")
        yield from immutable(status.get("qosClass"), before.get("qosClass"), _STATUS / "qosClass")
        yield from _transition_errors(status, before, old["spec"])
        yield from _address_errors(status)


def _transition_errors(status: Obj, before: Obj, spec: Obj) -> FieldErrors:
    policy = spec.get("restartPolicy") or ""
    sidecars = {
        c.get("name")
        for c in spec.get("initContainers") or ()
        if c.get("restartPolicy") == "Always"
    }
    rules = {
        c.get("name"): c["restartPolicy"]
        for c in spec.get("containers") or ()
        if c.get("restartPolicy")
    }
    for name, common, excused in (
        ("containerStatuses", policy, set()),
        ("initContainerStatuses", policy, sidecars),
        ("ephemeralContainerStatuses", "Never", set()),
    ):
        if before.get(name):
            yield from _list_errors(
                status.get(name) or (), before[name], _STATUS / name, common, excused, rules
            )


def _list_errors(
    new: Any, old: Any, path: Path, policy: str, excused: set[Any], rules: dict[Any, str]
) -> FieldErrors:
    for at, was in enumerate(old):
        ended = (was.get("state") or {}).get("terminated")
        own = rules.get(was.get("name"), policy)
        if ended is None or own == "Always" or was.get("name") in excused:
            continue
        if ended.get("exitCode") and own == "OnFailure":
            continue
        for now in new:
            if (
                now.get("name") == was.get("name")
                and (now.get("state") or {}).get("terminated") is None
            ):
                yield forbidden(path[at] / "state", _NO_WAY_BACK)


def _address_errors(status: Obj) -> FieldErrors:
    addresses = status.get("podIPs")
    if addresses:
        yield from _list_of_ips(addresses, _STATUS / "podIPs")
    hosts = status.get("hostIPs")
    if hosts:
        first = hosts[0].get("ip") or ""
        if (status.get("hostIP") or "") != first:
            yield invalid((_STATUS / "hostIPs")[0] / "ip", first, "must be equal to `hostIP`")
        yield from _list_of_ips(hosts, _STATUS / "hostIPs")


def _list_of_ips(addresses: list[Obj], path: Path) -> FieldErrors:
    texts = [address.get("ip") or "" for address in addresses]
    for at, text in enumerate(texts):
        yield from obey(is_ip, text, path[at])
    if len(texts) == 1:
        return
    families = {ip.version for text in texts if (ip := parse_ip(text))}
    if len(families) != 2 or len(texts) > 2:
        yield invalid(path, [{"IP": text} for text in texts], _ONE_EACH)
    for at, text in enumerate(texts):
        if text in texts[:at]:
            yield duplicate(path[at], {"IP": text})
