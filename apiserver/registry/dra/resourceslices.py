"""ResourceSlices: the devices that a driver has, on a node or for many."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, required
from apimachinery.validation.names import is_dns1123_subdomain
from apiserver.registry.dra.devices import counter_set_errors, device_errors, drop_lists
from apiserver.registry.dra.lists import each_once, named, pool_name_errors
from apiserver.registry.dra.taints import stamp
from apiserver.registry.podspec.checks import NOT_POSITIVE, immutable, obey
from apiserver.registry.podspec.scheduling import node_selector_errors
from apiserver.registry.resource import Column, Resource
from apiserver.registry.storage.parameters import driver_name_errors
from apiserver.registry.strategy import Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, dig, field

_SPEC = Path("spec")
_PLACES = ("nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection")
_SHOWN = "`nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection`"
_FIXED = (("pool", "name"), ("driver",), ("nodeName",))
_MOST_DEVICES = 128
_MOST_ADVANCED = 64  # with taints or counters
_MOST_COUNTER_SETS = 8


class ResourceSliceStrategy(Strategy):
    """Driver, pool and node are for good; devices come and go."""

    has_generation = True
    returns_deleted = True

    def drop_disabled(self, obj: Obj, old: Obj | None) -> None:
        drop_lists((obj.get("spec") or {}).get("devices") or [])

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        _stamp(obj, ctx)

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        _stamp(new, ctx)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from _spec_errors(obj.get("spec") or {}, None)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from _spec_errors(new.get("spec") or {}, old.get("spec") or {})


def _stamp(obj: Obj, ctx: StrategyContext) -> None:
    for device in (obj.get("spec") or {}).get("devices") or ():
        for taint in device.get("taints") or ():
            stamp(taint, ctx)


def _spec_errors(spec: Obj, old: Obj | None) -> FieldErrors:
    yield from driver_name_errors(spec.get("driver") or "", _SPEC / "driver")
    yield from _pool_errors(spec.get("pool") or {}, _SPEC / "pool")
    for path in _FIXED if old is not None else ():
        where = _SPEC
        for part in path:
            where /= part
        yield from immutable(dig(spec, path), dig(old or {}, path), where)
    yield from _place_errors(spec)
    if spec.get("sharedCounters") is not None and spec.get("devices") is not None:
        yield invalid(_SPEC, "", "only one of `sharedCounters` or `devices` is allowed")
    known = {one.get("name"): one for one in (old or {}).get("devices") or ()}
    alone = spec.get("perDeviceNodeSelection") is True

    def device(one: Obj, path: Path) -> FieldErrors:
        yield from device_errors(one, known.get(one.get("name")), path, alone=alone)

    devices, counters = spec.get("devices") or [], spec.get("sharedCounters") or []
    advanced = any(one.get("taints") or one.get("consumesCounters") for one in devices)
    most = _MOST_ADVANCED if advanced else _MOST_DEVICES
    yield from each_once(devices, most, _SPEC / "devices", device, named)
    where = _SPEC / "sharedCounters"
    yield from each_once(counters, _MOST_COUNTER_SETS, where, counter_set_errors, named)


def _place_errors(spec: Obj) -> FieldErrors:
    """Exactly one way says on which nodes the devices are."""
    given = []
    for name in _PLACES:
        value, path = spec.get(name), _SPEC / name
        if value is None:
            continue
        if name == "nodeSelector":
            yield from node_selector_errors(value, path)
            terms = value.get("nodeSelectorTerms") or []
            if len(terms) != 1:
                why = "must have exactly one node selector term"
                yield invalid(path / "nodeSelectorTerms", terms, why)
        elif not value:
            what = "a non-empty string" if name == "nodeName" else "true"
            yield invalid(path, value, f"must be either unset or set to {what}")
            continue
        elif name == "nodeName":
            yield from obey(is_dns1123_subdomain, value, path)
        given.append(f"`{name}`")
    if not given:
        yield required(_SPEC, f"exactly one of {_SHOWN} is required")
    elif len(given) > 1:
        why = f"exactly one of {_SHOWN} is required, but multiple fields are set"
        yield invalid(_SPEC, "{" + ", ".join(given) + "}", why)


def _pool_errors(pool: Obj, path: Path) -> FieldErrors:
    yield from pool_name_errors(pool.get("name") or "", path / "name")
    count, generation = pool.get("resourceSliceCount") or 0, pool.get("generation") or 0
    if count <= 0:
        yield invalid(path / "resourceSliceCount", count, NOT_POSITIVE)
    if generation < 0:
        yield invalid(path / "generation", generation, "must be greater than or equal to zero")


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
