"""ValidatingAdmissionPolicies: what may be written, in CEL."""

from __future__ import annotations

from apimachinery.cel.admission import compose
from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, duplicate, invalid, required
from apimachinery.validation.names import is_qualified_name
from apiserver.registry.admissionregistration.matching import Compiles, expression_errors
from apiserver.registry.admissionregistration.policies import (
    SPEC,
    PolicyStrategy,
    param_kind,
    policy_errors,
    shape_of,
)
from apiserver.registry.podspec.checks import obey, one_of
from apiserver.registry.podspec.workload import keep_status
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import StatusStrategy, StrategyContext
from apiserver.registry.table import AGE, NAME, count

_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_NOTHING = "validations or auditAnnotations must contain at least one item"
_MOST_ANNOTATIONS = 20
_LONGEST_VALUE = 5 * 1024


class ValidatingAdmissionPolicyStrategy(PolicyStrategy):
    """Validations that have to hold, or annotations of the audit log."""

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {}

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec = obj.get("spec") or {}
        yield from policy_errors(spec)
        checks, notes = spec.get("validations") or (), spec.get("auditAnnotations") or ()
        if not checks and not notes:
            yield required(SPEC / "validations", _NOTHING)
            yield required(SPEC / "auditAnnotations", _NOTHING)
        shape = shape_of(spec)
        any_type = Compiles(shape, compose(spec.get("variables") or (), shape).types)
        for at, check in enumerate(checks):
            yield from _validation_errors(check, (SPEC / "validations")[at], any_type)
        path = SPEC / "auditAnnotations"
        if len(notes) > _MOST_ANNOTATIONS:
            why = f"must not have more than {_MOST_ANNOTATIONS} auditAnnotations"
            yield invalid(path, list(notes), why)
        seen: set[str] = set()
        for at, note in enumerate(notes):
            name = obj["metadata"].get("name") or ""
            yield from _annotation_errors(note, name, path[at], any_type)
            key = note.get("key") or ""
            if key in seen:
                yield duplicate(path[at] / "key", key)
            seen.add(key)


def _validation_errors(check: Obj, path: Path, compiles: Compiles) -> FieldErrors:
    missing = "expression is not specified"
    test = compiles._replace(wanted=("bool",))
    yield from expression_errors(check.get("expression"), path / "expression", missing, test)
    shown = check.get("messageExpression") or ""
    if shown and not shown.strip():
        why = "must be non-empty if specified"
        yield invalid(path / "messageExpression", shown, why)
    elif shown:
        without = compiles.shape._replace(authorizer=False)
        text = compiles._replace(shape=without, wanted=("string",))
        yield from expression_errors(shown, path / "messageExpression", "", text)
    message = check.get("message") or ""
    if message and not message.strip():
        yield invalid(path / "message", message, "message must be non-empty if specified")
    elif "\n" in message.strip() or "\r" in message.strip():
        yield invalid(path / "message", message, "message must not contain line breaks")
    if check.get("reason") is not None:
        yield from one_of(check["reason"], _REASONS, path / "reason")


def _annotation_errors(note: Obj, name: str, path: Path, compiles: Compiles) -> FieldErrors:
    key, value = note.get("key") or "", note.get("valueExpression") or ""
    if name:
        yield from obey(is_qualified_name, f"{name}/{key}", path / "key")
    else:
        yield invalid(path / "key", key, "requires metadata.name be non-empty")
    if len(value.strip()) > _LONGEST_VALUE:
        why = f"must not exceed {_LONGEST_VALUE} bytes in length"
        yield required(path / "valueExpression", why)
    else:
        missing = "valueExpression is not specified"
        text = compiles._replace(wanted=("string", "null_type"))
        yield from expression_errors(value, path / "valueExpression", missing, text)


_STRATEGY = ValidatingAdmissionPolicyStrategy()
VALIDATINGADMISSIONPOLICIES = Resource(
    kind=GroupVersionKind("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy"),
    plural="validatingadmissionpolicies",
    singular="validatingadmissionpolicy",
    namespaced=False,
    categories=("api-extensions",),
    strategy=_STRATEGY,
    subresources={"status": Subresource(strategy=StatusStrategy(_STRATEGY, resets_metadata=True))},
    columns=(
        NAME,
        Column("Validations", count("spec.validations"), type="integer"),
        Column("ParamKind", param_kind),
        AGE,
    ),
)
