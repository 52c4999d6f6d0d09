"""ServiceCIDRs: the ranges that Services get their addresses from."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, required
from apimachinery.validation.names import is_cidr, parse_cidr
from apiserver.registry.podspec.checks import IMMUTABLE, obey
from apiserver.registry.podspec.workload import keep_status
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, dig, joined

_CIDRS = Path("spec") / "cidrs"


class ServiceCIDRStrategy(Strategy):
    """One range of each family at most, for good."""

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {}

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from _cidrs_errors(_cidrs(obj))

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        after, before = _cidrs(new), _cidrs(old)
        # A range of one family may get one of the other; else nothing changes.
        grows = len(before) == 1 and len(after) == 2
        if not grows and len(after) != len(before):
            yield invalid(_CIDRS, after, IMMUTABLE)
            return
        for at, (cidr, known) in enumerate(zip(after, before, strict=False)):
            if cidr != known:
                yield invalid(_CIDRS[at], cidr, IMMUTABLE)
        if grows:
            yield from _cidrs_errors(after)


def _cidrs(obj: Obj) -> list[str]:
    return dig(obj, ("spec", "cidrs")) or []


def _cidrs_errors(cidrs: list[str]) -> FieldErrors:
    if not cidrs:
        yield required(_CIDRS, "at least one CIDR required")
        return
    if len(cidrs) > 2:
        yield invalid(_CIDRS, {"CIDRs": cidrs}, "may only hold up to 2 values")
        return
    for at, cidr in enumerate(cidrs):
        yield from obey(_is_canonical_cidr, cidr, _CIDRS[at])
    versions = [network.version for cidr in cidrs if (network := parse_cidr(cidr)) is not None]
    if versions in ([4, 4], [6, 6]):
        why = (
            "may specify no more than one IP for each IP family, "
            "i.e 192.168.0.0/24 and 2001:db8::/64"
        )
        yield invalid(_CIDRS, cidrs, why)


def _is_canonical_cidr(value: str) -> list[str]:
    network = parse_cidr(value)
    if wrong := is_cidr(value):
        return wrong
    return [] if str(network) == value else [f'must be in canonical form ("{network}")']


_STRATEGY = ServiceCIDRStrategy()
SERVICECIDRS = Resource(
    kind=GroupVersionKind("networking.k8s.io", "v1", "ServiceCIDR"),
    plural="servicecidrs",
    singular="servicecidr",
    namespaced=False,
    strategy=_STRATEGY,
    subresources={"status": Subresource(strategy=StatusStrategy(_STRATEGY, resets_metadata=True))},
    columns=(NAME, Column("CIDRs", joined("spec.cidrs")), AGE),
)
