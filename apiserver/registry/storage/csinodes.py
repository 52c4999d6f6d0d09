"""CSINodes: which storage drivers run on a node, and as what they know it."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    duplicate,
    invalid,
    repeats,
    required,
)
from apimachinery.validation.names import is_qualified_name
from apiserver.registry.podspec.checks import immutable, nonnegative, obey
from apiserver.registry.resource import Column, Resource
from apiserver.registry.storage.parameters import driver_name_errors
from apiserver.registry.strategy import Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, count, dig

_DRIVERS = Path("spec") / "drivers"
_LONGEST_ID = 192


class CSINodeStrategy(Strategy):
    """Drivers come and go; what is said of one changes in its count of volumes alone."""

    returns_deleted = True
    allow_unconditional_update = False

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        seen: set[str] = set()
        for at, driver in enumerate(dig(obj, ("spec", "drivers")) or ()):
            yield from _driver_errors(driver, _DRIVERS[at], seen)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from self.validate(new, ctx)
        before = {one.get("name"): one for one in dig(old, ("spec", "drivers")) or ()}
        for driver in dig(new, ("spec", "drivers")) or ():
            if driver.get("name") in before:
                was = before[driver["name"]]
                yield from immutable(_fixed(driver), _fixed(was), _DRIVERS)


def _fixed(driver: Obj) -> Obj:
    return {key: value for key, value in driver.items() if key != "allocatable"}


def _driver_errors(driver: Obj, path: Path, seen: set[str]) -> FieldErrors:
    name, node = driver.get("name") or "", driver.get("nodeID") or ""
    yield from driver_name_errors(name, path / "name")
    if not node:
        yield required(path / "nodeID")
    if len(node) > _LONGEST_ID:
        yield invalid(path / "nodeID", node, f"must be {_LONGEST_ID} characters or less")
    allocatable = driver.get("allocatable") or {}
    yield from nonnegative(allocatable.get("count"), path / "allocatable" / "count")
    if name in seen:
        yield duplicate(path / "name", name)
    seen.add(name)
    keys = driver.get("topologyKeys") or ()
    again = repeats(keys)
    for at, key in enumerate(keys):
        if not key:
            yield required(path)
        if at in again:
            yield duplicate(path, key)
        yield from obey(is_qualified_name, key, path)


CSINODES = Resource(
    kind=GroupVersionKind("storage.k8s.io", "v1", "CSINode"),
    plural="csinodes",
    singular="csinode",
    namespaced=False,
    strategy=CSINodeStrategy(),
    columns=(NAME, Column("Drivers", count("spec.drivers"), type="integer"), AGE),
)
