"""The checks of level restricted: pods that follow what is known to be good practice."""

from __future__ import annotations

from collections.abc import Iterator

from apiserver.admission.pod_security.baseline import seccomp, seccomp_type, wrong_seccomp
from apiserver.admission.pod_security.findings import (
    Finding,
    Spec,
    has_own_users,
    is_windows,
    named,
    names_where,
    plural,
    quoted,
    security,
    setters,
)
from apiserver.admission.pod_specs import containers

VOLUMES = frozenset(
    [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ]
)
NET_BIND = "NET_BIND_SERVICE"


def privilege_escalation(metadata: Spec, spec: Spec, *, windows: bool = True) -> Iterator[Finding]:
    """`windows`: pods for Windows, which knows no such thing, are left alone."""
    del metadata
    if windows and is_windows(spec):
        return

    def wrong(container: Spec) -> bool:
        return security(container).get("allowPrivilegeEscalation") is not False

    names = names_where(spec, wrong)
    if names:
        words = "must set securityContext.allowPrivilegeEscalation=false"
        yield Finding("allowPrivilegeEscalation != false", f"{named(names)} {words}")


def capabilities(metadata: Spec, spec: Spec, *, windows: bool = True) -> Iterator[Finding]:
    """`windows`: pods for Windows, which knows no such thing, are left alone."""
    del metadata
    if windows and is_windows(spec):
        return

    def listed(container: Spec, field: str) -> set[str]:
        return set((security(container).get("capabilities") or {}).get(field) or ())

    details = []
    keeping = names_where(spec, lambda each: "ALL" not in listed(each, "drop"))
    if keeping:
        details.append(f'{named(keeping)} must set securityContext.capabilities.drop=["ALL"]')
    adding = names_where(spec, lambda each: bool(listed(each, "add") - {NET_BIND}))
    if adding:
        values = set().union(*(listed(each, "add") for each in containers(spec))) - {NET_BIND}
        where = "securityContext.capabilities.add"
        details.append(f"{named(adding)} must not include {quoted(sorted(values))} in {where}")
    if details:
        yield Finding("unrestricted capabilities", "; ".join(details))


def volumes(metadata: Spec, spec: Spec) -> Iterator[Finding]:
    del metadata
    wrong: list[str] = []
    kinds: set[str] = set()
    for volume in spec.get("volumes") or ():
        sources = [key for key in volume if key != "name"]
        if not VOLUMES & set(sources):
            wrong.append(volume.get("name", ""))
            kinds.update(sources or ["unknown"])
    if wrong:
        names = f"{plural(len(wrong), 'volume', 'volumes')} {quoted(wrong)}"
        use = plural(len(wrong), "uses", "use")
        what = plural(len(kinds), "restricted volume type", "restricted volume types")
        detail = f"{names} {use} {what} {quoted(sorted(kinds))}"
        yield Finding("restricted volume types", detail)


def run_as_non_root(metadata: Spec, spec: Spec, *, own_users: bool = True) -> Iterator[Finding]:
    del metadata
    if own_users and has_own_users(spec):
        return
    reason = "runAsNonRoot != true"
    found = setters(spec, lambda each: security(each).get("runAsNonRoot") is False)
    if found:
        words = "must not set securityContext.runAsNonRoot=false"
        yield Finding(reason, f"{' and '.join(found)} {words}")
        return
    if security(spec).get("runAsNonRoot"):
        return
    names = names_where(spec, lambda each: security(each).get("runAsNonRoot") is None)
    if names:
        words = "must set securityContext.runAsNonRoot=true"
        yield Finding(reason, f"pod or {named(names)} {words}")


def run_as_user(metadata: Spec, spec: Spec, *, own_users: bool = True) -> Iterator[Finding]:
    del metadata
    if own_users and has_own_users(spec):
        return
    found = setters(spec, lambda each: security(each).get("runAsUser") == 0)
    if found:
        yield Finding("runAsUser=0", f"{' and '.join(found)} must not set runAsUser=0")


def seccomp_profile(metadata: Spec, spec: Spec, *, windows: bool = True) -> Iterator[Finding]:
    if windows and is_windows(spec):
        return
    explicit = list(seccomp(metadata, spec))
    yield from explicit
    if explicit or (seccomp_type(spec) is not None and not wrong_seccomp(spec)):
        return
    names = names_where(spec, lambda each: seccomp_type(each) is None)
    if names:
        words = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
        yield Finding("seccompProfile", f"pod or {named(names)} {words}")
