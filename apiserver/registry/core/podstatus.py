"""The `status` of a pod, which its kubelet writes: what may not happen to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apimachinery.clock import Clock
from apimachinery.meta import Obj, annotations_of
from apimachinery.validation.addresses import ip_warnings
from apimachinery.validation.field import FieldErrors, Path, forbidden, internal, invalid
from apimachinery.validation.names import (
    is_dns1123_subdomain,
    is_ip,
    is_qualified_name,
    parse_ip,
)
from apiserver.registry.core.containerstatus import (
    allocated_errors,
    claim_status_errors,
    container_status_errors,
    user_errors,
)
from apiserver.registry.podspec.annotations import (
    annotation_update_errors,
    pod_annotation_errors,
)
from apiserver.registry.podspec.checks import immutable, obey
from apiserver.registry.strategy import StatusStrategy, StrategyContext, put_back

_METADATA, _STATUS = Path("metadata"), Path("status")
_SYSTEM_CONDITIONS = ("PodScheduled", "Ready", "Initialized")
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

    also_reset = (("metadata", "deletionTimestamp"), ("metadata", "ownerReferences"))

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        super().prepare_for_update(new, old, ctx)
        # Old kubelets wrote references to owners that the garbage collector could not follow.
        put_back(new["metadata"], old["metadata"], ("ownerReferences",))
        status, before = new.get("status") or {}, old.get("status") or {}
        # Clients of an older version send back what they do not know as nothing.
        for name in ("qosClass", "observedGeneration"):
            if not status.get(name) and before.get(name):
                status = status | {name: before[name]}
        _complete(status.get("conditions") or [], before.get("conditions") or [])
        new["status"] = status

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        status, before = new.get("status") or {}, old.get("status") or {}
        annotations = annotations_of(new)
        path = _METADATA / "annotations"
        yield from annotation_update_errors(annotations, annotations_of(old), path)
        if annotations:
            yield from pod_annotation_errors(annotations, new["spec"], path)
        yield from _condition_errors(status.get("conditions") or ())
        yield from _nomination_errors(status, before, old["spec"])
        yield from _generation_errors(status, _STATUS)
        yield from immutable(
            status.get("qosClass") or "", before.get("qosClass") or "", _STATUS / "qosClass"
        )
        yield from container_status_errors(status, before, old["spec"])
        yield from claim_status_errors(status, old["spec"])
        yield from _address_errors(status)
        yield from user_errors(status, old["spec"])
        yield from allocated_errors(status, old["spec"])

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        status = new.get("status") or {}
        return [
            text
            for name in ("podIPs", "hostIPs")
            for at, address in enumerate(status.get(name) or ())
            for text in ip_warnings(address.get("ip") or "", (_STATUS / name)[at] / "ip")
        ]

    def drop_disabled(self, obj: Obj, old: Obj | None) -> None:
        status = obj.get("status") or {}
        status.pop("nodeAllocatableResourceClaimStatuses", None)


def _complete(conditions: list[Obj], before: list[Obj]) -> None:
    """Conditions that come without the generation they are about keep the one they had; all have
    the time of a probe, which there is none of.
    """
    had: dict[Any, list[int]] = {}
    for condition in before:
        had.setdefault(condition.get("type"), []).append(condition.get("observedGeneration") or 0)
    for condition in conditions:
        # There may be several conditions of one type: they are matched in their order.
        kept = had.get(condition.get("type"))
        generation = kept.pop(0) if kept else 0
        if generation and not condition.get("observedGeneration"):
            condition["observedGeneration"] = generation
        condition.setdefault("lastProbeTime", None)


def _generation_errors(holder: Obj, path: Path) -> FieldErrors:
    generation = holder.get("observedGeneration") or 0
    if generation < 0:
        yield invalid(path / "observedGeneration", generation, "must be a non-negative integer")


def _condition_errors(conditions: Iterable[Obj]) -> FieldErrors:
    path = _STATUS / "conditions"
    for at, condition in enumerate(conditions):
        yield from _generation_errors(condition, path[at])
        kind = condition.get("type") or ""
        if kind not in _SYSTEM_CONDITIONS:
            yield from obey(is_qualified_name, kind, path[at] / "Type")


def _nomination_errors(status: Obj, before: Obj, spec: Obj) -> FieldErrors:
    name, path = status.get("nominatedNodeName"), _STATUS / "nominatedNodeName"
    if not name or name == before.get("nominatedNodeName"):
        return
    yield from obey(is_dns1123_subdomain, name, path)
    if spec.get("nodeName"):
        yield forbidden(path, "may not be set on pods that are already bound to a node")


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
    parsed = [parse_ip(text) for text in texts]
    if None in parsed:
        at = parsed.index(None)
        why = f"failed to check for dual stack with error:invalid IP[{at}]: {texts[at]}"
        yield internal(path, why)
    families = {ip.version for ip in parsed if ip}
    if None in parsed or len(families) != 2 or len(texts) > 2:
        yield invalid(path, [{"IP": text} for text in texts], _ONE_EACH)
