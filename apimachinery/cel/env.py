"""Environments: the variables, types and libraries that an expression may use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from apimachinery.cel.ast import Node
from apimachinery.cel.checker import Checker
from apimachinery.cel.errors import Budget, CompileError, CostExceeded, EvalError, Issue, NoOverload
from apimachinery.cel.functions import Overload
from apimachinery.cel.generate import Generator, Run
from apimachinery.cel.libs.all import KUBERNETES
from apimachinery.cel.parser import DEEPEST, parse
from apimachinery.cel.types import Type

# What one evaluation may cost: about a tenth of a second.
PER_CALL = 1_000_000
_EFFORT = 2 * PER_CALL
_TOO_DEEP = f"expression recursion limit exceeded: {DEEPEST}"


def _gathered(libraries: Iterable[Sequence[Overload]]) -> dict[str, list[Overload]]:
    found: dict[str, list[Overload]] = {}
    for library in libraries:
        for overload in library:
            found.setdefault(overload.function, []).append(overload)
    return found


_BASE = _gathered(KUBERNETES)


class Program:
    """A compiled expression: stateless, so any number of clusters may share it."""

    __slots__ = ("_run", "_size", "_slots", "source", "tree", "type", "uses")

    def __init__(self, source: str, tree: Node, kind: Type, generator: Generator, run: Run) -> None:
        self.source = source
        self.tree = tree
        self.type = kind
        # The variables that the expression names.
        self.uses = frozenset(generator.slots)
        self._slots = tuple(generator.slots.items())
        self._size = generator.size
        self._run = run

    def run(self, variables: Mapping[str, Any], budget: Budget | None = None) -> Any:
        """Return the value. Raises EvalError, CostExceeded."""
        frame: list[Any] = [None] * self._size
        allowed, effort = PER_CALL, _EFFORT
        if budget is not None and (budget.left < allowed or budget.effort < effort):
            allowed, effort = min(allowed, max(0, budget.left)), min(effort, max(0, budget.effort))
        call = Budget(allowed, effort)
        frame[0] = call
        for name, slot in self._slots:
            if name not in variables:
                raise EvalError(f"no such attribute(s): {name}")
            frame[slot] = variables[name]
        try:
            return self._run(frame)
        except RecursionError:
            raise EvalError(_TOO_DEEP) from None
        except (TypeError, AttributeError):
            # A value was not of the type that its variable is declared with.
            raise NoOverload from None
        except (ValueError, ArithmeticError, LookupError) as error:
            # A mistake of ours must not harm who asks.
            raise EvalError(f"internal error: {error}") from error
        finally:
            if budget is not None:
                budget.left -= allowed - call.left
                budget.effort -= effort - call.effort


class Env:
    """Compiles expressions against variables, by name, and libraries."""

    def __init__(
        self,
        variables: Mapping[str, Type],
        libraries: Sequence[Sequence[Overload]] = (),
        structs: Mapping[str, Type] | None = None,
        *,
        open_structs: Sequence[str] = (),
        bindings: bool = False,
    ) -> None:
        """Take in what may be named.

        structs: object types that may be written out, by name. open_structs: names of which
        anything below may be written out, with any field ("Object", "Object.spec"). bindings:
        there is cel.bind.
        """
        self.variables = dict(variables)
        self.structs = dict(structs or {})
        self.open_structs = tuple(open_structs)
        self.bindings = bindings
        self.functions = _BASE if not libraries else _gathered((*KUBERNETES, *libraries))

    def extended(self, variables: Mapping[str, Type]) -> Env:
        """Return this with further variables; the functions are shared."""
        found = object.__new__(Env)
        found.variables = {**self.variables, **variables}
        found.structs, found.open_structs = self.structs, self.open_structs
        found.functions, found.bindings = self.functions, self.bindings
        return found

    def check(self, source: str) -> tuple[Node, Type]:
        """Return the checked tree of an expression, and its type. Raises CompileError."""
        try:
            tree = parse(source, bindings=self.bindings)
            checker = Checker(self)
            kind = checker.check(tree)
        except RecursionError:
            raise CompileError(source, [Issue(-1, _TOO_DEEP)]) from None
        if checker.issues:
            raise CompileError(source, checker.issues)
        return tree, kind

    def compile(self, source: str) -> Program:
        """Return an expression ready to run. Raises CompileError."""
        tree, kind = self.check(source)
        generator = Generator(self.variables)
        try:
            run = generator.program(tree)
        except RecursionError:
            raise CompileError(source, [Issue(-1, _TOO_DEEP)]) from None
        return Program(source, tree, kind, generator, run)


__all__ = ["Budget", "CompileError", "CostExceeded", "Env", "EvalError", "Program"]
