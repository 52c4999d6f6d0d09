"""PriorityClasses: who goes first, and who makes room for whom."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, forbidden
from apiserver.registry.podspec.checks import immutable, one_of_required
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, field

_HIGHEST = 1_000_000_000
_SYSTEM_PREFIX = "system-"
_SYSTEM = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}
_POLICIES = ("PreemptLowerPriority", "Never")


class PriorityClassStrategy(Strategy):
    """The value is for good, since pods have copied it."""

    has_generation = True

    def spec_changed(self, new: Obj, old: Obj) -> bool:
        """Nothing that may change counts."""
        return False

    def default(self, obj: Obj) -> None:
        if obj.get("preemptionPolicy") is None:
            obj["preemptionPolicy"] = "PreemptLowerPriority"

    def why_kept(self, name: str) -> str:
        return "this is a system priority class and cannot be deleted" if name in _SYSTEM else ""

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        name, value = obj["metadata"].get("name") or "", obj.get("value") or 0
        if name.startswith(_SYSTEM_PREFIX):
            if (
                why := _why_not_system(name, value, is_default=bool(obj.get("globalDefault")))
            ) is not None:
                text = (
                    f"priority class names with '{_SYSTEM_PREFIX}' prefix are reserved "
                    f"for system use only. error: {why}"
                )
                yield forbidden(Path("metadata.name"), text)
        elif value > _HIGHEST:
            text = f"maximum allowed value of a user defined priority is {_HIGHEST}"
            yield forbidden(Path("value"), text)
        policy = obj.get("preemptionPolicy")
        yield from one_of_required(policy, _POLICIES, Path("preemptionPolicy"))

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        if (new.get("value") or 0) != (old.get("value") or 0):
            yield forbidden(Path("value"), "may not be changed in an update.")
        path = Path("preemptionPolicy")
        yield from immutable(new.get("preemptionPolicy"), old.get("preemptionPolicy"), path)


def _why_not_system(name: str, value: int, *, is_default: bool) -> str | None:
    """Return why a class is none of Kubernetes' own, None where it is."""
    if name not in _SYSTEM:
        return f"{name} is not a known system priority class"
    if value != _SYSTEM[name]:
        return f"value of {name} PriorityClass must be {_SYSTEM[name]}"
    return f"globalDefault of {name} PriorityClass must be false" if is_default else None


PRIORITYCLASSES = Resource(
    kind=GroupVersionKind("scheduling.k8s.io", "v1", "PriorityClass"),
    plural="priorityclasses",
    singular="priorityclass",
    namespaced=False,
    short=("pc",),
    strategy=PriorityClassStrategy(),
    columns=(
        NAME,
        Column("Value", field("value", 0), type="integer"),
        Column("Global-Default", field("globalDefault", False), type="boolean"),
        AGE,
        Column("PreemptionPolicy", field("preemptionPolicy")),
    ),
)
