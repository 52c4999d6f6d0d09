"""ValidatingAdmissionPolicies, compiled: what they decide of a request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from apimachinery.cel.admission import (
    EXHAUSTED,
    POLICY_BUDGET,
    Compiled,
    Composed,
    compile_expression,
)
from apimachinery.cel.env import Budget
from apimachinery.cel.rules import usable_message
from apimachinery.cel.values import type_name
from apimachinery.meta import Obj
from apiserver.admission.hooks.conditions import HOLDS, evaluate
from apiserver.admission.policies.policy import Binding, Invocation, Policy

LONGEST_ANNOTATION = 10 * 1024


class Decision(NamedTuple):
    """What one validation says against a request."""

    at: int
    message: str
    reason: str = "Invalid"


class Note(NamedTuple):
    """An audit annotation, or why there is none."""

    key: str
    value: str
    problem: str = ""


class _Check(NamedTuple):
    """One validation."""

    spec: Mapping[str, Any]
    test: Compiled
    message: Compiled | None

    @property
    def reason(self) -> str:
        return self.spec.get("reason") or "Invalid"


class ValidatingPolicy(Policy):
    """Validations and audit annotations over the same variables."""

    def __init__(self, obj: Obj, bindings: Sequence[Binding]) -> None:
        super().__init__(obj, bindings)
        self._composed = self.composed(self.shape)
        without = self.shape._replace(authorizer=False)
        self._checks = [
            _Check(
                spec,
                self._compile(spec.get("expression")).returns("bool"),
                compile_expression(
                    spec["messageExpression"], without, self._composed.types
                ).returns("string")
                if spec.get("messageExpression")
                else None,
            )
            for spec in self.spec.get("validations") or ()
        ]
        self._notes = [
            (note.get("key") or "", self._compile(note.get("valueExpression")))
            for note in self.spec.get("auditAnnotations") or ()
        ]

    def _compile(self, text: str | None) -> Compiled:
        composed: Composed = self._composed
        return compile_expression(text or "", self.shape, composed.types)

    def decide(self, invocation: Invocation) -> Iterator[Decision | Note]:
        """Yield what speaks against a request, then the annotations."""
        plain = invocation.inquiry.values(invocation.params)
        outcome = self.conditions.check(plain) if self.conditions else HOLDS
        if not outcome.holds:
            if outcome.problem and self.fails_closed:
                yield Decision(0, outcome.problem)
            return
        budget = Budget(POLICY_BUDGET)
        values = invocation.inquiry.values(invocation.params, self._composed, budget)
        for index, check in enumerate(self._checks):
            decision = self._check(index, check, values, budget)
            if decision is not None:
                yield decision
            if budget.left <= 0:
                return
        if self._notes:
            yield from self._annotate(invocation)

    def _check(
        self, index: int, check: _Check, values: Mapping[str, Any], budget: Budget
    ) -> Decision | None:
        found, problem = evaluate(check.test, values, budget)
        if problem:
            return Decision(index, problem) if self.fails_closed else None
        if found is True:
            return None
        message = ""
        if check.message is not None:
            shown, problem = evaluate(check.message, values, budget)
            if problem == EXHAUSTED:
                why = f"failed messageExpression: {problem}"
                return Decision(index, why) if self.fails_closed else None
            message = usable_message(shown)
        message = message or (check.spec.get("message") or "").strip()
        if not message:
            message = f"failed expression: {(check.spec.get('expression') or '').strip()}"
        return Decision(index, message, check.reason)

    def _annotate(self, invocation: Invocation) -> Iterator[Decision | Note]:
        budget = Budget(POLICY_BUDGET)
        values = invocation.inquiry.values(invocation.params, self._composed, budget)
        for key, compiled in self._notes:
            found, problem = evaluate(compiled, values, budget)
            if problem:
                if self.fails_closed:
                    yield Note(key, "", problem)
            elif isinstance(found, str):
                if found.strip():
                    yield Note(key, found.strip()[:LONGEST_ANNOTATION])
            elif found is not None:
                why = (
                    f"valueExpression '{compiled.text}' resulted in unsupported return type: "
                    f"{type_name(found)}. Return type must be either string or null."
                )
                yield Note(key, "", why)
