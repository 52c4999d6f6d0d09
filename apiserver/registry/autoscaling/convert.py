"""Horizontal pod autoscalers of autoscaling/v1: the same objects with one metric, CPU.

What v1 has no field for travels in annotations, as Kubernetes writes them, so that an object
survives being read and written back in v1.
"""

from __future__ import annotations

from typing import Any

import orjson

from apimachinery.meta import Obj

_PREFIX = "autoscaling.alpha.kubernetes.io/"
_METRICS, _CURRENT = _PREFIX + "metrics", _PREFIX + "current-metrics"
_CONDITIONS, _BEHAVIOR = _PREFIX + "conditions", _PREFIX + "behavior"


def to_v2(obj: Obj) -> Obj:
    """Return an autoscaling/v1 object as it is stored."""
    annotations = dict((obj.get("metadata") or {}).get("annotations") or {})
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    metrics = _parsed(annotations.pop(_METRICS, ""))
    target = spec.pop("targetCPUUtilizationPercentage", None)
    if target is not None:
        metrics = [_cpu(averageUtilization=target), *metrics]
    if metrics:
        spec["metrics"] = metrics
    behavior = _parsed(annotations.pop(_BEHAVIOR, ""))
    if behavior:
        spec["behavior"] = behavior
    current = _parsed(annotations.pop(_CURRENT, ""))
    used = status.pop("currentCPUUtilizationPercentage", None)
    if used is not None:
        average = {"name": "cpu", "current": {"averageUtilization": used}}
        current = [{"type": "Resource", "resource": average}, *current]
    if current:
        status["currentMetrics"] = current
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
        target = _cpu_target(metric)
        if target is None or "targetCPUUtilizationPercentage" in spec:
            others.append(metric)
        else:
            spec["targetCPUUtilizationPercentage"] = target
    left = []
    for metric in status.pop("currentMetrics", None) or ():
        resource = metric.get("resource") or {}
        used = (resource.get("current") or {}).get("averageUtilization")
        if resource.get("name") == "cpu" and used is not None:
            status["currentCPUUtilizationPercentage"] = used
        left.append(metric)
    for name, value in (
        (_METRICS, others),
        (_BEHAVIOR, spec.pop("behavior", None)),
        (_CURRENT, left),
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
    return made | {name: part for name, part in parts.items() if part or name in obj}


def _cpu(**target: Any) -> Obj:
    resource = {"name": "cpu", "target": {"type": "Utilization", **target}}
    return {"type": "Resource", "resource": resource}


def _cpu_target(metric: Obj) -> int | None:
    resource = metric.get("resource") or {}
    if metric.get("type") != "Resource" or resource.get("name") != "cpu":
        return None
    found: int | None = (resource.get("target") or {}).get("averageUtilization")
    return found


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text) if text else []
    except orjson.JSONDecodeError:
        return []
