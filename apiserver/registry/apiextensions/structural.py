"""Whether a schema is structural: every field has one type, said in one place.

Pruning, defaulting and printing depend on it. What allOf, anyOf, oneOf and not say are only
further conditions on values whose shape stands outside of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import re2

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, forbidden, invalid, required

_ROOT, _FIELD, _ITEM = "root", "field", "item"
_UNTYPED = {
    _ROOT: "must not be empty at the root",
    _FIELD: "must not be empty for specified object fields",
    _ITEM: "must not be empty for specified array items",
}
_JUNCTORS = ("allOf", "anyOf", "oneOf")
_EMBEDDED, _EITHER, _OPEN = (
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields",
)
# What a condition must not say, and what it has to be instead.
_SHAPE = (
    ("type", "empty"),
    ("additionalProperties", "undefined"),
    ("default", "undefined"),
    ("title", "empty"),
    ("description", "empty"),
    ("nullable", "false"),
    (_OPEN, "false"),
    (_EMBEDDED, "false"),
    (_EITHER, "false"),
    ("x-kubernetes-list-map-keys", "empty"),
    ("x-kubernetes-list-type", "undefined"),
    ("x-kubernetes-map-type", "undefined"),
    ("x-kubernetes-validations", "empty"),
)
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_METADATA = (
    "must not specify anything other than name and generateName, "
    "but metadata is implicitly specified"
)
_OF_METADATA = frozenset({"type", "properties", "default"})


def structural_errors(schema: Obj, path: Path) -> FieldErrors:
    """Yield why a schema is not structural, sorted by what is said."""
    found = [*_shape_errors(schema, path, _ROOT), *_completeness_errors(schema, schema, path, path)]
    yield from sorted(found, key=str)


def _shape_errors(schema: Obj, path: Path, level: str) -> FieldErrors:
    kind, items = schema.get("type") or "", schema.get("items")
    if kind == "array" and items is None:
        yield required(path / "items", "must be specified")
    if isinstance(items, dict):
        yield from _shape_errors(items, path / "items", _ITEM)
    for name, part in (schema.get("properties") or {}).items():
        yield from _shape_errors(part, (path / "properties").key(name), _FIELD)
    additional = schema.get("additionalProperties")
    if additional is not None and level == _ROOT:
        yield forbidden(path / "additionalProperties", "must not be used at the root")
    if isinstance(additional, dict):
        yield from _shape_errors(additional, path / "additionalProperties", _FIELD)
    yield from _extension_errors(schema, path)
    yield from _junctor_errors(schema, path, typed=_is_int_or_string(schema))
    yield from _type_errors(schema, path, level)
    if level == _ROOT or schema.get(_EMBEDDED):
        yield from _meta_errors(schema, path)
    if level == _ROOT:
        yield from _metadata_errors((schema.get("properties") or {}).get("metadata"), path)


def _extension_errors(schema: Obj, path: Path) -> FieldErrors:
    if schema.get(_EITHER):
        for name in (_OPEN, _EMBEDDED):
            if schema.get(name):
                yield invalid(path / name, True, f"must be false if {_EITHER} is true")
    if schema.get(_EMBEDDED):
        if schema.get("additionalProperties") is not None:
            why = f"must not be used if {_EMBEDDED} is set"
            yield forbidden(path / "additionalProperties", why)
        if not schema.get(_OPEN) and not schema.get("properties"):
            why = f"must not be empty if {_EMBEDDED} is true without {_OPEN}"
            yield required(path / "properties", why)


def _type_errors(schema: Obj, path: Path, level: str) -> FieldErrors:
    kind = schema.get("type") or ""
    if schema.get(_EMBEDDED) and kind != "object":
        why = f"must be object if {_EMBEDDED} is true"
        yield invalid(path / "type", kind, why) if kind else required(path / "type", why)
    elif not kind and not schema.get(_EITHER) and not schema.get(_OPEN):
        yield required(path / "type", _UNTYPED[level])
    if level == _ROOT and kind not in ("", "object"):
        yield invalid(path / "type", kind, "must be object at the root")


def _meta_errors(schema: Obj, path: Path) -> FieldErrors:
    """Yield which of the fields that every object has are of another type than theirs."""
    known = schema.get("properties") or {}
    for name, kind in (("kind", "string"), ("apiVersion", "string"), ("metadata", "object")):
        found = known[name].get("type") or "" if name in known else kind
        if found != kind:
            where = (path / "properties").key(name) / "type"
            yield invalid(where, found, f"must be {kind}")


def _metadata_errors(metadata: Obj | None, path: Path) -> FieldErrors:
    """The server knows metadata; a schema may only say more of the name."""
    if metadata is None:
        return
    names = set(metadata.get("properties") or ())
    said = {name for name, value in metadata.items() if value not in (None, False, "", [], {})}
    if not names <= {"name", "generateName"} or not said <= _OF_METADATA:
        yield forbidden((path / "properties").key("metadata"), _METADATA)


def _junctors(schema: Obj, path: Path) -> Iterator[tuple[Obj, Path]]:
    for name in _JUNCTORS:
        for at, part in enumerate(schema.get(name) or ()):
            yield part, (path / name)[at]
    if schema.get("not") is not None:
        yield schema["not"], path / "not"


def _is_int_or_string(schema: Obj) -> bool:
    """Tell whether conditions say "integer or string", as they may to name both types."""
    first: Obj = (schema.get("allOf") or ({},))[0]
    return _INT_OR_STRING in (schema.get("anyOf"), first.get("anyOf"))


def _junctor_errors(schema: Obj, path: Path, *, typed: bool = False) -> FieldErrors:
    """Yield what conditions say of shape. `typed`: one of them may say "integer or string"."""
    if typed and schema.get("anyOf") == _INT_OR_STRING:
        schema = schema | {"anyOf": None}
    for part, where in _junctors(schema, path):
        yield from _condition_errors(part, where, typed=typed and where == (path / "allOf")[0])
    pattern = schema.get("pattern")
    if pattern:
        yield from _pattern_errors(pattern, path / "pattern")


def _pattern_errors(pattern: str, path: Path) -> FieldErrors:
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        text = error.args[0] if error.args else ""
        text = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
        why = f"must be a valid regular expression, but isn't: error parsing regexp: {text}"
        yield invalid(path, pattern, why)


def _condition_errors(part: Obj, path: Path, *, typed: bool = False) -> FieldErrors:
    yield from _junctor_errors(part, path, typed=typed)
    if isinstance(part.get("items"), dict):
        yield from _condition_errors(part["items"], path / "items")
    for name, value in (part.get("properties") or {}).items():
        yield from _condition_errors(value, (path / "properties").key(name))
    for name, wanted in _SHAPE:
        given = part.get(name)
        if given or (given is not None and wanted == "undefined"):
            yield forbidden(path / name, f"must be {wanted} to be structural")
    if "metadata" in (part.get("properties") or {}):
        where = (path / "properties").key("metadata")
        yield forbidden(where, "must not be specified in a nested context")


def _completeness_errors(part: Obj, shape: Obj, inside: Path, path: Path) -> FieldErrors:
    """Yield which fields the conditions of the root name that are nowhere else."""
    for one, where in _junctors(part, path):
        yield from _nested_completeness(one, shape, inside, where)


def _nested_completeness(part: Obj, shape: Obj, inside: Path, path: Path) -> FieldErrors:
    yield from _completeness_errors(part, shape, inside, path)
    items, known = part.get("items"), shape.get("properties") or {}
    if isinstance(items, dict):
        yield from _or_missing(items, shape.get("items"), inside / "items", path / "items")
    for name, value in (part.get("properties") or {}).items():
        outer, inner = ((each / "properties").key(name) for each in (inside, path))
        yield from _or_missing(value, known.get(name), outer, inner)


def _or_missing(part: Obj, shape: Obj | None, inside: Path, path: Path) -> FieldErrors:
    if not isinstance(shape, dict):
        yield required(inside, f"because it is defined in {path}")
    else:
        yield from _nested_completeness(part, shape, inside, path)
