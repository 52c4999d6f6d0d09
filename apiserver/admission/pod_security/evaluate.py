"""Which checks make up a level, in the order in which they are reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from apiserver.admission.pod_security import baseline, restricted
from apiserver.admission.pod_security.findings import Finding, Spec
from apiserver.admission.pod_security.policy import LevelVersion


class Check(NamedTuple):
    """A check, and the minor version of Kubernetes that brought it."""

    run: Callable[[Spec, Spec], Iterator[Finding]]
    since: int = 0
    # A stricter check of level restricted says the same and more.
    replaced: bool = False


BASELINE: Sequence[Check] = (
    Check(baseline.app_armor),
    Check(baseline.capabilities, replaced=True),
    Check(baseline.host_namespaces),
    Check(baseline.host_path_volumes, replaced=True),
    Check(baseline.host_ports),
    Check(baseline.host_probes, since=34),
    Check(baseline.privileged),
    Check(baseline.proc_mount),
    Check(baseline.selinux_options),
    Check(baseline.seccomp, since=19, replaced=True),
    Check(baseline.sysctls),
    Check(baseline.windows_host_process),
)
RESTRICTED: Sequence[Check] = (
    Check(restricted.privilege_escalation, since=8),
    Check(restricted.capabilities, since=22),
    Check(restricted.volumes),
    Check(restricted.run_as_non_root),
    Check(restricted.run_as_user, since=23),
    Check(restricted.seccomp_profile, since=19),
)


def violations(mode: LevelVersion, metadata: Spec, spec: Spec) -> str:
    """Say what of a pod the level does not allow; "" if it allows all."""
    if not mode.strictness:
        return ""
    strict = mode.level == "restricted"
    checks = [check for check in BASELINE if not (strict and check.replaced)]
    checks += RESTRICTED if strict else ()
    found = (
        str(finding)
        for check in checks
        if check.since <= mode.minor
        for finding in check.run(metadata, spec)
    )
    return ", ".join(found)
