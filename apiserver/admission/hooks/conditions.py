"""matchConditions: expressions that all have to hold before a policy or webhook is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from apimachinery.cel.admission import (
    CONDITIONS_BUDGET,
    EXHAUSTED,
    Compiled,
    Shape,
    compile_expression,
)
from apimachinery.cel.env import Budget, CostExceeded, EvalError


class Outcome(NamedTuple):
    """Whether conditions hold, or why that cannot be told."""

    holds: bool
    problem: str = ""


HOLDS = Outcome(holds=True)
_FAILS = Outcome(holds=False)


class Conditions:
    """The match conditions of one policy or webhook."""

    def __init__(self, conditions: Sequence[Mapping[str, Any]] | None, shape: Shape) -> None:
        self._compiled = [
            compile_expression(each.get("expression") or "", shape).returns("bool")
            for each in conditions or ()
        ]

    def __bool__(self) -> bool:
        return bool(self._compiled)

    def check(self, values: Mapping[str, Any]) -> Outcome:
        """Evaluate: one that is false decides, whatever is wrong with the others."""
        budget, problems = Budget(CONDITIONS_BUDGET), list[str]()
        for compiled in self._compiled:
            found, problem = evaluate(compiled, values, budget)
            if problem == EXHAUSTED:
                return Outcome(holds=False, problem=problem)
            if problem:
                problems.append(problem)
            elif found is not True:
                return _FAILS
        if not problems:
            return HOLDS
        told = problems[0] if len(problems) == 1 else f"[{', '.join(dict.fromkeys(problems))}]"
        return Outcome(holds=False, problem=told)


def evaluate(compiled: Compiled, values: Mapping[str, Any], budget: Budget) -> tuple[Any, str]:
    """Return the value of an expression, and what went wrong."""
    if compiled.program is None:
        return None, f"compilation error: {compiled.problem}"
    try:
        return compiled.program.run(values, budget), ""
    except CostExceeded as error:
        if budget.left <= 0:
            return None, EXHAUSTED
        return None, f"expression '{compiled.text}' resulted in error: {error}"
    except EvalError as error:
        return None, f"expression '{compiled.text}' resulted in error: {error}"
