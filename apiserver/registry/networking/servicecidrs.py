"""ServiceCIDRs: the ranges that Services get their addresses from."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, required
from apimachinery.validation.names import is_cidr, parse_cidr
from apiserver.registry.podspec.checks import immutable, obey
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
        cidrs = dig(obj, ("spec", "cidrs")) or []
        if not cidrs:
            yield required(_CIDRS, "at least one CIDR required")
            return
        shown = {"CIDRs": cidrs}
        if len(cidrs) > 2:
            yield invalid(_CIDRS, shown, "may only hold up to 2 values")
            return
        if len(cidrs) == 2 and not _is_dual(cidrs):
            why = (
                "may specify no more than one IP for each IP family, "
                "i.e 192.168.0.0/24 and 2001:db8::/64"
            )
            yield invalid(_CIDRS, shown, why)
            return
        for at, cidr in enumerate(cidrs):
            yield from obey(_is_canonical_cidr, cidr, _CIDRS[at])

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        path = ("spec", "cidrs")
        yield from immutable(dig(new, path), dig(old, path), _CIDRS)


def _is_dual(cidrs: list[str]) -> bool:
    networks = [parse_cidr(cidr) for cidr in cidrs]
    return {network.version for network in networks if network} == {4, 6}


def _is_canonical_cidr(value: str) -> list[str]:
    network = parse_cidr(value)
    if network is None:
        return is_cidr(value)
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
