"""Says what is wrong with an object, after `decode` found that something is.

Walks the object in the order in which it was written, with the path in hand. Messages are those
of the JSON decoder that Kubernetes uses: a type error names the innermost struct and the path of
fields without indices; a strict error names the whole path with indices.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Self

from apimachinery.schema import scalars
from apimachinery.schema.table import Schema, types

_APIEXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
_SCHEMA_OR = _APIEXTENSIONS + "JSONSchemaPropsOr"
# The decoder gives up counting here.
_MOST_PROBLEMS = 100
_UNDERLYING = {"time": "string", "micro-time": "string", "int-or-string": "int32"}


class Mismatch(Exception):
    """A value is of the wrong JSON type; `mismatch_text` finds which."""


class WrittenNumber(float):
    """A number together with the text that it was read from."""

    def __new__(cls, text: str) -> Self:
        made = super().__new__(cls, text)
        made.text = text
        return made

    text: str


class _StopError(Exception):
    """An error of a type that decodes itself: it ends decoding at once."""


def unknown_fields(schema: Schema, value: Any) -> list[str]:
    """Return `unknown field "spec.containers[0].foo"` for each field that the kind has not."""
    found: list[str] = []
    for path in _unknown(schema, value, ""):
        text = f'unknown field "{path}"'
        if text not in found:
            found.append(text)
        if len(found) >= _MOST_PROBLEMS:
            break
    return found


def _unknown(schema: Schema, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        dot = f"{path}." if path else ""
        if schema.kind == "object":
            for key, item in value.items():
                field = schema.fields.get(key)
                if field is None:
                    yield dot + key
                else:
                    yield from _unknown(field.schema, item, dot + key)
        elif schema.kind == "map" and schema.item is not None:
            for key, item in value.items():
                yield from _unknown(schema.item, item, dot + key)
    elif isinstance(value, list) and schema.kind == "array" and schema.item is not None:
        for index, item in enumerate(value):
            yield from _unknown(schema.item, item, f"{path}[{index}]")


def mismatch_text(schema: Schema, value: Any) -> str:
    """Return the decoder's message about the first value that has the wrong type."""
    walk = _Walk()
    try:
        walk.visit(schema, value)
    except _StopError as error:
        return str(error)
    return walk.saved


class _Walk:
    """One pass over an object: keeps the first error, unless one ends the pass."""

    def __init__(self) -> None:
        self.saved = ""
        self._struct = ""
        self._stack: list[str] = []

    def visit(self, schema: Schema, value: Any) -> None:
        kind = schema.kind
        if value is None or kind == "any":
            self._visit_any(schema, value)
        elif kind == "object":
            self._visit_object(schema, value)
        elif kind == "array":
            self._visit_array(schema, value)
        elif kind == "map":
            self._visit_map(schema, value)
        elif kind in _READERS:
            self._visit_self_decoding(schema, value)
        else:
            self._visit_scalar(schema, value)

    def _visit_any(self, schema: Schema, value: Any) -> None:
        name = schema.name.removeprefix(_SCHEMA_OR)
        if name == schema.name or value is None:
            return
        props = types().definition(_APIEXTENSIONS + "JSONSchemaProps")
        if isinstance(value, dict):
            self.visit(props, value)
        elif name == "Bool" and not isinstance(value, bool):
            raise _StopError("boolean or JSON schema expected")
        elif isinstance(value, list):
            for item in value:
                self._visit_item(name, props, item)

    def _visit_item(self, name: str, props: Schema, item: Any) -> None:
        """Look at an item of a list of schemas, or of names: each list decodes itself."""
        if item is None:
            return
        if name == "StringArray":
            if not isinstance(item, str):
                raise _StopError(
                    f"json: cannot unmarshal {_word(item, '')} into Go value of type string"
                )
        elif isinstance(item, dict):
            self.visit(props, item)
        else:
            raise _StopError(_no_value(item, props.go_type))

    def _visit_object(self, schema: Schema, value: Any) -> None:
        if not isinstance(value, dict):
            self._save(value, schema.go_type)
            return
        outer = self._struct
        for key, item in value.items():
            field = schema.fields.get(key)
            if field is None:
                continue
            self._struct = schema.go_type.rpartition(".")[2]
            self._stack.append(key)
            self.visit(field.schema, item)
            self._stack.pop()
            self._struct = outer

    def _visit_array(self, schema: Schema, value: Any) -> None:
        if not isinstance(value, list):
            self._save(value, schema.go_type)
        elif schema.item is not None:
            for item in value:
                self.visit(schema.item, item)

    def _visit_map(self, schema: Schema, value: Any) -> None:
        if not isinstance(value, dict):
            self._save(value, schema.go_type)
        elif schema.item is not None:
            for item in value.values():
                self.visit(schema.item, item)

    def _visit_self_decoding(self, schema: Schema, value: Any) -> None:
        """Types with an UnmarshalJSON: their errors end decoding, and some take the context."""
        if schema.kind == "quantity" or isinstance(value, str):
            try:
                if schema.kind != "int-or-string":
                    _READERS[schema.kind](value)
            except scalars.ScalarError as error:
                raise _StopError(str(error)) from None
            return
        if schema.kind == "int-or-string" and _is_int(value, "int32"):
            return
        raise _StopError(self._text(_word(value, schema.kind), _UNDERLYING[schema.kind]))

    def _visit_scalar(self, schema: Schema, value: Any) -> None:
        kind = schema.kind
        if kind == "bytes":
            self._visit_bytes(schema, value)
        elif kind == "integer":
            if not _is_int(value, schema.int_format or schema.go_type):
                self._save(value, schema.go_type, kind)
        elif kind == "number":
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                self._save(value, schema.go_type, kind)
        elif not isinstance(value, str if kind == "string" else bool):
            self._save(value, schema.go_type)

    def _visit_bytes(self, schema: Schema, value: Any) -> None:
        if not isinstance(value, str):
            self._save(value, schema.go_type)
            return
        try:
            scalars.base64_bytes(value)
        except scalars.ScalarError as error:
            self.saved = self.saved or str(error)

    def _save(self, value: Any, go_type: str, kind: str = "") -> None:
        self.saved = self.saved or self._text(_word(value, kind), go_type)

    def _text(self, word: str, go_type: str) -> str:
        if not self._struct:
            return f"json: cannot unmarshal {word} into Go value of type {go_type}"
        path = f"{self._struct}.{'.'.join(self._stack)}"
        return f"json: cannot unmarshal {word} into Go struct field {path} of type {go_type}"


_READERS: dict[str, Callable[[Any], Any]] = {
    "quantity": scalars.quantity,
    "time": scalars.time,
    "micro-time": scalars.micro_time,
    "int-or-string": str,
}


def _is_int(value: Any, go_type: str) -> bool:
    low, high = scalars.INT_RANGES.get(go_type, scalars.INT_RANGES["int64"])
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _no_value(value: Any, go_type: str) -> str:
    return f"json: cannot unmarshal {_word(value, '')} into Go value of type {go_type}"


def _word(value: Any, kind: str) -> str:
    """Name a JSON value as Go does; a number that does not fit an integer is shown."""
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        shown = value.text if isinstance(value, WrittenNumber) else json.dumps(value)
        return f"number {shown}" if kind in ("integer", "int-or-string") else "number"
    return "array" if isinstance(value, list) else "object"
