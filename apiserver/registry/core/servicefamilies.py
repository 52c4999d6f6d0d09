"""The IP families of a Service: what it asks for, against what the cluster has.

Families and their policy are decided before anything is given out and before validation, and in
dry runs too. Nothing is done behind the back of a Service that only prefers both families: it
changes when its own policy, addresses or families do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from apimachinery.errors import Invalid
from apimachinery.gvk import GroupKind
from apimachinery.meta import Obj, name_of
from apimachinery.validation.field import FieldError, Path, invalid
from apimachinery.validation.names import parse_ip
from apiserver.registry.core.servicevalidation import cluster_ip_errors
from apiserver.registry.core.servicevalues import needs_address

_SPEC = Path("spec")
_POLICY, _FAMILIES = _SPEC / "ipFamilyPolicy", _SPEC / "ipFamilies"
_SINGLE, _PREFER, _REQUIRE = "SingleStack", "PreferDualStack", "RequireDualStack"
_OTHER = {"IPv4": "IPv6", "IPv6": "IPv4"}


def refuse(service: Obj, *errors: FieldError) -> Invalid:
    """Return the error that refuses a Service before it is validated as a whole."""
    return Invalid(GroupKind("", "Service"), name_of(service), errors)


def init_families(service: Obj, old: Obj | None, configured: Sequence[str]) -> None:
    """Fill in the IP families and their policy. Raises Invalid.

    `configured` are the cluster's families, the usual one first.
    """
    spec, before = service["spec"], None if old is None else old["spec"]
    if spec.get("type") == "ExternalName" or unchanged_preference(spec, before):
        return
    bare = spec.get("clusterIP") == "None" and not spec.get("selector")
    if spec.get("ipFamilyPolicy") is None:
        known = (before or {}).get("ipFamilyPolicy")
        spec["ipFamilyPolicy"] = known or (_REQUIRE if bare else _SINGLE)
    _check(service, cluster_ip_errors(spec))
    if before is not None and spec["ipFamilyPolicy"] == _SINGLE:
        _shrink(spec, before)
    families = list(spec.get("ipFamilies") or ())
    errors = [] if before is None else list(_reduced(spec, before))
    errors += _single_errors(spec, families)
    errors += _infer(spec, families, configured)
    _check(service, errors)
    if not bare:
        _check(service, _configured_errors(spec, families, configured))
    families = families or [configured[0]]
    # Endpoints of a headless Service without a selector may be of any family.
    both = bare or len(configured) == 2
    if len(families) == 1 and spec["ipFamilyPolicy"] != _SINGLE and both:
        families.append(_OTHER[families[0]])
    spec["ipFamilies"] = families


def unchanged_preference(new: Obj, old: Obj | None) -> bool:
    """Tell whether a Service that prefers both families goes on as it is."""
    if old is None or not needs_address(new) or new.get("type") != old.get("type"):
        return False
    if {new.get("ipFamilyPolicy"), old.get("ipFamilyPolicy")} != {_PREFER}:
        return False
    return _same(new, old, "clusterIPs") and _same(new, old, "ipFamilies")


def _same(new: Obj, old: Obj, name: str) -> bool:
    return (new.get(name) or []) == (old.get(name) or [])


def _check(service: Obj, errors: Iterator[FieldError] | list[FieldError]) -> None:
    if found := list(errors):
        raise refuse(service, *found)


def _shrink(new: Obj, old: Obj) -> None:
    """Give the second family up where only the policy says so."""
    for name in ("clusterIPs", "ipFamilies"):
        if _same(new, old, name) and len(new.get(name) or ()) > 1:
            new[name] = new[name][:1]


def _reduced(new: Obj, old: Obj) -> Iterator[FieldError]:
    policy = new["ipFamilyPolicy"]
    if policy == _SINGLE:
        return
    for name, what in (("clusterIPs", "cluster IP"), ("ipFamilies", "IP family")):
        if 0 < len(new.get(name) or ()) < len(old.get(name) or ()):
            yield invalid(_POLICY, policy, f"must be 'SingleStack' to release the secondary {what}")


def _single_errors(spec: Obj, families: list[str]) -> Iterator[FieldError]:
    policy = spec["ipFamilyPolicy"]
    if policy != _SINGLE:
        return
    words = "must be 'RequireDualStack' or 'PreferDualStack' when multiple {} are specified"
    if len(spec.get("clusterIPs") or ()) == 2:
        yield invalid(_POLICY, policy, words.format("cluster IPs"))
    if len(families) == 2:
        yield invalid(_POLICY, policy, words.format("IP families"))


def _infer(spec: Obj, families: list[str], configured: Sequence[str]) -> list[FieldError]:
    """Add the families of addresses that are given; they are known to be addresses."""
    addresses, errors = spec.get("clusterIPs") or [], []
    for at, text in enumerate(addresses):
        address = parse_ip(text)
        if address is None:  # headless
            break
        family = f"IPv{address.version}"
        if at < len(families):
            continue
        if family in configured:
            families.append(family)
        else:
            why = f"{family} is not configured on this cluster"
            errors.append(invalid((_SPEC / "clusterIPs")[at], addresses, why))
    return errors


def _configured_errors(
    spec: Obj, families: list[str], configured: Sequence[str]
) -> Iterator[FieldError]:
    policy = spec["ipFamilyPolicy"]
    if policy == _REQUIRE and len(configured) < 2:
        why = "this cluster is not configured for dual-stack services"
        yield invalid(_POLICY, policy, why)
    for at, family in enumerate(families):
        if family not in configured:
            yield invalid(_FAMILIES[at], family, "not configured on this cluster")
