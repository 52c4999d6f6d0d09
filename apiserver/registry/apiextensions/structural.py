"""Whether a schema is structural: every field has one type, said in one place.

Pruning, defaulting and printing depend on it. What allOf, anyOf, oneOf and not say are only
further conditions on values whose shape stands outside of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, forbidden, invalid, required

_ROOT, _FIELD, _ITEM = "root", "field", "item"
_MISSING = {
    _ROOT: "must not be empty at the root",
    _FIELD: "must not be empty for specified object fields",
    _ITEM: "must not be empty for specified array items",
}
_JUNCTORS = ("allOf", "anyOf", "oneOf")
_SHAPE = (
    "type",
    "nullable",
    "default",
    "additionalProperties",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
)
_PROSE = ("title", "description")
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_METADATA = (
    "must not specify anything other than name and generateName, "
    "but metadata is implicitly specified"
)
_STRUCTURAL = "must be empty to be structural"


def structural_errors(schema: Obj, path: Path) -> FieldErrors:
    """Yield why a schema is not structural."""
    yield from _shape_errors(schema, path, _ROOT)


def _shape_errors(schema: Obj, path: Path, level: str) -> FieldErrors:
    kind = schema.get("type") or ""
    open_ended = schema.get("x-kubernetes-preserve-unknown-fields")
    either = schema.get("x-kubernetes-int-or-string")
    if kind == "array" and schema.get("items") is None:
        yield required(path / "items", "must be specified")
    if level == _ROOT and kind and kind != "object":
        yield invalid(path / "type", kind, "must be object at the root")
    if not kind and not either and (level == _ROOT or not open_ended):
        yield required(path / "type", _MISSING[level])
    if schema.get("x-kubernetes-embedded-resource"):
        yield from _embedded_errors(schema, path)
    if either and kind:
        why = "must be empty if x-kubernetes-int-or-string is true"
        yield forbidden(path / "type", why)
    embedded = schema.get("x-kubernetes-embedded-resource")
    for name, part in (schema.get("properties") or {}).items():
        where = (path / "properties").key(name)
        yield from _shape_errors(part, where, _FIELD)
        if name == "metadata" and (level == _ROOT or embedded):
            yield from _metadata_errors(part, where)
    for part, where in _parts(schema, path):
        yield from _shape_errors(part, where, _ITEM if where == path / "items" else _FIELD)
    yield from _junctor_errors(schema, schema, path)


def _parts(schema: Obj, path: Path) -> Iterator[tuple[Obj, Path]]:
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield schema[name], path / name


def _embedded_errors(schema: Obj, path: Path) -> FieldErrors:
    kind = schema.get("type") or ""
    why = "must be object if x-kubernetes-embedded-resource is true"
    if not kind:
        yield required(path / "type", why)
    elif kind != "object":
        yield invalid(path / "type", kind, why)
    open_ended = schema.get("x-kubernetes-preserve-unknown-fields")
    if not schema.get("properties") and not open_ended:
        why = (
            "must not be empty if x-kubernetes-embedded-resource is true without "
            "x-kubernetes-preserve-unknown-fields"
        )
        yield required(path / "properties", why)


def _metadata_errors(schema: Obj, path: Path) -> FieldErrors:
    """The server knows metadata; a schema may only say more of the name."""
    if any(name not in ("name", "generateName") for name in schema.get("properties") or {}):
        yield forbidden(path, _METADATA)
    if (schema.get("type") or "object") != "object":
        yield invalid(path / "type", schema["type"], "must be object")


def _junctor_errors(schema: Obj, shape: Obj, path: Path) -> FieldErrors:
    for name in _JUNCTORS:
        parts = schema.get(name) or ()
        if shape.get("x-kubernetes-int-or-string") and list(parts) == _INT_OR_STRING:
            continue
        for at, part in enumerate(parts):
            yield from _condition_errors(part, shape, (path / name)[at])
    if schema.get("not") is not None:
        yield from _condition_errors(schema["not"], shape, path / "not")


def _condition_errors(part: Obj, shape: Obj, path: Path) -> FieldErrors:
    """Yield what a condition says of shape, and which fields it names that are nowhere else."""
    for name in _SHAPE:
        if part.get(name):
            yield forbidden(path / name, _STRUCTURAL)
    for name in _PROSE:
        if part.get(name):
            yield forbidden(path / name, _STRUCTURAL)
    known = shape.get("properties") or {}
    for name, value in (part.get("properties") or {}).items():
        where = (path / "properties").key(name)
        own = known.get(name)
        if own is None and not isinstance(shape.get("additionalProperties"), dict):
            outside = str(where).replace(str(path), _outside(path), 1)
            why = f"because it is defined in {where}"
            yield required(Path(outside), why)
        else:
            yield from _condition_errors(value, own or shape["additionalProperties"], where)
    items = part.get("items")
    if isinstance(items, dict):
        if not isinstance(shape.get("items"), dict):
            yield required(
                Path(_outside(path)) / "items", f"because it is defined in {path / 'items'}"
            )
        else:
            yield from _condition_errors(items, shape["items"], path / "items")
    yield from _junctor_errors(part, shape, path)


def _outside(path: Path) -> str:
    """Return where the shape of a condition stands: the path before the first junctor."""
    text = str(path)
    found = [text.find(f".{name}") for name in (*_JUNCTORS, "not")]
    return text[: min(at for at in found if at >= 0)]
