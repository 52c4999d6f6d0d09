"""MutatingAdmissionPolicies, compiled: what they make of an object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from apimachinery.apply import walk
from apimachinery.apply.plans import LEAF, Plan, plan_of
from apimachinery.cel.admission import (
    JSON_PATCH,
    OBJECT,
    POLICY_BUDGET,
    Compiled,
    compile_expression,
)
from apimachinery.cel.env import Budget
from apimachinery.cel.errors import EvalError
from apimachinery.cel.json_values import TypeMismatchError, check_names, to_json
from apimachinery.errors import ApiError
from apimachinery.meta import Obj
from apimachinery.patch import json as json_patch
from apimachinery.schema import types
from apiserver.admission.hooks.conditions import evaluate
from apiserver.admission.hooks.places import Place
from apiserver.admission.policies.policy import Binding, Invocation, Policy
from apiserver.registry.catalog import Catalog


class MutationError(Exception):
    """A mutation that cannot be carried out."""


class _Mutation(NamedTuple):
    """One mutation: an expression, and what is done with its value."""

    compiled: Compiled
    apply: Callable[[Any, Obj, Plan], Obj]


class MutatingPolicy(Policy):
    """Mutations over the same variables, one after the other."""

    def __init__(self, obj: Obj, bindings: Sequence[Binding]) -> None:
        super().__init__(obj, bindings)
        shape = self.shape._replace(patches=True)
        self._composed = self.composed(shape)
        self.if_needed = self.spec.get("reinvocationPolicy") == "IfNeeded"
        self._mutations = []
        for spec in self.spec.get("mutations") or ():
            source, wanted, apply = _KINDS[spec.get("patchType") or "JSONPatch"]
            text = (spec.get(source) or {}).get("expression") or ""
            compiled = compile_expression(text, shape, self._composed.types).returns(wanted)
            self._mutations.append(_Mutation(compiled, apply))

    @property
    def size(self) -> int:
        return len(self._mutations)

    def mutate(self, at: int, invocation: Invocation, plan: Plan) -> Obj:
        """Return the object after one mutation. Raises MutationError."""
        mutation = self._mutations[at]
        budget = Budget(POLICY_BUDGET)
        values = invocation.inquiry.values(invocation.params, self._composed, budget)
        if mutation.compiled.program is None:
            raise MutationError(mutation.compiled.problem)
        found, problem = evaluate(mutation.compiled, values, budget)
        if problem:
            raise MutationError(problem)
        before: Obj = invocation.inquiry.object or {}
        try:
            return mutation.apply(found, before, plan)
        except TypeMismatchError as error:
            raise MutationError(f"type mismatch: {error}") from None
        except EvalError as error:
            raise MutationError(str(error)) from None


def _applied(found: Any, before: Obj, plan: Plan) -> Obj:
    """Merge an apply configuration, as server-side apply would."""
    check_names(found, OBJECT)
    configuration: Obj = to_json(found)
    atomic = list(_atomics(plan, configuration, ""))
    if atomic:
        raise MutationError(
            "error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps "
            f"or structs: {', '.join(atomic)}"
        )
    merged: Obj = walk.merge(plan, before, configuration)
    return merged


def _atomics(plan: Plan, value: Any, path: str) -> Iterator[str]:
    """Yield the paths of what would be replaced as a whole."""
    if isinstance(value, (dict, list)) and plan.kind == LEAF:
        yield path
    elif isinstance(value, dict):
        known: Mapping[str, Any] = plan.fields if plan.struct else {}
        for key, each in value.items():
            field = known.get(key)
            if field is not None:
                yield from _atomics(field.plan, each, f"{path}.{key}")
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from _atomics(plan.item, each, f"{path}[{at}]")


def _patched(found: Any, before: Obj, plan: Plan) -> Obj:
    """Carry out a JSON patch; one whose test fails changes nothing."""
    del plan
    doc = before
    for step in found:
        if isinstance(step.get("value"), dict):
            _check_value(step["value"])
        operation = {key: to_json(value) for key, value in step.items()}
        try:
            doc = json_patch.apply(doc, [operation])
        except ApiError as error:
            if operation.get("op") == "test":
                return before
            why = f"{operation.get('op')} operation does not apply: {operation.get('path')}"
            raise MutationError(f"JSONPath: {why}") from error
    return doc


def _check_value(value: Any) -> None:
    check_names(value, getattr(value, "name", ""))


_KINDS: Mapping[str, tuple[str, str, Callable[[Any, Obj, Plan], Obj]]] = {
    "ApplyConfiguration": ("applyConfiguration", OBJECT, _applied),
    "JSONPatch": ("jsonPatch", f"list({JSON_PATCH})", _patched),
}


def plan_at(catalog: Catalog | None, place: Place) -> Plan:
    """Return how objects of a place are walked and merged."""
    served = None
    if catalog is not None:
        served = catalog.find(place.group, place.version, place.resource)
    if served is not None and served.resource.custom and served.kind == place.kind:
        return plan_of(served.resource.strategy.schema(served.kind))
    return plan_of(types().type_of(place.kind))
