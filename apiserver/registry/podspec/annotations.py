"""Annotations that mean something to pods, and how long all of them together may be."""

from __future__ import annotations

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, forbidden, invalid, too_long
from apimachinery.validation.names import is_qualified_name
from apiserver.registry.podspec.checks import INT32_MAX, obey
from apiserver.registry.podspec.paths import local_descending_path
from apiserver.registry.podspec.systems import containers_of

MIRROR = "kubernetes.io/config.mirror"
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
APPARMOR_PREFIX = "container.apparmor.security.beta.kubernetes.io/"
SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_PREFIX = "container.seccomp.security.alpha.kubernetes.io/"
_SECCOMP_PROFILES = ("runtime/default", "docker/default", "unconfined")
_MAX_BYTES = 256 * 1024


def annotation_errors(annotations: dict[str, str], path: Path) -> FieldErrors:
    """Yield which keys are no names, and that all together are too long."""
    size = 0
    for key, value in annotations.items():
        yield from obey(is_qualified_name, key.lower(), path)
        size += len(key.encode()) + len(value.encode())
    if size > _MAX_BYTES:
        yield too_long(path, "", _MAX_BYTES)


def pod_annotation_errors(annotations: dict[str, str], spec: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with the annotations of a pod or a template."""
    if MIRROR in annotations and not spec.get("nodeName"):
        yield invalid(
            path.key(MIRROR),
            annotations[MIRROR],
            "must set spec.nodeName if mirror pod annotation is set",
        )
    cost = annotations.get(DELETION_COST)
    if cost is not None and not _is_cost(cost):
        yield invalid(path.key(DELETION_COST), cost, "must be a 32bit integer")
    for key, value in annotations.items():
        if key == SECCOMP_POD or key.startswith(SECCOMP_PREFIX):
            yield from _seccomp_errors(value, path / key)
        elif key.startswith(APPARMOR_PREFIX):
            yield from _apparmor_errors(key, value, spec, path.key(key))


def _is_cost(text: str) -> bool:
    """Tell whether the text is a number of 32 bits without a plus sign or leading zeros."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or (len(digits) > 1 and digits[0] == "0"):
        return False
    return -INT32_MAX - 1 <= int(text) <= INT32_MAX


def _seccomp_errors(profile: str, path: Path) -> FieldErrors:
    if profile in _SECCOMP_PROFILES:
        return
    if profile.startswith("localhost/"):
        yield from local_descending_path(profile.removeprefix("localhost/"), path)
    else:
        yield invalid(path, profile, "must be a valid seccomp profile")


def _apparmor_errors(key: str, profile: str, spec: Obj, path: Path) -> FieldErrors:
    container = key.removeprefix(APPARMOR_PREFIX)
    if not any(c.get("name") == container for c in containers_of(spec)):
        yield invalid(path, container, "container not found")
    if profile not in ("", "runtime/default", "unconfined") and not profile.startswith(
        "localhost/"
    ):
        yield invalid(path, profile, f'invalid AppArmor profile name: "{profile}"')


def annotation_update_errors(new: dict[str, str], old: dict[str, str], path: Path) -> FieldErrors:
    """Yield which annotations of a pod may not be added, changed or removed."""
    for key, value in old.items():
        if new.get(key) == value:
            continue
        if key.startswith(APPARMOR_PREFIX):
            yield forbidden(path.key(key), "may not remove or update AppArmor annotations")
        if key == MIRROR:
            yield forbidden(path.key(key), "may not remove or update mirror pod annotation")
    for key in new:
        if key in old:
            continue
        if key.startswith(APPARMOR_PREFIX):
            yield forbidden(path.key(key), "may not add AppArmor annotations")
        if key == MIRROR:
            yield forbidden(path.key(key), "may not add mirror pod annotation")
