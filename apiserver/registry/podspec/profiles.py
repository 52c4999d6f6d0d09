"""AppArmor and seccomp profiles: annotations from before there were fields, and the fields.

Where a pod names an AppArmor profile by annotation alone, its container is given the field when
the pod is made. Where both are there, they have to say the same.
"""

from __future__ import annotations

from typing import Any

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, forbidden
from apiserver.registry.podspec.annotations import (
    APPARMOR_PREFIX,
    SECCOMP_POD,
    SECCOMP_PREFIX,
)
from apiserver.registry.podspec.security import apparmor_errors
from apiserver.registry.podspec.systems import is_windows, visit

_LOCALHOST = "localhost/"
_APPARMOR = {"unconfined": "Unconfined", "runtime/default": "RuntimeDefault"}
# What an annotation may say for each type of a field, but for profiles of the host.
_SAME_SECCOMP = {
    "Unconfined": ("unconfined",),
    "RuntimeDefault": ("runtime/default", "docker/default"),
}
_SAME_APPARMOR = {"Unconfined": ("unconfined",), "RuntimeDefault": ("runtime/default",)}
_SPEC, _ANNOTATIONS = Path("spec"), Path("metadata") / "annotations"


def deprecated_apparmor(path: Path, key: str) -> str:
    """Return the warning about an annotation that names an AppArmor profile."""
    return f'{path.key(key)}: deprecated since v1.30; use the "appArmorProfile" field instead'


def adopt_apparmor(spec: Obj, annotations: dict[str, str]) -> list[str]:
    """Give containers the profiles that annotations name; return warnings about those."""
    if not any(key.startswith(APPARMOR_PREFIX) for key in annotations) or is_windows(spec):
        return []
    warnings = []
    of_pod = _own(spec, "appArmorProfile")
    for container, _ in visit(spec, _SPEC):
        key = f"{APPARMOR_PREFIX}{container.get('name') or ''}"
        if key not in annotations or _own(container, "appArmorProfile") is not None:
            continue
        profile = _profile_of(annotations[key])
        if profile == of_pod and profile is not None:
            continue
        if profile is not None:
            context = container.get("securityContext") or {}
            container["securityContext"] = context | {"appArmorProfile": profile}
        warnings.append(deprecated_apparmor(_ANNOTATIONS, key))
    return warnings


def _profile_of(annotation: str) -> Obj | None:
    if annotation in _APPARMOR:
        return {"type": _APPARMOR[annotation]}
    name = annotation.removeprefix(_LOCALHOST)
    if not name or name == annotation:
        return None
    profile = {"type": "Localhost", "localhostProfile": name}
    return None if any(apparmor_errors(profile, _SPEC)) else profile


def _own(holder: Obj, field: str) -> Any:
    return (holder.get("securityContext") or {}).get(field)


def profile_errors(spec: Obj, annotations: dict[str, str], path: Path) -> FieldErrors:
    """Yield where annotations of a new pod, or a template, say something else than fields."""
    of_pod = _own(spec, "seccompProfile")
    if of_pod is not None and SECCOMP_POD in annotations:
        place = path / "securityContext" / "seccompProfile"
        yield from _match(annotations[SECCOMP_POD], of_pod, "seccomp", place)
    for container, where in visit(spec, path):
        profile = _own(container, "seccompProfile")
        text = annotations.get(f"{SECCOMP_PREFIX}{container.get('name') or ''}")
        if profile is not None and text is not None:
            place = where / "securityContext" / "seccompProfile"
            yield from _match(text, profile, "seccomp", place)
    if not is_windows(spec):
        yield from _apparmor_match(spec, annotations, path)


def _apparmor_match(spec: Obj, annotations: dict[str, str], path: Path) -> FieldErrors:
    of_pod = _own(spec, "appArmorProfile")
    for container, where in visit(spec, path):
        profile = _own(container, "appArmorProfile") or of_pod
        text = annotations.get(f"{APPARMOR_PREFIX}{container.get('name') or ''}")
        if profile is not None and text is not None:
            place = where / "securityContext" / "appArmorProfile"
            yield from _match(text, profile, "apparmor", place)


def _match(text: str, profile: Obj, what: str, path: Path) -> FieldErrors:
    kind = profile.get("type") or ""
    if kind == "Localhost":
        if not text.startswith(_LOCALHOST):
            yield forbidden(path / "type", f"{what} type in annotation and field must match")
        elif text.removeprefix(_LOCALHOST) != profile.get("localhostProfile"):
            why = f"{what} profile in annotation and field must match"
            yield forbidden(path / "localhostProfile", why)
    else:
        same = _SAME_SECCOMP if what == "seccomp" else _SAME_APPARMOR
        if kind in same and text not in same[kind]:
            yield forbidden(path / "type", f"{what} type in annotation and field must match")
