"""Defaults of a schema: each is a value that the schema itself would accept."""

from __future__ import annotations

from typing import Any

from apimachinery.cel.rules import compile_rules
from apimachinery.meta import Obj
from apimachinery.structural.embedded import embedded_errors
from apimachinery.structural.pruning import copied, pruned
from apimachinery.structural.schema import Structural, has_rules
from apimachinery.structural.validation import schema_errors
from apimachinery.validation.field import FieldError, FieldErrors, Path, invalid

_META = ("metadata", "apiVersion", "kind")
_TYPE_META = {"apiVersion": "validation/v1", "kind": "Validation"}


def default_errors(schema: Obj, path: Path) -> FieldErrors:
    """Yield which defaults of a whole schema are not what it says."""
    yield from _errors(schema, path, whole=True, around=None)


def _errors(schema: Obj, path: Path, *, whole: bool, around: _Around | None) -> FieldErrors:
    """`whole`: this is the root or an embedded object. `around`: this is within its metadata."""
    whole = whole or bool(schema.get("x-kubernetes-embedded-resource"))
    if whole:
        around = None
    default = schema.get("default")
    if default is not None:
        yield from _own_errors(default, schema, path / "default", whole=whole, around=around)
    if isinstance(schema.get("items"), dict):
        below = around.item() if around is not None else None
        yield from _errors(schema["items"], path / "items", whole=False, around=below)
    for name, part in (schema.get("properties") or {}).items():
        if whole and name in _META:
            below = _Around(schema, (name,))
        else:
            below = around.field(name) if around is not None else None
        yield from _errors(part, (path / "properties").key(name), whole=False, around=below)


class _Around:
    """The object in whose metadata a schema stands, and the way to it."""

    def __init__(self, schema: Obj, way: tuple[str | None, ...]) -> None:
        self._schema, self._way = schema, way

    def item(self) -> _Around:
        return _Around(self._schema, (*self._way, None))

    def field(self, name: str) -> _Around:
        return _Around(self._schema, (*self._way, name))

    def errors(self, value: Any) -> list[FieldError]:
        """Return what is wrong with an object that has the value where the schema stands."""
        for step in reversed(self._way):
            value = [value] if step is None else {step: value}
        root = Structural({**self._schema, "default": None}, root=True)
        return list(embedded_errors(_TYPE_META | value, root, Path("")))


def _own_errors(
    default: Any, schema: Obj, path: Path, *, whole: bool, around: _Around | None
) -> FieldErrors:
    shape = Structural(schema, root=whole)
    if around is not None:
        wrong = around.errors(copied(default))
        if wrong:
            text = str(wrong[0]) if len(wrong) == 1 else f"[{', '.join(map(str, wrong))}]"
            yield invalid(path, default, f"must result in valid metadata: {text}")
            return
    else:
        if pruned(default, shape)[1]:
            yield invalid(path, default, "must not have unknown fields")
        wrong = list(embedded_errors(default, shape, path))
        yield from wrong
        if wrong:
            return
    found = list(schema_errors(default, schema, base=str(path)))
    yield from found
    rules = compile_rules(schema, root=whole) if not found and has_rules(schema) else None
    if rules is not None:
        yield from rules(default, None, path=path)
