"""What a command line will do, read before it runs: most containers only wait, and need no shell.

`sleep 3600`, `tail -f /dev/null`, `sh -c "setup; sleep infinity"` and endless loops with a pause
are by far the most usual ones. They become timers, so that thousands of them cost nothing.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from nodes.runtime.simulated.shell.durations import parse_duration
from nodes.runtime.simulated.shell.whole import stands_alone

SHELLS = ("sh", "bash", "ash", "dash")


@dataclass(slots=True, frozen=True)
class Wait:
    """Run `before`, then wait (None: for ever), then end with 0."""

    before: str
    seconds: float


@dataclass(slots=True, frozen=True)
class Loop:
    """Run `before`, then `body` again and again with a pause; pause_first: pause, then body."""

    before: str
    body: str
    seconds: float
    pause_first: bool


@dataclass(slots=True, frozen=True)
class Script:
    """Run the text to its end."""

    text: str


@dataclass(slots=True, frozen=True)
class Interactive:
    """A shell that reads its commands."""

    login: bool = False


@dataclass(slots=True, frozen=True)
class FromFile:
    """A script in a file, with its arguments."""

    path: str
    args: tuple[str, ...]
    options: str = ""


Plan = Wait | Loop | Script | Interactive | FromFile

_FOREVER = 100 * 365 * 86400.0
_LAST_SLEEP = re.compile(
    r"^(?P<before>.*?)(?:^|;|&&|\n)\s*(?:exec\s+)?sleep\s+(?P<time>[\w.]+)\s*;?\s*$", re.DOTALL
)
_LAST_TAIL = re.compile(
    r"^(?P<before>.*?)(?:^|;|&&|\n)\s*(?:exec\s+)?tail\s+-[fF]\s+/dev/null\s*;?\s*$", re.DOTALL
)
_LOOP = re.compile(
    r"^(?P<before>.*?)(?:^|;|\n)\s*while\s+(?P<test>true|:|\[ 1 \]|sleep\s+(?P<first>[\w.]+))\s*"
    r"[;\n]\s*do\s(?P<body>.*?)[;\n]?\s*done\s*;?\s*$",
    re.DOTALL,
)
# The patterns take quadratic time: 0.1 s at worst for a text of this size. Longer scripts, and
# those with wide gaps, are run as they are.
_LONGEST_TEXT = 4096
_GAP = re.compile(r"\s{32}")
# Ahead of a wait or a loop: the script may end there, and not come to it.
_ENDS = re.compile(r"\b(?:exit|exec|return)\b|\bset\s+-\w*e")
_LEAVES = re.compile(r"\b(?:break|continue|exit|return|exec|trap|wait)\b|&\s*$|&\s*[\n;]")


def plan(argv: tuple[str, ...]) -> Plan:
    """Return what an argv will do; its first word is a command of the userland."""
    name, args = argv[0].rpartition("/")[2], argv[1:]
    if name in SHELLS:
        return _shell(args)
    if name == "sleep":
        times = [parse_duration(arg) for arg in args]
        if times and None not in times:
            return Wait("", min(sum(filter(None, times)), _FOREVER))
    if name == "tail" and args in (("-f", "/dev/null"), ("-F", "/dev/null")):
        return Wait("", _FOREVER)
    return Script(shlex.join((name, *args)))


def plan_text(text: str) -> Plan:
    """Return what a script will do."""
    text = text.strip()
    if len(text) > _LONGEST_TEXT or _GAP.search(text):
        return Script(text)
    for pattern in (_LAST_SLEEP, _LAST_TAIL):
        match = pattern.match(text)
        if match is None:
            continue
        seconds = parse_duration(match["time"]) if pattern is _LAST_SLEEP else _FOREVER
        before = match["before"].strip()
        if seconds is not None and _is_whole(before) and not _ENDS.search(before):
            return Wait(before, min(seconds, _FOREVER))
    match = _LOOP.match(text)
    return _loop(match) or Script(text) if match else Script(text)


def _shell(args: tuple[str, ...]) -> Plan:
    options = ""
    while args and args[0][:1] in "-+" and len(args[0]) > 1:
        option, args = args[0], args[1:]
        if option == "--":
            break
        letters = "" if option.startswith("--") else option[1:]
        if "o" in letters and args:
            args = args[1:]
        options += letters.replace("c", "").replace("o", "")
        if "c" in letters and args:
            return _inline(args[0], args[1:], options)
    if args:
        return FromFile(args[0], args[1:], options)
    return Interactive("l" in options)


def _inline(text: str, rest: tuple[str, ...], options: str) -> Plan:
    if rest[1:]:
        return Script(f"set -- {shlex.join(rest[1:])}\n{text}")
    if "e" in options or "x" in options or "u" in options:
        flags = "".join(letter for letter in "eux" if letter in options)
        found = plan_text(text)
        if isinstance(found, Wait) and not found.before:
            return found
        return Script(f"set -{flags}\n{text}")
    return plan_text(text)


def _loop(match: re.Match[str]) -> Loop | None:
    before, body = match["before"].strip(), match["body"].strip()
    seconds = parse_duration(match["first"]) if match["first"] else None
    pause_first = seconds is not None
    if not pause_first:
        pause = _LAST_SLEEP.match(body)
        if pause is None:
            return None
        seconds, body = parse_duration(pause["time"]), pause["before"].strip()
    if seconds is None or _LEAVES.search(body) or "while" in before or "trap" in before:
        return None
    if _ENDS.search(before):
        return None
    if not (_is_whole(before) and _is_whole(body)):
        return None
    return Loop(before, body, seconds, pause_first)


def _is_whole(text: str) -> bool:
    """Whether a part of a script stands by itself, and does not wait for what follows."""
    if not text:
        return True
    if text.endswith(("&&", "||", "|", "\\", "do", "then", "else", "{", "(")):
        return False
    return not re.search(r"\btrap\b|&\s*$", text) and stands_alone(text)
