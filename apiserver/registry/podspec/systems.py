"""Linux and Windows: what a pod that names its system may not say, and host processes."""

from __future__ import annotations

from collections.abc import Iterator

from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    forbidden,
    invalid,
    not_supported,
    required,
)

_SYSTEMS = ("linux", "windows")
_NOT_LINUX = "windows options cannot be set for a linux pod"
_NOT_WINDOWS = "cannot be set for a windows pod"
_LISTS = ("initContainers", "containers", "ephemeralContainers")
# (field of the spec or of its securityContext, whether it is in the securityContext)
_POD_FIELDS = (
    ("appArmorProfile", True),
    ("seLinuxOptions", True),
    ("hostUsers", False),
    ("hostPID", False),
    ("hostIPC", False),
    ("seccompProfile", True),
    ("fsGroup", True),
    ("fsGroupChangePolicy", True),
    ("sysctls", True),
    ("shareProcessNamespace", False),
    ("runAsUser", True),
    ("runAsGroup", True),
    ("supplementalGroups", True),
    ("supplementalGroupsPolicy", True),
    ("seLinuxChangePolicy", True),
)
_CONTAINER_FIELDS = (
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
)


def is_windows(spec: Obj) -> bool:
    return (spec.get("os") or {}).get("name") == "windows"


def containers_of(spec: Obj) -> list[Obj]:
    """Return every container of a pod."""
    return [container for name in _LISTS for container in spec.get(name) or ()]


def visit(spec: Obj, path: Path) -> Iterator[tuple[Obj, Path]]:
    """Yield every container of a pod with its path."""
    for name in _LISTS:
        for at, container in enumerate(spec.get(name) or ()):
            yield container, (path / name)[at]


def os_errors(spec: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with spec.os, or with the rest of the spec for that system."""
    name = spec["os"].get("name") or ""
    if not name:
        yield required(path / "os" / "name")
    elif name not in _SYSTEMS:
        yield not_supported(path / "os", name, _SYSTEMS)
    elif name == "linux":
        yield from _linux_errors(spec, path)
    else:
        yield from _windows_errors(spec, path)


def _linux_errors(spec: Obj, path: Path) -> FieldErrors:
    if (spec.get("securityContext") or {}).get("windowsOptions") is not None:
        yield forbidden(path / "securityContext" / "windowsOptions", _NOT_LINUX)
    for container, where in visit(spec, path):
        if (container.get("securityContext") or {}).get("windowsOptions") is not None:
            yield forbidden(where / "securityContext" / "windowsOptions", _NOT_LINUX)


def _windows_errors(spec: Obj, path: Path) -> FieldErrors:
    context = spec.get("securityContext") or {}
    for name, inside in _POD_FIELDS:
        value = context.get(name) if inside else spec.get(name)
        # What is no pointer in Go counts when it is not empty.
        if value is None or (not value and name in ("hostPID", "hostIPC", "sysctls")):
            continue
        yield forbidden(path / "securityContext" / name if inside else path / name, _NOT_WINDOWS)
    for container, where in visit(spec, path):
        own = container.get("securityContext") or {}
        for name in _CONTAINER_FIELDS:
            if own.get(name) is not None:
                yield forbidden(where / "securityContext" / name, _NOT_WINDOWS)


def host_process_errors(spec: Obj, path: Path) -> FieldErrors:
    """Windows host processes: all containers of the pod, and on the host's network."""
    options = (spec.get("securityContext") or {}).get("windowsOptions") or {}
    of_pod = options.get("hostProcess")
    if of_pod is None and not any(
        "windowsOptions" in (c.get("securityContext") or ()) for c in containers_of(spec)
    ):
        return
    total = found = 0
    for container, where in visit(spec, path):
        total += 1
        own = ((container.get("securityContext") or {}).get("windowsOptions") or {}).get(
            "hostProcess"
        )
        if of_pod is not None and own is not None and of_pod != own:
            yield invalid(
                where / "securityContext" / "windowsOptions" / "hostProcess",
                own,
                "pod hostProcess value must be identical if both are specified, was "
                f"{'true' if of_pod else 'false'}",
            )
        found += bool(of_pod if own is None else own)
    if not found:
        return
    if found != total:
        yield invalid(
            path,
            "",
            "If pod contains any hostProcess containers then all containers must be "
            "HostProcess containers",
        )
    if not spec.get("hostNetwork"):
        yield invalid(
            path / "hostNetwork",
            False,
            "hostNetwork must be true if pod contains any hostProcess containers",
        )
