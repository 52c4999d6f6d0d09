"""What Workloads and PodGroups have in common: how a group is scheduled and disrupted."""

from __future__ import annotations

from collections.abc import Mapping

from apimachinery import features
from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    duplicate,
    invalid,
    not_supported,
    required,
    too_many,
)
from apimachinery.validation.names import (
    is_dns1123_label,
    is_dns1123_subdomain,
    is_qualified_name,
)
from apiserver.registry import gates
from apiserver.registry.podspec.checks import name_or_required, obey

_POLICIES = ("basic", "gang")
_SOURCES = ("resourceClaimName", "resourceClaimTemplateName")
_MODES = ("Pod", "PodGroup")
# Topologies and claims of a group; the highest priority that is no system's.
_MOST_KEYS, _MOST_CLAIMS, _HIGHEST = 1, 4, 1_000_000_000
# Fields by the feature that brings them, beside the one that has these kinds served.
_OF_FEATURES: Mapping[str, str] = {
    "schedulingConstraints": features.TOPOLOGY,
    "resourceClaims": features.GROUP_CLAIMS,
    "disruptionMode": features.GROUP_PREEMPTION,
    "priorityClassName": features.GROUP_PREEMPTION,
    "priority": features.GROUP_PREEMPTION,
}


def drop_disabled(group: Obj, old: Obj | None = None) -> None:
    """Remove what belongs to features that are off, of a PodGroup's spec or a template.

    What it had before stays.
    """
    for name, feature in _OF_FEATURES.items():
        if not gates.enabled(feature) and not (old or {}).get(name):
            group.pop(name, None)


def set_defaults(group: Obj) -> None:
    """Say how a group may be disrupted, where that is a question."""
    if gates.enabled(features.GROUP_PREEMPTION) and group.get("disruptionMode") is None:
        group["disruptionMode"] = "Pod"


def group_errors(group: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with a PodGroup's spec, or a template."""
    yield from _policy_errors(group.get("schedulingPolicy") or {}, path / "schedulingPolicy")
    constraints = group.get("schedulingConstraints") or {}
    where = path / "schedulingConstraints" / "topology"
    yield from _topology_errors(constraints.get("topology") or [], where)
    yield from _claim_errors(group.get("resourceClaims") or [], path / "resourceClaims")
    mode = group.get("disruptionMode")
    if mode is not None and mode not in _MODES:
        yield not_supported(path / "disruptionMode", mode, _MODES)
    if name := group.get("priorityClassName"):
        yield from obey(is_dns1123_subdomain, name, path / "priorityClassName")
    if (priority := group.get("priority") or 0) > _HIGHEST and not _is_system(group):
        yield invalid(path / "priority", priority, f"must be less than or equal to {_HIGHEST}")


def _is_system(group: Obj) -> bool:
    return str(group.get("priorityClassName") or "").startswith("system-")


def _policy_errors(policy: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with a policy: one of two, a gang with at least one pod."""
    yield from _one_of(policy, _POLICIES, path)
    gang = policy.get("gang")
    if gang is None:
        return
    count, where = gang.get("minCount") or 0, path / "gang" / "minCount"
    if not count:
        yield required(where)
    elif count < 1:
        yield invalid(where, count, "must be greater than or equal to 1")


def _topology_errors(topology: list[Obj], path: Path) -> FieldErrors:
    if len(topology) > _MOST_KEYS:
        yield too_many(path, len(topology), _MOST_KEYS)
        return
    for at, constraint in enumerate(topology):
        yield from name_or_required(
            is_qualified_name, constraint.get("key") or "", path[at] / "key"
        )


def _claim_errors(claims: list[Obj], path: Path) -> FieldErrors:
    if len(claims) > _MOST_CLAIMS:
        yield too_many(path, len(claims), _MOST_CLAIMS)
    seen: set[str] = set()
    for at, claim in enumerate(claims):
        name = claim.get("name") or ""
        yield from name_or_required(is_dns1123_label, name, path[at] / "name")
        if name in seen:
            yield duplicate(path[at], {"name": name})
        seen.add(name)
        yield from _one_of(claim, _SOURCES, path[at])
        for source in _SOURCES:
            if (found := claim.get(source)) is not None:
                yield from obey(is_dns1123_subdomain, found, path[at] / source)


def _one_of(given: Obj, names: tuple[str, ...], path: Path) -> FieldErrors:
    """Yield that of these members not exactly one is there."""
    there = [name for name in names if given.get(name) is not None]
    every = ", ".join(f"`{name}`" for name in names)
    if not there:
        yield invalid(path, "", f"must specify one of: {every}")
    elif len(there) > 1:
        yield invalid(path, f"{{{', '.join(there)}}}", f"must specify exactly one of: {every}")
