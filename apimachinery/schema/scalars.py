"""Scalars that Go decodes by a rule of their own: times, bytes, numbers, quantities.

Each function returns the value as the server would print it again, or raises `ScalarError`
with the words of Go's decoder.
"""

from __future__ import annotations

import base64
import binascii
import re
import string
from datetime import UTC, datetime
from typing import Any

from apimachinery.quantity import WRONG_FORMAT, QuantityError, canonical

INT_RANGES = {
    "int8": (-(2**7), 2**7 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "int": (-(2**63), 2**63 - 1),
    "uint8": (0, 2**8 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
}
_PLAIN_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ").fullmatch
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)", re.ASCII
).fullmatch
# Go's layout, element by element: what it looks for, and the pattern of that.
_LAYOUT = (
    ("2006", r"\d{4}"), ("-", "-"), ("01", r"\d\d"), ("-", "-"), ("02", r"\d\d"), ("T", "T"),
    ("15", r"\d\d"), (":", ":"), ("04", r"\d\d"), (":", ":"), ("05", r"\d\d(?:[.,]\d+)?"),
    ("Z07:00", r"Z|[+-]\d\d:\d\d"),
)  # fmt: skip
_RANGES = (("month", 1, 12), ("day", 1, 31), ("hour", 0, 23), ("minute", 0, 59), ("second", 0, 59))


_BASE64 = frozenset(string.ascii_letters + string.digits + "+/")


class ScalarError(ValueError):
    """The value is of the right JSON type and still wrong; the message is Go's."""


def quantity(value: Any) -> str:
    """Return the canonical text of a quantity given as text or number."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ScalarError(WRONG_FORMAT)
    try:
        return canonical(value)
    except QuantityError as error:
        raise ScalarError(str(error)) from None


def time(text: str) -> str | None:
    """Return metav1.Time as it prints: in UTC, whole seconds. Year 1 is "no time"."""
    if _PLAIN_TIME(text):
        try:
            datetime.fromisoformat(text)
        except ValueError:
            raise ScalarError(_why_no_time(text, "Z07:00")) from None
        return text
    moment = _parse(text, "2006-01-02T15:04:05Z07:00")
    return None if moment is None else moment.isoformat(timespec="seconds")[:19] + "Z"


def micro_time(text: str) -> str | None:
    """Return metav1.MicroTime as it prints: in UTC, with six digits of fraction."""
    moment = _parse(text, "2006-01-02T15:04:05.000000Z07:00")
    return None if moment is None else moment.isoformat(timespec="microseconds")[:26] + "Z"


def _parse(text: str, layout: str) -> datetime | None:
    match = _RFC3339(text)
    if match is None:
        raise ScalarError(_why_no_time(text, layout))
    whole, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(whole + ("+00:00" if zone == "Z" else zone))
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ScalarError(_why_no_time(text, layout)) from None
    if fraction:
        moment = moment.replace(microsecond=int(fraction[:6].ljust(6, "0")))
    return None if moment == datetime(1, 1, 1, tzinfo=UTC) else moment


def _why_no_time(text: str, layout: str) -> str:
    """Say which element of the layout the text does not match, as time.Parse does."""
    layout = "2006-01-02T15:04:05Z07:00" if layout == "Z07:00" else layout
    head = f'parsing time "{text}"'
    rest = text
    for element, pattern in _LAYOUT:
        match = re.match(pattern, rest, re.ASCII)
        if match is None:
            return f'{head} as "{layout}": cannot parse "{rest}" as "{element}"'
        rest = rest[match.end() :]
    if rest:
        return f'{head}: extra text: "{rest}"'
    numbers = [int(number) for number in re.findall(r"\d+", text[4:19])]
    for (name, low, high), number in zip(_RANGES, numbers, strict=False):
        if not low <= number <= high:
            return f"{head}: {name} out of range"
    return f"{head}: day out of range"


def base64_bytes(text: str) -> str:
    """Return standard base64 in canonical form; newlines in between are allowed, as in Go."""
    dense = text.replace("\n", "").replace("\r", "")
    try:
        return base64.b64encode(base64.b64decode(dense, validate=True)).decode()
    except (binascii.Error, ValueError):
        raise ScalarError(f"illegal base64 data at input byte {_bad_byte(text)}") from None


def _bad_byte(text: str) -> int:
    """Return where Go's decoder, which reads four digits at a time, gives up."""
    symbols = [(at, char) for at, char in enumerate(text) if char not in "\r\n"]
    for start in range(0, len(symbols), 4):
        four = symbols[start : start + 4]
        for place, (at, char) in enumerate(four):
            if char in _BASE64:
                continue
            if char != "=" or place < 2:
                return at
            return _after_padding(symbols, start + place, place, len(text))
        if len(four) < 4:
            return len(text) - len(four)
    return len(text)


def _after_padding(symbols: list[tuple[int, str]], index: int, place: int, length: int) -> int:
    """Return what is wrong behind the first "=": a missing second one, or more text."""
    if place == 2:
        index += 1
        if index == len(symbols):
            return length
        if symbols[index][1] != "=":
            return symbols[index][0] - 1
    return symbols[index + 1][0] if index + 1 < len(symbols) else length


def float64(value: Any) -> Any:
    """Return a number as Go's encoder prints a float64: without a fraction where there is none."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    return value
