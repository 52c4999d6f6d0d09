"""What may be wrong with an expression, before it runs and while it does."""

from __future__ import annotations


class Issue(ValueError):
    """One thing that is wrong at one place of a text; an offset below 0 means the whole text."""

    def __init__(self, offset: int, why: str) -> None:
        super().__init__(why)
        self.offset = offset
        self.why = why

    def shown(self, source: str) -> str:
        """Return the words, and the line with a mark below, as CEL's compiler prints them."""
        line = source.count("\n", 0, self.offset)
        column = self.offset - (source.rfind("\n", 0, self.offset) + 1)
        if self.offset < 0:
            return f"ERROR: <input>:-1:0: {self.why}"
        if not source:
            return f"ERROR: <input>:1:1: {self.why}"
        text = source.split("\n")[line]
        place = f"{line + 1}:{column + 1}"
        return f"ERROR: <input>:{place}: {self.why}\n | {text}\n | {'.' * column}^"


class CompileError(ValueError):
    """An expression that cannot be compiled; the text says where and why."""

    def __init__(self, source: str, issues: list[Issue]) -> None:
        self.issues = sorted(issues, key=lambda issue: issue.offset)
        super().__init__("\n".join(issue.shown(source) for issue in self.issues))


class EvalError(Exception):
    """An evaluation without a value. `&&`, `||`, all and exists may get along without it."""


class NoOverload(EvalError):
    """A function or operator met values of types that it does not take."""

    def __init__(self, what: str = "") -> None:
        super().__init__(f"no such overload: {what}" if what else "no such overload")


class CostExceeded(Exception):
    """A run did more work than it may. Nothing absorbs this."""

    def __init__(self) -> None:
        super().__init__("operation cancelled: actual cost limit exceeded")


class Budget:
    """How much work is left, in Kubernetes' units; and in `effort`, in values that are looked at.

    The second counts what the first does not see: to compare two large lists costs little there.
    """

    __slots__ = ("effort", "left")

    def __init__(self, left: int, effort: int | None = None) -> None:
        self.left = left
        self.effort = 2 * left if effort is None else effort

    def spend(self, cost: int) -> None:
        """Take from what is left. Raises CostExceeded."""
        self.left -= cost
        if self.left < 0:
            raise CostExceeded

    def work(self, effort: int) -> None:
        """Take from the effort that is left. Raises CostExceeded."""
        self.effort -= effort
        if self.effort < 0:
            raise CostExceeded
