"""Bindings: an older way to write `pods/NAME/binding`; nothing is stored."""

from __future__ import annotations

from apimachinery.gvk import CORE_V1
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, not_supported, required
from apiserver.registry.resource import Resource
from apiserver.registry.strategy import Strategy, StrategyContext


class BindingStrategy(Strategy):
    """The scheduler names the node; `target` is all there is."""

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from binding_errors(obj)


def binding_errors(binding: Obj) -> FieldErrors:
    """Yield what is wrong with a Binding, whichever way it came."""
    target = binding.get("target") or {}
    path = Path("target")
    if (target.get("kind") or "Node") not in ("Node", ""):
        yield not_supported(path / "kind", target["kind"], ("Node", "<empty>"))
    if not target.get("name"):
        yield required(path / "name")


BINDINGS = Resource(
    kind=CORE_V1.kind("Binding"),
    plural="bindings",
    verbs=("create",),
    strategy=BindingStrategy(),
)
