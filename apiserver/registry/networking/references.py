"""References to objects of other people's kinds, in backends and parameters."""

from __future__ import annotations

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path
from apimachinery.validation.names import is_dns1123_subdomain
from apiserver.registry.podspec.checks import obey
from apiserver.registry.rules.names import path_segment_errors


def local_reference_errors(reference: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with a TypedLocalObjectReference."""
    group = reference.get("apiGroup")
    if group is not None:
        yield from obey(is_dns1123_subdomain, group, path / "apiGroup")
    for name in ("kind", "name"):
        yield from path_segment_errors(reference.get(name) or "", path / name)
