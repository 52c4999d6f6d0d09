"""Which claims were made for a pod or a PodGroup, as their status says."""

from __future__ import annotations

from collections.abc import Iterable

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, duplicate, invalid
from apimachinery.validation.names import is_dns1123_subdomain
from apiserver.registry.podspec.checks import obey


def made_claim_errors(claims: Iterable[Obj], spec: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with `status.resourceClaimStatuses`, beside the spec of their owner."""
    known = {claim.get("name") or "" for claim in spec.get("resourceClaims") or ()}
    seen: set[str] = set()
    for at, claim in enumerate(claims):
        name = claim.get("name") or ""
        if name not in known:
            why = "must match the name of an entry in `spec.resourceClaims`"
            yield invalid(path[at] / "name", name, why)
        if name in seen:
            yield duplicate(path[at] / "name", name)
        seen.add(name)
        if claim.get("resourceClaimName") is not None:
            yield from obey(
                is_dns1123_subdomain, claim["resourceClaimName"], path[at] / "resourceClaimName"
            )
