"""LimitRanges: bounds and defaults for what pods, containers and claims may ask for."""

from __future__ import annotations

from apimachinery.gvk import CORE_V1
from apimachinery.meta import Obj
from apimachinery.quantity import Quantity, parse
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    duplicate,
    forbidden,
    invalid,
    required,
)
from apimachinery.validation.names import is_qualified_name
from apiserver.registry.podspec.checks import obey
from apiserver.registry.podspec.quantities import (
    container_resource_name_errors,
    is_overcommit_allowed,
    resource_name_errors,
)
from apiserver.registry.resource import Resource
from apiserver.registry.strategy import MetadataCheck, Strategy, StrategyContext
from apiserver.registry.table import CREATED_AT, NAME

_TYPES = ("Pod", "Container", "PersistentVolumeClaim")
_BOUNDS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")


class LimitRangeStrategy(Strategy):
    """Container limits fill each other in; all bounds must agree."""

    metadata_checks = (MetadataCheck.WHOLE,)
    allow_create_on_update = True

    def default(self, obj: Obj) -> None:
        for item in (obj.get("spec") or {}).get("limits") or ():
            if item.get("type") == "Container":
                _default_item(item)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        seen: set[str] = set()
        path = Path("spec") / "limits"
        for at, item in enumerate((obj.get("spec") or {}).get("limits") or ()):
            yield from _item_errors(item, path[at], seen)


def _default_item(item: Obj) -> None:
    limits = (item.get("max") or {}) | (item.get("default") or {})
    requests = (item.get("min") or {}) | limits | (item.get("defaultRequest") or {})
    if limits:
        item["default"] = limits
    if requests:
        item["defaultRequest"] = requests


def _item_errors(item: Obj, path: Path, seen: set[str]) -> FieldErrors:
    kind = item.get("type") or ""
    yield from _type_errors(kind, path / "type")
    if kind in seen:
        yield duplicate(path / "type", kind)
    seen.add(kind)
    given = {bound: item.get(bound) or {} for bound in _BOUNDS}
    for bound in ("max", "min", "default", "defaultRequest"):
        yield from _bound_errors(bound, given[bound], kind, path / bound)
    if kind == "Pod":
        given |= {"default": {}, "defaultRequest": {}}
    if kind == "PersistentVolumeClaim" and not (
        "storage" in given["min"] or "storage" in given["max"]
    ):
        yield required(
            path / "limits",
            "either minimum or maximum storage value is required, but neither was provided",
        )
    ratio = "maxLimitRequestRatio"
    yield from _bound_errors(ratio, given[ratio], kind, path / ratio)
    for name in sorted({name for amounts in given.values() for name in amounts}):
        yield from _order_errors(name, given, path)


def _bound_errors(bound: str, amounts: Obj, kind: str, path: Path) -> FieldErrors:
    if kind == "Pod" and bound in ("default", "defaultRequest"):
        if amounts:
            yield forbidden(path, "may not be specified when `type` is 'Pod'")
        return
    for name in amounts:
        yield from _name_errors(name, kind, path.key(name))


def _type_errors(kind: str, path: Path) -> FieldErrors:
    """Accept the known types, and qualified names of other people's."""
    wrong = list(obey(is_qualified_name, kind, path))
    yield from wrong
    if not wrong and "/" not in kind and kind not in _TYPES:
        yield invalid(path, kind, "must be a standard limit type or fully qualified")


def _name_errors(name: str, kind: str, path: Path) -> FieldErrors:
    """Pods and containers ask for less than claims do."""
    rule = container_resource_name_errors if kind in ("Pod", "Container") else resource_name_errors
    yield from rule(name, path)


def _order_errors(name: str, given: dict[str, dict[str, str]], path: Path) -> FieldErrors:
    """Check that min <= defaultRequest <= default <= max for one resource."""
    amount = {bound: parse(a[name]) for bound, a in given.items() if name in a}
    for low, high, place, shown, words in _ORDER:
        if low in amount and high in amount and amount[low] > amount[high]:
            yield invalid(
                (path / place).key(name),
                str(amount[shown]),
                f"{words[0]} value {amount[low]} is greater than {words[1]} value {amount[high]}",
            )
    ratio = amount.get("maxLimitRequestRatio")
    if ratio is not None:
        yield from _ratio_errors(ratio, amount, (path / "maxLimitRequestRatio").key(name))
    limit, request = amount.get("default"), amount.get("defaultRequest")
    both = limit is not None and request is not None and limit != request
    if both and not is_overcommit_allowed(name):
        yield invalid(
            (path / "defaultRequest").key(name),
            str(request),
            f"default value {limit} must equal to defaultRequest value {request} in {name}",
        )


# (lower, higher, the field that the error names, whose value it shows, the words for the two)
_ORDER = (
    ("min", "max", "min", "min", ("min", "max")),
    ("min", "defaultRequest", "defaultRequest", "defaultRequest", ("min", "default request")),
    ("defaultRequest", "max", "defaultRequest", "defaultRequest", ("default request", "max")),
    (
        "defaultRequest",
        "default",
        "defaultRequest",
        "defaultRequest",
        ("default request", "default limit"),
    ),
    ("min", "default", "default", "min", ("min", "default")),
    ("default", "max", "default", "max", ("default", "max")),
)


def _ratio_errors(ratio: Quantity, amount: dict[str, Quantity], path: Path) -> FieldErrors:
    if ratio < parse("1"):
        yield invalid(path, str(ratio), f"ratio {ratio} is less than 1")
    if "min" in amount and "max" in amount and amount["min"]:
        largest = amount["max"].as_float() / amount["min"].as_float()
        if ratio.as_float() > largest:
            yield invalid(path, str(ratio), f"ratio {ratio} is greater than max/min = {largest:f}")


LIMITRANGES = Resource(
    kind=CORE_V1.kind("LimitRange"),
    plural="limitranges",
    short=("limits",),
    strategy=LimitRangeStrategy(),
    columns=(NAME, CREATED_AT),
)
