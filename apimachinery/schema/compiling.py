"""Compiles a schema into a closure that reads values of it: the fast path of `decode`.

The closures know no paths and make no messages. They note that there was an unknown field, and
signal a wrong type; `problems` finds out which and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from apimachinery.schema import scalars
from apimachinery.schema.problems import Mismatch
from apimachinery.schema.table import Field, Schema, types

# (value, names of unknown fields so far): the value as it is stored.
Decoder: TypeAlias = Callable[[Any, list[str]], Any]
_APIEXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
_SCHEMA_OR = _APIEXTENSIONS + "JSONSchemaPropsOr"


def decoder_of(schema: Schema) -> Decoder:
    """Return the compiled decoder of a schema."""
    found: Decoder | None = schema.decoder
    if found is None:
        found = schema.decoder = _COMPILERS[schema.kind](schema)
    return found


def zero_of(schema: Schema) -> Any:
    """Return what a value that was never set prints as; a new one each time."""
    if schema.kind == "object":
        return {
            f.name: None if f.pointer else zero_of(f.schema)
            for f in schema.fields.values()
            if _printed_when_zero(f)
        }
    return _ZEROS.get(schema.kind)


_ZEROS = {
    "string": "", "integer": 0, "number": 0, "boolean": False, "quantity": "0",
    "int-or-string": 0,
}  # fmt: skip
# Go's omitempty never drops a struct, and these are structs to Go.
_STRUCTS = frozenset({"object", "time", "micro-time", "quantity", "int-or-string", "any"})


def _printed_when_zero(f: Field) -> bool:
    if f.omitzero:
        return False
    if not f.omitempty:
        return True
    return not f.pointer and f.schema.kind in _STRUCTS and not f.schema.name.startswith(_SCHEMA_OR)


def _compile_object(schema: Schema) -> Decoder:
    """Compile an object and all that it is made of; a type that contains itself finds `late`."""
    inner: list[Decoder] = []

    def late(value: Any, unknown: list[str]) -> Any:
        return inner[0](value, unknown)

    schema.decoder = late
    inner.append(_object_decoder(schema))
    return inner[0]


def _object_decoder(schema: Schema) -> Decoder:
    read = _field_reader(schema)
    zeros = tuple((f.name, _zero_maker(f)) for f in schema.fields.values() if _printed_when_zero(f))

    def run(value: Any, unknown: list[str]) -> Any:
        if value.__class__ is not dict:
            raise Mismatch
        out = read(value, unknown)
        for key, make in zeros:
            if key not in out:
                out[key] = make() if make is not None else None
        return out

    return run


def _field_reader(schema: Schema) -> Decoder:
    """Return the loop over the fields that are given: the hottest one of all decoding."""
    get = {f.name: _plan(f) for f in schema.fields.values()}.get

    def run(value: Any, unknown: list[str]) -> Any:
        out: dict[str, Any] = {}
        for key, given in value.items():
            plan = get(key)
            if plan is None:
                unknown.append(key)
                continue
            if given is None:
                continue
            plain, convert, keep = plan
            if given.__class__ is plain:
                if given or keep:
                    out[key] = given
                continue
            if convert is None:
                raise Mismatch
            read = convert(given, unknown)
            if read or keep:
                out[key] = read
        return out

    return run


def _plan(f: Field) -> tuple[type | None, Decoder | None, bool]:
    """Return how to read a field: a class that needs no conversion, a conversion, keep zeros."""
    kind = f.schema.kind
    keep = not f.omitempty or f.pointer or (kind in _STRUCTS and not f.omitzero)
    if kind == "string":
        return str, None, keep
    if kind == "boolean":
        return bool, None, keep
    if kind in ("array", "map") and not f.pointer and not f.omitempty:
        return None, _nil_when_empty(decoder_of(f.schema)), keep
    return None, decoder_of(f.schema), keep


def _nil_when_empty(convert: Decoder) -> Decoder:
    """Storage keeps no empty lists and maps: those that always print come back as null."""
    return lambda value, unknown: convert(value, unknown) or None


def _zero_maker(f: Field) -> Callable[[], Any] | None:
    if f.pointer or f.schema.kind in ("array", "map", "any", "bytes", "time", "micro-time"):
        return None
    if f.schema.kind != "object":
        constant = _ZEROS[f.schema.kind]
        return lambda: constant
    if not any(_printed_when_zero(inner) for inner in f.schema.fields.values()):
        return dict
    return lambda: zero_of(f.schema)


def _compile_array(schema: Schema) -> Decoder:
    item_schema = schema.item
    if item_schema is None:
        return _compile_any(schema)
    if item_schema.kind == "string":
        return _strings
    convert = decoder_of(item_schema)

    def run(value: Any, unknown: list[str]) -> Any:
        if value.__class__ is not list:
            raise Mismatch
        return [
            convert(item, unknown) if item is not None else zero_of(item_schema) for item in value
        ]

    return run


def _strings(value: Any, unknown: list[str]) -> Any:
    del unknown
    if value.__class__ is not list:
        raise Mismatch
    for item in value:
        if item.__class__ is not str:
            return [_string_or_null(item) for item in value]
    return value[:]


def _string_or_null(value: Any) -> str:
    if value is None:
        return ""
    if value.__class__ is not str:
        raise Mismatch
    return str(value)


def _compile_map(schema: Schema) -> Decoder:
    item_schema = schema.item
    if item_schema is None:
        return _compile_any(schema)
    if item_schema.kind == "string":
        return _string_map
    convert = decoder_of(item_schema)

    def run(value: Any, unknown: list[str]) -> Any:
        if value.__class__ is not dict:
            raise Mismatch
        return {
            key: convert(item, unknown) if item is not None else _null_in_map(item_schema)
            for key, item in value.items()
        }

    return run


def _null_in_map(schema: Schema) -> Any:
    return "" if schema.kind == "bytes" else zero_of(schema)


def _string_map(value: Any, unknown: list[str]) -> Any:
    del unknown
    if value.__class__ is not dict:
        raise Mismatch
    for item in value.values():
        if item.__class__ is not str:
            return {key: _string_or_null(item) for key, item in value.items()}
    return value.copy()


def _compile_integer(schema: Schema) -> Decoder:
    underlying = schema.int_format or schema.go_type
    low, high = scalars.INT_RANGES.get(underlying, scalars.INT_RANGES["int64"])

    def run(value: Any, unknown: list[str]) -> Any:
        del unknown
        if value.__class__ is not int or not low <= value <= high:
            raise Mismatch
        return value

    return run


def _compile_number(schema: Schema) -> Decoder:
    del schema

    def run(value: Any, unknown: list[str]) -> Any:
        del unknown
        if value.__class__ is not float and value.__class__ is not int:
            raise Mismatch
        return scalars.float64(value)

    return run


def _compile_int_or_string(schema: Schema) -> Decoder:
    del schema
    low, high = scalars.INT_RANGES["int32"]

    def run(value: Any, unknown: list[str]) -> Any:
        del unknown
        if value.__class__ is str:
            return value
        if value.__class__ is not int or not low <= value <= high:
            raise Mismatch
        return value

    return run


def _compile_text(read: Callable[[str], Any]) -> Callable[[Schema], Decoder]:
    def run(value: Any, unknown: list[str]) -> Any:
        del unknown
        if value.__class__ is not str:
            raise Mismatch
        return read(value)

    return lambda _: run


def _compile_exactly(wanted: type) -> Callable[[Schema], Decoder]:
    def run(value: Any, unknown: list[str]) -> Any:
        del unknown
        if value.__class__ is not wanted:
            raise Mismatch
        return value

    return lambda _: run


def _compile_quantity(schema: Schema) -> Decoder:
    del schema
    return lambda value, unknown: scalars.quantity(value)


def _compile_any(schema: Schema) -> Decoder:
    if not schema.name.startswith(_SCHEMA_OR):
        return lambda value, unknown: value
    props = types().definition(_APIEXTENSIONS + "JSONSchemaProps")
    form = schema.name.removeprefix(_SCHEMA_OR)

    def run(value: Any, unknown: list[str]) -> Any:
        """Read a schema or what else may stand there; whatever is neither counts as nothing."""
        if value.__class__ is dict:
            return decoder_of(props)(value, unknown)
        if form == "Bool":
            if value.__class__ is not bool:
                raise Mismatch
            return value
        if value.__class__ is not list:
            return None
        if form == "StringArray":
            return _strings(value, unknown)
        return [_schema(item, unknown) for item in value]

    def _schema(item: Any, unknown: list[str]) -> Any:
        return {} if item is None else decoder_of(props)(item, unknown)

    return run


_COMPILERS: dict[str, Callable[[Schema], Decoder]] = {
    "object": _compile_object,
    "array": _compile_array,
    "map": _compile_map,
    "string": _compile_exactly(str),
    "boolean": _compile_exactly(bool),
    "integer": _compile_integer,
    "number": _compile_number,
    "int-or-string": _compile_int_or_string,
    "quantity": _compile_quantity,
    "time": _compile_text(scalars.time),
    "micro-time": _compile_text(scalars.micro_time),
    "bytes": _compile_text(scalars.base64_bytes),
    "any": _compile_any,
}
