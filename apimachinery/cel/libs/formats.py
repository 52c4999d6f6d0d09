"""Named formats: names of Kubernetes, and formats of OpenAPI."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from apimachinery.cel.errors import EvalError
from apimachinery.cel.functions import Overload, function
from apimachinery.cel.libs.urls import parse_url
from apimachinery.cel.times import parse_timestamp
from apimachinery.cel.values import NOTHING, Opaque, Opt
from apimachinery.validation.names import (
    is_dns1035_label,
    is_dns1123_label,
    is_dns1123_subdomain,
    is_label_value,
    is_qualified_name,
)

_UUID = re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
Check = Callable[[str], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Format(Opaque):
    """A format that strings may have."""

    name: str
    check: Check
    type_name = "kubernetes.NamedFormat"


def _prefix(check: Check) -> Check:
    """Return a check of what names begin with: a dash at the end is as good as a letter."""
    return lambda text: check(f"{text[:-1]}a" if text.endswith("-") else text)


def _uri(text: str) -> Iterable[str]:
    try:
        parse_url(text)
    except EvalError as error:
        yield str(error).removeprefix("URL parse error during conversion from string: ")


def _uuid(text: str) -> Iterable[str]:
    return () if _UUID.fullmatch(text) else ("does not match the UUID format",)


def _byte(text: str) -> Iterable[str]:
    try:
        base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        yield "invalid base64"


def _date(text: str) -> Iterable[str]:
    try:
        date.fromisoformat(text)
    except ValueError:
        yield "invalid date"


def _datetime(text: str) -> Iterable[str]:
    try:
        parse_timestamp(text)
    except EvalError:
        yield "invalid datetime"


NAMED: Mapping[str, Format] = {
    "dns1123Label": Format("DNS1123Label", is_dns1123_label),
    "dns1123Subdomain": Format("DNS1123Subdomain", is_dns1123_subdomain),
    "dns1035Label": Format("DNS1035Label", is_dns1035_label),
    "qualifiedName": Format("QualifiedName", is_qualified_name),
    "dns1123LabelPrefix": Format("DNS1123LabelPrefix", _prefix(is_dns1123_label)),
    "dns1123SubdomainPrefix": Format("DNS1123SubdomainPrefix", _prefix(is_dns1123_subdomain)),
    "dns1035LabelPrefix": Format("DNS1035LabelPrefix", _prefix(is_dns1035_label)),
    "labelValue": Format("LabelValue", is_label_value),
    "uri": Format("URI", _uri),
    "uuid": Format("uuid", _uuid),
    "byte": Format("byte", _byte),
    "date": Format("date", _date),
    "datetime": Format("datetime", _datetime),
}


def _named(name: str) -> Opt:
    found = NAMED.get(name)
    return NOTHING if found is None else Opt(found)


def _validate(known: Format, text: str) -> Opt:
    wrong = list(known.check(text))
    return Opt(wrong) if wrong else NOTHING


def _constant(known: Format) -> Callable[[], Format]:
    return lambda: known


FORMATS: list[Overload] = [
    function("format.named(string) -> optional(NamedFormat)", _named),
    *[
        function(f"format.{name}() -> NamedFormat", _constant(known))
        for name, known in NAMED.items()
    ],
    function("NamedFormat.validate(string) -> optional(list(string))", _validate),
]
