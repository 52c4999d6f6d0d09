"""Calls of functions: which form is meant is decided once where types tell, else by the values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apimachinery.cel.ast import Call, Literal
from apimachinery.cel.costs import CONVERSIONS, Cost, effort, price
from apimachinery.cel.errors import EvalError, NoOverload
from apimachinery.cel.functions import Overload
from apimachinery.cel.types import Type
from apimachinery.cel.values import type_name

Run = Callable[[list[Any]], Any]


def call(node: Call, args: list[Run]) -> tuple[Run, int]:
    """Return what calls the function that a node means, and what each call costs at least."""
    given = [each.type for each in node.operands]
    overloads = node.overloads
    if len(overloads) == 1 and all(map(_is_certain, overloads[0].params, given)):
        return _folded(node, overloads[0]) or _certain(overloads[0], args)
    return _dispatched(node.function, overloads, args), 0


def is_folded(node: Call) -> bool:
    """Tell whether a call converts what is written out, so that it is made once."""
    return node.function in CONVERSIONS and all(isinstance(one, Literal) for one in node.args)


def _folded(node: Call, overload: Overload) -> tuple[Run, int] | None:
    if not is_folded(node):
        return None
    try:
        value = overload.run(*[one.value for one in node.args if isinstance(one, Literal)])
    except EvalError:
        return None
    return lambda frame: value, 0


def _is_certain(wanted: Type, given: Type | None) -> bool:
    """Tell whether a value of the type given needs no look to be what is wanted."""
    if wanted.kind in ("dyn", "param"):
        return True
    return given is not None and given.kind == wanted.kind


def _certain(overload: Overload, args: list[Run]) -> tuple[Run, int]:
    run, cost, work = overload.run, price(overload), effort(overload)
    if not isinstance(cost, int) or work is not None:
        fixed = cost if isinstance(cost, int) else 0
        return _counted(run, args, None if isinstance(cost, int) else cost, work), fixed
    if len(args) == 1:
        first = args[0]
        return lambda frame: run(first(frame)), cost
    if len(args) == 2:
        first, second = args
        return lambda frame: run(first(frame), second(frame)), cost
    return lambda frame: run(*[arg(frame) for arg in args]), cost


def _counted(run: Callable[..., Any], args: list[Run], cost: Cost | None, work: Cost | None) -> Run:
    def counted(frame: list[Any]) -> Any:
        values = [arg(frame) for arg in args]
        if cost is not None:
            frame[0].spend(cost(*values))
        if work is not None:
            frame[0].work(work(*values))
        return run(*values)

    return counted


def _dispatched(name: str, overloads: list[Overload], args: list[Run]) -> Run:
    table = [(one.guards, one.run, price(one), effort(one)) for one in overloads]

    def dispatched(frame: list[Any]) -> Any:
        values = [arg(frame) for arg in args]
        for guards, run, cost, work in table:
            if all(
                guard is None or guard(value) for guard, value in zip(guards, values, strict=True)
            ):
                frame[0].spend(cost if isinstance(cost, int) else cost(*values))
                if work is not None:
                    frame[0].work(work(*values))
                return run(*values)
        raise NoOverload(f"{name}({', '.join(type_name(value) for value in values)})")

    return dispatched
