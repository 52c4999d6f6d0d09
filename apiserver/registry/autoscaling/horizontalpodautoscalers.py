"""HorizontalPodAutoscalers: stored as autoscaling/v2, served as v1 too."""

from __future__ import annotations

from typing import Any

from apimachinery.gvk import GroupVersion
from apimachinery.meta import Obj
from apimachinery.quantity import ZERO, parse
from apimachinery.validation.field import FieldErrors, Path, invalid, not_supported, required
from apiserver.registry.autoscaling.annotations import TRAVELLING
from apiserver.registry.autoscaling.convert import from_v2, to_v2
from apiserver.registry.autoscaling.metrics import metric_errors, reference_errors
from apiserver.registry.podspec.checks import NOT_POSITIVE, nonnegative_fields, one_of
from apiserver.registry.podspec.workload import keep_status
from apiserver.registry.resource import Column, Resource, ServedVersion, Subresource
from apiserver.registry.strategy import StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, dig, field, first_few

_SPEC = Path("spec")
_SELECT = ("Disabled", "Max", "Min")
_POLICIES = ("Percent", "Pods")
_LONGEST_WINDOW = 3600
_LONGEST_PERIOD = 1800
_SHOWN = 2
_UNKNOWN = "<unknown>"


def default_metric() -> Obj:
    """Return what is measured where nothing is said: CPU, at four fifths."""
    target = {"type": "Utilization", "averageUtilization": 80}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def _policy(kind: str, value: int) -> Obj:
    return {"type": kind, "value": value, "periodSeconds": 15}


class HorizontalPodAutoscalerStrategy(Strategy):
    """Everything of the spec may change."""

    def default(self, obj: Obj) -> None:
        _drop_travelling(obj.get("metadata") or {})
        spec = obj.setdefault("spec", {})
        if spec.get("minReplicas") is None:
            spec["minReplicas"] = 1
        if not spec.get("metrics"):
            spec["metrics"] = [default_metric()]
        behavior = spec.get("behavior")
        if behavior is not None:
            up, down = [_policy("Pods", 4), _policy("Percent", 100)], [_policy("Percent", 100)]
            behavior["scaleUp"] = _rules(behavior.get("scaleUp"), up, 0)
            behavior["scaleDown"] = _rules(behavior.get("scaleDown"), down, None)

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {"desiredReplicas": 0, "currentMetrics": None}

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from _spec_errors(obj["spec"], 1)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        lowest = 0 if dig(old, ("spec", "minReplicas")) == 0 else 1
        yield from _spec_errors(new["spec"], lowest)


def _drop_travelling(metadata: Obj) -> None:
    """Drop annotations that are about fields: v2 has these fields, and they alone count."""
    annotations = metadata.get("annotations") or {}
    if annotations.keys().isdisjoint(TRAVELLING):
        return
    metadata["annotations"] = {k: v for k, v in annotations.items() if k not in TRAVELLING}
    if not metadata["annotations"]:
        del metadata["annotations"]


def _rules(given: Obj | None, policies: list[Obj], window: int | None) -> Obj:
    rules = dict(given or {})
    if rules.get("stabilizationWindowSeconds") is None and window is not None:
        rules["stabilizationWindowSeconds"] = window
    if rules.get("selectPolicy") is None:
        rules["selectPolicy"] = "Max"
    if rules.get("policies") is None:
        rules["policies"] = policies
    return rules


def _spec_errors(spec: Obj, lowest: int) -> FieldErrors:
    least, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    if least is not None and least < lowest:
        why = f"must be greater than or equal to {lowest}"
        yield invalid(_SPEC / "minReplicas", least, why)
    path = _SPEC / "maxReplicas"
    if most == 0:
        yield required(path, "must be set and greater than 0")
    elif most < 0:
        yield invalid(path, most, "must be greater than 0")
    if least is not None and most < least:
        yield invalid(path, most, "must be greater than or equal to `minReplicas`")
    target = spec.get("scaleTargetRef") or {}
    yield from reference_errors(target, _SPEC / "scaleTargetRef", needs_group=True)
    yield from metric_errors(spec.get("metrics") or [], _SPEC / "metrics", least)
    behavior = spec.get("behavior") or {}
    for name in ("scaleUp", "scaleDown"):
        if behavior.get(name) is not None:
            yield from _rules_errors(behavior[name], _SPEC / "behavior" / name)


def _rules_errors(rules: Obj, path: Path) -> FieldErrors:
    window, where = rules.get("stabilizationWindowSeconds"), path / "stabilizationWindowSeconds"
    if window is not None and window < 0:
        yield invalid(where, window, "must be greater than or equal to zero")
    if window is not None and window > _LONGEST_WINDOW:
        yield invalid(where, window, f"must be less than or equal to {_LONGEST_WINDOW}")
    if rules.get("selectPolicy") is not None:
        yield from one_of(rules["selectPolicy"], _SELECT, path / "selectPolicy")
    policies, where = rules.get("policies") or (), path / "policies"
    if not policies:
        yield required(where, "must specify at least one Policy")
    for at, policy in enumerate(policies):
        yield from _policy_errors(policy, where[at])
    tolerance = rules.get("tolerance")
    if tolerance is not None and parse(tolerance) < ZERO:
        yield invalid(path / "tolerance", tolerance, "must be greater or equal to zero")


def _policy_errors(policy: Obj, path: Path) -> FieldErrors:
    if policy.get("type") not in _POLICIES:
        yield not_supported(path / "type", policy.get("type") or "", _POLICIES)
    for name in ("value", "periodSeconds"):
        if (policy.get(name) or 0) <= 0:
            yield invalid(path / name, policy.get(name) or 0, NOT_POSITIVE)
    period = policy.get("periodSeconds") or 0
    if period > _LONGEST_PERIOD:
        why = f"must be less than or equal to {_LONGEST_PERIOD}"
        yield invalid(path / "periodSeconds", period, why)


class HorizontalPodAutoscalerStatusStrategy(StatusStrategy):
    """Counts are not negative."""

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        names = ("currentReplicas", "desiredReplicas")
        yield from nonnegative_fields(new.get("status") or {}, names, Path("status"))


def _reference(obj: Obj, now: float) -> str:
    target: dict[str, Any] = dig(obj, ("spec", "scaleTargetRef")) or {}
    return f"{target.get('kind') or ''}/{target.get('name') or ''}"


def _targets(obj: Obj, now: float) -> str:
    metrics = dig(obj, ("spec", "metrics")) or ()
    statuses = dig(obj, ("status", "currentMetrics")) or ()
    if not metrics:
        return "<none>"
    texts = [
        _target(metric, statuses[at] if at < len(statuses) else {})
        for at, metric in enumerate(metrics)
    ]
    return first_few(texts, _SHOWN, ", ")


def _target(metric: Obj, status: Obj) -> str:
    """Print `current/wanted` of one metric."""
    kind = metric.get("type") or ""
    key = kind[:1].lower() + kind[1:]
    source = metric.get(key)
    if source is None:
        return "<unknown type>"
    target = source.get("target") or {}
    current = (status.get(key) or {}).get("current") or {}
    if kind in ("Resource", "ContainerResource"):
        return f"{source.get('name')}: {_share(target, current)}"
    if kind == "Pods":
        return f"{current.get('averageValue', _UNKNOWN)}/{target.get('averageValue')}"
    if target.get("averageValue") is not None:
        return f"{current.get('averageValue', _UNKNOWN)}/{target['averageValue']} (avg)"
    return f"{current.get('value', _UNKNOWN)}/{target.get('value')}"


def _share(target: Obj, current: Obj) -> str:
    if target.get("averageValue") is not None:
        return f"{current.get('averageValue', _UNKNOWN)}/{target['averageValue']}"
    used, wanted = current.get("averageUtilization"), target.get("averageUtilization")
    shown = _UNKNOWN if used is None else f"{used}%"
    return f"{shown}/{'<auto>' if wanted is None else f'{wanted}%'}"


def _least(obj: Obj, now: float) -> str:
    found = dig(obj, ("spec", "minReplicas"))
    return "<unset>" if found is None else str(found)


_STRATEGY = HorizontalPodAutoscalerStrategy()
HORIZONTALPODAUTOSCALERS = Resource(
    kind=GroupVersion("autoscaling", "v2").kind("HorizontalPodAutoscaler"),
    plural="horizontalpodautoscalers",
    singular="horizontalpodautoscaler",
    short=("hpa",),
    categories=("all",),
    strategy=_STRATEGY,
    subresources={"status": Subresource(strategy=HorizontalPodAutoscalerStatusStrategy(_STRATEGY))},
    columns=(
        NAME,
        Column("Reference", _reference),
        Column("Targets", _targets),
        Column("MinPods", _least),
        Column("MaxPods", field("spec.maxReplicas", 0)),
        Column("Replicas", field("status.currentReplicas", 0)),
        AGE,
    ),
    versions=(
        ServedVersion(
            GroupVersion("autoscaling", "v1").kind("HorizontalPodAutoscaler"), to_v2, from_v2
        ),
    ),
)
