"""Semantic versions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from apimachinery.cel.errors import EvalError
from apimachinery.cel.functions import Overload, function
from apimachinery.cel.values import UINT_MAX, Opaque
from apimachinery.gotext import quoted

_DIGITS, _LETTERS = re.compile("[0-9]*"), re.compile("[0-9A-Za-z-]*")
_PARTS = ("major", "minor", "patch")


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
    if not text:
        raise EvalError("Version string empty")
    parts = text.split(".", 2)
    if len(parts) < len(_PARTS):
        raise EvalError("No Major.Minor.Patch elements found")
    rest, with_build, build = parts[2].partition("+")
    patch, with_pre, pre = rest.partition("-")
    major, minor, last = map(_number, _PARTS, (*parts[:2], patch))
    before = tuple(_prerelease(each) for each in pre.split(".")) if with_pre else ()
    for each in build.split(".") if with_build else ():
        if not each:
            raise EvalError("Build meta data is empty")
        if not _LETTERS.fullmatch(each):
            raise EvalError(f"Invalid character(s) found in build meta data {quoted(each)}")
    return Semver(major, minor, last, before, build)


def _number(part: str, text: str) -> int:
    if not _DIGITS.fullmatch(text):
        raise EvalError(f"Invalid character(s) found in {part} number {quoted(text)}")
    if len(text) > 1 and text[0] == "0":
        told = f"{part.capitalize()} number must not contain leading zeroes {quoted(text)}"
        raise EvalError(told)
    return _uint(text)


def _uint(text: str) -> int:
    why = "" if text else "invalid syntax"
    if len(text) > len(str(UINT_MAX)) or (text and int(text) > UINT_MAX):
        why = "value out of range"
    if why:
        raise EvalError(f"strconv.ParseUint: parsing {quoted(text)}: {why}")
    return int(text)


def _prerelease(text: str) -> str:
    if not text:
        raise EvalError("Prerelease is empty")
    if not _DIGITS.fullmatch(text):
        if not _LETTERS.fullmatch(text):
            raise EvalError(f"Invalid character(s) found in prerelease {quoted(text)}")
        return text
    if len(text) > 1 and text[0] == "0":
        why = "Numeric PreRelease version must not contain leading zeroes"
        raise EvalError(f"{why} {quoted(text)}")
    return str(_uint(text))


def _normalized(text: str) -> str:
    parts = [_without_zeros(part) for part in text.removeprefix("v").split(".", 2)]
    missing = len(_PARTS) - len(parts)
    if missing and ("+" in parts[-1] or "-" in parts[-1]):
        raise EvalError("short version cannot contain PreRelease/Build meta data")
    return ".".join((*parts, *("0",) * missing))


def _without_zeros(part: str) -> str:
    if len(part) < 2:
        return part
    rest = part.lstrip("0")
    return rest if rest and rest[0] in "0123456789" else f"0{rest}"


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
