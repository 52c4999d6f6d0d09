"""What the OpenAPI schema of a custom kind may say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldError,
    FieldErrors,
    Path,
    forbidden,
    invalid,
    not_supported,
)
from apiserver.registry.apiextensions import gotypes
from apiserver.registry.apiextensions.defaults import default_errors
from apiserver.registry.apiextensions.expressions import (
    Costs,
    RulePlace,
    rule_errors,
    rule_form_errors,
)
from apiserver.registry.apiextensions.listtypes import list_type_errors
from apiserver.registry.apiextensions.structural import structural_errors

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
# What Kubernetes leaves out of OpenAPI. A schema with one of these has no structure to check.
_UNSUPPORTED = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
_OPEN = "x-kubernetes-preserve-unknown-fields"
_EMBEDDED = "x-kubernetes-embedded-resource"
_META = ("metadata", "kind", "apiVersion")


def schema_errors(
    schema: Obj, path: Path, *, has_status: bool, unchanged: bool = False
) -> FieldErrors:
    """Yield what is wrong with the schema of a version.

    `path` is that of openAPIV3Schema. has_status: there is a status subresource. unchanged: the
    schema is stored already, so that no rule is too expensive for itself.
    """
    yield from _root_errors(schema, path, has_status=has_status)
    shape = [] if _is_unsupported(schema) else list(structural_errors(schema, path))
    if not shape and not _is_unsupported(schema):
        shape = list(default_errors(schema, path))
    yield from shape
    costs = Costs(unchanged=unchanged)
    readable = not shape and not _is_unsupported(schema)
    where = _Where(root=True, rules=RulePlace(1, resource=True) if readable else None)
    found = _node_errors(schema, path, where, costs)
    yield from found.of_schema
    yield from found.of_rules
    yield from costs.errors(path)


def _root_errors(schema: Obj, path: Path, *, has_status: bool) -> FieldErrors:
    kind = schema.get("type") or ""
    if has_status and kind not in ("", "object"):
        why = (
            'only "object" is allowed as the type at the root of the schema if the status '
            "subresource is enabled"
        )
        yield invalid(path / "type", kind, why)
    elif has_status and gotypes.says_too_much_at_the_root(schema):
        yield invalid(path, gotypes.schema(schema), gotypes.ONLY_AT_THE_ROOT)
    if schema.get("nullable"):
        yield forbidden(path / "nullable", "nullable cannot be true at the root")


@dataclass(slots=True)
class _Found:
    """What is wrong with a schema, apart from what is wrong with its rules."""

    of_schema: list[FieldError] = field(default_factory=list)
    of_rules: list[FieldError] = field(default_factory=list)

    def add(self, other: _Found) -> None:
        self.of_schema += other.of_schema
        self.of_rules += other.of_rules


@dataclass(frozen=True, slots=True)
class _Where:
    """What the schemas around one say of it."""

    root: bool = False
    in_meta: bool = False
    # Why there must be no default; None: there may be one.
    no_default: str | None = None
    # Where a list or map begins whose parts cannot be told from one update to the next.
    apart: Path | None = None
    # None: rules are not compiled here.
    rules: RulePlace | None = None

    def below(self, schema: Obj, *, rules: bool = False) -> _Where:
        """Return what holds for the parts of a schema."""
        place = self.rules.below(schema) if rules and self.rules is not None else None
        return replace(self, root=False, rules=place)

    def within(self, path: Path) -> _Where:
        """Return this, for parts that cannot be told from one update to the next."""
        return self if self.apart is not None else replace(self, apart=path)


def _node_errors(schema: Obj, path: Path, where: _Where, costs: Costs) -> _Found:
    found = _Found(list(_support_errors(schema, path, where)))
    if schema.get("uniqueItems"):
        why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        found.of_schema.append(forbidden(path / "uniqueItems", why))
    if schema.get("additionalProperties") not in (None, True) and schema.get("properties"):
        why = "additionalProperties and properties are mutual exclusive"
        found.of_schema.append(forbidden(path / "additionalProperties", why))
    for part, place, there in _below(schema, path, where):
        found.add(_node_errors(part, place, there, costs))
    if schema.get(_OPEN) is False:
        found.of_schema.append(invalid(path / _OPEN, False, "must be true or undefined"))
    found.of_schema += list_type_errors(schema, path)
    found.of_schema += rule_form_errors(schema, path)
    if where.rules is not None and not found.of_schema:
        found.of_rules += rule_errors(schema, path, where.rules, where.apart, costs)
    return found


def _below(schema: Obj, path: Path, where: _Where) -> Iterator[tuple[Obj, Path, _Where]]:
    """Yield the schemas within a schema, in the order in which they are looked at."""
    if isinstance(schema.get("additionalProperties"), dict):
        there = where.below(schema, rules=True)
        if where.in_meta:
            why = "inside additionalProperties applying to object metadata"
            there = replace(there, no_default=why)
        yield schema["additionalProperties"], path / "additionalProperties", there
    yield from _fields(schema, path, where)
    plain = where.below(schema)
    for name in ("patternProperties", "definitions"):
        for key, part in (schema.get(name) or {}).items():
            yield part, (path / name).key(key), plain
    for name in ("additionalItems", "not"):
        if isinstance(schema.get(name), dict):
            yield schema[name], path / name, plain
    for name in ("allOf", "oneOf", "anyOf"):
        for at, part in enumerate(schema.get(name) or ()):
            yield part, (path / name)[at], plain
    yield from _items(schema, path, where)


def _fields(schema: Obj, path: Path, where: _Where) -> Iterator[tuple[Obj, Path, _Where]]:
    whole, below = where.root or schema.get(_EMBEDDED), where.below(schema, rules=True)
    if schema.get("x-kubernetes-map-type") == "atomic":
        below = below.within(path)
    for name, part in (schema.get("properties") or {}).items():
        there = below
        if whole and name in _META:
            why = f"in top-level {name}" if where.root else where.no_default
            there = replace(there, in_meta=True, no_default=why)
        yield part, (path / "properties").key(name), there


def _items(schema: Obj, path: Path, where: _Where) -> Iterator[tuple[Obj, Path, _Where]]:
    there, items = where.below(schema, rules=True), schema.get("items")
    if schema.get("x-kubernetes-list-type") != "map":
        there = there.within(path)
    if isinstance(items, dict):
        yield items, path / "items", there
    for at, part in enumerate(items if isinstance(items, list) else ()):
        yield part, (path / "items")[at], there


def _is_unsupported(schema: Obj) -> bool:
    """Tell whether a schema, or one within, has no structure."""
    if any(schema.get(name) for name in _UNSUPPORTED) or isinstance(schema.get("items"), list):
        return True
    return any(_is_unsupported(part) for part, _, _ in _below(schema, Path(""), _Where()))


def _support_errors(schema: Obj, path: Path, where: _Where) -> FieldErrors:
    kind = schema.get("type") or ""
    if kind and kind not in _TYPES:
        yield not_supported(path / "type", kind, _TYPES)
    if schema.get("default") is not None and where.no_default is not None:
        yield forbidden(path / "default", f"must not be set {where.no_default}")
    for name in _UNSUPPORTED:
        if schema.get(name) or (name == "additionalItems" and schema.get(name) is not None):
            yield forbidden(path / name, f"{name} is not supported")
    if kind == "null":
        why = "type cannot be set to null, use nullable as an alternative"
        yield forbidden(path / "type", why)
    if isinstance(schema.get("items"), list) and schema["items"]:
        yield forbidden(path / "items", "items must be a schema object and not an array")
    if where.in_meta and schema.get(_EMBEDDED):
        yield forbidden(path / _EMBEDDED, "must not be used inside of resource meta")
