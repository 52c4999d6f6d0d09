"""Literals that can be seen to be wrong before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from apimachinery.cel.ast import Call, Literal, Node
from apimachinery.cel.errors import EvalError, Issue
from apimachinery.cel.regexes import compile_pattern
from apimachinery.cel.times import parse_duration, parse_timestamp, timestamp
from apimachinery.cel.values import SECOND


def _timestamp(value: Any) -> object:
    return timestamp(value * SECOND) if type(value) is int else parse_timestamp(value)


# function -> (reads a literal, its types, how many arguments there are)
_CHECKS: dict[str, tuple[Callable[[Any], object], tuple[type, ...], int]] = {
    "duration": (parse_duration, (str,), 1),
    "timestamp": (_timestamp, (str, int), 1),
    "matches": (compile_pattern, (str,), 2),
}


def wrong(nodes: Iterable[Node]) -> Iterator[Issue]:
    """Yield durations, timestamps and patterns that are none."""
    for node in nodes:
        if not isinstance(node, Call) or node.function not in _CHECKS:
            continue
        read, kinds, count = _CHECKS[node.function]
        if len(node.operands) != count:
            continue
        last = node.operands[-1]
        if isinstance(last, Literal) and type(last.value) in kinds:
            try:
                read(last.value)
            except EvalError:
                yield Issue(last.offset, f"invalid {node.function} argument")
