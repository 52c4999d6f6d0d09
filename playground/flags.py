"""The control plane's flags: Kubernetes' own names, types and defaults, each declared once.

A flag is one line of `Flags`: its field's name is the flag's (`anonymous_auth` is
`--anonymous-auth`), its annotation says how it is written, `flag(default, group, help)` the rest.
The parent and the worker both take all of them (`add_flags`, `read_flags`); the parent hands them
on as it got them (`Flags.arguments`), and they reach each cluster with its `Surface`.
`docs/flags.md` is written from here (`python -m playground.flags`).

What one value cannot say wrong by itself is for `CHECKS` in `playground.options`: functions that
yield what kube-apiserver would say of a combination.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, NewType, TypeVar

from apimachinery.booleans import parse_bool
from apimachinery.duration import format_duration, parse_duration
from apiserver.admission.order import ORDER
from apiserver.auth.tokens import ISSUER
from apiserver.registry.core.servicenetwork import DEFAULT_CIDR, DEFAULT_PORTS

Duration = NewType("Duration", float)  # seconds; written as Go writes them: 1m30s
Words = tuple[str, ...]  # separated by commas; given again, the flag adds to them
Pairs = tuple[tuple[str, str], ...]  # key=value, separated by commas; likewise
PortRange = NewType("PortRange", tuple[int, int])  # the first and the last: 30000-32767

AUTHENTICATION, AUTHORIZATION = "Authentication", "Authorization"
SERVING, SERVICES = "Serving", "Services"
AUDITING = "Auditing"
ADMISSION = "Admission"
CONTROLLERS = "Controllers"
FEATURES = "Features"

T = TypeVar("T")


def flag(default: T, group: str, help_text: str) -> T:
    """Declare a flag: its default, the heading that it stands under, and what it does."""
    made: T = field(default=default, metadata={"group": group, "help": help_text})
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """Everything that an operator may say about the control plane."""

    anonymous_auth: bool = flag(
        True, AUTHENTICATION, "Requests without credentials are those of system:anonymous."
    )
    token_auth_file: str = flag(
        "",
        AUTHENTICATION,
        "File of bearer tokens, lines of token, user, uid, and groups in quotes.",
    )
    authentication_config: str = flag(
        "",
        AUTHENTICATION,
        "File with an AuthenticationConfiguration: issuers of tokens outside, and which paths "
        "anonymous requests may ask for. Instead of the --oidc flags.",
    )
    oidc_issuer_url: str = flag(
        "", AUTHENTICATION, "URL of an OpenID issuer, with https; its tokens name users."
    )
    oidc_client_id: str = flag(
        "", AUTHENTICATION, "Whom the tokens of the OpenID issuer have to be for."
    )
    oidc_username_claim: str = flag("sub", AUTHENTICATION, "The claim that names the user.")
    oidc_username_prefix: str = flag(
        "",
        AUTHENTICATION,
        "What stands before user names, - for nothing; without it the issuer's URL and #, unless "
        "the claim is email.",
    )
    oidc_groups_claim: str = flag("", AUTHENTICATION, "The claim that lists the user's groups.")
    oidc_groups_prefix: str = flag("", AUTHENTICATION, "What stands before the names of groups.")
    oidc_required_claim: Pairs = flag(
        (), AUTHENTICATION, "Claims that every token must have, with their values."
    )
    oidc_signing_algs: Words = flag(
        ("RS256",), AUTHENTICATION, "Algorithms that tokens may be signed with."
    )
    oidc_ca_file: str = flag(
        "", AUTHENTICATION, "File with the CA of the OpenID issuer, instead of the machine's."
    )
    service_account_issuer: Words = flag(
        (ISSUER,),
        AUTHENTICATION,
        "Issuers of service account tokens: the first one signs, tokens of all are good.",
    )
    api_audiences: Words = flag(
        (), AUTHENTICATION, "For whom tokens have to be; without it the service account issuers."
    )
    service_account_jwks_uri: str = flag(
        "", AUTHENTICATION, "Where the discovery document says that the keys are."
    )
    service_account_extend_token_expiration: bool = flag(
        True,
        AUTHENTICATION,
        "Tokens that are mounted into pods live for a year, for clients that read them once.",
    )
    service_account_max_token_expiration: Duration = flag(
        Duration(0.0), AUTHENTICATION, "How long a token may live that somebody asks for."
    )
    authorization_mode: Words = flag(
        ("Node", "RBAC"),
        AUTHORIZATION,
        "Who decides, in this order: Node, RBAC, ABAC, AlwaysAllow, AlwaysDeny.",
    )
    authorization_policy_file: str = flag(
        "", AUTHORIZATION, "File of policies for ABAC, each a line of JSON."
    )

    enable_priority_and_fairness: bool = flag(
        True,
        SERVING,
        "FlowSchemas and PriorityLevelConfigurations decide who is served; without them the two "
        "numbers below are limits.",
    )
    max_requests_inflight: int = flag(
        400,
        SERVING,
        "With the number below the seats of a cluster; without priority and fairness how many "
        "reads may be under way at once, 0 for no limit.",
    )
    max_mutating_requests_inflight: int = flag(
        200, SERVING, "The same for requests that change something."
    )
    request_timeout: Duration = flag(
        Duration(60.0), SERVING, "What a request may take that is not meant to run long."
    )
    min_request_timeout: int = flag(
        1800,
        SERVING,
        "Seconds after which watches end that name no timeout, at the earliest; at the latest "
        "after twice as many.",
    )
    insecure_port: int = flag(
        0,
        SERVING,
        "Port of plain HTTP where everybody may do everything, on this machine alone; 0 for none. "
        "Deprecated.",
    )
    insecure_bind_address: str = flag(
        "127.0.0.1", SERVING, "Address of the insecure port: a loopback one. Deprecated."
    )

    service_cluster_ip_range: str = flag(
        DEFAULT_CIDR,
        SERVICES,
        "Where Services of new clusters get their addresses from: a range of IPv4, and after a "
        "comma one of IPv6, if they are to have both. Ranges of clusters that are there are "
        "ServiceCIDRs.",
    )
    service_node_port_range: PortRange = flag(
        PortRange(DEFAULT_PORTS), SERVICES, "The ports that Services may have on nodes."
    )

    audit_policy_file: str = flag(
        "", AUDITING, "File with the audit Policy; without it no request is written down."
    )
    audit_log_path: str = flag(
        "",
        AUDITING,
        "File that audit events are written to, `-` for standard output. The last events of each "
        "cluster are kept in memory in any case.",
    )
    audit_log_format: str = flag("json", AUDITING, "`json`, or `legacy` for a line of text.")
    audit_log_maxage: int = flag(
        366, AUDITING, "Days for which old audit log files are kept; 0 for any time."
    )
    audit_log_maxbackup: int = flag(
        100, AUDITING, "How many old audit log files are kept; 0 for any number."
    )
    audit_log_maxsize: int = flag(
        100, AUDITING, "Megabytes from which on a new audit log file is begun."
    )

    enable_admission_plugins: Words = flag(
        ("NodeRestriction",),
        ADMISSION,
        "Plugins that run beside those that are on by default, in whatever order: "
        + ", ".join(f"{e.name}{'' if e.on else ' (off)'}" for e in ORDER),
    )
    disable_admission_plugins: Words = flag(
        (), ADMISSION, "Plugins that do not run although they are on by default."
    )
    admission_control_config_file: str = flag(
        "", ADMISSION, "File with an AdmissionConfiguration: how single plugins are set."
    )
    default_not_ready_toleration_seconds: int = flag(
        300, ADMISSION, "How long a pod stays on a node that is not ready, unless it says."
    )
    default_unreachable_toleration_seconds: int = flag(
        300, ADMISSION, "How long a pod stays on a node that cannot be reached, unless it says."
    )

    feature_gates: Pairs = flag(
        (),
        FEATURES,
        "Features that are on though they are off by default, as `GenericWorkload=true`: "
        "DRADeviceTaintRules, DRAWorkloadResourceClaims, EnableWorkloadWithJob, GangScheduling, "
        "GenericWorkload, MaxUnavailableStatefulSet, StorageVersionAPI, StorageVersionMigrator, "
        "TopologyAwareWorkloadScheduling, WorkloadAwarePreemption. `APIServerIdentity=false` is "
        "without the Lease by which the API server says that it lives.",
    )
    runtime_config: Pairs = flag(
        (),
        FEATURES,
        "Versions of the API that are served besides the usual ones, as "
        "`scheduling.k8s.io/v1alpha2=true` or `resource.k8s.io/v1beta2=true`; also api/all, "
        "api/alpha and api/beta.",
    )

    controllers: Words = flag(
        ("*",),
        CONTROLLERS,
        "Controllers that run: `*` is all, `foo` runs foo, `-foo` does not. They have "
        "kube-controller-manager's names.",
    )

    def arguments(self) -> list[str]:
        """Return the flags that differ from their defaults as a command line."""
        line: list[str] = []
        for each in all_flags():
            value = getattr(self, each.attribute)
            if value != each.default:
                line.append(f"--{each.name}={each.syntax.write(value)}")
        return line


DEFAULTS = Flags()


# -- how values are written -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Syntax:
    """How a type of value is read and written on a command line."""

    name: str
    read: Callable[[str], Any]
    write: Callable[[Any], str]
    # Given more than once, the values add up instead of the last one winning.
    adds_up: bool = False


_PORTS = re.compile(r"([0-9]+)(?:([-+])([0-9]+))?")
_HIGHEST_PORT = 65535
_PAIR = re.compile(r"([^=]*)=(.*)", re.DOTALL)


def _read_int(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueError(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def _read_words(text: str) -> Words:
    return tuple(text.split(",")) if text else ()


def _read_pairs(text: str) -> Pairs:
    found = []
    for part in text.split(","):
        pair = _PAIR.fullmatch(part)
        if pair is None:
            raise ValueError(f"{part} must be formatted as key=value")
        found.append((pair[1].strip(), pair[2].strip()))
    return tuple(found)


def _read_port_range(text: str) -> PortRange:
    """Read one port, `first-last` or `first+more`; nothing is the usual range."""
    text = text.strip()
    if not text:
        return PortRange(DEFAULT_PORTS)
    found = _PORTS.fullmatch(text)
    if found is None:
        raise ValueError(f"unable to parse port range: {text}")
    first, more = int(found[1]), int(found[3] or 0)
    last = {"-": more, "+": first + more}.get(found[2] or "", first)
    if max(first, last) > _HIGHEST_PORT:
        raise ValueError(f"the port range cannot be greater than {_HIGHEST_PORT}: {text}")
    if last < first:
        raise ValueError(f"end port cannot be less than start port: {text}")
    return PortRange((first, last))


_SYNTAX: Mapping[Any, Syntax] = {
    bool: Syntax("bool", parse_bool, lambda value: str(value).lower()),
    int: Syntax("int", _read_int, str),
    str: Syntax("string", str, str),
    Duration: Syntax("duration", parse_duration, format_duration),
    PortRange: Syntax("portRange", _read_port_range, lambda value: "{}-{}".format(*value)),
    Words: Syntax("strings", _read_words, ",".join, adds_up=True),
    Pairs: Syntax(
        "key=value,...",
        _read_pairs,
        lambda value: ",".join(map("=".join, value)),
        adds_up=True,
    ),
}


# -- the list, as parsers and documents want it ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag, taken off its line in `Flags`."""

    attribute: str
    default: Any
    group: str
    help: str
    syntax: Syntax

    @property
    def name(self) -> str:
        return self.attribute.replace("_", "-")

    def read(self, text: str) -> Any:
        """Return a value. Raises argparse.ArgumentTypeError in kube-apiserver's words."""
        try:
            return self.syntax.read(text)
        except ValueError as error:
            words = f'invalid argument "{text}" for "--{self.name}" flag: {error}'
            raise argparse.ArgumentTypeError(words) from error


@cache
def all_flags() -> tuple[Flag, ...]:
    """Return every flag, in the order of `Flags`."""
    hints = typing.get_type_hints(Flags)
    return tuple(
        Flag(
            each.name,
            each.default,
            each.metadata["group"],
            each.metadata["help"],
            _SYNTAX[hints[each.name]],
        )
        for each in fields(Flags)
    )


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Let a parser take every flag."""
    groups: dict[str, Any] = {}
    for each in all_flags():
        group = groups.get(each.group)
        if group is None:
            group = groups[each.group] = parser.add_argument_group(f"{each.group} flags")
        how: dict[str, Any] = {
            "dest": each.attribute,
            "type": each.read,
            "help": each.help.replace("%", "%%"),
            "default": None,
            "metavar": each.syntax.name,
        }
        if each.syntax.adds_up:
            how["action"] = "append"
        elif each.syntax.name == "bool":
            how |= {"nargs": "?", "const": True}
        group.add_argument(f"--{each.name}", **how)


def read_flags(options: Mapping[str, Any]) -> Flags:
    """Return what a parser found; whether it fits together `playground.options.problems` says."""
    given: dict[str, Any] = {}
    for each in all_flags():
        value = options.get(each.attribute)
        if value is not None:
            given[each.attribute] = sum(value, ()) if each.syntax.adds_up else value
    return dataclasses.replace(DEFAULTS, **given)


def document() -> str:
    """Return docs/flags.md."""
    lines = [
        "# Flags of the control plane",
        "",
        "`python manage.py playground` takes these flags of kube-apiserver and",
        "kube-controller-manager, with their names, forms and defaults. They hold for every",
        "cluster of the instance. `python -m playground.flags` writes this page.",
    ]
    group = ""
    for each in all_flags():
        if each.group != group:
            group = each.group
            lines += ["", f"## {group}", "", "| flag | default | what it does |", "|---|---|---|"]
        default = each.syntax.write(each.default)
        shown = f"`{default}`" if default else ""
        help_text = each.help.replace("|", "\\|")
        lines.append(f"| `--{each.name}` {each.syntax.name} | {shown} | {help_text} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(document(), end="")  # noqa: T201 - its output is the page
