"""Field selectors: `metadata.name=a,status.phase!=Running`, over a flat set of fields.

Which fields a kind knows is not decided here: the kind's declaration says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from apimachinery.errors import BadRequest


class FieldRequirement(NamedTuple):
    """One test: a field has (`=`) or has not (`!=`) a value."""

    field: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """A conjunction of requirements; an absent field counts as ""."""

    requirements: tuple[FieldRequirement, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.requirements

    def matches(self, fields: Mapping[str, str]) -> bool:
        for field, operator, value in self.requirements:
            if (fields.get(field, "") == value) is (operator == "!="):
                return False
        return True

    def exact(self, field: str) -> str | None:
        """Return the value that `field` has to have, None where it may have several."""
        for requirement in self.requirements:
            if requirement.field == field and requirement.operator == "=":
                return requirement.value
        return None

    def __str__(self) -> str:
        return ",".join(f"{f}{op}{_escape(value)}" for f, op, value in self.requirements)


EVERY_FIELD = FieldSelector()


def parse_fields(text: str) -> FieldSelector:
    """Read a field selector. Raises BadRequest in Kubernetes' words."""
    if not text:
        return EVERY_FIELD
    return FieldSelector(tuple(_requirement(text, term) for term in _terms(text) if term))


def _requirement(selector: str, term: str) -> FieldRequirement:
    for at in range(len(term)):
        for sign in ("!=", "==", "="):
            if term.startswith(sign, at):
                value = _unescape(term[at + len(sign) :])
                return FieldRequirement(term[:at], "!=" if sign == "!=" else "=", value)
    raise BadRequest(f"invalid selector: '{selector}'; can't understand '{term}'")


def _terms(text: str) -> Iterator[str]:
    start, escaped = 0, False
    for at, char in enumerate(text):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == ",":
            yield text[start:at]
            start = at + 1
    yield text[start:]


def _unescape(value: str) -> str:
    if not any(char in value for char in "\\,="):
        return value
    found: list[str] = []
    escaped = False
    for char in value:
        if escaped:
            if char not in "\\,=":
                raise BadRequest(f"invalid field selector: invalid escape sequence: \\{char}")
            found.append(char)
            escaped = False
        elif char == "\\":
            escaped = True
        elif char in ",=":
            # Go prints the rune as its number here.
            raise BadRequest(f"invalid field selector: unescaped character in value: {ord(char)}")
        else:
            found.append(char)
    if escaped:
        raise BadRequest("invalid field selector: invalid escape sequence: \\")
    return "".join(found)


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")
