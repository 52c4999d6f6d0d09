"""VolumeAttributesClasses: properties of volumes that may change while they are used."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj, annotations_of, name_of
from apimachinery.validation.field import FieldErrors, Path, forbidden
from apiserver.registry.resource import Column, Resource
from apiserver.registry.storage.parameters import parameter_errors, provisioner_errors
from apiserver.registry.strategy import Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, field

_DEFAULT = "storageclass.kubernetes.io/is-default-class"


class VolumeAttributesClassStrategy(Strategy):
    """A class never changes; volumes change their class."""

    returns_deleted = True

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from provisioner_errors(obj.get("driverName") or "", Path("driverName"))
        yield from parameter_errors(obj.get("parameters") or {}, Path("parameters"), needed=True)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        for name in ("driverName", "parameters"):
            if new.get(name) != old.get(name):
                yield forbidden(Path(name), f"updates to {name} are forbidden.")
        yield from self.validate(new, ctx)


def _name(obj: Obj, now: float) -> str:
    is_default = annotations_of(obj).get(_DEFAULT) == "true"
    return f"{name_of(obj)} (default)" if is_default else name_of(obj)


VOLUMEATTRIBUTESCLASSES = Resource(
    kind=GroupVersionKind("storage.k8s.io", "v1", "VolumeAttributesClass"),
    plural="volumeattributesclasses",
    singular="volumeattributesclass",
    namespaced=False,
    short=("vac",),
    strategy=VolumeAttributesClassStrategy(),
    columns=(
        Column(NAME.name, _name, format=NAME.format),
        Column("DriverName", field("driverName")),
        AGE,
    ),
)
