"""The API server's flags: kube-apiserver's own names, types and defaults, each declared once.

A flag is one line of `Flags`: its field's name is the flag's (`anonymous_auth` is
`--anonymous-auth`), its annotation says how it is written, `flag(default, group, help)` the rest.
The parent and the worker both take all of them (`add_flags`, `read_flags`); the parent hands them
on as it got them (`Flags.arguments`), and they reach each cluster with its `Surface`.
`docs/flags.md` is written from here (`python -m playground.flags`).

What one value cannot say wrong by itself is for `CHECKS`: functions that yield what kube-apiserver
would say of a combination.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, NewType, TypeVar

from apimachinery.duration import format_duration, parse_duration
from apiserver.admission.configuration import read_configuration
from apiserver.admission.options import AdmissionOptions
from apiserver.admission.order import ORDER, option_problems

Duration = NewType("Duration", float)  # seconds; written as Go writes them: 1m30s
Words = tuple[str, ...]  # separated by commas; given again, the flag adds to them
Pairs = tuple[tuple[str, str], ...]  # key=value, separated by commas; likewise

AUTHENTICATION = "Authentication"
SERVING = "Serving"
ADMISSION = "Admission"

T = TypeVar("T")


def flag(default: T, group: str, help_text: str) -> T:
    """Declare a flag: its default, the heading that it stands under, and what it does."""
    made: T = field(default=default, metadata={"group": group, "help": help_text})
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """Everything that an operator may say about the API server."""

    anonymous_auth: bool = flag(
        True, AUTHENTICATION, "Requests without credentials are those of system:anonymous."
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

    def arguments(self) -> list[str]:
        """Return the flags that differ from their defaults as a command line."""
        line: list[str] = []
        for each in all_flags():
            value = getattr(self, each.attribute)
            if value != each.default:
                line.append(f"--{each.name}={each.syntax.write(value)}")
        return line

    def problems(self) -> list[str]:
        """Say what is wrong with the flags together; nothing if they can be served with."""
        return [problem for check in CHECKS for problem in check(self)]


DEFAULTS = Flags()


def admission_options(flags: Flags) -> AdmissionOptions:
    """Return what the flags say of admission. Raises ValueError for a file that is not right."""
    return AdmissionOptions(
        flags.enable_admission_plugins,
        flags.disable_admission_plugins,
        read_configuration(flags.admission_control_config_file),
        flags.default_not_ready_toleration_seconds,
        flags.default_unreachable_toleration_seconds,
    )


def _admission_problems(flags: Flags) -> Iterator[str]:
    try:
        yield from option_problems(admission_options(flags))
    except ValueError as error:
        yield str(error)


Check = Callable[[Flags], Iterator[str]]


def _not_negative(flags: Flags) -> Iterator[str]:
    for name in (
        "max_requests_inflight",
        "max_mutating_requests_inflight",
        "request_timeout",
        "min_request_timeout",
    ):
        if getattr(flags, name) < 0:
            yield f"--{name.replace('_', '-')} can not be negative value"


CHECKS: tuple[Check, ...] = (_not_negative, _admission_problems)


# -- how values are written -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Syntax:
    """How a type of value is read and written on a command line."""

    name: str
    read: Callable[[str], Any]
    write: Callable[[Any], str]
    # Given more than once, the values add up instead of the last one winning.
    adds_up: bool = False


_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_PAIR = re.compile(r"([^=]*)=(.*)", re.DOTALL)


def _read_bool(text: str) -> bool:
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(f'strconv.ParseBool: parsing "{text}": invalid syntax')


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


_SYNTAX: Mapping[Any, Syntax] = {
    bool: Syntax("bool", _read_bool, lambda value: str(value).lower()),
    int: Syntax("int", _read_int, str),
    str: Syntax("string", str, str),
    Duration: Syntax("duration", parse_duration, format_duration),
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
    """Return what a parser found. Raises ValueError where flags do not fit together."""
    flags = taken(options)
    if problems := flags.problems():
        told = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        raise ValueError(told)
    return flags


def taken(options: Mapping[str, Any]) -> Flags:
    """Return what a parser found, right or wrong."""
    given: dict[str, Any] = {}
    for each in all_flags():
        value = options.get(each.attribute)
        if value is not None:
            given[each.attribute] = sum(value, ()) if each.syntax.adds_up else value
    return dataclasses.replace(DEFAULTS, **given)


def document() -> str:
    """Return docs/flags.md."""
    lines = [
        "# Flags of the API server",
        "",
        "`python manage.py playground` takes these flags of kube-apiserver, with its names, forms",
        "and defaults. They hold for every cluster of the instance. `python -m playground.flags`",
        "writes this page.",
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
