"""ResourceClaims: devices that pods share or have for themselves."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj, is_deleting
from apimachinery.validation.field import FieldErrors, Path
from apiserver.registry.dra.admin import asking_errors, granting_errors
from apiserver.registry.dra.allocations import allocated, device_of, status_errors
from apiserver.registry.dra.requests import claim_spec_errors, default_claim_spec
from apiserver.registry.podspec.checks import immutable
from apiserver.registry.podspec.workload import keep_status
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME

_SPEC = Path("spec")


class ResourceClaimStrategy(Strategy):
    """What is asked for is for good; the scheduler writes into status what was found."""

    returns_deleted = True

    def default(self, obj: Obj) -> None:
        default_claim_spec(obj.setdefault("spec", {}))

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {}

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec = obj.get("spec") or {}
        yield from asking_errors(spec, ctx)
        yield from claim_spec_errors(spec, _SPEC)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from immutable(new.get("spec"), old.get("spec"), _SPEC)


class ResourceClaimStatusStrategy(StatusStrategy):
    """A claim is reserved only once it is allocated, and for each pod once."""

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        """What drivers say of devices goes with the devices."""
        super().prepare_for_update(new, old, ctx)
        status = new.get("status") or {}
        gone = allocated(old.get("status") or {}) - allocated(status)
        if gone and status.get("devices"):
            left = [one for one in status["devices"] if device_of(one) not in gone]
            new["status"] = {k: v for k, v in status.items() if k != "devices"}
            if left:
                new["status"]["devices"] = left

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from granting_errors(new.get("status") or {}, old.get("status") or {}, ctx)
        yield from status_errors(new, old)


def _state(obj: Obj, now: float) -> str:
    status, states = obj.get("status") or {}, ["deleted"] if is_deleting(obj) else []
    if status.get("allocation") is not None:
        states.append("allocated")
        if status.get("reservedFor"):
            states.append("reserved")
    elif not states:
        states.append("pending")
    return ",".join(states)


_STRATEGY = ResourceClaimStrategy()
RESOURCECLAIMS = Resource(
    kind=GroupVersionKind("resource.k8s.io", "v1", "ResourceClaim"),
    plural="resourceclaims",
    singular="resourceclaim",
    strategy=_STRATEGY,
    subresources={
        "status": Subresource(strategy=ResourceClaimStatusStrategy(_STRATEGY, resets_metadata=True))
    },
    columns=(NAME, Column("State", _state), AGE),
)
