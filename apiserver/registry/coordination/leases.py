"""Leases: who is the one that acts, and until when."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid
from apiserver.registry.podspec.checks import NEGATIVE
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, field

_SPEC = Path("spec")
_NOT_POSITIVE = "must be greater than 0"


class LeaseStrategy(Strategy):
    """Whoever renews a Lease writes all of it, and need not know whether it was there."""

    qualifies_finalizers = False
    allow_create_on_update = True
    allow_unconditional_update = False

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec = obj.get("spec") or {}
        duration, count = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
        if duration is not None and duration <= 0:
            yield invalid(_SPEC / "leaseDurationSeconds", duration, _NOT_POSITIVE)
        if count is not None and count < 0:
            yield invalid(_SPEC / "leaseTransitions", count, NEGATIVE)

    def drop_disabled(self, obj: Obj, old: Obj | None) -> None:
        """Coordinated leader election is off."""
        spec = obj.get("spec") or {}
        for name in ("strategy", "preferredHolder"):
            if ((old or {}).get("spec") or {}).get(name) is None:
                spec.pop(name, None)


LEASES = Resource(
    kind=GroupVersionKind("coordination.k8s.io", "v1", "Lease"),
    plural="leases",
    singular="lease",
    strategy=LeaseStrategy(),
    columns=(NAME, Column("Holder", field("spec.holderIdentity")), AGE),
)
