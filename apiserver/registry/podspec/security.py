"""Security contexts of pods and containers: users, capabilities, profiles, sysctls."""

from __future__ import annotations

import re

from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    duplicate,
    forbidden,
    invalid,
    required,
    too_long,
)
from apimachinery.validation.names import is_id
from apiserver.registry.podspec.checks import one_of
from apiserver.registry.podspec.paths import local_descending_path
from apiserver.registry.podspec.systems import visit
from apiserver.registry.podspec.windows import windows_errors

_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SYSCTL = re.compile(rf"({_SEGMENT}[\./])*{_SEGMENT}")
_SYSCTL_WORDS = f"must have at most 253 characters and match regex ^({_SEGMENT}[\\./])*{_SEGMENT}$"
_SYSCTL_MAX = 253
_IPC_SYSCTLS = ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")
_PROFILE_MAX = 4095  # PATH_MAX - 1
_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")


def pod_security_errors(context: Obj, spec: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with a pod's securityContext."""
    for name in ("fsGroup", "runAsUser", "runAsGroup"):
        yield from _id_errors(context.get(name), path / name)
    for at, group in enumerate(context.get("supplementalGroups") or ()):
        yield from _id_errors(group, (path / "supplementalGroups")[at])
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        why = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield invalid(path / "shareProcessNamespace", True, why)
    if sysctls := context.get("sysctls"):
        yield from _sysctl_errors(sysctls, spec, path / "sysctls")
    if (policy := context.get("fsGroupChangePolicy")) is not None:
        yield from one_of(policy, ("Always", "OnRootMismatch"), path / "fsGroupChangePolicy")
    if (profile := context.get("seccompProfile")) is not None:
        yield from _seccomp_errors(profile, path / "seccompProfile")
    yield from _system_errors(context, path)
    if (policy := context.get("supplementalGroupsPolicy")) is not None:
        yield from one_of(policy, ("Merge", "Strict"), path / "supplementalGroupsPolicy")
    if (policy := context.get("seLinuxChangePolicy")) is not None:
        yield from one_of(policy, ("MountOption", "Recursive"), path / "seLinuxChangePolicy")


def container_security_errors(context: Obj, path: Path, *, host_users: bool) -> FieldErrors:
    """Yield what is wrong with a container's securityContext."""
    for name in ("runAsUser", "runAsGroup"):
        yield from _id_errors(context.get(name), path / name)
    if (mount := context.get("procMount")) is not None:
        yield from one_of(mount, ("Default", "Unmasked"), path / "procMount")
        if mount == "Unmasked" and host_users:
            yield invalid(
                path / "procMount",
                mount,
                "`hostUsers` must be false to use `Unmasked`",
            )
    if (profile := context.get("seccompProfile")) is not None:
        yield from _seccomp_errors(profile, path / "seccompProfile")
    if context.get("allowPrivilegeEscalation") is False:
        yield from _escalation_errors(context, path)
    yield from _system_errors(context, path)


def _escalation_errors(context: Obj, path: Path) -> FieldErrors:
    start = "cannot set `allowPrivilegeEscalation` to false and"
    if context.get("privileged"):
        yield invalid(path, _go_security(context), f"{start} `privileged` to true")
    for capability in (context.get("capabilities") or {}).get("add") or ():
        if capability == "CAP_SYS_ADMIN":
            yield invalid(path, _go_security(context), f"{start} `capabilities.Add` CAP_SYS_ADMIN")


def _go_security(context: Obj) -> Obj:
    """Print a container's securityContext with the names of Go's fields, as messages show it."""
    return {go: context.get(name) for go, name in _GO_SECURITY}


_GO_SECURITY = (
    ("Capabilities", "capabilities"),
    ("Privileged", "privileged"),
    ("SELinuxOptions", "seLinuxOptions"),
    ("WindowsOptions", "windowsOptions"),
    ("RunAsUser", "runAsUser"),
    ("RunAsGroup", "runAsGroup"),
    ("RunAsNonRoot", "runAsNonRoot"),
    ("ReadOnlyRootFilesystem", "readOnlyRootFilesystem"),
    ("AllowPrivilegeEscalation", "allowPrivilegeEscalation"),
    ("ProcMount", "procMount"),
    ("SeccompProfile", "seccompProfile"),
    ("AppArmorProfile", "appArmorProfile"),
)


def _id_errors(value: int | None, path: Path) -> FieldErrors:
    if value is not None:
        for message in is_id(value):
            yield invalid(path, value, message)


def _system_errors(context: Obj, path: Path) -> FieldErrors:
    if (options := context.get("windowsOptions")) is not None:
        yield from windows_errors(options, path / "windowsOptions")
    if (profile := context.get("appArmorProfile")) is not None:
        yield from apparmor_errors(profile, path / "appArmorProfile")


def _seccomp_errors(profile: Obj, path: Path) -> FieldErrors:
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    if not kind:
        yield required(path / "type", "type is required when seccompProfile is set")
    else:
        yield from one_of(kind, _PROFILES, path / "type")
    if kind == "Localhost":
        if local is None:
            yield required(path / "localhostProfile", "must be set when seccomp type is Localhost")
        else:
            yield from local_descending_path(local, path / "localhostProfile")
    elif local is not None:
        shown = {"Type": kind, "LocalhostProfile": local}
        yield invalid(
            path / "localhostProfile", shown, "can only be set when seccomp type is Localhost"
        )


def apparmor_errors(profile: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with an AppArmor profile."""
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    where = path / "localhostProfile"
    if kind == "Localhost":
        if local is None or not local:
            yield required(where, "must be set when AppArmor type is Localhost")
        elif local.strip() != local:
            yield invalid(where, local, "must not be padded with whitespace")
        if local and len(local) > _PROFILE_MAX:
            yield too_long(where, "", _PROFILE_MAX)
    elif kind in _PROFILES:
        if local is not None:
            yield invalid(where, local, "can only be set when AppArmor type is Localhost")
    elif not kind:
        yield required(path / "type", "type is required when appArmorProfile is set")
    else:
        yield from one_of(kind, _PROFILES, path / "type")


def _sysctl_errors(sysctls: list[Obj], spec: Obj, path: Path) -> FieldErrors:
    seen: set[str] = set()
    for at, sysctl in enumerate(sysctls):
        name, where = sysctl.get("name") or "", path[at] / "name"
        if not name:
            yield required(where)
        elif len(name) > _SYSCTL_MAX or not _SYSCTL.fullmatch(name):
            yield invalid(where, name, _SYSCTL_WORDS)
        elif name in seen:
            yield duplicate(where, name)
        seen.add(name)
        plain = name.replace("/", ".")
        if spec.get("hostNetwork") and plain.startswith("net."):
            yield invalid(where, name, "may not be specified when 'hostNetwork' is true")
        elif spec.get("hostIPC") and plain.startswith(_IPC_SYSCTLS):
            yield invalid(where, name, "may not be specified when 'hostIPC' is true")


def host_users_errors(spec: Obj, path: Path) -> FieldErrors:
    """Yield what a pod with users of its own cannot have: the host's namespaces, raw devices."""
    why = "when `hostUsers` is false"
    for name, shown in (
        ("hostNetwork", "hostNetwork"),
        ("hostPID", "HostPID"),
        ("hostIPC", "HostIPC"),
    ):
        if spec.get(name):
            yield forbidden(path / shown, why)
    for container, where in visit(spec, path):
        if container.get("volumeDevices"):
            yield forbidden(where / "volumeDevices", why)
