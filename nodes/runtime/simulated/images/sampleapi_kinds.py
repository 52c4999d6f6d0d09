"""The kinds of the sample API server, wardle.example.com: versions, conversion, validation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from apimachinery.errors import Forbidden, Invalid
from apimachinery.gvk import GroupResource, GroupVersion, GroupVersionKind
from apimachinery.validation.field import FieldError, Path, invalid, required
from apimachinery.validation.names import is_dns1123_subdomain

Obj: TypeAlias = dict[str, Any]
GROUP = "wardle.example.com"
V1ALPHA1, V1BETA1 = GroupVersion(GROUP, "v1alpha1"), GroupVersion(GROUP, "v1beta1")
VERSIONS = (V1BETA1, V1ALPHA1)
VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
_REFERENCES = ("flunderReference", "fischerReference")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind in one version."""

    version: GroupVersion
    kind: str
    plural: str
    namespaced: bool

    @property
    def resource(self) -> GroupResource:
        return GroupResource(GROUP, self.plural)

    @property
    def gvk(self) -> GroupVersionKind:
        return self.version.kind(self.kind)

    @property
    def row(self) -> Obj:
        """An APIResource of discovery."""
        return {
            "name": self.plural,
            "singularName": self.kind.lower(),
            "namespaced": self.namespaced,
            "kind": self.kind,
            "verbs": list(VERBS),
        }


FISCHER = Kind(V1ALPHA1, "Fischer", "fischers", namespaced=False)
FLUNDER = Kind(V1ALPHA1, "Flunder", "flunders", namespaced=True)
KINDS = (FISCHER, FLUNDER, Kind(V1BETA1, "Flunder", "flunders", namespaced=True))


def find(version: str, plural: str) -> Kind | None:
    """Return the kind that a path names."""
    return next((k for k in KINDS if (k.version.version, k.plural) == (version, plural)), None)


def stored(kind: Kind, obj: Obj) -> Obj:
    """Return an object in v1alpha1, in which everything is stored."""
    new = {**obj, "apiVersion": V1ALPHA1.api_version, "kind": kind.kind}
    if kind.kind != "Flunder":
        return new
    spec = dict(new.get("spec") or {})
    if kind.version == V1BETA1:
        flunder, fischer = (spec.pop(name, "") for name in _REFERENCES)
        if flunder or fischer:
            spec["reference"] = flunder or fischer
    if spec.get("reference") and not spec.get("referenceType"):
        spec["referenceType"] = "Flunder"
    return {**new, "spec": spec, "status": new.get("status") or {}}


def shown(kind: Kind, obj: Obj) -> Obj:
    """Return a stored object in a version."""
    if kind.version == V1ALPHA1:
        return obj
    spec = dict(obj.get("spec") or {})
    reference = spec.pop("reference", "")
    if reference:
        spec[_REFERENCES[spec.get("referenceType") == "Fischer"]] = reference
    return {**obj, "apiVersion": kind.version.api_version, "spec": spec}


def check(kind: Kind, sent: Obj) -> None:
    """Refuse an object that is not valid. Raises Invalid."""
    name = sent["metadata"].get("name") or ""
    errors = list(_errors(sent, name))
    if errors:
        raise Invalid(kind.gvk.group_kind, name, errors)


def _errors(sent: Obj, name: str) -> Iterator[FieldError]:
    path = Path("metadata") / "name"
    if not name:
        yield required(path, "name or generateName is required")
    for why in is_dns1123_subdomain(name) if name else ():
        yield invalid(path, name, why)
    spec = sent.get("spec") or {}
    flunder, fischer = (spec.get(field) or "" for field in _REFERENCES)
    if flunder and fischer:
        why = "cannot be set with flunderReference at the same time"
        yield invalid(Path("spec") / "fischerReference", fischer, why)


def refuse_banned(kind: Kind, name: str, fischers: list[Obj]) -> None:
    """Refuse a Flunder that a Fischer does not allow, as the server's admission does."""
    if kind.kind != "Flunder":
        return
    for fischer in fischers:
        if name in (fischer.get("disallowedFlunders") or ()):
            why = "this name may not be used, please change the resource name"
            raise Forbidden(kind.resource, name, why)
