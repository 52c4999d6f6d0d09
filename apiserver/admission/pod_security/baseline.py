"""The checks of level baseline: nothing that is known to open the node up."""

from __future__ import annotations

from collections.abc import Iterator

from apimachinery.sysctls import SAFE
from apiserver.admission.pod_security.findings import (
    Finding,
    Spec,
    has_own_users,
    holders,
    named,
    names_where,
    plural,
    quoted,
    security,
    setters,
)
from apiserver.admission.pod_specs import containers

CAPABILITIES = frozenset(
    [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ]
)
SELINUX_TYPES = frozenset(("", "container_t", "container_init_t", "container_kvm_t"))
SELINUX_TYPES_31 = SELINUX_TYPES | {"container_engine_t"}
SYSCTLS = frozenset(
    [
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
    ]
)
SYSCTLS_27 = SYSCTLS | {"net.ipv4.ip_local_reserved_ports"}
SYSCTLS_29 = SYSCTLS_27 | {
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
}
SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
SECCOMP = frozenset(("RuntimeDefault", "Localhost"))
APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"
APPARMOR = frozenset(("RuntimeDefault", "Localhost"))
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def app_armor(metadata: Spec, spec: Spec) -> Iterator[Finding]:
    def kind(holder: Spec) -> str | None:
        return (security(holder).get("appArmorProfile") or {}).get("type")

    found = setters(spec, lambda each: kind(each) not in {None, *APPARMOR})
    values = {value for each in holders(spec) if (value := kind(each)) not in {None, *APPARMOR}}
    wrong = {
        key: value
        for key, value in (metadata.get("annotations") or {}).items()
        if key.startswith(APPARMOR_ANNOTATION) and not _allowed_profile(value)
    }
    if wrong:
        found.append(f"{plural(len(wrong), 'annotation', 'annotations')} {quoted(sorted(wrong))}")
    shown = sorted({str(value) for value in values} | set(wrong.values()))
    if found:
        reason = plural(len(shown), "forbidden AppArmor profile", "forbidden AppArmor profiles")
        detail = f"{' and '.join(found)} must not set AppArmor profile type to {quoted(shown)}"
        yield Finding(reason, detail)


def _allowed_profile(profile: str) -> bool:
    return profile in {"", "runtime/default"} or profile.startswith("localhost/")


def capabilities(metadata: Spec, spec: Spec) -> Iterator[Finding]:
    del metadata

    def added(container: Spec) -> set[str]:
        listed = (security(container).get("capabilities") or {}).get("add") or ()
        return set(listed) - CAPABILITIES

    names = names_where(spec, lambda each: bool(added(each)))
    if names:
        values = sorted(set().union(*map(added, containers(spec))))
        where = "securityContext.capabilities.add"
        detail = f"{named(names)} must not include {quoted(values)} in {where}"
        yield Finding("non-default capabilities", detail)


def host_namespaces(metadata: Spec, spec: Spec) -> Iterator[Finding]:
    del metadata
    fields = [field for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
    if fields:
        yield Finding("host namespaces", ", ".join(f"{field}=true" for field in fields))


def host_path_volumes(metadata: Spec, spec: Spec) -> Iterator[Finding]:
    del metadata
    names = [each.get("name", "") for each in spec.get("volumes") or () if "hostPath" in each]
    if names:
        words = plural(len(names), "volume", "volumes")
        yield Finding("hostPath volumes", f"{words} {quoted(names)}")


def host_ports(metadata: Spec, spec: Spec) -> Iterator[Finding]:
    del metadata

    def ports(container: Spec) -> set[str]:
        listed = container.get("ports") or ()
        return {str(each["hostPort"]) for each in listed if each.get("hostPort")}

    names = names_where(spec, lambda each: bool(ports(each)))
    if names:
        values = sorted(set().union(*map(ports, containers(spec))))
        use = plural(len(names), "uses", "use")
        what = plural(len(values), "hostPort", "hostPorts")
        yield Finding("hostPort", f"{named(names)} {use} {what} {', '.join(values)}")


def host_probes(metadata: Spec, spec: Spec) -> Iterator[Finding]:
    del metadata
    names = sorted(set(names_where(spec, lambda each: bool(_hosts(each)))))
    if names:
        values = sorted(set().union(*map(_hosts, containers(spec))))
        use = plural(len(names), "uses", "use")
        reason = "probe or lifecycle host"
        what = plural(len(values), reason, f"{reason}s")
        yield Finding(reason, f"{named(names)} {use} {what} {quoted(values)}")


def _hosts(container: Spec) -> set[str]:
    lifecycle = container.get("lifecycle") or {}
    handlers = [container.get(probe) or {} for probe in _PROBES]
    handlers += [lifecycle.get(hook) or {} for hook in ("postStart", "preStop")]
    found = {(h.get(way) or {}).get("host") for h in handlers for way in ("httpGet", "tcpSocket")}
    return {host for host in found if host}


def privileged(metadata: Spec, spec: Spec) -> Iterator[Finding]:
    del metadata
    names = names_where(spec, lambda each: bool(security(each).get("privileged")))
    if names:
        detail = f"{named(names)} must not set securityContext.privileged=true"
        yield Finding("privileged", detail)


def proc_mount(metadata: Spec, spec: Spec, *, own_users: bool = True) -> Iterator[Finding]:
    """`own_users`: a pod whose users are nobody on the node may do as it likes."""
    del metadata
    if own_users and has_own_users(spec):
        return

    def wrong(container: Spec) -> bool:
        return security(container).get("procMount") not in {None, "Default"}

    names = names_where(spec, wrong)
    if names:
        values = sorted({security(c)["procMount"] for c in containers(spec) if wrong(c)})
        words = f"must not set securityContext.procMount to {quoted(values)}"
        yield Finding("procMount", f"{named(names)} {words}")


def selinux_options(
    metadata: Spec, spec: Spec, *, allowed: frozenset[str] = SELINUX_TYPES_31
) -> Iterator[Finding]:
    del metadata

    def options(holder: Spec) -> Spec:
        return security(holder).get("seLinuxOptions") or {}

    def wrong(holder: Spec) -> bool:
        set_ = options(holder)
        return bool(set_.get("type", "") not in allowed or set_.get("user") or set_.get("role"))

    found = setters(spec, wrong)
    if not found:
        return
    every = [options(holder) for holder in holders(spec)]
    types = sorted({each.get("type", "") for each in every} - allowed)
    data = [f"{plural(len(types), 'type', 'types')} {quoted(types)}"] if types else []
    data += [f"{f} may not be set" for f in ("user", "role") if any(e.get(f) for e in every)]
    words = f"set forbidden securityContext.seLinuxOptions: {'; '.join(data)}"
    yield Finding("seLinuxOptions", f"{' and '.join(found)} {words}")


def seccomp_annotations(metadata: Spec, spec: Spec) -> Iterator[Finding]:
    """Until v1.19 the profile was an annotation."""
    annotations = metadata.get("annotations") or {}
    keys = [SECCOMP_POD, *(SECCOMP_CONTAINER + each.get("name", "") for each in containers(spec))]
    wrong = sorted(
        f"{key}={quoted([annotations[key]])}"
        for key in set(keys)
        if key in annotations and not _allowed_seccomp(annotations[key])
    )
    if wrong:
        words = plural(len(wrong), "annotation", "annotations")
        yield Finding("seccompProfile", f"forbidden {words} {', '.join(wrong)}")


def _allowed_seccomp(profile: str) -> bool:
    return profile in {"runtime/default", "docker/default"} or profile.startswith("localhost/")


def seccomp(metadata: Spec, spec: Spec) -> Iterator[Finding]:
    del metadata
    found = setters(spec, wrong_seccomp)
    if found:
        types = {seccomp_type(each) for each in holders(spec) if wrong_seccomp(each)}
        values = quoted(sorted(str(each) for each in types))
        words = f"must not set securityContext.seccompProfile.type to {values}"
        yield Finding("seccompProfile", f"{' and '.join(found)} {words}")


def seccomp_type(holder: Spec) -> str | None:
    """Return the type of a seccomp profile, None where there is no profile."""
    profile = security(holder).get("seccompProfile")
    return None if profile is None else profile.get("type", "")


def wrong_seccomp(holder: Spec) -> bool:
    return seccomp_type(holder) not in {None, *SECCOMP}


def sysctls(metadata: Spec, spec: Spec, *, allowed: frozenset[str] = SAFE) -> Iterator[Finding]:
    del metadata
    names = [each.get("name", "") for each in security(spec).get("sysctls") or ()]
    wrong = [name for name in names if name not in allowed]
    if wrong:
        yield Finding("forbidden sysctls", ", ".join(wrong))


def windows_host_process(metadata: Spec, spec: Spec) -> Iterator[Finding]:
    del metadata

    def wrong(holder: Spec) -> bool:
        return bool((security(holder).get("windowsOptions") or {}).get("hostProcess"))

    found = setters(spec, wrong)
    if found:
        words = "must not set securityContext.windowsOptions.hostProcess=true"
        yield Finding("hostProcess", f"{' and '.join(found)} {words}")
