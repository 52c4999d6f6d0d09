"""Nodes: machines that joined; the kubelet owns the status, controllers the addresses of pods."""

from __future__ import annotations

import re
from typing import Any

from apimachinery.gvk import CORE_V1, GroupVersionKind
from apimachinery.meta import Obj, labels_of
from apimachinery.validation.field import (
    ErrorType,
    FieldError,
    FieldErrors,
    Path,
    duplicate,
    forbidden,
    internal,
    invalid,
    show,
)
from apimachinery.validation.names import (
    is_cidr,
    is_label_value,
    is_qualified_name,
    parse_cidr,
)
from apiserver.registry.podspec.checks import obey, one_of_required
from apiserver.registry.podspec.quantities import quantity_value_errors
from apiserver.registry.podspec.scheduling import EFFECTS
from apiserver.registry.podspec.workload import keep_status
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import MetadataCheck, StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, Value, dig, field

_METADATA, _SPEC, _STATUS = Path("metadata"), Path("spec"), Path("status")
_ROLE_PREFIX = "node-role.kubernetes.io/"
_ROLE_LABEL = "kubernetes.io/role"
_CIDR_FROZEN = 'node updates may not change podCIDR except from "" to valid'
_PROVIDER_FROZEN = 'node updates may not change providerID except from "" to valid'
PROXY_VERBS = ("create", "delete", "get", "patch", "update")


class NodeStrategy(Strategy):
    """podCIDR and providerID are given once."""

    metadata_checks = (MetadataCheck.WHOLE, MetadataCheck.CHANGES)

    def default(self, obj: Obj) -> None:
        spec = obj.get("spec") or {}
        # podCIDR is the first of podCIDRs; where they differ, a client knows podCIDR alone.
        first, cidrs = spec.get("podCIDR"), spec.get("podCIDRs") or []
        if first and first not in cidrs[:1]:
            spec["podCIDRs"] = [first]
        elif cidrs and not first:
            spec["podCIDR"] = cidrs[0]
        status = obj.get("status") or {}
        if status.get("capacity") and not status.get("allocatable"):
            status["allocatable"] = dict(status["capacity"])

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def drop_disabled(self, obj: Obj, old: Obj | None) -> None:
        """Remove what kubelets were once configured by."""
        if obj.get("spec") and not ((old or {}).get("spec") or {}).get("configSource"):
            obj["spec"].pop("configSource", None)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec = obj.get("spec") or {}
        if taints := spec.get("taints"):
            yield from taint_errors(taints, _METADATA / "taints")
        yield from _resource_errors(obj)
        yield from _feature_errors(obj)
        if cidrs := spec.get("podCIDRs"):
            yield from _cidr_errors(cidrs, _SPEC / "podCIDRs")

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from self.validate(new, ctx)
        yield from _update_errors(new, old)

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        found = []
        spec = obj.get("spec") or {}
        if spec.get("externalID"):
            found.append("spec.externalID: this field is deprecated, and is unused by Kubernetes")
        return found

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        return self.warnings_on_create(new, ctx)


class NodeStatusStrategy(StatusStrategy):
    """Through `status` the metadata's labels stay, and the status is checked."""

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from _update_errors(new, old)


def _update_errors(new: Obj, old: Obj) -> FieldErrors:
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    yield from _resource_errors(new)
    yield from _feature_errors(new)
    yield from _address_errors(new)
    cidrs, was = spec.get("podCIDRs") or [], before.get("podCIDRs") or []
    if was:
        if len(was) != len(cidrs):
            yield forbidden(_SPEC / "podCIDRs", _CIDR_FROZEN)
        else:
            for one, other in zip(was, cidrs, strict=True):
                if one != other:
                    yield forbidden(_SPEC / "podCIDRs", _CIDR_FROZEN)
    provider = before.get("providerID")
    if provider and provider != spec.get("providerID"):
        yield forbidden(_SPEC / "providerID", _PROVIDER_FROZEN)
    if taints := spec.get("taints"):
        yield from taint_errors(taints, _METADATA / "taints")
    if (spec.get("externalID") or "") != (before.get("externalID") or ""):
        yield forbidden(_SPEC / "externalID", "may not be updated")


def _address_errors(node: Obj) -> FieldErrors:
    seen: set[tuple[str, str]] = set()
    for at, address in enumerate((node.get("status") or {}).get("addresses") or ()):
        key = (address.get("type") or "", address.get("address") or "")
        if key in seen:
            yield duplicate((_STATUS / "addresses")[at], {"Type": key[0], "Address": key[1]})
        seen.add(key)


def _resource_errors(node: Obj) -> FieldErrors:
    status = node.get("status") or {}
    for part in ("capacity", "allocatable"):
        for name, amount in (status.get(part) or {}).items():
            yield from quantity_value_errors(name, amount, _STATUS / part / name)


def _cidr_errors(cidrs: list[str], path: Path) -> FieldErrors:
    for at, cidr in enumerate(cidrs):
        yield from obey(is_cidr, cidr, path[at])
    if len(cidrs) == 1:
        return
    parsed = [parse_cidr(cidr) for cidr in cidrs]
    if None in parsed:
        at = parsed.index(None)
        why = f"invalid CIDR[{at}]: <nil> (invalid CIDR address: {cidrs[at]})"
        yield internal(path, f"invalid PodCIDRs. failed to check with dual stack with error:{why}")
    families = {network.version for network in parsed if network}
    if None in parsed or len(families) != 2 or len(cidrs) > 2:
        yield invalid(path, cidrs, "may specify no more than one CIDR for each IP family")


def _feature_errors(node: Obj) -> FieldErrors:
    features = (node.get("status") or {}).get("declaredFeatures") or ()
    path = _STATUS / "declaredFeatures"
    for at, name in enumerate(features):
        if len(name) > _LONGEST_FEATURE:
            why = f"must be no more than {_LONGEST_FEATURE} characters"
            yield invalid(path[at], name, f"invalid feature name {show(name)}: {why}")
        elif not _feature_re.fullmatch(name):
            yield invalid(path[at], name, f"invalid feature name {show(name)}: {_FEATURE_WORDS}")
        if at and features[at - 1] == name:
            yield duplicate(path[at], name)
        elif at and features[at - 1] > name:
            yield invalid(path[at], name, "list must be sorted alphabetically")


_LONGEST_FEATURE = 253
_feature_re = re.compile(r"[A-Z][A-Za-z0-9]*(/[A-Za-z0-9]+)*")
_FEATURE_WORDS = (
    "must start with an UpperCamelCase segment, with subsequent segments separated by '/' "
    "(e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters "
    "and slashes"
)


def taint_errors(taints: list[Obj], path: Path) -> FieldErrors:
    """Yield what is wrong with a list of taints."""
    seen: set[tuple[str, str]] = set()
    for at, taint in enumerate(taints):
        key, value, effect = (taint.get(name) or "" for name in ("key", "value", "effect"))
        yield from obey(is_qualified_name, key, path[at] / "key")
        if wrong := is_label_value(value):
            yield invalid(path[at] / "value", value, ";".join(wrong))
        yield from one_of_required(effect, EFFECTS, path[at] / "effect")
        if (key, effect) in seen:
            yield FieldError(
                ErrorType.DUPLICATE,
                str(path[at]),
                {"Key": key, "Value": value, "Effect": effect, "TimeAdded": taint.get("timeAdded")},
                "taints must be unique by key and effect pair",
            )
        seen.add((key, effect))


def _status(obj: Obj, now: float) -> str:
    ready = next(
        (c for c in dig(obj, ("status", "conditions")) or () if c.get("type") == "Ready"), None
    )
    shown = "Unknown"
    if ready is not None:
        shown = "Ready" if ready.get("status") == "True" else "NotReady"
    return f"{shown},SchedulingDisabled" if dig(obj, ("spec", "unschedulable")) else shown


def roles_of(node: Obj) -> list[str]:
    """Return the roles that a node's labels give it, sorted."""
    found = set()
    for key, value in labels_of(node).items():
        if key.startswith(_ROLE_PREFIX):
            found.add(key.removeprefix(_ROLE_PREFIX))
        elif key == _ROLE_LABEL:
            found.add(value)
    return sorted(found - {""})


def _roles(obj: Obj, now: float) -> str:
    return ",".join(roles_of(obj)) or "<none>"


def _address(kind: str) -> Value:
    def read(obj: Obj, now: float) -> Any:
        for address in dig(obj, ("status", "addresses")) or ():
            if address.get("type") == kind:
                return address.get("address") or ""
        return "<none>"

    return read


def _known(path: str) -> Value:
    parts = tuple(path.split("."))

    def read(obj: Obj, now: float) -> Any:
        return dig(obj, parts) or "<unknown>"

    return read


_STRATEGY = NodeStrategy()
NODES = Resource(
    kind=CORE_V1.kind("Node"),
    plural="nodes",
    namespaced=False,
    short=("no",),
    strategy=_STRATEGY,
    subresources={
        "proxy": Subresource(
            verbs=PROXY_VERBS, kind=GroupVersionKind("", "v1", "NodeProxyOptions")
        ),
        "status": Subresource(strategy=NodeStatusStrategy(_STRATEGY)),
    },
    selectable={
        "spec.unschedulable": lambda obj: "true" if dig(obj, ("spec", "unschedulable")) else "false"
    },
    columns=(
        NAME,
        Column("Status", _status),
        Column("Roles", _roles),
        AGE,
        Column("Version", field("status.nodeInfo.kubeletVersion")),
        Column("Internal-IP", _address("InternalIP"), priority=1),
        Column("External-IP", _address("ExternalIP"), priority=1),
        Column("OS-Image", _known("status.nodeInfo.osImage"), priority=1),
        Column("Kernel-Version", _known("status.nodeInfo.kernelVersion"), priority=1),
        Column("Container-Runtime", _known("status.nodeInfo.containerRuntimeVersion"), priority=1),
    ),
)
