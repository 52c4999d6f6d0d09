"""ValidatingAdmissionPolicies: what may be written, in CEL."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, duplicate, invalid, required
from apimachinery.validation.names import is_qualified_name
from apiserver.registry.admissionregistration.matching import expression_errors
from apiserver.registry.admissionregistration.policies import (
    SPEC,
    PolicyStrategy,
    param_kind,
    policy_errors,
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
        for at, check in enumerate(checks):
            yield from _validation_errors(check, (SPEC / "validations")[at])
        path = SPEC / "auditAnnotations"
        if len(notes) > _MOST_ANNOTATIONS:
            why = f"must not have more than {_MOST_ANNOTATIONS} auditAnnotations"
            yield invalid(path, list(notes), why)
        seen: set[str] = set()
        for at, note in enumerate(notes):
            yield from _annotation_errors(note, obj["metadata"].get("name") or "", path[at])
            key = note.get("key") or ""
            if key in seen:
                yield duplicate(path[at] / "key", key)
            seen.add(key)


def _validation_errors(check: Obj, path: Path) -> FieldErrors:
    missing = "expression is not specified"
    yield from expression_errors(check.get("expression"), path / "expression", missing)
    shown = check.get("messageExpression") or ""
    if shown and not shown.strip():
        why = "must be non-empty if specified"
        yield invalid(path / "messageExpression", shown, why)
    elif shown:
        yield from expression_errors(shown, path / "messageExpression", "")
    message = check.get("message") or ""
    if message and not message.strip():
        yield invalid(path / "message", message, "message must be non-empty if specified")
    elif "\n" in message.strip() or "\r" in message.strip():
        yield invalid(path / "message", message, "message must not contain line breaks")
    if check.get("reason") is not None:
        yield from one_of(check["reason"], _REASONS, path / "reason")


def _annotation_errors(note: Obj, name: str, path: Path) -> FieldErrors:
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
        yield from expression_errors(value, path / "valueExpression", missing)


_STRATEGY = ValidatingAdmissionPolicyStrategy()
VALIDATINGADMISSIONPOLICIES = Resource(
    kind=GroupVersionKind("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy"),
    plural="validatingadmissionpolicies",
    singular="validatingadmissionpolicy",
    namespaced=False,
    categories=("api-extensions",),
    strategy=_STRATEGY,
    subresources={"status": Subresource(strategy=StatusStrategy(_STRATEGY))},
    columns=(
        NAME,
        Column("Validations", count("spec.validations"), type="integer"),
        Column("ParamKind", param_kind),
        AGE,
    ),
)
