"""ValidatingAdmissionPolicy: what may be written, by expressions of the cluster's own objects."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from apimachinery.errors import ApiError
from apiserver.admission.hooks.following import Followed, Found
from apiserver.admission.interfaces import ANY, AdmissionRequest, Operation, Rule
from apiserver.admission.policies.policy import (
    Binding,
    Invocation,
    Policy,
    Refused,
    Surroundings,
    bindings_by_policy,
    invocations,
)
from apiserver.admission.policies.validating import Decision, ValidatingPolicy

POLICIES = "validatingadmissionpolicies.admissionregistration.k8s.io"
BINDINGS = "validatingadmissionpolicybindings.admissionregistration.k8s.io"
_CODES = {"Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413, "Invalid": 422}
_FAILURE = "validation.policy.admission.k8s.io/validation_failure"


class Policies(Followed[ValidatingPolicy]):
    """The policies of a cluster that have bindings."""

    resources = (POLICIES, BINDINGS)

    def build(self, found: Found) -> Sequence[ValidatingPolicy]:
        bindings = bindings_by_policy(found[BINDINGS])
        return [
            ValidatingPolicy(obj, bindings[name])
            for name, obj in sorted(found[POLICIES].items())
            if name in bindings
        ]


class ValidatingAdmissionPolicy:
    """Refuses what a policy's validations do not hold for."""

    name = "ValidatingAdmissionPolicy"
    handles = Rule((ANY,), tuple(Operation), (ANY,))

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self.followed = Policies(around.objects, around.places)

    def validate(self, request: AdmissionRequest) -> None:
        policies = self.followed.hooks(request)
        if not policies:
            return
        verdict = _Verdict(request)
        for invocation in invocations(request, policies, self._around, verdict.misconfigured):
            verdict.hear(invocation)
        verdict.give()


class _Verdict:
    """What the policies say of one request, gathered."""

    def __init__(self, request: AdmissionRequest) -> None:
        self._request = request
        self._against: list[Refused] = []
        self._notes: dict[str, list[str]] = {}

    def misconfigured(self, policy: Policy, refused: Refused) -> None:
        if policy.fails_closed:
            self._against.append(refused)

    def hear(self, invocation: Invocation) -> None:
        policy: ValidatingPolicy = invocation.policy
        for found in policy.decide(invocation):
            if isinstance(found, Decision):
                self._act(policy, invocation.binding, found)
            elif found.problem:
                refused = Refused(policy.name, invocation.binding.name, found.problem)
                self._against.append(refused)
            else:
                values = self._notes.setdefault(f"{policy.name}/{found.key}", [])
                if found.value not in values:
                    values.append(found.value)

    def _act(self, policy: Policy, binding: Binding, decision: Decision) -> None:
        actions = binding.spec.get("validationActions") or ()
        if "Deny" in actions:
            refused = Refused(policy.name, binding.name, decision.message, decision.reason)
            self._against.append(refused)
        if "Warn" in actions:
            self._request.warnings.append(
                f"Validation failed for ValidatingAdmissionPolicy '{policy.name}' with binding "
                f"'{binding.name}': {decision.message}"
            )
        if "Audit" in actions:
            failure = {
                "message": decision.message,
                "policy": policy.name,
                "binding": binding.name,
                "expressionIndex": decision.at,
                "validationActions": list(actions),
            }
            self._request.annotations[_FAILURE] = orjson.dumps([failure]).decode()

    def give(self) -> None:
        """Raise the first refusal; publish the annotations."""
        for key, values in self._notes.items():
            self._request.annotations[key] = ", ".join(values)
        if self._against:
            raise refusal(self._request, "ValidatingAdmissionPolicy", self._against[0])


def refusal(request: AdmissionRequest, kind: str, refused: Refused) -> ApiError:
    """Return the error that says which policy and binding are against a request, and why."""
    binding = f" with binding '{refused.binding}'" if refused.binding is not None else ""
    message = f"{kind} '{refused.policy}'{binding} denied request: {refused.message}"
    error = request.refusal(message)
    reason = refused.reason or "Invalid"
    details = {**(error.details or {}), "causes": [{"message": message}]}
    return ApiError(error.message, details=details, reason=reason, code=_CODES.get(reason, 422))
