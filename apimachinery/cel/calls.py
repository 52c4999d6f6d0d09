"""Calls of functions: which form is meant is decided once where types tell, else by the values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apimachinery.cel.ast import Call
from apimachinery.cel.errors import NoOverload
from apimachinery.cel.functions import Overload
from apimachinery.cel.types import Type
from apimachinery.cel.values import type_name

Run = Callable[[list[Any]], Any]


def call(node: Call, args: list[Run]) -> Run:
    """Return what calls the function that a node means."""
    given = [each.type for each in node.operands]
    overloads = node.overloads
    if len(overloads) == 1 and all(map(_is_certain, overloads[0].params, given)):
        return _certain(overloads[0], args)
    return _dispatched(node.function, overloads, args)


def _is_certain(wanted: Type, given: Type | None) -> bool:
    """Tell whether a value of the type given needs no look to be what is wanted."""
    if wanted.kind in ("dyn", "param"):
        return True
    return given is not None and given.kind == wanted.kind


def _certain(overload: Overload, args: list[Run]) -> Run:
    run, cost = overload.run, overload.cost
    if cost is not None:
        return _counted(overload, args)
    if len(args) == 1:
        first = args[0]
        return lambda frame: run(first(frame))
    if len(args) == 2:
        first, second = args
        return lambda frame: run(first(frame), second(frame))
    return lambda frame: run(*[arg(frame) for arg in args])


def _counted(overload: Overload, args: list[Run]) -> Run:
    run, cost = overload.run, overload.cost

    def counted(frame: list[Any]) -> Any:
        values = [arg(frame) for arg in args]
        if cost is not None:
            frame[0].spend(cost(*values))
        return run(*values)

    return counted


def _dispatched(name: str, overloads: list[Overload], args: list[Run]) -> Run:
    table = [(overload.guards, overload.run, overload.cost) for overload in overloads]

    def dispatched(frame: list[Any]) -> Any:
        values = [arg(frame) for arg in args]
        for guards, run, cost in table:
            if all(
                guard is None or guard(value) for guard, value in zip(guards, values, strict=True)
            ):
                if cost is not None:
                    frame[0].spend(cost(*values))
                return run(*values)
        raise NoOverload(f"{name}({', '.join(type_name(value) for value in values)})")

    return dispatched
