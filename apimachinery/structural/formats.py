"""The formats that strings of custom kinds may be asked to have; all others are not looked at."""

from __future__ import annotations

import base64
import binascii
import ipaddress
from collections.abc import Callable
from datetime import date, datetime
from urllib.parse import urlsplit

import re2

from apimachinery.validation.names import is_dns1123_label, is_dns1123_subdomain


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re2.compile(pattern)
    return lambda text: compiled.search(text) is not None


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            parse(text)
        except (ValueError, binascii.Error):
            return False
        return True

    return check


def _date_time(text: str) -> object:
    if not _DATE_TIME(text):
        raise ValueError(text)
    return datetime.fromisoformat(text[:19].replace("t", "T"))


def _uri(text: str) -> object:
    parts = urlsplit(text)
    if not parts.scheme and not text.startswith("/"):
        raise ValueError(text)
    return parts


def _address(text: str) -> object:
    return ipaddress.IPv4Address(text)


def _cidr(text: str) -> object:
    if "/" not in text:
        raise ValueError(text)
    return ipaddress.ip_interface(text)


def _base64(text: str) -> object:
    return base64.b64decode(text, validate=True)


def _isbn10(text: str) -> bool:
    digits = text.replace("-", "").replace(" ", "")
    if not _ISBN10(digits):
        return False
    values = [10 if char in "xX" else int(char) for char in digits]
    return sum((10 - at) * value for at, value in enumerate(values)) % 11 == 0


def _isbn13(text: str) -> bool:
    digits = text.replace("-", "").replace(" ", "")
    if len(digits) != 13 or not digits.isdigit():
        return False
    return sum(int(char) * (3 if at % 2 else 1) for at, char in enumerate(digits)) % 10 == 0


_DATE_TIME = _matches(r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:?\d{2})?$")
_ISBN10 = _matches(r"^\d{9}[\dxX]$")
_HEX = "[0-9a-fA-F]"


def _uuid(third: str, fourth: str) -> Callable[[str], bool]:
    four = f"{_HEX}{{4}}"
    return _matches(f"^{four}{four}-?{four}-?{third}-?{fourth}-?{four}{four}{four}$")


_ANY, _REST = f"{_HEX}{{4}}", f"{_HEX}{{3}}"
_DURATION = r"^\s*([+-]?\d+(\.\d+)?\s*(ns|us|µs|ms|s|m|h|d|w|[a-z]+)\s*)+$"
_CHECKS: dict[str, Callable[[str], bool]] = {
    "bsonobjectid": _matches(f"^{_HEX}{{24}}$"),
    "byte": _parses(_base64),
    "cidr": _parses(_cidr),
    "creditcard": _matches(r"^(\d[ -]?){12,18}\d$"),
    "date": _parses(date.fromisoformat),
    "date-time": _parses(_date_time),
    "datetime": _parses(_date_time),
    "duration": _matches(_DURATION),
    "email": _matches(r"^[^@\s<>]+@[^@\s<>]+$"),
    "hexcolor": _matches(f"^#?({_HEX}{{3}}|{_HEX}{{6}})$"),
    "hostname": _matches(r"^[a-zA-Z0-9]([a-zA-Z0-9-]{0,62})(\.[a-zA-Z0-9-]{1,63})*\.?$"),
    "ipv4": _parses(_address),
    "ipv6": _parses(ipaddress.IPv6Address),
    "isbn": lambda text: _isbn10(text) or _isbn13(text),
    "isbn10": _isbn10,
    "isbn13": _isbn13,
    "k8s-long-name": lambda text: not is_dns1123_subdomain(text),
    "k8s-short-name": lambda text: not is_dns1123_label(text),
    "mac": _matches(f"^({_HEX}{{2}}[:-]){{5}}{_HEX}{{2}}$"),
    "password": lambda text: True,
    "rgbcolor": _matches(r"^rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)$"),
    "ssn": _matches(r"^\d{3}[- ]?\d{2}[- ]?\d{4}$"),
    "uri": _parses(_uri),
    "uuid": _uuid(_ANY, _ANY),
    "uuid3": _uuid(f"3{_REST}", _ANY),
    "uuid4": _uuid(f"4{_REST}", f"[89abAB]{_REST}"),
    "uuid5": _uuid(f"5{_REST}", f"[89abAB]{_REST}"),
}
_TEXTUAL = frozenset(name.replace("-", "") for name in _CHECKS)
_NUMERIC = frozenset({"int32", "int64", "float", "double"})


def is_known(name: str) -> bool:
    """Tell whether a format says anything about values."""
    return name in _CHECKS or name in _NUMERIC


def is_known_of_texts(name: str) -> bool:
    """Tell whether a format says anything about texts; dashes in its name do not count."""
    return name.replace("-", "") in _TEXTUAL


def fits(name: str, text: str) -> bool:
    """Tell whether a text has a format; any has one that is not known."""
    check = _CHECKS.get(name)
    return check is None or check(text)
