"""MutatingAdmissionPolicies: how what is written is changed, in CEL."""

from __future__ import annotations

from apimachinery.cel.admission import JSON_PATCH, OBJECT, compose
from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, required
from apiserver.registry.admissionregistration.matching import Compiles, expression_errors
from apiserver.registry.admissionregistration.policies import (
    SPEC,
    PolicyStrategy,
    param_kind,
    policy_errors,
    shape_of,
)
from apiserver.registry.podspec.checks import one_of, one_of_required
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import StrategyContext
from apiserver.registry.table import AGE, NAME, count

_REINVOCATION = ("IfNeeded", "Never")
_RETURNS = {"ApplyConfiguration": OBJECT, "JSONPatch": f"list({JSON_PATCH})"}
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
        shape = shape_of(spec)._replace(patches=True)
        any_type = Compiles(shape, compose(spec.get("variables") or (), shape).types)
        for at, mutation in enumerate(mutations):
            yield from _mutation_errors(mutation, path[at], any_type)
        policy = spec.get("reinvocationPolicy")
        yield from one_of_required(policy, _REINVOCATION, SPEC / "reinvocationPolicy")


def _mutation_errors(mutation: Obj, path: Path, compiles: Compiles) -> FieldErrors:
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
            text = compiles._replace(wanted=(_RETURNS[kind],))
            yield from expression_errors(given.get("expression"), where, missing, text)


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
