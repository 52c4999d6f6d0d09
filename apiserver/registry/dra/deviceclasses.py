"""DeviceClasses: kinds of devices that claims may ask for."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, too_many
from apiserver.registry.dra.requests import config_errors, selector_errors
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
        configs = spec.get("config") or ()
        if len(configs) > _MOST:
            yield too_many(_SPEC / "config", len(configs), _MOST)
        for at, config in enumerate(configs):
            yield from config_errors(config, (_SPEC / "config")[at])


DEVICECLASSES = Resource(
    kind=GroupVersionKind("resource.k8s.io", "v1", "DeviceClass"),
    plural="deviceclasses",
    singular="deviceclass",
    namespaced=False,
    strategy=DeviceClassStrategy(),
    columns=(NAME, AGE),
)
