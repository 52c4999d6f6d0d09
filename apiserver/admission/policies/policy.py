"""A policy with its bindings, and the walk from a request to what has to be evaluated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from apimachinery.cel.admission import Composed, Shape, compose
from apimachinery.meta import Obj, name_of
from apiserver.admission.hooks.conditions import Conditions
from apiserver.admission.hooks.inquiry import Ask, Inquiry
from apiserver.admission.hooks.matching import EXEMPT, QUESTIONS, FindNamespace, Match
from apiserver.admission.hooks.places import Place, Places
from apiserver.admission.interfaces import AdmissionRequest
from apiserver.admission.policies.params import ConfigurationError, Params
from apiserver.registry.strategy import ObjectReader


class Binding:
    """A binding: what it narrows its policy to, and with which parameters."""

    def __init__(self, obj: Obj) -> None:
        self.spec: Mapping[str, Any] = obj.get("spec") or {}
        self.name = name_of(obj)
        self.match = Match(self.spec.get("matchResources"))
        self.param_ref: Mapping[str, Any] | None = self.spec.get("paramRef")


class Policy:
    """What policies of both kinds share."""

    def __init__(self, obj: Obj, bindings: Sequence[Binding]) -> None:
        self.spec: Mapping[str, Any] = obj.get("spec") or {}
        self.name = name_of(obj)
        self.bindings = bindings
        self.match = Match(self.spec.get("matchConstraints"))
        self.param_kind: Mapping[str, Any] | None = self.spec.get("paramKind")
        self.fails_closed = self.spec.get("failurePolicy") != "Ignore"
        self.shape = Shape(params=self.param_kind is not None, authorizer=True)
        self.conditions = Conditions(self.spec.get("matchConditions"), self.shape)

    def composed(self, shape: Shape) -> Composed:
        """Return the variables, compiled; every expression of the policy has them."""
        return compose(self.spec.get("variables") or (), shape)

    def might(self, request: AdmissionRequest, places: Places) -> bool:
        resource = str(request.resource)
        if resource in EXEMPT or resource in QUESTIONS:
            return False
        return bool(self.bindings) and self.match.might(request, places)


class Invocation(NamedTuple):
    """A policy that a request meets through one binding, with one parameter."""

    policy: Any
    binding: Binding
    inquiry: Inquiry
    params: Obj | None


class Refused(NamedTuple):
    """Something that speaks against a request; `binding` is None where the policy itself does."""

    policy: str
    binding: str | None
    message: str
    reason: str = "Invalid"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What policies read of their cluster."""

    objects: ObjectReader
    places: Places
    params: Params
    ask: Ask

    @property
    def find_namespace(self) -> FindNamespace:
        return lambda name: self.objects.get("namespaces", "", name)


def invocations(
    request: AdmissionRequest,
    policies: Sequence[Policy],
    around: Surroundings,
    refuse: Callable[[Policy, Refused], None],
) -> Iterator[Invocation]:
    """Yield what a request meets; what cannot be put to work is handed to `refuse`."""
    inquiries: dict[Place, Inquiry] = {}
    for policy in policies:
        place = policy.match.place(request, around.places, around.find_namespace)
        if place is None:
            continue
        problem = around.params.problem(policy.param_kind)
        if problem:
            why = f"failed to configure policy: {problem}"
            refuse(policy, Refused(policy.name, None, why))
            continue
        inquiry = inquiries.get(place)
        if inquiry is None:
            inquiry = Inquiry(request, place, around.find_namespace, around.ask)
            inquiries[place] = inquiry
        for binding in policy.bindings:
            if binding.match.place(request, around.places, around.find_namespace) is None:
                continue
            try:
                params = around.params.collect(
                    policy.param_kind, binding.param_ref, request.namespace
                )
            except ConfigurationError as error:
                why = f"failed to configure binding: {error}"
                refuse(policy, Refused(policy.name, binding.name, why))
                continue
            for each in params:
                yield Invocation(policy, binding, inquiry, each)


def bindings_by_policy(bindings: Mapping[str, Obj]) -> dict[str, list[Binding]]:
    """Return bindings, in the order of their names, by the policy that they name."""
    found: dict[str, list[Binding]] = {}
    for name in sorted(bindings):
        obj = bindings[name]
        policy = (obj.get("spec") or {}).get("policyName") or ""
        found.setdefault(policy, []).append(Binding(obj))
    return found
