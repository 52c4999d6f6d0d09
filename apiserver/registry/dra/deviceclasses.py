"""DeviceClasses: kinds of devices that claims may ask for."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid
from apiserver.registry.dra.lists import each
from apiserver.registry.dra.requests import config_errors, selector_errors
from apiserver.registry.podspec.quantities import is_extended
from apiserver.registry.resource import Resource
from apiserver.registry.strategy import Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME

_SPEC = Path("spec")
_MOST = 32


class DeviceClassStrategy(Strategy):
    """Selectors that all have to hold, and parameters for the driver."""

    has_generation = True
    returns_deleted = True

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec = obj.get("spec") or {}
        yield from selector_errors(spec.get("selectors") or (), _SPEC / "selectors")
        yield from each(spec.get("config") or [], _MOST, _SPEC / "config", config_errors)
        name = spec.get("extendedResourceName")
        if name is not None and not is_extended(name):
            why = "must be a valid extended resource name"
            yield invalid(_SPEC / "extendedResourceName", name, why)


DEVICECLASSES = Resource(
    kind=GroupVersionKind("resource.k8s.io", "v1", "DeviceClass"),
    plural="deviceclasses",
    singular="deviceclass",
    namespaced=False,
    strategy=DeviceClassStrategy(),
    columns=(NAME, AGE),
)
