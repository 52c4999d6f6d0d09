"""MutatingAdmissionPolicies: how what is written is changed, in CEL."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, required
from apiserver.registry.admissionregistration.matching import expression_errors
from apiserver.registry.admissionregistration.policies import (
    SPEC,
    PolicyStrategy,
    param_kind,
    policy_errors,
)
from apiserver.registry.podspec.checks import one_of, one_of_required
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import StrategyContext
from apiserver.registry.table import AGE, NAME, count

_REINVOCATION = ("IfNeeded", "Never")
_SOURCES = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}


class MutatingAdmissionPolicyStrategy(PolicyStrategy):
    """Mutations, one after the other."""

    def default(self, obj: Obj) -> None:
        super().default(obj)
        if obj["spec"].get("reinvocationPolicy") is None:
            obj["spec"]["reinvocationPolicy"] = "Never"

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec = obj.get("spec") or {}
        yield from policy_errors(spec)
        mutations, path = spec.get("mutations") or (), SPEC / "mutations"
        if not mutations:
            yield required(path, "mutations must contain at least one item")
        for at, mutation in enumerate(mutations):
            yield from _mutation_errors(mutation, path[at])
        policy = spec.get("reinvocationPolicy")
        yield from one_of_required(policy, _REINVOCATION, SPEC / "reinvocationPolicy")


def _mutation_errors(mutation: Obj, path: Path) -> FieldErrors:
    kind = mutation.get("patchType") or ""
    if not kind:
        yield required(path / "patchType")
        return
    yield from one_of(kind, tuple(_SOURCES), path / "patchType")
    for name, source in _SOURCES.items():
        given = mutation.get(source)
        if name != kind and given is not None:
            yield invalid(
                path / source, given, f"{source} must not be set when patchType is {kind}"
            )
        elif name == kind and given is None:
            yield required(path / source, f"{source} is required when patchType is {kind}")
        elif name == kind and given is not None:
            missing = "expression is not specified"
            where = path / source / "expression"
            yield from expression_errors(given.get("expression"), where, missing)


MUTATINGADMISSIONPOLICIES = Resource(
    kind=GroupVersionKind("admissionregistration.k8s.io", "v1", "MutatingAdmissionPolicy"),
    plural="mutatingadmissionpolicies",
    singular="mutatingadmissionpolicy",
    namespaced=False,
    categories=("api-extensions",),
    storage_version="v1beta1",
    strategy=MutatingAdmissionPolicyStrategy(),
    columns=(
        NAME,
        Column("Mutations", count("spec.mutations"), type="integer"),
        Column("ParamKind", param_kind),
        AGE,
    ),
)
