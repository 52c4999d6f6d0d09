"""Rules in CEL within a schema: whether they compile, and name fields that are there."""

from __future__ import annotations

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, not_supported, required
from apiserver.registry.rules.cel import CelError, Node, parse

_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_META = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}},
}
_IMPLICIT = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": _META}


def rule_form_errors(schema: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with x-kubernetes-validations, the expressions aside."""
    for at, rule in enumerate(schema.get("x-kubernetes-validations") or ()):
        where = (path / "x-kubernetes-validations")[at]
        text, message = rule.get("rule") or "", rule.get("message") or ""
        if not text.strip():
            yield required(where / "rule", "rule is not specified")
        elif message and not message.strip():
            yield invalid(where / "message", message, "message must be non-empty if specified")
        elif _has_lines(message.strip()):
            yield invalid(where / "message", message, "message must not contain line breaks")
        elif _has_lines(text.strip()) and not message:
            why = "message must be specified if rule contains line breaks"
            yield required(where / "message", why)
        shown = rule.get("messageExpression") or ""
        if shown and not shown.strip():
            why = "messageExpression must be non-empty if specified"
            yield required(where / "messageExpression", why)
        if rule.get("reason") is not None and rule["reason"] not in _REASONS:
            yield not_supported(where / "reason", rule["reason"], _REASONS)


def _has_lines(text: str) -> bool:
    return "\n" in text or "\r" in text


def rule_errors(schema: Obj, path: Path, *, resource: bool) -> FieldErrors:
    """Yield which rules of a schema, or below it, cannot be compiled.

    `resource`: this is the root, or an embedded object, which has apiVersion, kind and metadata.
    """
    resource = resource or bool(schema.get("x-kubernetes-embedded-resource"))
    shape = schema
    if resource:
        shape = schema | {"properties": (schema.get("properties") or {}) | _IMPLICIT}
    for name, part in (schema.get("properties") or {}).items():
        yield from rule_errors(part, (path / "properties").key(name), resource=False)
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from rule_errors(schema[name], path / name, resource=False)
    for at, rule in enumerate(schema.get("x-kubernetes-validations") or ()):
        where = (path / "x-kubernetes-validations")[at]
        for field in ("rule", "messageExpression"):
            text = rule.get(field) or ""
            if text and (why := _why_not(text, shape)) is not None:
                yield invalid(where / field, _go_rule(rule), f"compilation failed: {why}")


def _go_rule(rule: Obj) -> Obj:
    """Print a rule with the names of Go's fields, as messages show it."""
    return {
        "Rule": rule.get("rule") or "",
        "Message": rule.get("message") or "",
        "MessageExpression": rule.get("messageExpression") or "",
        "Reason": rule.get("reason"),
        "FieldPath": rule.get("fieldPath") or "",
        "OptionalOldSelf": rule.get("optionalOldSelf"),
    }


def _why_not(text: str, schema: Obj) -> str | None:
    try:
        _shape_of(parse(text), schema, text)
    except CelError as error:
        return str(error)
    return None


def _shape_of(node: Node, schema: Obj, source: str) -> Obj | None:
    """Return the schema of a chain of fields that starts at self; None: not known."""
    if node.kind == "name":
        return schema if node.name in ("self", "oldSelf") else None
    shapes = [_shape_of(part, schema, source) for part in node.parts]
    if node.kind != "select":
        return None
    target = shapes[0]
    if target is None or not _is_closed(target) or node.name.startswith("__"):
        return None
    known: dict[str, Obj] = target.get("properties") or {}
    if node.name not in known:
        raise CelError(source, node.offset, f"undefined field '{node.name}'")
    return known[node.name]


def _is_closed(schema: Obj) -> bool:
    """Tell whether an object has the fields of its schema alone."""
    return schema.get("type") == "object" and not (
        schema.get("additionalProperties")
        or schema.get("x-kubernetes-preserve-unknown-fields")
        or schema.get("x-kubernetes-int-or-string")
    )
