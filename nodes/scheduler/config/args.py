"""Arguments of plugins: their defaults, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from apimachinery.duration import format_duration, parse_duration
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
)
from apimachinery.validation.names import is_qualified_name
from nodes.scheduler.config import affinity

Args = Mapping[str, Any]
_RESOURCES = ({"name": "cpu", "weight": 1}, {"name": "memory", "weight": 1})
_STRATEGIES = ("LeastAllocated", "MostAllocated", "RequestedToCapacityRatio")
_DEFAULTING = ("System", "List")
_UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")
# config.MaxCustomPriorityScore
_MAX_SHAPE_SCORE = 10


def completed(name: str, given: Args) -> dict[str, Any]:
    """Return a plugin's arguments with the defaults of v1."""
    args = {key: value for key, value in given.items() if key not in ("apiVersion", "kind")}
    for field, value in _DEFAULTS.get(name, {}).items():
        if args.get(field) is None:
            args[field] = value
    if name == "NodeResourcesFit":
        strategy = dict(args["scoringStrategy"])
        strategy["resources"] = _weighted(strategy.get("resources"))
        args["scoringStrategy"] = strategy
    if name == "NodeResourcesBalancedAllocation":
        args["resources"] = _weighted(args.get("resources"))
    return args


_DEFAULTS: dict[str, dict[str, Any]] = {
    "DefaultPreemption": {"minCandidateNodesPercentage": 10, "minCandidateNodesAbsolute": 100},
    "InterPodAffinity": {"hardPodAffinityWeight": 1},
    "NodeResourcesFit": {"scoringStrategy": {"type": "LeastAllocated"}},
    "PodTopologySpread": {"defaultingType": "System"},
    "VolumeBinding": {"bindTimeoutSeconds": 600},
}


def _weighted(resources: Sequence[Args] | None) -> list[dict[str, Any]]:
    return [{**one, "weight": one.get("weight") or 1} for one in resources or _RESOURCES]


def errors(name: str, args: Args, path: Path) -> FieldErrors:
    """Yield what is wrong with completed arguments, as far as that is seen before they are used."""
    check = _CHECKS.get(name)
    if check is not None:
        yield from check(args, path)


def unusable(name: str, args: Args) -> str:
    """Return why a plugin cannot be made with its arguments, "" where it can."""
    check = _CHECKS_OF_PLUGINS.get(name)
    return aggregate(list(check(args, Path("")))) if check is not None else ""


def aggregate(found: Sequence[object]) -> str:
    """Return errors as one sentence, each of them once."""
    texts = list(dict.fromkeys(map(str, found)))
    return f"[{', '.join(texts)}]" if len(texts) > 1 else "".join(texts)


def _preemption(args: Args, path: Path) -> FieldErrors:
    share, least = args["minCandidateNodesPercentage"], args["minCandidateNodesAbsolute"]
    share_path, least_path = (
        path / "minCandidateNodesPercentage",
        path / "minCandidateNodesAbsolute",
    )
    if not 0 <= share <= 100:
        yield invalid(share_path, share, "not in valid range [0, 100]")
    if least < 0:
        yield invalid(least_path, least, "not in valid range [0, inf)")
    if share == 0 and least == 0:
        both = "cannot be zero at the same time as"
        yield invalid(share_path, share, f"{both} minCandidateNodesAbsolute")
        yield invalid(least_path, least, f"{both} minCandidateNodesPercentage")


def _pod_affinity(args: Args, path: Path) -> FieldErrors:
    weight = args["hardPodAffinityWeight"]
    if not 0 <= weight <= 100:
        yield invalid(path / "hardPodAffinityWeight", weight, "not in valid range [0, 100]")


def _node_affinity(args: Args, path: Path) -> FieldErrors:
    yield from affinity.errors(args.get("addedAffinity") or {}, path / "addedAffinity")


def _devices(args: Args, path: Path) -> FieldErrors:
    for field, least, detail in (
        ("filterTimeout", 0, "must be zero or positive"),
        ("bindingTimeout", 1, "must be at least 1 second"),
    ):
        if args.get(field) is None:
            continue
        try:
            seconds = parse_duration(args[field])
        except ValueError as error:
            yield invalid(path / field, args[field], str(error))
            continue
        if seconds < least:
            yield invalid(path / field, format_duration(seconds), detail)


def _spread(args: Args, path: Path) -> FieldErrors:
    constraints, kind = args.get("defaultConstraints") or [], args["defaultingType"]
    if kind not in _DEFAULTING:
        yield not_supported(path / "defaultingType", kind, sorted(_DEFAULTING, reverse=True))
    elif kind == "System" and constraints:
        yield invalid(path / "defaultingType", kind, "when .defaultConstraints are not empty")
    seen = set()
    for at, one in enumerate(constraints):
        where = (path / "defaultConstraints")[at]
        yield from _constraint(one, where)
        pair = (one.get("topologyKey") or "", one.get("whenUnsatisfiable") or "")
        if pair in seen:
            yield duplicate(where, f"{{{pair[0]}, {pair[1]}}}")
        seen.add(pair)


def _constraint(one: Args, path: Path) -> FieldErrors:
    skew = one.get("maxSkew") or 0
    if skew <= 0:
        yield invalid(path / "maxSkew", skew, "not in valid range (0, inf)")
    key, when = one.get("topologyKey") or "", one.get("whenUnsatisfiable") or ""
    if not key:
        yield required(path / "topologyKey", "can not be empty")
    else:
        yield from _label_name(key, path / "topologyKey")
    if not when:
        yield required(path / "whenUnsatisfiable", "can not be empty")
    elif when not in _UNSATISFIABLE:
        yield not_supported(path / "whenUnsatisfiable", when, _UNSATISFIABLE)
    if one.get("labelSelector") is not None:
        detail = "constraint must not define a selector, as they deduced for each pod"
        yield forbidden(path / "labelSelector", detail)


def _label_name(name: str, path: Path) -> FieldErrors:
    for why in is_qualified_name(name):
        yield invalid(path, name, why)


def _fit(args: Args, path: Path) -> FieldErrors:
    for at, name in enumerate(args.get("ignoredResources") or ()):
        yield from _label_name(name, (path / "ignoredResources")[at])
    for at, group in enumerate(args.get("ignoredResourceGroups") or ()):
        where = (path / "ignoredResourceGroups")[at]
        if "/" in group:
            yield invalid(where, group, "resource group name can't contain '/'")
        yield from _label_name(group, where)
    strategy, path = args["scoringStrategy"], path / "scoringStrategy"
    kind, ratio = strategy.get("type") or "", strategy.get("requestedToCapacityRatio")
    if kind not in _STRATEGIES:
        yield not_supported(path / "type", kind, _STRATEGIES)
    for at, one in enumerate(strategy["resources"]):
        if not 0 < one["weight"] <= 100:
            detail = f"resource weight of {one.get('name')} not in valid range (0, 100]"
            yield invalid((path / "resources")[at] / "weight", one["weight"], detail)
    if ratio is not None:
        yield from _shape(ratio.get("shape") or [], path / "shape")
    elif kind == "RequestedToCapacityRatio":  # kube-scheduler crashes: the words are our own
        yield required(path / "requestedToCapacityRatio", "must be specified with this type")


def _shape(shape: Sequence[Args], path: Path) -> FieldErrors:
    if not shape:
        yield required(path, "at least one point must be specified")
        return
    uses = [point.get("utilization") or 0 for point in shape]
    for at in range(1, len(uses)):
        if uses[at - 1] >= uses[at]:
            detail = "values must be sorted in increasing order"
            yield invalid(path[at] / "utilization", uses[at], detail)
            break
    for at, point in enumerate(shape):
        score = point.get("score") or 0
        if not 0 <= uses[at] <= 100:
            yield invalid(path[at] / "utilization", uses[at], "not in valid range [0, 100]")
        if not 0 <= score <= _MAX_SHAPE_SCORE:
            detail = f"not in valid range [0, {_MAX_SHAPE_SCORE}]"
            yield invalid(path[at] / "score", score, detail)


def _balanced(args: Args, path: Path) -> FieldErrors:
    seen = set()
    for at, one in enumerate(args["resources"]):
        where = (path / "resources")[at]
        if one.get("name") in seen:
            yield duplicate(where / "name", one.get("name"))
        seen.add(one.get("name"))
        if one["weight"] != 1:
            yield invalid(where / "weight", one["weight"], "must be 1")


def _binding(args: Args, path: Path) -> FieldErrors:
    seconds = args["bindTimeoutSeconds"]
    if seconds < 0:
        detail = "invalid BindTimeoutSeconds, should not be a negative value"
        yield invalid(path / "bindTimeoutSeconds", seconds, detail)
    if args.get("shape") is not None:
        detail = (
            "unexpected field `shape`, remove it or turn on the feature gate StorageCapacityScoring"
        )
        yield invalid(path / "shape", args["shape"], detail)


_CHECKS: dict[str, Callable[[Args, Path], FieldErrors]] = {
    "DefaultPreemption": _preemption,
    "InterPodAffinity": _pod_affinity,
    "NodeAffinity": _node_affinity,
    "NodeResourcesBalancedAllocation": _balanced,
    "PodTopologySpread": _spread,
    "VolumeBinding": _binding,
}

# What plugins look at themselves.
_CHECKS_OF_PLUGINS: dict[str, Callable[[Args, Path], FieldErrors]] = {
    "DynamicResources": _devices,
    "NodeResourcesFit": _fit,
}
