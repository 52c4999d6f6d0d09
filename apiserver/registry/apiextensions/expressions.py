"""Rules in CEL within a schema: whether they are well formed, and compile."""

from __future__ import annotations

from apimachinery.cel import fieldpaths
from apimachinery.cel.rules import compile_rule
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, not_supported, required

_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")


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


def rule_errors(
    schema: Obj, path: Path, *, resource: bool, apart: Path | None = None
) -> FieldErrors:
    """Yield which rules of a schema, or below it, cannot be compiled.

    `resource`: this is the root, or an embedded object, which has apiVersion, kind and metadata.
    `apart`: where a list begins whose elements cannot be told from one update to the next.
    """
    resource = resource or bool(schema.get("x-kubernetes-embedded-resource"))
    for at, spec in enumerate(schema.get("x-kubernetes-validations") or ()):
        where = (path / "x-kubernetes-validations")[at]
        yield from _one_errors(spec, schema, where, resource=resource, apart=apart)
    if apart is None and _loses_track(schema):
        apart = path
    for name, part in (schema.get("properties") or {}).items():
        below = (path / "properties").key(name)
        yield from rule_errors(part, below, resource=False, apart=apart)
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from rule_errors(schema[name], path / name, resource=False, apart=apart)


def _loses_track(schema: Obj) -> bool:
    """Tell whether what stands below has no old value to be compared with."""
    if schema.get("type") == "array":
        return bool(schema.get("x-kubernetes-list-type") != "map")
    return schema.get("x-kubernetes-map-type") == "atomic"


def _one_errors(
    spec: Obj, schema: Obj, where: Path, *, resource: bool, apart: Path | None
) -> FieldErrors:
    if not (spec.get("rule") or "").strip():
        return
    rule = compile_rule(spec, schema, root=resource)
    if rule.problem:
        yield invalid(where / "rule", _go_rule(spec), rule.problem)
    if rule.message_problem:
        yield invalid(where / "messageExpression", _go_rule(spec), rule.message_problem)
    if apart is not None and rule.of_transitions:
        why = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {apart}"
        yield invalid(where / "rule", spec["rule"], why)
    if spec.get("fieldPath"):
        try:
            fieldpaths.read(spec["fieldPath"], schema)
        except fieldpaths.FieldPathError as error:
            why = f"fieldPath must be a valid path: {error}"
            yield invalid(where / "fieldPath", spec["fieldPath"], why)


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
