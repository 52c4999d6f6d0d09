"""Why a text is no IP address, as Go tells it."""

from __future__ import annotations

import re

from apimachinery.gotext import quoted

_HEX, _COLON_FIELDS, _DOTTED_FIELDS = re.compile("[0-9a-fA-F]*"), 8, 4


def refusal(text: str) -> str:
    """Return what Go says of a text that is no address."""
    why, rest = _first_problem(text)
    place = f" (at {quoted(rest)})" if rest else ""
    return f"ParseAddr({quoted(text)}): {why}{place}"


def _first_problem(text: str) -> tuple[str, str]:
    mark = re.search("[.:%]", text)
    if mark is None:
        return "unable to parse IP", ""
    if mark[0] == "%":
        return "missing IPv6 address", ""
    if mark[0] == ".":
        return _of_dotted(text) or ("unable to parse IP", "")
    address, sign, zone = text.partition("%")
    if sign and not zone:
        return "zone must be a non-empty string", ""
    return _of_colons(address) or ("unable to parse IP", "")


def _of_dotted(text: str) -> tuple[str, str] | None:
    points, field = 0, ""
    for at, char in enumerate(text):
        if char in "0123456789":
            if field == "0":
                return "IPv4 field has octet with leading zero", ""
            field += char
            if int(field) > 0xFF:
                return "IPv4 field has value >255", ""
        elif char != ".":
            return "unexpected character", text[at:]
        elif not field or at == len(text) - 1:
            return "IPv4 field must have at least one digit", text[at:]
        elif points == _DOTTED_FIELDS - 1:
            return "IPv4 address too long", ""
        else:
            points, field = points + 1, ""
    return ("IPv4 address too short", "") if points < _DOTTED_FIELDS - 1 else None


def _of_colons(text: str) -> tuple[str, str] | None:
    left, fields, gap = text, 0, text.startswith("::")
    left = left.removeprefix("::") if gap else left
    while left and fields < _COLON_FIELDS:
        digits = _HEX.match(left)
        count = digits.end() if digits else 0
        rest = left[count:]
        problem = _of_field(left, count) or (
            _of_embedded(left, fields, gap=gap) if rest.startswith(".") else None
        )
        if problem is not None:
            return problem
        fields += 2 if rest.startswith(".") else 1
        if not rest or rest.startswith("."):
            left = ""
            break
        if rest[0] != ":":
            return "unexpected character, want colon", rest
        if rest == ":":
            return "colon must be followed by more characters", rest
        left = rest[1:]
        if left[0] == ":":
            if gap:
                return "multiple :: in address", left
            gap, left = True, left[1:]
    return _of_count(left, fields, gap=gap)


def _of_field(left: str, count: int) -> tuple[str, str] | None:
    if count > len("ffff"):
        return "each group must have 4 or less digits", left
    if not count:
        return "each colon-separated field must have at least one digit", left
    return None


def _of_embedded(left: str, fields: int, *, gap: bool) -> tuple[str, str] | None:
    if not gap and fields != _COLON_FIELDS - 2:
        return "embedded IPv4 address must replace the final 2 fields of the address", left
    if fields > _COLON_FIELDS - 2:
        why = "too many hex fields to fit an embedded IPv4 at the end of the address"
        return why, left
    return _of_dotted(left)


def _of_count(left: str, fields: int, *, gap: bool) -> tuple[str, str] | None:
    if left:
        return "trailing garbage after address", left
    if fields < _COLON_FIELDS and not gap:
        return "address string too short", ""
    if fields == _COLON_FIELDS and gap:
        return "the :: must expand to at least one field of zeros", ""
    return None
