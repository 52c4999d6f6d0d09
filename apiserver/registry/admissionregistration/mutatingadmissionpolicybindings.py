"""MutatingAdmissionPolicyBindings: where a mutating policy is at work."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors
from apiserver.registry.admissionregistration.policies import (
    BindingStrategy,
    binding_errors,
    param_ref,
)
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import StrategyContext
from apiserver.registry.table import AGE, NAME, field


class MutatingAdmissionPolicyBindingStrategy(BindingStrategy):
    """A binding of a policy that changes objects has no actions."""

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from binding_errors(obj.get("spec") or {})


MUTATINGADMISSIONPOLICYBINDINGS = Resource(
    kind=GroupVersionKind("admissionregistration.k8s.io", "v1", "MutatingAdmissionPolicyBinding"),
    plural="mutatingadmissionpolicybindings",
    singular="mutatingadmissionpolicybinding",
    namespaced=False,
    categories=("api-extensions",),
    storage_version="v1beta1",
    strategy=MutatingAdmissionPolicyBindingStrategy(),
    columns=(
        NAME,
        Column("PolicyName", field("spec.policyName")),
        Column("ParamRef", param_ref),
        AGE,
    ),
)
