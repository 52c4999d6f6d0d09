"""What RoleBindings and ClusterRoleBindings share: a role for subjects, for good."""

from __future__ import annotations

from typing import Any

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, not_supported, required
from apimachinery.validation.names import is_dns1123_subdomain, is_path_segment
from apiserver.registry.podspec.checks import obey
from apiserver.registry.rbac.strategy import RBACStrategy
from apiserver.registry.resource import Column
from apiserver.registry.strategy import StrategyContext
from apiserver.registry.table import AGE, NAME, Value

GROUP = "rbac.authorization.k8s.io"
_SUBJECTS = ("ServiceAccount", "User", "Group")


class BindingStrategy(RBACStrategy):
    """The subjects may change; the role may not, since someone may have been allowed to bind it."""

    role_kinds: tuple[str, ...] = ("ClusterRole",)
    namespaced = False

    def default(self, obj: Obj) -> None:
        ref = obj.setdefault("roleRef", {})
        if not ref.get("apiGroup"):
            ref["apiGroup"] = GROUP
        for subject in obj.get("subjects") or ():
            if not subject.get("apiGroup") and subject.get("kind") in ("User", "Group"):
                subject["apiGroup"] = GROUP

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        ref, path = obj.get("roleRef") or {}, Path("roleRef")
        if ref.get("apiGroup") != GROUP:
            yield not_supported(path / "apiGroup", ref.get("apiGroup") or "", (GROUP,))
        if ref.get("kind") not in self.role_kinds:
            yield not_supported(path / "kind", ref.get("kind") or "", self.role_kinds)
        if not ref.get("name"):
            yield required(path / "name")
        else:
            yield from obey(is_path_segment, ref["name"], path / "name")
        for at, subject in enumerate(obj.get("subjects") or ()):
            yield from _subject_errors(subject, Path("subjects")[at], namespaced=self.namespaced)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from super().validate_update(new, old, ctx)
        if new.get("roleRef") != old.get("roleRef"):
            yield invalid(Path("roleRef"), _go_role_ref(new["roleRef"]), "cannot change roleRef")


def _go_role_ref(ref: Obj) -> Obj:
    """Print a roleRef with the names of Go's fields, as messages show it."""
    names = (("APIGroup", "apiGroup"), ("Kind", "kind"), ("Name", "name"))
    return {shown: ref.get(name) or "" for shown, name in names}


def _subject_errors(subject: Obj, path: Path, *, namespaced: bool) -> FieldErrors:
    name, group = subject.get("name") or "", subject.get("apiGroup") or ""
    if not name:
        yield required(path / "name")
    match subject.get("kind"):
        case "ServiceAccount":
            if name:
                yield from obey(is_dns1123_subdomain, name, path / "name")
            if group:
                yield not_supported(path / "apiGroup", group, ("",))
            if not namespaced and not subject.get("namespace"):
                yield required(path / "namespace")
        case "User" | "Group":
            if group != GROUP:
                yield not_supported(path / "apiGroup", group, (GROUP,))
        case other:
            yield not_supported(path / "kind", other or "", _SUBJECTS)


def _role(obj: Obj, now: float) -> str:
    ref: dict[str, Any] = obj.get("roleRef") or {}
    return f"{ref.get('kind') or ''}/{ref.get('name') or ''}"


def _names_of(kind: str) -> Value:
    def read(obj: Obj, now: float) -> str:
        found = []
        for subject in obj.get("subjects") or ():
            if subject.get("kind") == kind:
                name = subject.get("name") or ""
                place = f"{subject.get('namespace') or ''}/" if kind == "ServiceAccount" else ""
                found.append(place + name)
        return ", ".join(found)

    return read


COLUMNS = (
    NAME,
    Column("Role", _role),
    AGE,
    Column("Users", _names_of("User"), priority=1),
    Column("Groups", _names_of("Group"), priority=1),
    Column("ServiceAccounts", _names_of("ServiceAccount"), priority=1),
)
