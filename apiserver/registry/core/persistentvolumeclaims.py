"""PersistentVolumeClaims: requests for storage, which the volume controller binds."""

from __future__ import annotations

from typing import Any

from apimachinery.gvk import CORE_V1
from apimachinery.meta import Obj, annotations_of
from apimachinery.quantity import Quantity, parse
from apimachinery.validation.field import FieldErrors, Path, forbidden, invalid, required
from apiserver.registry.core.persistentvolumes import (
    BETA_CLASS,
    attributes_class,
    phase,
    short_modes,
    storage_class,
    volume_mode,
)
from apiserver.registry.podspec.checks import IMMUTABLE, immutable
from apiserver.registry.podspec.claims import claim_spec_errors
from apiserver.registry.podspec.godiff import diff
from apiserver.registry.podspec.workload import keep_status
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, dig, field

_SPEC = Path("spec")
_STORAGE = _SPEC / "resources" / "requests" / "storage"
_FROZEN = (
    "spec is immutable after creation except resources.requests and "
    "volumeAttributesClassName for bound claims\n"
)


class PersistentVolumeClaimStrategy(Strategy):
    """A bound claim may grow; nothing else of its spec changes."""

    returns_deleted = True

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        if spec.get("volumeMode") is None:
            spec["volumeMode"] = "Filesystem"
        status = obj.setdefault("status", {})
        if not status.get("phase"):
            status["phase"] = "Pending"
        _mirror_sources(spec)

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {"phase": "Pending"}

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from claim_spec_errors(obj["spec"], _SPEC)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from self.validate(new, ctx)
        after, before = dict(new["spec"]), dict(old["spec"])
        if not before.get("volumeName"):
            before["volumeName"] = after.get("volumeName")
        beta_new, beta_old = (annotations_of(o).get(BETA_CLASS) for o in (new, old))
        if (beta_new or "") != (beta_old or ""):
            yield invalid(Path("metadata") / "annotations" / BETA_CLASS, beta_new or "", IMMUTABLE)
        if _class_given_late(after, before, beta_old):
            after["storageClassName"] = before.get("storageClassName")
        if (new.get("status") or {}).get("phase") == "Bound":
            _allow_for_bound(after, before)
        if _present(after) != _present(before):
            yield forbidden(_SPEC, _FROZEN + diff("PersistentVolumeClaimSpec", before, after))
        yield from _size_errors(new, old)
        yield from immutable(
            new["spec"].get("volumeMode"), old["spec"].get("volumeMode"), Path("volumeMode")
        )
        yield from _attributes_errors(new["spec"], old["spec"])

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        found = []
        for part in ("requests", "limits"):
            amount = dig(obj, ("spec", "resources", part, "storage"))
            if amount is not None and parse(amount).milli_value() % 1000:
                where = f"spec.resources.{part}[storage]"
                found.append(
                    f'{where}: fractional byte value "{amount}" is invalid, must be an integer'
                )
        return found


def _mirror_sources(spec: Obj) -> None:
    """Keep dataSource and dataSourceRef the same, as far as the older one can say it."""
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source is not None and reference is None:
        spec["dataSourceRef"] = dict(source)
    elif reference is not None and source is None and not reference.get("namespace"):
        spec["dataSource"] = {k: v for k, v in reference.items() if k != "namespace"}


def _present(spec: Obj) -> dict[str, Any]:
    return {key: value for key, value in spec.items() if value not in (None, "", [], {})}


def _class_given_late(new: Obj, old: Obj, beta: str | None) -> bool:
    """A claim without a class may be given one, for instance the default that came later."""
    name = new.get("storageClassName")
    return (
        name is not None and old.get("storageClassName") is None and (beta is None or beta == name)
    )


def _allow_for_bound(new: Obj, old: Obj) -> None:
    """Take the size and the attributes class of the old spec: those may change."""
    requests = (new.get("resources") or {}).get("requests")
    was = dig(old, ("resources", "requests", "storage"))
    if requests is not None and was is not None:
        new["resources"] = new["resources"] | {"requests": requests | {"storage": was}}
    if new.get("volumeAttributesClassName") is not None:
        new["volumeAttributesClassName"] = old.get("volumeAttributesClassName")


def _size_errors(new: Obj, old: Obj) -> FieldErrors:
    after = _amount(new, ("spec", "resources", "requests", "storage"))
    before = _amount(old, ("spec", "resources", "requests", "storage"))
    if after < before and after <= _amount(old, ("status", "capacity", "storage")):
        yield forbidden(_STORAGE, "field can not be less than status.capacity")


def _amount(obj: Obj, parts: tuple[str, ...]) -> Quantity:
    return parse(dig(obj, parts) or "0")


def _attributes_errors(new: Obj, old: Obj) -> FieldErrors:
    after, before = (spec.get("volumeAttributesClassName") for spec in (new, old))
    if after == before or before is None:
        return
    path = _SPEC / "volumeAttributesClassName"
    if after is None:
        yield forbidden(path, "update from non-nil value to nil is forbidden")
    elif not after:
        yield forbidden(path, "update from non-nil value to an empty string is forbidden")


class PersistentVolumeClaimStatusStrategy(StatusStrategy):
    """Capacities are not negative."""

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        if not new["spec"].get("accessModes"):
            yield required(Path("Spec") / "accessModes")
        for name, amount in ((new.get("status") or {}).get("capacity") or {}).items():
            value = parse(amount).value()
            if value < 0:
                yield invalid(
                    (Path("status") / "capacity").key(name),
                    value,
                    "must be a valid resource quantity",
                )


def _capacity(obj: Obj, now: float) -> str:
    if not obj["spec"].get("volumeName"):
        return ""
    return dig(obj, ("status", "capacity", "storage")) or "0"


def _modes(obj: Obj, now: float) -> str:
    if not obj["spec"].get("volumeName"):
        return ""
    return short_modes(dig(obj, ("status", "accessModes")))


_STRATEGY = PersistentVolumeClaimStrategy()
PERSISTENTVOLUMECLAIMS = Resource(
    kind=CORE_V1.kind("PersistentVolumeClaim"),
    plural="persistentvolumeclaims",
    short=("pvc",),
    strategy=_STRATEGY,
    subresources={"status": Subresource(strategy=PersistentVolumeClaimStatusStrategy(_STRATEGY))},
    columns=(
        NAME,
        Column("Status", phase),
        Column("Volume", field("spec.volumeName")),
        Column("Capacity", _capacity),
        Column("Access Modes", _modes),
        Column("StorageClass", lambda obj, now: storage_class(obj)),
        Column("VolumeAttributesClass", attributes_class),
        AGE,
        Column("VolumeMode", volume_mode, priority=1),
    ),
)
