"""MutatingAdmissionPolicy: changes what is written, by expressions of the cluster's own objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from apimachinery.errors import ApiError
from apimachinery.meta import Obj, name_of, namespace_of
from apiserver.admission.hooks.conditions import HOLDS
from apiserver.admission.hooks.following import Followed, Found
from apiserver.admission.hooks.places import check_type, put_back
from apiserver.admission.hooks.reinvocation import Reinvocation
from apiserver.admission.interfaces import ANY, CONNECT, CREATE, UPDATE, AdmissionRequest, Rule
from apiserver.admission.policies.mutating import MutatingPolicy, MutationError, plan_at
from apiserver.admission.policies.policy import (
    Invocation,
    Policy,
    Refused,
    Surroundings,
    bindings_by_policy,
    invocations,
)
from apiserver.registry.catalog import Catalog

POLICIES = "mutatingadmissionpolicies.admissionregistration.k8s.io"
BINDINGS = "mutatingadmissionpolicybindings.admissionregistration.k8s.io"
Refuse = Callable[[Policy, Refused], None]


class Policies(Followed[MutatingPolicy]):
    """The policies of a cluster that have bindings."""

    resources = (POLICIES, BINDINGS)

    def build(self, found: Found) -> Sequence[MutatingPolicy]:
        bindings = bindings_by_policy(found[BINDINGS])
        return [
            MutatingPolicy(obj, bindings[name])
            for name, obj in sorted(found[POLICIES].items())
            if name in bindings
        ]


class MutatingAdmissionPolicy:
    """Carries out the mutations of policies, and again where a later one has changed more."""

    name = "MutatingAdmissionPolicy"
    handles = Rule((ANY,), (CREATE, UPDATE, CONNECT), (ANY,))

    def __init__(self, around: Surroundings, catalog: Catalog | None = None) -> None:
        self._around, self._catalog = around, catalog
        self.followed = Policies(around.objects, around.places)

    def admit(self, request: AdmissionRequest) -> None:
        policies = self.followed.hooks(request)
        if not policies or request.object is None:
            return
        against: list[Refused] = []

        def refuse(policy: Policy, refused: Refused) -> None:
            if policy.fails_closed:
                against.append(refused)

        memory = Reinvocation.of(request, self.name)
        for invocation in list(invocations(request, policies, self._around, refuse)):
            self._invoke(request, invocation, memory, refuse)
        memory.end(request)
        if against:
            raise _refusal(request, against)

    def _invoke(
        self,
        request: AdmissionRequest,
        invocation: Invocation,
        memory: Reinvocation,
        refuse: Refuse,
    ) -> None:
        policy: MutatingPolicy = invocation.policy
        _look_again(request, invocation)
        outcome = HOLDS
        if policy.conditions:
            outcome = policy.conditions.check(invocation.inquiry.values(invocation.params))
        if not outcome.holds:
            if outcome.problem:
                _say(refuse, invocation, outcome.problem)
            return
        key = (policy.name, invocation.binding.name, _named(invocation.params))
        if memory.skips(request, key):
            return
        for at in range(policy.size):
            try:
                self._mutate(request, invocation, at, memory)
            except MutationError as error:
                _say(refuse, invocation, str(error))
        memory.called(key, if_needed=policy.if_needed)

    def _mutate(
        self, request: AdmissionRequest, invocation: Invocation, at: int, memory: Reinvocation
    ) -> None:
        _look_again(request, invocation)
        place, before = invocation.inquiry.place, invocation.inquiry.object or {}
        changed = invocation.policy.mutate(at, invocation, plan_at(self._catalog, place))
        if changed == before:
            return
        check_type(before, changed)
        put_back(request, place, changed)
        memory.changed(request)


def _look_again(request: AdmissionRequest, invocation: Invocation) -> None:
    """Show the object as those before have left it."""
    if request.object is not None:
        invocation.inquiry.object = invocation.inquiry.place.shown(request.object)


def _named(params: Obj | None) -> tuple[str, str]:
    return ("", "") if params is None else (namespace_of(params), name_of(params))


def _say(refuse: Refuse, invocation: Invocation, why: str) -> None:
    policy: MutatingPolicy = invocation.policy
    refuse(policy, Refused(policy.name, invocation.binding.name, why))


def _refusal(request: AdmissionRequest, against: Sequence[Refused]) -> ApiError:
    """Return the error that names every policy that could not be carried out."""
    told = [_told(refused) for refused in against]
    error = request.refusal("admission request denied by policy")
    details = {**(error.details or {}), "causes": [{"message": message} for message in told]}
    reason = "Forbidden" if against[0].message.startswith("failed to configure") else "Invalid"
    return ApiError(told[0], details=details, reason=reason, code=403)


def _told(refused: Refused) -> str:
    if refused.binding is None:
        return f'policy "{refused.policy}" denied request: {refused.message}'
    return f"policy '{refused.policy}' with binding '{refused.binding}' denied request: " + (
        refused.message
    )
