"""Reads JSON-shaped objects as Go's typed decoder does, and prints them as its encoder would.

The result has the fields of the kind alone. Unknown fields and nulls are gone; empty values are
gone where the Go field says `omitempty`; where it does not, the zero value is there, as in
`status: {}`, `resources: {}` or `rules: null`. Quantities, times and bytes are canonical. A
wrong JSON type refuses the object in the server's words.

The result is new down to its containers and may be changed, except for what lies inside of
free-form values (raw extensions, managed fields), which it shares with the body.

How it is fast: `compiling` makes a closure of each schema once, which works without paths and
messages. Only when something was wrong does `problems` walk again to say what.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from apimachinery.errors import BadRequest
from apimachinery.gvk import GroupVersion, GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.schema import scalars
from apimachinery.schema.compiling import decoder_of, zero_of
from apimachinery.schema.duplicates import find_duplicate_fields
from apimachinery.schema.problems import Mismatch, mismatch_text, unknown_fields
from apimachinery.schema.table import Schema, types

__all__ = [
    "Decoded", "cannot_be_handled", "decode", "decode_as", "find_duplicate_fields",
    "no_kind_registered", "strict_error", "unrecognized", "zero_of",
]  # fmt: skip

Mode: TypeAlias = Literal["Strict", "Warn", "Ignore"]
# Bytes of a body that a message shows.
_SHOWN = 30


@dataclass(slots=True)
class Decoded:
    """An object as the server understands it, and what it found odd, for Warning headers."""

    obj: Obj
    problems: list[str] = field(default_factory=list)


def decode(body: Obj, gvk: GroupVersionKind, mode: Mode = "Ignore") -> Decoded:
    """Read `body` as a `gvk`. In mode "Strict" an unknown field is a BadRequest.

    A body without apiVersion and kind takes those of `gvk`. Raises BadRequest where a value has
    the wrong type, or where no such kind is built in.
    """
    schema = types().type_of(gvk)
    if schema is None:
        raise no_kind_registered(gvk, gvk.kind)
    decoded = decode_as(body, schema, gvk, mode)
    obj = decoded.obj
    if not obj.get("kind") or not obj.get("apiVersion"):
        decoded.obj = {**obj, "kind": gvk.kind, "apiVersion": gvk.api_version}
    return decoded


def decode_as(body: Obj, schema: Schema, gvk: GroupVersionKind, mode: Mode) -> Decoded:
    """Read `body` by a schema; `gvk` is for messages alone."""
    unknown: list[str] = []
    try:
        try:
            obj = decoder_of(schema)(body, unknown)
        except (Mismatch, scalars.ScalarError):
            raise cannot_be_handled(gvk, gvk.kind, mismatch_text(schema, body)) from None
        problems = unknown_fields(schema, body) if unknown and mode != "Ignore" else []
    except RecursionError:
        raise cannot_be_handled(gvk, gvk.kind, "exceeded max depth") from None
    if problems and mode == "Strict":
        raise strict_error(gvk, gvk.kind, problems)
    return Decoded(obj, problems)


def cannot_be_handled(gvk: GroupVersionKind, into: str, why: str) -> BadRequest:
    """Return the refusal of a body of kind `gvk` where an object of kind `into` was due."""
    return BadRequest(f'{gvk.kind} in version "{gvk.version}" cannot be handled as a {into}: {why}')


def unrecognized(into: str, why: str, body: bytes) -> BadRequest:
    """Return the refusal of a body that does not even tell its kind; it shows how it starts."""
    summary = "<empty>"
    if body:
        start = body[:_SHOWN]
        text = start.decode(errors="replace") if body[:1] == b"{" else start.hex()
        summary = text + (" ..." if len(body) > _SHOWN else "")
    return BadRequest(
        f"the object provided is unrecognized (must be of type {into}): {why} ({summary})"
    )


def strict_error(gvk: GroupVersionKind, into: str, problems: list[str]) -> BadRequest:
    """Return the refusal that lists unknown and duplicate fields."""
    return cannot_be_handled(gvk, into, "strict decoding error: " + ", ".join(problems))


def no_kind_registered(gvk: GroupVersionKind, into: str) -> BadRequest:
    """Return the refusal of a kind that no built-in group has."""
    version = GroupVersion(gvk.group, gvk.version).api_version
    return cannot_be_handled(
        gvk,
        into,
        f'no kind "{gvk.kind}" is registered for version "{version}" in scheme '
        '"pkg/api/legacyscheme/scheme.go:30"',
    )
