"""ControllerRevisions: what a StatefulSet or DaemonSet looked like once, to go back to."""

from __future__ import annotations

from apimachinery.gvk import APPS_V1
from apimachinery.meta import Obj, controller_of
from apimachinery.validation.field import FieldErrors, Path, required
from apiserver.registry.podspec.checks import immutable, nonnegative
from apiserver.registry.podspec.workload import number
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME


class ControllerRevisionStrategy(Strategy):
    """The data never changes; the number may, when an old revision becomes the newest."""

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        if obj.get("data") is None:
            yield required(Path("data"), "data is mandatory")
        yield from nonnegative(obj.get("revision"), Path("revision"))

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from self.validate(new, ctx)
        yield from immutable(new.get("data"), old.get("data"), Path("data"))


def _controller(obj: Obj, now: float) -> str:
    owner = controller_of(obj)
    if owner is None:
        return "<none>"
    group = owner["apiVersion"].rpartition("/")[0]
    kind = owner["kind"].lower()
    return f"{kind}.{group}/{owner['name']}" if group else f"{kind}/{owner['name']}"


CONTROLLERREVISIONS = Resource(
    kind=APPS_V1.kind("ControllerRevision"),
    plural="controllerrevisions",
    strategy=ControllerRevisionStrategy(),
    columns=(
        NAME,
        Column("Controller", _controller),
        Column("Revision", number("revision")),
        AGE,
    ),
)
