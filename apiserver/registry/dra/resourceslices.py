"""ResourceSlices: the devices that a driver has, on a node or for many."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    duplicate,
    invalid,
    required,
    too_many,
)
from apimachinery.validation.names import is_dns1123_label, is_dns1123_subdomain
from apiserver.registry.podspec.checks import immutable, name_or_required, nonnegative, obey
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, dig, field

_SPEC = Path("spec")
_PLACES = ("nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection")
_SHOWN = "`nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection`"
_MOST_DEVICES = 128


class ResourceSliceStrategy(Strategy):
    """Driver, pool and node are for good; devices come and go."""

    has_generation = True
    returns_deleted = True

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec = obj.get("spec") or {}
        driver = spec.get("driver") or ""
        yield from name_or_required(is_dns1123_subdomain, driver, _SPEC / "driver")
        yield from _pool_errors(spec.get("pool") or {}, _SPEC / "pool")
        given = [name for name in _PLACES if spec.get(name)]
        if not given:
            yield required(_SPEC, f"exactly one of {_SHOWN} is required")
        elif len(given) > 1:
            why = f"exactly one of {_SHOWN} is required, but multiple fields are set"
            yield invalid(_SPEC, "{" + ", ".join(f"`{name}`" for name in given) + "}", why)
        if spec.get("nodeName"):
            yield from obey(is_dns1123_subdomain, spec["nodeName"], _SPEC / "nodeName")
        yield from _device_errors(spec.get("devices") or [], _SPEC / "devices")

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from self.validate(new, ctx)
        for path in (("driver",), ("pool", "name"), ("nodeName",)):
            where = _SPEC
            for part in path:
                where /= part
            yield from immutable(dig(new["spec"], path), dig(old["spec"], path), where)


def _pool_errors(pool: Obj, path: Path) -> FieldErrors:
    name = pool.get("name") or ""
    if not name:
        yield required(path / "name")
    for part in name.split("/") if name else ():
        yield from obey(is_dns1123_subdomain, part, path / "name")
    if (pool.get("resourceSliceCount") or 0) <= 0:
        count = pool.get("resourceSliceCount") or 0
        yield invalid(path / "resourceSliceCount", count, "must be greater than zero")
    yield from nonnegative(pool.get("generation"), path / "generation")


def _device_errors(devices: list[Obj], path: Path) -> FieldErrors:
    if len(devices) > _MOST_DEVICES:
        yield too_many(path, len(devices), _MOST_DEVICES)
    seen: set[str] = set()
    for at, device in enumerate(devices):
        name = device.get("name") or ""
        if name in seen:
            yield duplicate(path[at] / "name", name)
        seen.add(name)
        yield from name_or_required(is_dns1123_label, name, path[at] / "name")


def _at(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


RESOURCESLICES = Resource(
    kind=GroupVersionKind("resource.k8s.io", "v1", "ResourceSlice"),
    plural="resourceslices",
    singular="resourceslice",
    namespaced=False,
    strategy=ResourceSliceStrategy(),
    selectable={
        "spec.nodeName": lambda obj: str(dig(obj, _at("spec.nodeName")) or ""),
        "spec.driver": lambda obj: str(dig(obj, _at("spec.driver")) or ""),
    },
    columns=(
        NAME,
        Column("Node", field("spec.nodeName", "<unset>")),
        Column("Driver", field("spec.driver")),
        Column("Pool", field("spec.pool.name")),
        AGE,
    ),
)
