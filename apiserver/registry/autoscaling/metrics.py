"""What a HorizontalPodAutoscaler may measure."""

from __future__ import annotations

from collections.abc import Callable

from apimachinery.gvk import GroupVersion
from apimachinery.meta import Obj
from apimachinery.quantity import ZERO, parse
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    forbidden,
    invalid,
    not_supported,
    required,
)
from apimachinery.validation.names import is_dns1123_label
from apiserver.registry.podspec.checks import obey
from apiserver.registry.podspec.quantities import container_resource_name_errors
from apiserver.registry.rules.names import path_segment_errors

_TARGETS = ("Utilization", "Value", "AverageValue")
_NOTHING = "must populate information for the given metric source"


def reference_errors(reference: Obj, path: Path, *, needs_group: bool) -> FieldErrors:
    """Yield what is wrong with a reference to what is scaled, or measured."""
    for name in ("kind", "name"):
        yield from path_segment_errors(reference.get(name) or "", path / name)
    version = reference.get("apiVersion") or ""
    if version.count("/") > 1:
        why = f"unexpected GroupVersion string: {version}"
        yield invalid(path / "apiVersion", version, why)
    elif needs_group and not GroupVersion.parse(version).group and not _is_core(reference):
        yield invalid(path / "apiVersion", version, "apiVersion must specify API group")


def _is_core(reference: Obj) -> bool:
    kind = (reference.get("apiVersion"), reference.get("kind"))
    return kind == ("v1", "ReplicationController")


def metric_errors(metrics: list[Obj], path: Path, least: int | None) -> FieldErrors:
    """Yield what is wrong with the metrics; scaling to none needs one from outside of the pods."""
    for at, metric in enumerate(metrics):
        yield from _one_errors(metric, path[at])
    outside = any(metric.get("type") in ("Object", "External") for metric in metrics)
    if least == 0 and not outside:
        why = (
            "must specify at least one Object or External metric "
            "to support scaling to zero replicas"
        )
        yield forbidden(path, why)


def _one_errors(metric: Obj, path: Path) -> FieldErrors:
    kind = metric.get("type") or ""
    if not kind:
        yield required(path / "type", "must specify a metric source type")
    if kind not in _KINDS:
        yield not_supported(path / "type", kind, sorted(_KINDS))
    given = [source for source in _SOURCES if metric.get(source) is not None]
    if given:
        yield from _SOURCES[given[0]](metric[given[0]], path / given[0])
    expected = _KINDS.get(kind, "")
    if not expected:
        yield not_supported(path / "type", kind, sorted(_KINDS))
    elif metric.get(expected) is None:
        yield required(path / expected, _NOTHING)
    if len(given) != 1:
        for source in given:
            if source != expected:
                yield forbidden(path / source, "must populate the given metric source only")


def _object_errors(source: Obj, path: Path) -> FieldErrors:
    described = source.get("describedObject") or {}
    yield from reference_errors(described, path / "describedObject", needs_group=False)
    yield from _identifier_errors(source.get("metric") or {}, path / "metric")
    target = source.get("target") or {}
    yield from _target_errors(target, path / "target")
    if target.get("value") is None and target.get("averageValue") is None:
        why = "must set either a target value or averageValue"
        yield required(path / "target" / "averageValue", why)


def _external_errors(source: Obj, path: Path) -> FieldErrors:
    yield from _identifier_errors(source.get("metric") or {}, path / "metric")
    target = source.get("target") or {}
    yield from _target_errors(target, path / "target")
    both = [target.get("value") is not None, target.get("averageValue") is not None]
    if not any(both):
        why = "must set either a target value for metric or a per-pod target"
        yield required(path / "target" / "averageValue", why)
    if all(both):
        why = "may not set both a target value for metric and a per-pod target"
        yield forbidden(path / "target" / "value", why)


def _pods_errors(source: Obj, path: Path) -> FieldErrors:
    yield from _identifier_errors(source.get("metric") or {}, path / "metric")
    target = source.get("target") or {}
    yield from _target_errors(target, path / "target")
    if target.get("averageValue") is None:
        why = "must specify a positive target averageValue"
        yield required(path / "target" / "averageValue", why)


def _resource_errors(source: Obj, path: Path) -> FieldErrors:
    if not source.get("name"):
        yield required(path / "name", "must specify a resource name")
    yield from _target_errors(source.get("target") or {}, path / "target")
    yield from _utilization_errors(source.get("target") or {}, path / "target")


def _container_errors(source: Obj, path: Path) -> FieldErrors:
    if not source.get("name"):
        yield required(path / "name", "must specify a resource name")
    else:
        yield from container_resource_name_errors(source["name"], path / "name")
    if not source.get("container"):
        yield required(path / "container", "must specify a container")
    else:
        yield from obey(is_dns1123_label, source["container"], path / "container")
    yield from _target_errors(source.get("target") or {}, path / "target")
    yield from _utilization_errors(source.get("target") or {}, path / "target")


def _utilization_errors(target: Obj, path: Path) -> FieldErrors:
    both = [target.get("averageUtilization") is not None, target.get("averageValue") is not None]
    if not any(both):
        why = "must set either a target raw value or a target utilization"
        yield required(path / "averageUtilization", why)
    if all(both):
        why = "may not set both a target raw value and a target utilization"
        yield forbidden(path / "averageValue", why)


def _target_errors(target: Obj, path: Path) -> FieldErrors:
    kind = target.get("type") or ""
    if not kind:
        yield required(path / "type", "must specify a metric target type")
    if kind not in _TARGETS:
        yield invalid(path / "type", kind, "must be either Utilization, Value, or AverageValue")
    for name in ("value", "averageValue"):
        amount = target.get(name)
        if amount is not None and parse(amount) <= ZERO:
            yield invalid(path / name, amount, "must be positive")
    share = target.get("averageUtilization")
    if share is not None and share < 1:
        yield invalid(path / "averageUtilization", share, "must be greater than 0")


def _identifier_errors(metric: Obj, path: Path) -> FieldErrors:
    name = metric.get("name") or ""
    yield from path_segment_errors(name, path / "name", "must specify a metric name")


# The sources in the order in which they are looked at; where several are given, the first counts.
_SOURCES: dict[str, Callable[[Obj, Path], FieldErrors]] = {
    "object": _object_errors,
    "external": _external_errors,
    "pods": _pods_errors,
    "resource": _resource_errors,
    "containerResource": _container_errors,
}
_KINDS = {
    "Object": "object",
    "External": "external",
    "Pods": "pods",
    "Resource": "resource",
    "ContainerResource": "containerResource",
}
