"""Semantic versions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from apimachinery.cel.errors import EvalError
from apimachinery.cel.functions import Overload, function
from apimachinery.cel.values import Opaque

_NUMBER = r"(?:0|[1-9][0-9]*)"
_PART = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z\-][0-9A-Za-z\-]*)"
_VERSION = re.compile(
    rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_PART}(?:\.{_PART})*))?"
    r"(?:\+([0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*))?"
)
_LOOSE = re.compile(r"v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?([\-+].*)?")
# More digits than any uint64 has.
_MOST_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Semver(Opaque):
    """A version; builds do not count when versions are compared."""

    major: int
    minor: int
    patch: int
    pre: tuple[str, ...] = ()
    build: str = field(default="", compare=False)
    type_name = "kubernetes.Semver"


@lru_cache(maxsize=512)
def parse_semver(text: str, normalize: bool = False) -> Semver:  # noqa: FBT001, FBT002
    """Read a version; `normalize` allows "v1.2" and zeros in front. Raises EvalError."""
    if normalize:
        text = _normalized(text)
    match = _VERSION.fullmatch(text)
    if match is None or any(len(match[at]) > _MOST_DIGITS for at in (1, 2, 3)):
        raise EvalError(
            f"No Major.Minor.Patch elements found: {text}"
            if text.count(".") < 2
            else f"Invalid character(s) found in version: {text}"
        )
    pre = tuple(match[4].split(".")) if match[4] else ()
    return Semver(int(match[1]), int(match[2]), int(match[3]), pre, match[5] or "")


def _normalized(text: str) -> str:
    match = _LOOSE.fullmatch(text)
    if match is None:
        return text
    numbers = (str(int(match[at][:_MOST_DIGITS])) if match[at] else "0" for at in (1, 2, 3))
    return ".".join(numbers) + (match[4] or "")


def _is_semver(text: str, normalize: bool = False) -> bool:  # noqa: FBT001, FBT002
    try:
        parse_semver(text, normalize)
    except EvalError:
        return False
    return True


def order(a: Semver, b: Semver) -> int:
    """Return -1, 0 or 1, as semver.org has it."""
    mine, other = (a.major, a.minor, a.patch), (b.major, b.minor, b.patch)
    if mine != other:
        return 1 if mine > other else -1
    if a.pre == b.pre:
        return 0
    if not a.pre or not b.pre:
        return -1 if a.pre else 1
    return 1 if [*map(_rank, a.pre)] > [*map(_rank, b.pre)] else -1


def _rank(part: str) -> tuple[bool, int, str]:
    """Sort numbers by value, and before words."""
    return (False, int(part), "") if part.isdigit() else (True, 0, part)


SEMVERS: list[Overload] = [
    function("semver(string) -> Semver", parse_semver),
    function("semver(string, bool) -> Semver", parse_semver),
    function("isSemver(string) -> bool", _is_semver),
    function("isSemver(string, bool) -> bool", _is_semver),
    function("Semver.major() -> int", lambda version: version.major),
    function("Semver.minor() -> int", lambda version: version.minor),
    function("Semver.patch() -> int", lambda version: version.patch),
    function("Semver.isGreaterThan(Semver) -> bool", lambda a, b: order(a, b) > 0),
    function("Semver.isLessThan(Semver) -> bool", lambda a, b: order(a, b) < 0),
    function("Semver.compareTo(Semver) -> int", order),
]
