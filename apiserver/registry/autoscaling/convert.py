"""Horizontal pod autoscalers of autoscaling/v1: the same objects with one metric, CPU.

What v1 has no field for travels in annotations, as Kubernetes writes them, so that an object
survives being read and written back in v1. Metrics are written there in v1's own form; the
behaviour with the names of Go's fields.
"""

from __future__ import annotations

from typing import Any

import orjson

from apimachinery.meta import Obj

_PREFIX = "autoscaling.alpha.kubernetes.io/"
_METRICS, _CURRENT = _PREFIX + "metrics", _PREFIX + "current-metrics"
_CONDITIONS, _BEHAVIOR = _PREFIX + "conditions", _PREFIX + "behavior"
# The kind of a metric, and the field with it.
_SOURCES = {
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "External": "external",
}
_PLAIN = ("Resource", "ContainerResource")


def to_v2(obj: Obj) -> Obj:
    """Return an autoscaling/v1 object as it is stored."""
    annotations = dict((obj.get("metadata") or {}).get("annotations") or {})
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    metrics = [_metric_to_v2(one) for one in _parsed(annotations.pop(_METRICS, ""))]
    target = spec.pop("targetCPUUtilizationPercentage", None)
    if target is not None:
        metrics.append(_cpu(target={"type": "Utilization", "averageUtilization": target}))
    if metrics:
        spec["metrics"] = metrics
    behavior = _parsed(annotations.pop(_BEHAVIOR, ""))
    if isinstance(behavior, dict):
        spec["behavior"] = _renamed(behavior, _lowered)
    current = [_status_to_v2(one) for one in _parsed(annotations.pop(_CURRENT, ""))]
    used = status.pop("currentCPUUtilizationPercentage", None)
    if used is not None and not current:
        current = [_cpu(current={"averageUtilization": used})]
    status["currentMetrics"] = current or None
    conditions = _parsed(annotations.pop(_CONDITIONS, ""))
    if conditions:
        status["conditions"] = conditions
    return _rebuilt(obj, "autoscaling/v2", annotations, spec, status)


def from_v2(obj: Obj) -> Obj:
    """Return a stored object in autoscaling/v1."""
    annotations = dict((obj.get("metadata") or {}).get("annotations") or {})
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    others = []
    for metric in spec.pop("metrics", None) or ():
        target = _share(metric, "target")
        if target is None:
            others.append(_metric_to_v1(metric))
        else:
            spec.setdefault("targetCPUUtilizationPercentage", target)
    current = status.pop("currentMetrics", None) or ()
    for metric in current:
        if (used := _share(metric, "current")) is not None:
            status.setdefault("currentCPUUtilizationPercentage", used)
    status.setdefault("currentReplicas", 0)
    behavior = spec.pop("behavior", None)
    for name, value in (
        (_METRICS, others),
        (_BEHAVIOR, None if behavior is None else _go_behavior(behavior)),
        (_CURRENT, [_status_to_v1(one) for one in current]),
        (_CONDITIONS, status.pop("conditions", None)),
    ):
        if value:
            annotations[name] = orjson.dumps(value).decode()
    return _rebuilt(obj, "autoscaling/v1", annotations, spec, status)


def _rebuilt(obj: Obj, api_version: str, annotations: Obj, spec: Obj, status: Obj) -> Obj:
    metadata = {k: v for k, v in (obj.get("metadata") or {}).items() if k != "annotations"}
    if annotations:
        metadata["annotations"] = annotations
    made = {**obj, "apiVersion": api_version, "metadata": metadata}
    parts = {"spec": spec, "status": status}
    return made | {name: part for name, part in parts.items() if name in obj}


def _cpu(**what: Any) -> Obj:
    return {"type": "Resource", "resource": {"name": "cpu", **what}}


def _share(metric: Obj, key: str) -> int | None:
    """Return how much of its CPU a metric is about, None for every other metric."""
    resource = metric.get("resource") or {}
    if metric.get("type") != "Resource" or resource.get("name") != "cpu":
        return None
    found: int | None = (resource.get(key) or {}).get("averageUtilization")
    return found


def _metric_to_v1(metric: Obj) -> Obj:
    kind, source = _source(metric)
    if source is None:
        return metric
    target = source.get("target") or {}
    return _made(kind, source, target, "target", "targetValue", "targetAverageValue")


def _status_to_v1(metric: Obj) -> Obj:
    kind, source = _source(metric)
    if source is None:
        return metric
    current = source.get("current") or {}
    return _made(kind, source, current, "current", "currentValue", "currentAverageValue")


def _made(kind: str, source: Obj, amounts: Obj, word: str, value: str, average: str) -> Obj:
    """Return a metric, or how it stands, in the form of v1."""
    made: Obj = {}
    if kind in _PLAIN:
        made = {key: source[key] for key in ("name", "container") if key in source}
        made[f"{word}AverageUtilization"] = amounts.get("averageUtilization")
        made[average] = amounts.get("averageValue")
    else:
        metric = source.get("metric") or {}
        if kind == "Object":
            made["target"] = source.get("describedObject") or {}
            average = "averageValue"
        made["metricName"] = metric.get("name") or ""
        if kind != "Pods":
            made[value] = amounts.get("value")
        made[average] = amounts.get("averageValue")
        made["metricSelector" if kind == "External" else "selector"] = metric.get("selector")
    made = {key: one for key, one in made.items() if one is not None}
    return {"type": kind, _SOURCES[kind]: made}


def _source(metric: Obj) -> tuple[str, Obj | None]:
    kind = metric.get("type") or ""
    return kind, metric.get(_SOURCES.get(kind, ""))


def _metric_to_v2(metric: Obj) -> Obj:
    kind, source = _source(metric)
    if source is None:
        return metric
    amounts = _amounts(kind, source, "target")
    if "averageUtilization" in amounts:
        amounts["type"] = "Utilization"
    else:
        is_average = "averageValue" in amounts or kind in (*_PLAIN, "Pods")
        amounts["type"] = "AverageValue" if is_average else "Value"
    return {"type": kind, _SOURCES[kind]: _identified(kind, source) | {"target": amounts}}


def _status_to_v2(metric: Obj) -> Obj:
    kind, source = _source(metric)
    if source is None:
        return metric
    current = _amounts(kind, source, "current")
    return {"type": kind, _SOURCES[kind]: _identified(kind, source) | {"current": current}}


def _amounts(kind: str, source: Obj, word: str) -> Obj:
    average = "averageValue" if kind == "Object" else f"{word}AverageValue"
    names = {
        "averageUtilization": f"{word}AverageUtilization",
        "averageValue": average,
        "value": f"{word}Value",
    }
    return {name: source[old] for name, old in names.items() if source.get(old) is not None}


def _identified(kind: str, source: Obj) -> Obj:
    if kind in _PLAIN:
        return {key: source[key] for key in ("name", "container") if key in source}
    selector = source.get("metricSelector" if kind == "External" else "selector")
    metric = {"name": source.get("metricName") or ""}
    made: Obj = {"metric": metric if selector is None else {**metric, "selector": selector}}
    if kind == "Object":
        made["describedObject"] = source.get("target") or {}
    return made


def _go_behavior(behavior: Obj) -> Obj:
    return {
        name: _go_rules(behavior.get(key))
        for name, key in (("ScaleUp", "scaleUp"), ("ScaleDown", "scaleDown"))
    }


def _go_rules(rules: Obj | None) -> Obj | None:
    if rules is None:
        return None
    policies = rules.get("policies")
    return {
        "StabilizationWindowSeconds": rules.get("stabilizationWindowSeconds"),
        "SelectPolicy": rules.get("selectPolicy"),
        "Policies": None
        if policies is None
        else [
            {
                "Type": one.get("type") or "",
                "Value": one.get("value") or 0,
                "PeriodSeconds": one.get("periodSeconds") or 0,
            }
            for one in policies
        ],
        "Tolerance": rules.get("tolerance"),
    }


def _lowered(name: str) -> str:
    return name[:1].lower() + name[1:]


def _renamed(value: Any, rename: Any) -> Any:
    """Return a value with its fields renamed, and without nulls."""
    if isinstance(value, dict):
        found = value.items()
        return {rename(key): _renamed(one, rename) for key, one in found if one is not None}
    if isinstance(value, list):
        return [_renamed(one, rename) for one in value]
    return value


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text) if text else []
    except orjson.JSONDecodeError:
        return []
