"""CSIStorageCapacities: how much of a class is left in a part of the cluster."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path
from apimachinery.validation.names import is_dns1123_subdomain
from apiserver.registry.podspec.checks import immutable, nonnegative_quantity, obey
from apiserver.registry.podspec.selectors import selector_errors
from apiserver.registry.podspec.warnings import NODE_LABELS, term_warnings
from apiserver.registry.resource import Resource
from apiserver.registry.strategy import Strategy, StrategyContext


class CSIStorageCapacityStrategy(Strategy):
    """What was asked is for good; the answer changes."""

    returns_deleted = True
    allow_unconditional_update = False

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from selector_errors(obj.get("nodeTopology"), Path("nodeTopology"))
        name = obj.get("storageClassName") or ""
        yield from obey(is_dns1123_subdomain, name, Path("storageClassName"))
        if obj.get("capacity") is not None:
            yield from nonnegative_quantity(obj["capacity"], Path("capacity"))

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        for name in ("nodeTopology", "storageClassName"):
            yield from immutable(new.get(name), old.get(name), Path(name))

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        topology, path = obj.get("nodeTopology") or {}, Path("nodeTopology")
        labels = [one for one in topology.get("matchLabels") or () if one in NODE_LABELS]
        return [
            *term_warnings(topology, path),
            *(f"{path / 'matchLabels' / label}: {NODE_LABELS[label]}" for label in labels),
        ]

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        return self.warnings_on_create(new, ctx)


CSISTORAGECAPACITIES = Resource(
    kind=GroupVersionKind("storage.k8s.io", "v1", "CSIStorageCapacity"),
    plural="csistoragecapacities",
    singular="csistoragecapacity",
    strategy=CSIStorageCapacityStrategy(),
)
