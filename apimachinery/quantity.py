"""Amounts of resources: `500m`, `1Gi`, `2e3`, parsed, computed and printed exactly.

A Quantity is an exact integer of billionths and the family of suffixes that it is written in.
Printing gives the canonical form: no fraction, the largest suffix that keeps it whole, the same
family. Smaller amounts than a billionth round up, away from zero, as in k8s.io/apimachinery.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

NANO = 10**9
MILLI = 10**6  # billionths in a thousandth

# The largest whole number that a binary amount may have (int64).
_CAP = (2**63 - 1) * NANO

# More are not read: it takes time that grows with their square.
_MOST_DIGITS = 2000

WRONG_FORMAT = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
WRONG_NUMBER = "unable to parse numeric part of quantity"
WRONG_SUFFIX = "unable to parse quantity's suffix"


class Format(Enum):
    """The family of suffixes."""

    DECIMAL_SI = "DecimalSI"
    BINARY_SI = "BinarySI"
    DECIMAL_EXPONENT = "DecimalExponent"


_DECIMAL = {
    "n": -9,
    "u": -6,
    "m": -3,
    "": 0,
    "k": 3,
    "M": 6,
    "G": 9,
    "T": 12,
    "P": 15,
    "E": 18,
}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIX = ("", *_BINARY)

_GRAMMAR = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)")
_EXPONENT = re.compile(r"[eE]([+-]?[0-9]+)")


class QuantityError(ValueError):
    """The text is no quantity; the message is the one that Kubernetes' decoder gives."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact amount; equality and order go by amount, whatever the suffixes."""

    nano: int
    format: Format = Format.DECIMAL_SI

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.nano == other.nano

    def __hash__(self) -> int:
        return hash(self.nano)

    def __lt__(self, other: Quantity) -> bool:
        return self.nano < other.nano

    def __le__(self, other: Quantity) -> bool:
        return self.nano <= other.nano

    def __gt__(self, other: Quantity) -> bool:
        return self.nano > other.nano

    def __ge__(self, other: Quantity) -> bool:
        return self.nano >= other.nano

    def __bool__(self) -> bool:
        return self.nano != 0

    def __add__(self, other: Quantity) -> Quantity:
        """Add; the sum keeps this family, or takes the other's where this is zero."""
        return Quantity(self.nano + other.nano, self.format if self.nano else other.format)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(self.nano - other.nano, self.format if self.nano else other.format)

    def __neg__(self) -> Quantity:
        return Quantity(-self.nano, self.format)

    def __mul__(self, times: int) -> Quantity:
        return Quantity(self.nano * times, self.format)

    def value(self) -> int:
        """Return the whole number, rounded up (away from zero)."""
        return _round_up(self.nano, NANO)

    def milli_value(self) -> int:
        """Return thousandths, rounded up (away from zero)."""
        return _round_up(self.nano, MILLI)

    def as_float(self) -> float:
        try:
            return self.nano / NANO
        except OverflowError:
            return math.inf if self.nano > 0 else -math.inf

    def rounded_to_milli(self) -> Quantity:
        """Return the amount rounded up to thousandths: what defaulting does to resources."""
        if self.nano % MILLI == 0:
            return self
        return Quantity(_round_up(self.nano, MILLI) * MILLI, self.format)

    def __str__(self) -> str:
        if self.nano == 0:
            return "0"
        whole = self.nano % NANO == 0
        if self.format is Format.BINARY_SI and whole and abs(self.nano) >= 1024 * NANO:
            return _print_binary(self.nano // NANO)
        return _print_decimal(self.nano, exponent=self.format is Format.DECIMAL_EXPONENT)


ZERO = Quantity(0)


def parse(given: str | float | None) -> Quantity:
    """Read a quantity as JSON carries it: text, a number, or null (which is zero)."""
    if given is None:
        return ZERO
    return _parse(given if isinstance(given, str) else repr(given))


@lru_cache(maxsize=4096)
def _parse(text: str) -> Quantity:
    return _read(text.strip())[0]


def canonical(given: str | float | None) -> str:
    """Return the text that a server stores for what was sent.

    Kubernetes keeps some already canonical-looking spellings as they came ("1e3", "+1"), and
    rewrites the rest: "1024Mi" is stored as "1Gi", "0.5" as "500m", a number as a string.
    """
    if given is None:
        return "0"
    return _canonical(given if isinstance(given, str) else repr(given))


@lru_cache(maxsize=4096)
def _canonical(text: str) -> str:
    stripped = text.strip()
    quantity, kept = _read(stripped)
    return stripped if kept else str(quantity)


def canonical_resources(resources: Mapping[str, Any]) -> dict[str, str]:
    """Return a ResourceList in the form in which it is stored: rounded up to thousandths."""
    found = {}
    for name, given in resources.items():
        quantity = parse(given)
        rounded = quantity.rounded_to_milli()
        found[name] = canonical(given) if rounded is quantity else str(rounded)
    return found


def _read(text: str) -> tuple[Quantity, bool]:
    """Return the amount, and whether its spelling is kept."""
    if not text:
        raise QuantityError(WRONG_FORMAT)
    match = _GRAMMAR.fullmatch(text)
    if match is None:
        raise QuantityError(WRONG_FORMAT)
    sign, whole, fraction, suffix = match.groups()
    if not text.lstrip("+-").lstrip("0"):
        # Only zeros, or nothing but a sign, which Kubernetes takes for zero as well.
        return ZERO, text == "0"
    fraction = fraction or ""
    base, exponent, family = _interpret(suffix)
    digits = (whole.lstrip("0") or "0") + fraction
    if len(digits) > _MOST_DIGITS:
        raise QuantityError(WRONG_NUMBER)
    scaled = int(digits) * NANO
    if base == 2:
        nano = _round_up(scaled << exponent, 10 ** len(fraction))
        nano = min(nano, _CAP)
    else:
        power = exponent - len(fraction)
        nano = scaled * 10**power if power >= 0 else _round_up(scaled, 10**-power)
    if family is Format.BINARY_SI and 0 < nano < NANO:
        family = Format.DECIMAL_SI
    quantity = Quantity(-nano if sign == "-" else nano, family)
    return quantity, _is_kept(digits, fraction, base, exponent)


def _is_kept(digits: str, fraction: str, base: int, exponent: int) -> bool:
    """Tell whether Kubernetes takes the spelling for canonical without looking closer."""
    if base == 2:
        room = 15 - len(digits) - int(exponent * 3 / 10) - 1
        return not fraction and room >= 0 and exponent > 0 and int(digits) & 7 != 0
    scale = exponent - len(fraction)
    # 18 decimal digits fit an int64 for sure, and the scale reaches down to billionths.
    return (
        len(digits) <= 18
        and scale >= -9
        and scale % 3 == 0
        and not digits.endswith("000")
        and not digits.startswith("0")
    )


def _interpret(suffix: str) -> tuple[int, int, Format]:
    if suffix in _DECIMAL:
        return 10, _DECIMAL[suffix], Format.DECIMAL_SI
    if suffix in _BINARY:
        return 2, _BINARY[suffix], Format.BINARY_SI
    match = _EXPONENT.fullmatch(suffix)
    if match is None:
        raise QuantityError(WRONG_SUFFIX)
    exponent = int(match[1])
    # Nobody has such amounts; without a bound a short text would make a number of gigabytes.
    if abs(exponent) > 2**10:
        raise QuantityError(WRONG_NUMBER)
    return 10, exponent, Format.DECIMAL_EXPONENT


def _round_up(amount: int, unit: int) -> int:
    return -(-amount // unit) if amount >= 0 else amount // unit


def _print_decimal(nano: int, *, exponent: bool) -> str:
    power = -9
    while nano % 1000 == 0 and (exponent or power < 18):
        nano //= 1000
        power += 3
    if exponent:
        return f"{nano}e{power}" if power else str(nano)
    return f"{nano}{_DECIMAL_SUFFIX[power]}"


def _print_binary(value: int) -> str:
    times = 0
    while value % 1024 == 0 and times < len(_BINARY):
        value //= 1024
        times += 1
    return f"{value}{_BINARY_SUFFIX[times]}"
