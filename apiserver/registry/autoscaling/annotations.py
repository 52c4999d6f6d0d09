"""What autoscaling/v1 has no field for, in annotations: byte for byte as Kubernetes writes it.

Metrics stand there in v1's own form, whose fields Go prints in their order, an amount that has
to be there as "0"; the behaviour with the names of Go's fields. What somebody else has written
there and cannot be read counts as nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from apimachinery.errors import BadRequest
from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.schema.decode import decode
from apimachinery.validation.field import show
from apiserver.registry.podspec.godiff import shown_selector

_PREFIX = "autoscaling.alpha.kubernetes.io/"
METRICS, CURRENT = _PREFIX + "metrics", _PREFIX + "current-metrics"
CONDITIONS, BEHAVIOR = _PREFIX + "conditions", _PREFIX + "behavior"
# With what v2beta2 had no field for: all that no client may set.
_TOLERANCES = (_PREFIX + "scale-down-tolerance", _PREFIX + "scale-up-tolerance")
TRAVELLING = (METRICS, BEHAVIOR, CURRENT, CONDITIONS, *_TOLERANCES)

_KIND = GroupVersionKind("autoscaling", "v2", "HorizontalPodAutoscaler")
# The kind of a metric, and the field with it.
_SOURCES = {
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "External": "external",
}
_PLAIN = ("Resource", "ContainerResource")
_CONDITION = ("type", "status", "lastTransitionTime", "reason", "message")


def written_metrics(metrics: Iterable[Obj]) -> str:
    """Return the text for metrics of spec, "" for none."""
    return _written([_metric(each, "target") for each in metrics])


def written_current(metrics: Iterable[Obj]) -> str:
    """Return the text for metrics of status, "" for none."""
    return _written([_metric(each, "current") for each in metrics])


def written_conditions(conditions: Iterable[Obj]) -> str:
    """Return the text for conditions, "" for none."""
    return _written(
        [
            {name: each.get(name) for name in _CONDITION if name in each or "Time" in name}
            for each in conditions
        ]
    )


def written_behavior(behavior: Obj | None) -> str:
    """Return the text for a behaviour, "" for none."""
    if behavior is None:
        return ""
    rules = (("ScaleUp", "scaleUp"), ("ScaleDown", "scaleDown"))
    return show({name: _go_rules(behavior.get(key)) for name, key in rules})


def read_metrics(text: str) -> list[Obj]:
    """Return the metrics of spec that a text is about, in the form of v2."""
    found: list[Obj] = _read(text, _target_to_v2, "spec", "metrics")
    return found


def read_current(text: str) -> list[Obj]:
    """Return the metrics of status that a text is about, in the form of v2."""
    found: list[Obj] = _read(text, _status_to_v2, "status", "currentMetrics")
    return found


def read_conditions(text: str) -> list[Obj]:
    """Return the conditions that a text is about."""
    found: list[Obj] = _read(text, _object, "status", "conditions")
    return found


def read_behavior(text: str) -> Obj | None:
    """Return the behaviour that a text is about, None where it is about none."""
    behavior = _parsed(text)
    if not isinstance(behavior, dict):
        return None
    try:
        found: Obj | None = _checked(_lowered(behavior), "spec", "behavior")
    except RecursionError:
        return None
    return found or None


# -- v2 to the text -------------------------------------------------------------------------------


def _written(values: list[Obj]) -> str:
    return show(values) if values else ""


def _metric(metric: Obj, word: str) -> Obj:
    """Return a metric, or how it stands, in the form of v1."""
    kind = metric.get("type") or ""
    source = metric.get(_SOURCES.get(kind, ""))
    if source is None:
        return {"type": kind}
    write = _plain if kind in _PLAIN else _measured
    return {"type": kind, _SOURCES[kind]: write(kind, source, word)}


def _plain(kind: str, source: Obj, word: str) -> Obj:
    amounts = source.get(word) or {}
    made: Obj = {"name": source.get("name") or ""}
    _put(made, f"{word}AverageUtilization", amounts.get("averageUtilization"))
    _put(made, f"{word}AverageValue", amounts.get("averageValue"), needed=word == "current")
    if kind == "ContainerResource":
        made["container"] = source.get("container") or ""
    return made


def _measured(kind: str, source: Obj, word: str) -> Obj:
    metric, amounts = source.get("metric") or {}, source.get(word) or {}
    value, average = amounts.get("value"), amounts.get("averageValue")
    selector = shown_selector(metric.get("selector"))
    made: Obj = {}
    if kind == "Object":
        made["target"] = _reference(source.get("describedObject") or {})
    made["metricName"] = metric.get("name") or ""
    if kind == "External":
        _put(made, "metricSelector", selector)
        _put(made, f"{word}Value", value, needed=word == "current")
        _put(made, f"{word}AverageValue", average)
    elif kind == "Object":
        _put(made, f"{word}Value", value, needed=True)
        _put(made, "selector", selector)
        _put(made, "averageValue", average)
    else:
        _put(made, f"{word}AverageValue", average, needed=True)
        _put(made, "selector", selector)
    return made


def _reference(described: Obj) -> Obj:
    made = {name: described.get(name) or "" for name in ("kind", "name")}
    _put(made, "apiVersion", described.get("apiVersion") or None)
    return made


def _put(made: Obj, name: str, value: Any, *, needed: bool = False) -> None:
    """Set a field that Go leaves out where it is empty, or, a quantity, has to print as "0"."""
    if value is not None:
        made[name] = value
    elif needed:
        made[name] = "0"


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


# -- the text to v2 -------------------------------------------------------------------------------


def _read(text: str, convert: Callable[[Any], Obj], part: str, name: str) -> Any:
    listed = _parsed(text)
    if not isinstance(listed, list):
        return []
    try:
        found = [convert(each) for each in listed]
    except _UnreadableError:
        return []
    return _checked(found, part, name) or []


class _UnreadableError(Exception):
    """There is a value of another type than v1 declares."""


def _checked(value: Any, part: str, name: str) -> Any:
    """Return a value as it is read in v2, None where it cannot be."""
    try:
        obj = decode({part: {name: value}}, _KIND).obj
    except BadRequest:
        return None
    return obj[part].get(name)


def _object(value: Any) -> Obj:
    """Return a JSON object; null is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _UnreadableError
    return value


def _target_to_v2(value: Any) -> Obj:
    metric = _object(value)
    kind, source = _source(metric)
    if source is None:
        return metric
    amounts = _amounts(kind, source, "target")
    amounts["type"] = _target_type(kind, amounts)
    return {"type": kind, _SOURCES[kind]: _identified(kind, source) | {"target": amounts}}


def _target_type(kind: str, amounts: Obj) -> str:
    if kind in _PLAIN and "averageUtilization" in amounts:
        return "Utilization"
    by_value = {"Object": "averageValue" not in amounts, "External": "value" in amounts}
    return "Value" if by_value.get(kind) else "AverageValue"


def _status_to_v2(value: Any) -> Obj:
    metric = _object(value)
    kind, source = _source(metric)
    if source is None:
        return metric
    current = _amounts(kind, source, "current")
    return {"type": kind, _SOURCES[kind]: _identified(kind, source) | {"current": current}}


def _source(metric: Obj) -> tuple[str, Obj | None]:
    kind = metric.get("type") or ""
    if not isinstance(kind, str):
        raise _UnreadableError
    source = metric.get(_SOURCES.get(kind, ""))
    return kind, None if source is None else _object(source)


def _amounts(kind: str, source: Obj, word: str) -> Obj:
    """Return the amounts of a metric; those that have to be there are zero where they are not."""
    names = {
        "averageUtilization": f"{word}AverageUtilization",
        "averageValue": "averageValue" if kind == "Object" else f"{word}AverageValue",
        "value": f"{word}Value",
    }
    found = {name: source[old] for name, old in names.items() if source.get(old) is not None}
    if kind == "Object" or (kind == "External" and word == "current"):
        found.setdefault("value", "0")
    elif kind == "Pods" or (kind in _PLAIN and word == "current"):
        found.setdefault("averageValue", "0")
    return found


def _identified(kind: str, source: Obj) -> Obj:
    if kind in _PLAIN:
        return {key: source[key] for key in ("name", "container") if key in source}
    selector = source.get("metricSelector" if kind == "External" else "selector")
    metric = {"name": source.get("metricName") or ""}
    made: Obj = {"metric": metric if selector is None else {**metric, "selector": selector}}
    if kind == "Object":
        made["describedObject"] = _object(source.get("target"))
    return made


def _lowered(value: Any) -> Any:
    """Return a value with the names of JSON's fields, and without nulls."""
    if isinstance(value, dict):
        return {
            key[:1].lower() + key[1:]: _lowered(each)
            for key, each in value.items()
            if each is not None
        }
    if isinstance(value, list):
        return [_lowered(each) for each in value]
    return value


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return None
