"""Which checks make up a level, in the order in which they are reported.

A check has variants, each from a minor version of Kubernetes on: a namespace that pins a version
is held to what the check was then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import NamedTuple

from apiserver.admission.pod_security import baseline, restricted
from apiserver.admission.pod_security.findings import Finding, Spec
from apiserver.admission.pod_security.policy import LevelVersion

Run = Callable[[Spec, Spec], Iterator[Finding]]


class Check(NamedTuple):
    """A check by the minor versions that changed it."""

    variants: Mapping[int, Run]
    # The check of level restricted that says the same and more, from its first version on.
    replaced_by: Mapping[int, Run] | None = None

    def at(self, minor: int) -> Run | None:
        """Return the variant of a version, None where there was none yet."""
        since = max((each for each in self.variants if each <= minor), default=None)
        return None if since is None else self.variants[since]


_CAPABILITIES: Mapping[int, Run] = {
    22: partial(restricted.capabilities, windows=False),
    25: restricted.capabilities,
}
_VOLUMES: Mapping[int, Run] = {0: restricted.volumes}
_SECCOMP: Mapping[int, Run] = {
    19: partial(restricted.seccomp_profile, windows=False),
    25: restricted.seccomp_profile,
}
# Level restricted does without the exception that baseline makes for users of a pod's own.
_ALL_PROC_MOUNTS = partial(baseline.proc_mount, own_users=False)
_PROC_MOUNT: Mapping[int, Run] = {35: _ALL_PROC_MOUNTS}
BASELINE = (
    Check({0: baseline.app_armor}),
    Check({0: baseline.capabilities}, replaced_by=_CAPABILITIES),
    Check({0: baseline.host_namespaces}),
    Check({0: baseline.host_path_volumes}, replaced_by=_VOLUMES),
    Check({0: baseline.host_ports}),
    Check({34: baseline.host_probes}),
    Check({0: baseline.privileged}),
    Check({0: _ALL_PROC_MOUNTS, 35: baseline.proc_mount}, replaced_by=_PROC_MOUNT),
    Check(
        {
            0: partial(baseline.selinux_options, allowed=baseline.SELINUX_TYPES),
            31: baseline.selinux_options,
        }
    ),
    Check({0: baseline.seccomp_annotations, 19: baseline.seccomp}, replaced_by=_SECCOMP),
    Check(
        {
            0: partial(baseline.sysctls, allowed=baseline.SYSCTLS),
            27: partial(baseline.sysctls, allowed=baseline.SYSCTLS_27),
            29: partial(baseline.sysctls, allowed=baseline.SYSCTLS_29),
            32: baseline.sysctls,
        }
    ),
    Check({0: baseline.windows_host_process}),
)
RESTRICTED = (
    Check(
        {
            8: partial(restricted.privilege_escalation, windows=False),
            25: restricted.privilege_escalation,
        }
    ),
    Check(_CAPABILITIES),
    Check(_PROC_MOUNT),
    Check(_VOLUMES),
    Check(
        {0: partial(restricted.run_as_non_root, own_users=False), 35: restricted.run_as_non_root}
    ),
    Check({23: partial(restricted.run_as_user, own_users=False), 35: restricted.run_as_user}),
    Check(_SECCOMP),
)


@cache
def checks(level: str, minor: int) -> tuple[Run, ...]:
    """Return the checks of a level as they were in a version of Kubernetes."""
    if level != "restricted":
        chosen = list(BASELINE)
    else:
        kept = (c for c in BASELINE if not c.replaced_by or min(c.replaced_by) > minor)
        chosen = [*kept, *RESTRICTED]
    found = (check.at(minor) for check in chosen)
    return tuple(run for run in found if run is not None)


def violations(mode: LevelVersion, metadata: Spec, spec: Spec) -> str:
    """Say what of a pod the level does not allow; "" if it allows all."""
    if not mode.strictness:
        return ""
    runs = checks(mode.level, min(mode.minor, NEWEST_CHECK))
    return ", ".join(str(finding) for run in runs for finding in run(metadata, spec))


# What is newer than every variant is read as the newest, so that few combinations are kept.
NEWEST_CHECK = max(since for check in (*BASELINE, *RESTRICTED) for since in check.variants)
