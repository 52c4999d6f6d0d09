"""RuntimeClasses: which of a node's container runtimes runs a pod, and what that costs."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, duplicate, repeats
from apimachinery.validation.names import is_dns1123_label
from apiserver.registry.podspec.checks import immutable, obey
from apiserver.registry.podspec.resources import overhead_errors
from apiserver.registry.podspec.scheduling import toleration_errors
from apiserver.registry.podspec.selectors import label_errors
from apiserver.registry.podspec.warnings import NODE_LABELS
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, field


class RuntimeClassStrategy(Strategy):
    """The handler is for good, since pods run with it."""

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from obey(is_dns1123_label, obj.get("handler") or "", Path("handler"))
        overhead = (obj.get("overhead") or {}).get("podFixed")
        if overhead:
            yield from overhead_errors(overhead, Path("overhead"))
        if obj.get("scheduling") is not None:
            yield from _scheduling_errors(obj["scheduling"], Path("scheduling"))

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from immutable(new.get("handler"), old.get("handler"), Path("handler"))

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        labels = (obj.get("scheduling") or {}).get("nodeSelector") or ()
        path = Path("scheduling") / "nodeSelector"
        return [f"{path}: {NODE_LABELS[label]}" for label in labels if label in NODE_LABELS]

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        return self.warnings_on_create(new, ctx)


def _scheduling_errors(scheduling: Obj, path: Path) -> FieldErrors:
    if labels := scheduling.get("nodeSelector"):
        yield from label_errors(labels, path / "nodeSelector")
    tolerations = scheduling.get("tolerations") or []
    yield from toleration_errors(tolerations, path / "tolerations")
    again = repeats(frozenset(one.items()) for one in tolerations)
    for at, one in enumerate(tolerations):
        if at in again:
            yield duplicate((path / "tolerations")[at], one)


RUNTIMECLASSES = Resource(
    kind=GroupVersionKind("node.k8s.io", "v1", "RuntimeClass"),
    plural="runtimeclasses",
    singular="runtimeclass",
    namespaced=False,
    strategy=RuntimeClassStrategy(),
    columns=(NAME, Column("Handler", field("handler")), AGE),
)
