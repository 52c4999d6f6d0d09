"""ControllerRevisions: what a StatefulSet or DaemonSet looked like once, to go back to."""

from __future__ import annotations

from apimachinery.gvk import APPS_V1
from apimachinery.meta import Obj, controller_of
from apimachinery.validation.field import FieldErrors, Path, invalid, required
from apimachinery.verbatim import Verbatim, compact, encoded, member
from apiserver.registry.podspec.checks import IMMUTABLE, immutable, nonnegative
from apiserver.registry.podspec.workload import number
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME

_KEY = "controllerrevisions.apps"
_DATA = "data"


class ControllerRevisionStrategy(Strategy):
    """The data never changes; the number may, when an old revision becomes the newest.

    Kubernetes compares the data byte by byte as it was sent. Since patches print an object anew,
    a revision that was not sent as Go prints it cannot be patched.
    """

    def keep_text(self, obj: Obj, raw: bytes | None) -> None:
        data = obj.get(_DATA)
        if isinstance(data, dict):
            obj[_DATA] = Verbatim(data, encoded(data) if raw is None else member(raw, _DATA))

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        """Give data that a patch has left alone the text that comes of printing it anew."""
        data = new.get(_DATA)
        if data.__class__ is dict and data == old.get(_DATA):
            new[_DATA] = Verbatim(data, compact(_stored(old, ctx)))

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        if obj.get("data") is None:
            yield required(Path("data"), "data is mandatory")
        yield from nonnegative(obj.get("revision"), Path("revision"))

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from self.validate(new, ctx)
        data = new.get(_DATA)
        yield from immutable(data, old.get(_DATA), Path(_DATA))
        if isinstance(data, Verbatim) and data == old.get(_DATA) and data.text != _stored(old, ctx):
            yield invalid(Path(_DATA), dict(data), IMMUTABLE)


def _stored(old: Obj, ctx: StrategyContext) -> str:
    """Return the text of the data that is stored."""
    meta = old["metadata"]
    raw = ctx.objects.text(_KEY, meta["namespace"], meta["name"])
    return member(raw, _DATA) if raw else encoded(old.get(_DATA))


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
