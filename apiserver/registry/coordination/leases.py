"""Leases: who is the one that acts, and until when."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, required
from apiserver.registry.podspec.checks import NEGATIVE, one_of_required
from apiserver.registry.resource import Column, Resource
from apiserver.registry.rules.names import domain_prefixed_path_errors
from apiserver.registry.strategy import Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, field

_SPEC = Path("spec")
_NOT_POSITIVE = "must be greater than 0"
_STRATEGIES = ("OldestEmulationVersion",)


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
        strategy = spec.get("strategy")
        if strategy is not None:
            if "/" in strategy:
                yield from domain_prefixed_path_errors(strategy, _SPEC / "strategy")
            else:
                yield from one_of_required(strategy, _STRATEGIES, _SPEC / "strategy")
        preferred = spec.get("preferredHolder")
        if preferred and not strategy:
            why = "must be set when preferredHolder is set"
            yield required(_SPEC / "strategy", why)


LEASES = Resource(
    kind=GroupVersionKind("coordination.k8s.io", "v1", "Lease"),
    plural="leases",
    singular="lease",
    strategy=LeaseStrategy(),
    columns=(NAME, Column("Holder", field("spec.holderIdentity")), AGE),
)
