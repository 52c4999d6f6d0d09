"""StatefulSets: pods with numbers for names, and a claim of its own for each."""

from __future__ import annotations

from typing import Any

from apimachinery.features import SEVERAL_AT_A_TIME
from apimachinery.gvk import APPS_V1, GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, forbidden, invalid, required
from apimachinery.validation.names import is_dns1123_label
from apiserver.registry import gates
from apiserver.registry.apps.replicas import (
    mismatch,
    not_more,
    reads_selector,
    workload_selector_errors,
)
from apiserver.registry.apps.rollout import is_zero
from apiserver.registry.podspec.checks import (
    at_most_all,
    decremented,
    nonnegative,
    nonnegative_fields,
    number_or_percent_errors,
    obey,
    one_of,
)
from apiserver.registry.podspec.claims import claim_spec_errors, claim_warnings
from apiserver.registry.podspec.defaults import default_template
from apiserver.registry.podspec.features import drop_disabled_in_template
from apiserver.registry.podspec.godiff import shown_selector
from apiserver.registry.podspec.template import replicated_template_errors, template_warnings
from apiserver.registry.podspec.workload import containers, generation_changed, keep_status
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME

_SPEC = Path("spec")
_POLICIES = ("OrderedReady", "Parallel")
_STRATEGIES = "must be 'RollingUpdate' or 'OnDelete'"
_CHANGEABLE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)
_FROZEN = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
    "'minReadySeconds' are forbidden"
)
_KEEPS_ALL = (
    "spec.revisionHistoryLimit: a negative value retains all historical revisions; "
    "a value >= 0 is recommended"
)
_COUNTS = (
    "replicas",
    "readyReplicas",
    "currentReplicas",
    "updatedReplicas",
    "availableReplicas",
    "observedGeneration",
    "collisionCount",
)


class StatefulSetStrategy(Strategy):
    """What names pods and claims cannot change: the selector, the service, the claims."""

    has_generation = True
    # Its pods are named after it, and their names are host names.
    name_rule = staticmethod(is_dns1123_label)

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        if not spec.get("podManagementPolicy"):
            spec["podManagementPolicy"] = "OrderedReady"
        spec["updateStrategy"] = spec.get("updateStrategy") or {}
        _default_strategy(spec["updateStrategy"])
        policy = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
        for name in ("whenDeleted", "whenScaled"):
            if not policy.get(name):
                policy[name] = "Retain"
        for name, value in (("replicas", 1), ("revisionHistoryLimit", 10)):
            if spec.get(name) is None:
                spec[name] = value
        default_template(spec.setdefault("template", {}))
        for claim in spec.get("volumeClaimTemplates") or ():
            _default_claim(claim)

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {"replicas": 0, "availableReplicas": 0}

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec = obj["spec"]
        policy = spec.get("podManagementPolicy") or ""
        if policy not in _POLICIES:
            yield invalid(
                _SPEC / "podManagementPolicy",
                policy,
                "must be 'OrderedReady' or 'Parallel'",
            )
        yield from _strategy_errors(spec["updateStrategy"], _SPEC / "updateStrategy")
        yield from _retention_errors(
            spec["persistentVolumeClaimRetentionPolicy"],
            _SPEC / "persistentVolumeClaimRetentionPolicy",
        )
        yield from nonnegative(spec.get("replicas"), _SPEC / "replicas")
        yield from nonnegative(spec.get("minReadySeconds"), _SPEC / "minReadySeconds")
        start = (spec.get("ordinals") or {}).get("start")
        yield from nonnegative(start, _SPEC / "ordinals" / "start")
        if name := spec.get("serviceName"):
            yield from obey(is_dns1123_label, name, _SPEC / "serviceName")
        yield from workload_selector_errors(spec, _SPEC, "statefulset")
        yield from _template_errors(spec, _SPEC)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from self.validate(new, ctx)
        if _frozen(new["spec"]) != _frozen(old["spec"]):
            yield forbidden(_SPEC, _FROZEN)

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        return _template_warnings(obj["spec"]) + _history_warnings(obj["spec"])

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        found = _template_warnings(new["spec"]) if generation_changed(new, old) else []
        return found + _history_warnings(new["spec"])

    def drop_disabled(self, obj: Obj, old: Obj | None) -> None:
        drop_disabled_in_template(obj["spec"])
        kept = old is not None and _rolling(old).get("maxUnavailable")
        if not kept and not gates.enabled(SEVERAL_AT_A_TIME):
            _rolling(obj).pop("maxUnavailable", None)


def _default_strategy(strategy: Obj) -> None:
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        if rolling.get("partition") is None:
            rolling["partition"] = 0
        if rolling.get("maxUnavailable") is None and gates.enabled(SEVERAL_AT_A_TIME):
            rolling["maxUnavailable"] = 1


def _template_warnings(spec: Obj) -> list[str]:
    found = template_warnings(spec["template"], _SPEC / "template")
    for at, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
        where = (_SPEC / "volumeClaimTemplates")[at] / "Spec"
        found += claim_warnings(claim.get("spec") or {}, where)
    return found


def _history_warnings(spec: Obj) -> list[str]:
    return [_KEEPS_ALL] if (spec.get("revisionHistoryLimit") or 0) < 0 else []


def _default_claim(claim: Obj) -> None:
    """A claim in a template is a whole object, with the defaults of one."""
    claim.setdefault("apiVersion", "v1")
    claim.setdefault("kind", "PersistentVolumeClaim")
    spec = claim.setdefault("spec", {})
    if spec.get("volumeMode") is None:
        spec["volumeMode"] = "Filesystem"
    status = claim.setdefault("status", {})
    if not status.get("phase"):
        status["phase"] = "Pending"


def _frozen(spec: Obj) -> dict[str, Any]:
    return {k: v for k, v in spec.items() if k not in _CHANGEABLE and v not in (None, [], {})}


def _template_errors(spec: Obj, path: Path) -> FieldErrors:
    selects = reads_selector(spec)
    if selects is None:
        yield invalid(path / "selector", shown_selector(spec.get("selector")), "")
        return
    if not selects:
        yield mismatch(spec, path)
    # Mounts may name the claims, which become volumes only in the pods.
    claims = [
        {
            "name": (claim.get("metadata") or {}).get("name") or "",
            "persistentVolumeClaim": {"claimName": "of-the-pod"},
        }
        for claim in spec.get("volumeClaimTemplates") or ()
    ]
    yield from replicated_template_errors(
        spec["template"], "StatefulSet", path / "template", more_volumes=claims
    )
    for at, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
        where = (path / "volumeClaimTemplates")[at] / "spec"
        yield from claim_spec_errors(claim.get("spec") or {}, where)


def _strategy_errors(strategy: Obj, path: Path) -> FieldErrors:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    if not kind:
        yield required(path)
    elif kind == "OnDelete":
        if rolling is not None:
            why = "only allowed for updateStrategy 'RollingUpdate'"
            yield invalid(path / "rollingUpdate", _go_rolling(rolling), why)
    elif kind == "RollingUpdate":
        if rolling is not None:
            yield from _rolling_errors(rolling, path / "rollingUpdate")
    else:
        yield invalid(path, {"Type": kind, "RollingUpdate": _go_rolling(rolling)}, _STRATEGIES)


def _rolling(obj: Obj) -> Obj:
    found: Obj = (obj["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    return found


def _go_rolling(rolling: Obj | None) -> Obj | None:
    if rolling is None:
        return None
    most = rolling.get("maxUnavailable")
    return {"Partition": rolling.get("partition") or 0, "MaxUnavailable": most}


def _rolling_errors(rolling: Obj, path: Path) -> FieldErrors:
    yield from nonnegative(rolling.get("partition"), path / "partition")
    most = rolling.get("maxUnavailable")
    if most is None:
        return
    where = path / "maxUnavailable"
    yield from number_or_percent_errors(most, where)
    if is_zero(most):
        yield invalid(where, most, "cannot be 0")
    yield from at_most_all(most, where)


def _retention_errors(policy: Obj, path: Path) -> FieldErrors:
    for name in ("whenDeleted", "whenScaled"):
        yield from one_of(policy.get(name) or "", ("Retain", "Delete"), path / name)


class StatefulSetStatusStrategy(StatusStrategy):
    """Counts cannot be negative, no part is more than the whole, and collisions only grow."""

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        status, before = new.get("status") or {}, old.get("status") or {}
        path = Path("status")
        yield from nonnegative_fields(status, _COUNTS, path)
        whole, ready = status.get("replicas") or 0, status.get("readyReplicas") or 0
        parts = ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")
        yield from not_more(status, parts, whole, "status.replicas", path)
        yield from not_more(status, ("availableReplicas",), ready, "status.readyReplicas", path)
        if decremented(status.get("collisionCount"), before.get("collisionCount")):
            yield invalid(
                path / "collisionCount", status.get("collisionCount") or 0, "cannot be decremented"
            )


def _ready(obj: Obj, now: float) -> str:
    ready = (obj.get("status") or {}).get("readyReplicas") or 0
    return f"{ready}/{obj['spec'].get('replicas') or 0}"


_STRATEGY = StatefulSetStrategy()
STATEFULSETS = Resource(
    kind=APPS_V1.kind("StatefulSet"),
    plural="statefulsets",
    short=("sts",),
    categories=("all",),
    strategy=_STRATEGY,
    subresources={
        "scale": Subresource(kind=GroupVersionKind("autoscaling", "v1", "Scale")),
        "status": Subresource(strategy=StatefulSetStatusStrategy(_STRATEGY)),
    },
    columns=(NAME, Column("Ready", _ready), AGE, *containers()),
)
