"""From the operator's flags to the options of the parts that go by them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress

from apimachinery.clock import Clock
from apiserver.admission.configuration import read_configuration
from apiserver.admission.options import AdmissionOptions
from apiserver.admission.order import option_problems
from apiserver.audit.files import Keeping
from apiserver.audit.log import FORMATS, AuditLog, open_log
from apiserver.audit.policy import load_policy
from apiserver.endpoints.options import ServingOptions
from apiserver.flowcontrol.options import FlowOptions
from apiserver.registry import gates
from apiserver.registry.core.servicenetwork import ServiceNetwork, cidr_problems
from apiserver.registry.room import Room
from nodes.controllers import switches
from playground.auth_options import (
    auth_options,
    authentication_problems,
    authorization_problems,
)
from playground.flags import Flags, all_flags
from playground.loopback import is_loopback


def serving_options(flags: Flags, clock: Clock) -> ServingOptions:
    """Return how requests are served, and open the audit log."""
    policy = load_policy(flags.audit_policy_file) if flags.audit_policy_file else None
    return ServingOptions(
        request_timeout=flags.request_timeout,
        min_request_timeout=flags.min_request_timeout,
        flags=tuple(
            (each.name, each.syntax.write(getattr(flags, each.attribute))) for each in all_flags()
        ),
        room=Room(_setting("OBJECTS", Room().objects), _setting("BYTES", Room().size)),
        max_watches=_setting("WATCHES", ServingOptions().max_watches),
        audit=policy,
        audit_log=_audit_log(flags, clock) if policy else None,
        flow=FlowOptions(
            flags.enable_priority_and_fairness,
            flags.max_requests_inflight,
            flags.max_mutating_requests_inflight,
        ),
    )


def _setting(name: str, default: int) -> int:
    """Return a limit of clusters that the operator has set, as KUBEGROUND_MAX_..."""
    text = os.environ.get(f"KUBEGROUND_MAX_{name}", "")
    return int(text) if text.isascii() and text.isdigit() else default


def _audit_log(flags: Flags, clock: Clock) -> AuditLog | None:
    if not flags.audit_log_path:
        return None
    keeping = Keeping(flags.audit_log_maxage, flags.audit_log_maxbackup, flags.audit_log_maxsize)
    return open_log(flags.audit_log_path, flags.audit_log_format, keeping, clock)


def admission_options(flags: Flags) -> AdmissionOptions:
    """Return what the flags say of admission. Raises ValueError for a file that is not right."""
    return AdmissionOptions(
        flags.enable_admission_plugins,
        flags.disable_admission_plugins,
        read_configuration(flags.admission_control_config_file),
        flags.default_not_ready_toleration_seconds,
        flags.default_unreachable_toleration_seconds,
    )


def service_network(flags: Flags) -> ServiceNetwork:
    """Return what new clusters have for their Services."""
    return ServiceNetwork(
        tuple(flags.service_cluster_ip_range.split(",")), flags.service_node_port_range
    )


def switch_features(flags: Flags) -> Flags:
    """Switch on what is not on by itself, before anything is served; return the flags."""
    gates.switch(gates.chosen(flags.feature_gates, flags.runtime_config))
    return flags


def _service_ranges(flags: Flags) -> Iterator[str]:
    yield from cidr_problems(service_network(flags).cidrs)


def _admission_problems(flags: Flags) -> Iterator[str]:
    with suppress(ValueError):  # said already
        yield from option_problems(admission_options(flags))


def _not_negative(flags: Flags) -> Iterator[str]:
    for name in (
        "max_requests_inflight",
        "max_mutating_requests_inflight",
        "request_timeout",
        "min_request_timeout",
    ):
        if getattr(flags, name) < 0:
            yield f"--{name.replace('_', '-')} can not be negative value"


def _insecure(flags: Flags) -> Iterator[str]:
    if not 0 <= flags.insecure_port <= 65535:
        yield (
            f"--insecure-port {flags.insecure_port} must be between 0 and 65535, inclusive. 0 for "
            "turning off insecure (HTTP) port"
        )
    if not is_loopback(flags.insecure_bind_address):
        yield (
            f'--insecure-bind-address "{flags.insecure_bind_address}" must be a loopback address: '
            "whoever reaches the insecure port may do everything"
        )


def _unreadable(flags: Flags) -> Iterator[str]:
    """Yield what is wrong with the files that flags name."""
    for read in (auth_options, admission_options):
        try:
            read(flags)
        except ValueError as error:
            yield str(error)


def _audit(flags: Flags) -> Iterator[str]:
    if flags.audit_policy_file:
        try:
            load_policy(flags.audit_policy_file)
        except ValueError as error:
            yield f"loading audit policy file: {error}"
    if flags.audit_log_format not in FORMATS:
        allowed = ",".join(FORMATS)
        yield f'invalid audit log format {flags.audit_log_format}, allowed formats are "{allowed}"'
    for name in ("maxage", "maxbackup", "maxsize"):
        if (value := getattr(flags, f"audit_log_{name}")) < 0:
            yield f"--audit-log-{name} {value} can't be a negative number"


def _controllers(flags: Flags) -> Iterator[str]:
    yield from switches.problems(flags.controllers)


def _features(flags: Flags) -> Iterator[str]:
    yield from gates.problems(flags.feature_gates, flags.runtime_config)


Check = Callable[[Flags], Iterator[str]]
CHECKS: tuple[Check, ...] = (
    _not_negative,
    _insecure,
    _service_ranges,
    authentication_problems,
    authorization_problems,
    _unreadable,
    _admission_problems,
    _audit,
    _controllers,
    _features,
)


def problems(flags: Flags) -> str:
    """Say what is wrong with flags together, in kube-apiserver's words; "" if nothing is."""
    told = list(dict.fromkeys(problem for check in CHECKS for problem in check(flags)))
    return told[0] if len(told) == 1 else f"[{', '.join(told)}]" if told else ""
