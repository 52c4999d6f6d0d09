"""ValidatingAdmissionPolicyBindings: what happens where a policy is not kept."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    duplicate,
    invalid,
    not_supported,
    repeats,
    required,
)
from apiserver.registry.admissionregistration.policies import (
    SPEC,
    BindingStrategy,
    binding_errors,
    param_ref,
)
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import StrategyContext
from apiserver.registry.table import AGE, NAME, field

_ACTIONS = ("Audit", "Deny", "Warn")


class ValidatingAdmissionPolicyBindingStrategy(BindingStrategy):
    """Deny, warn, or write it down; not both deny and warn."""

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec, path = obj.get("spec") or {}, SPEC / "validationActions"
        yield from binding_errors(spec)
        actions = spec.get("validationActions") or []
        again = repeats(actions)
        for at, action in enumerate(actions):
            if action not in _ACTIONS:
                yield not_supported(path[at], action, _ACTIONS)
            if at in again:
                yield duplicate(path[at], action)
        if "Deny" in actions and "Warn" in actions:
            why = (
                "must not contain both Deny and Warn (repeating the same validation failure "
                "information in the API response and headers serves no purpose)"
            )
            yield invalid(path, actions, why)
        if not actions:
            yield required(path, "at least one validation action is required")


VALIDATINGADMISSIONPOLICYBINDINGS = Resource(
    kind=GroupVersionKind("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicyBinding"),
    plural="validatingadmissionpolicybindings",
    singular="validatingadmissionpolicybinding",
    namespaced=False,
    categories=("api-extensions",),
    strategy=ValidatingAdmissionPolicyBindingStrategy(),
    columns=(
        NAME,
        Column("PolicyName", field("spec.policyName")),
        Column("ParamRef", param_ref),
        AGE,
    ),
)
