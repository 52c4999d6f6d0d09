"""IPAddresses: the addresses of Services that are taken, each named after itself."""

from __future__ import annotations

from apimachinery.gvk import GroupResource, GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, required
from apimachinery.validation.names import is_dns1123_subdomain, is_ip, is_path_segment, parse_ip
from apiserver.registry.podspec.checks import immutable, obey
from apiserver.registry.resource import Column, Resource
from apiserver.registry.rules.names import path_segment_errors
from apiserver.registry.strategy import Strategy, StrategyContext
from apiserver.registry.table import NAME, dig

_PARENT = Path("spec") / "parentRef"


def is_canonical_ip(value: str) -> list[str]:
    """Check that a name is an address, written in the one way that counts."""
    address = parse_ip(value)
    if wrong := is_ip(value):
        return wrong
    return [] if str(address) == value else [f'must be in canonical form ("{address}")']


class IPAddressStrategy(Strategy):
    """An address belongs to one object for good."""

    allow_unconditional_update = False
    name_rule = staticmethod(is_canonical_ip)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        parent = (obj.get("spec") or {}).get("parentRef")
        if parent is None:
            yield required(_PARENT)
            return
        if group := parent.get("group"):
            yield from obey(is_dns1123_subdomain, group, _PARENT / "group")
        for name in ("resource", "name"):
            yield from path_segment_errors(parent.get(name) or "", _PARENT / name)
        if namespace := parent.get("namespace"):
            yield from obey(is_path_segment, namespace, _PARENT / "namespace")

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        path = ("spec", "parentRef")
        yield from immutable(dig(new, path), dig(old, path), _PARENT)


def _parent(obj: Obj, now: float) -> str:
    parent = dig(obj, ("spec", "parentRef"))
    if not parent:
        return "<none>"
    kind = GroupResource(parent.get("group") or "", parent.get("resource") or "")
    return "/".join(filter(None, (str(kind), parent.get("namespace"), parent.get("name"))))


IPADDRESSES = Resource(
    kind=GroupVersionKind("networking.k8s.io", "v1", "IPAddress"),
    plural="ipaddresses",
    singular="ipaddress",
    namespaced=False,
    short=("ip",),
    strategy=IPAddressStrategy(),
    columns=(NAME, Column("ParentRef", _parent)),
)
