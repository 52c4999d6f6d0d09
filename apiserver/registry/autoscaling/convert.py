"""Horizontal pod autoscalers of autoscaling/v1: the same objects with one metric, CPU.

What v1 has no field for travels in annotations, so that an object survives being read and
written back in v1.
"""

from __future__ import annotations

from typing import Any

from apimachinery.meta import Obj
from apiserver.registry.autoscaling.annotations import (
    BEHAVIOR,
    CONDITIONS,
    CURRENT,
    METRICS,
    TRAVELLING,
    read_behavior,
    read_conditions,
    read_current,
    read_metrics,
    written_behavior,
    written_conditions,
    written_current,
    written_metrics,
)


def to_v2(obj: Obj) -> Obj:
    """Return an autoscaling/v1 object as it is stored."""
    annotations = dict((obj.get("metadata") or {}).get("annotations") or {})
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    told = {name: annotations.pop(name, "") for name in TRAVELLING}
    metrics = read_metrics(told[METRICS])
    target = spec.pop("targetCPUUtilizationPercentage", None)
    if target is not None:
        metrics.append(_cpu(target={"type": "Utilization", "averageUtilization": target}))
    if metrics:
        spec["metrics"] = metrics
    if (behavior := read_behavior(told[BEHAVIOR])) is not None:
        spec["behavior"] = behavior
    current = read_current(told[CURRENT])
    used = status.pop("currentCPUUtilizationPercentage", None)
    if used is not None and not current:
        current = [_cpu(current={"averageUtilization": used})]
    status["currentMetrics"] = current or None
    if conditions := read_conditions(told[CONDITIONS]):
        status["conditions"] = conditions
    return _rebuilt(obj, "autoscaling/v2", annotations, spec, status)


def from_v2(obj: Obj) -> Obj:
    """Return a stored object in autoscaling/v1."""
    annotations = dict((obj.get("metadata") or {}).get("annotations") or {})
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    metrics = spec.pop("metrics", None) or ()
    current = status.pop("currentMetrics", None) or ()
    first = next((each for each in metrics if _is_cpu(each)), None)
    if first is not None and (target := _share(first, "target")) is not None:
        spec["targetCPUUtilizationPercentage"] = target
    for metric in current:
        if (used := _share(metric, "current")) is not None:
            status["currentCPUUtilizationPercentage"] = used
    status.setdefault("currentReplicas", 0)
    others = [each for each in metrics if _share(each, "target") is None]
    told = {
        METRICS: written_metrics(others),
        BEHAVIOR: written_behavior(spec.pop("behavior", None)),
        CURRENT: written_current(current),
        CONDITIONS: written_conditions(status.pop("conditions", None) or ()),
    }
    annotations |= {name: text for name, text in told.items() if text}
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


def _is_cpu(metric: Obj) -> bool:
    return metric.get("type") == "Resource" and (metric.get("resource") or {}).get("name") == "cpu"


def _share(metric: Obj, key: str) -> int | None:
    """Return how much of its CPU a metric is about, None for every other metric."""
    if not _is_cpu(metric):
        return None
    found: int | None = (metric["resource"].get(key) or {}).get("averageUtilization")
    return found
