"""Literals that can be seen to be wrong before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from apimachinery.cel.ast import Call, Literal, Node
from apimachinery.cel.errors import EvalError, Issue
from apimachinery.cel.regexes import compile_pattern
from apimachinery.cel.times import parse_duration, parse_timestamp

_CHECKS: dict[str, tuple[Callable[[str], object], str, int]] = {
    "duration": (parse_duration, "duration", 1),
    "timestamp": (parse_timestamp, "timestamp", 1),
    "matches": (compile_pattern, "matches", 2),
}


def wrong(nodes: Iterable[Node]) -> Iterator[Issue]:
    """Yield durations, timestamps and patterns that are none."""
    for node in nodes:
        if not isinstance(node, Call) or node.function not in _CHECKS:
            continue
        read, name, count = _CHECKS[node.function]
        if len(node.operands) != count:
            continue
        last = node.operands[-1]
        if isinstance(last, Literal) and isinstance(last.value, str):
            try:
                read(last.value)
            except EvalError:
                yield Issue(last.offset, f"invalid {name} argument")
