"""Macros as loops. Each turn is paid for before it runs.

CEL writes a macro out as a loop around an accumulator: a test whether to go on, and a step. What
these cost, beside the steps that are written, are the numbers here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from apimachinery.cel.costs import LIST
from apimachinery.cel.errors import EvalError, NoOverload
from apimachinery.cel.operators import paid
from apimachinery.cel.values import type_name

Run = Callable[[list[Any]], Any]
# Sets the loop's variables for each element in turn, and yields whether there are more.
Turns = Callable[[list[Any]], Iterator[bool]]

# What it costs to read the result: to count as well, where one element is to be found.
RESULT: Mapping[str, int] = {
    **dict.fromkeys(("all", "exists", "filter", "map"), 1),
    **dict.fromkeys(("transformList", "transformMap", "transformMapEntry"), 1),
    "existsOne": 2,
}
# The test whether to go on.
_TEST = {"all": 2, "exists": 3}
# What a turn costs beside the test and the steps; and what more where its element is taken.
_TURN = {"all": 1, "exists": 1}
_TAKEN = {
    "existsOne": 2,
    "filter": LIST + 3,
    "map": LIST + 2,
    "transformList": LIST + 2,
    "transformMap": 3,
    "transformMapEntry": 2,
}
_TESTS = ("all", "exists", "existsOne", "filter")


def loop(kind: str, over: Run, steps: Sequence[tuple[Run, int]], first: int, second: int) -> Run:
    """Return the closure of a macro; each step comes with what it costs."""
    turn = _TEST.get(kind, 0) + _TURN.get(kind, 0) + steps[0][1]
    made = [step for step, _ in steps]
    if len(steps) > 1:
        made[1] = paid(made[1], steps[1][1] + _TAKEN[kind])
    elif kind not in _TESTS:
        turn += _TAKEN[kind]
    turns = _pairs(over, first, second, turn) if second else _elements(over, first, turn)
    if kind == "filter":
        return _filter(turns, made[0], first)
    if kind in ("map", "transformList"):
        return _map(turns, made)
    if kind == "transformMap":
        return _transform_map(turns, made, first)
    return _KINDS[kind](turns, made)


def _elements(over: Run, first: int, cost: int) -> Turns:
    def turns(frame: list[Any]) -> Iterator[bool]:
        values = over(frame)
        if not isinstance(values, (list, dict)):
            raise EvalError(f"got '{type_name(values)}', expected iterable type")
        spend, left = frame[0].spend, len(values)
        for value in values:
            spend(cost)
            frame[first] = value
            left -= 1
            yield left > 0

    return turns


def _pairs(over: Run, first: int, second: int, cost: int) -> Turns:
    def turns(frame: list[Any]) -> Iterator[bool]:
        values = over(frame)
        if isinstance(values, dict):
            pairs: Iterator[tuple[Any, Any]] = iter(values.items())
        elif isinstance(values, list):
            pairs = iter(enumerate(values))
        else:
            raise EvalError(f"got '{type_name(values)}', expected iterable type")
        spend, left = frame[0].spend, len(values)
        for key, value in pairs:
            spend(cost)
            frame[first], frame[second] = key, value
            left -= 1
            yield left > 0

    return turns


def _decide(turns: Turns, test: Run, *, by: bool) -> Run:
    """Return a loop that one value ends; an error counts only where no such value is found."""
    again = _TEST["exists" if by else "all"]

    def decide(frame: list[Any]) -> Any:
        failure: EvalError | None = None
        for more in turns(frame):
            try:
                value = test(frame)
            except EvalError as error:
                failure = failure or error
                continue
            if value is by:
                if more:
                    frame[0].spend(again)
                return by
            if not isinstance(value, bool):
                failure = failure or NoOverload()
        if failure is not None:
            raise failure
        return not by

    return decide


def _all(turns: Turns, steps: list[Run]) -> Run:
    return _decide(turns, steps[0], by=False)


def _exists(turns: Turns, steps: list[Run]) -> Run:
    return _decide(turns, steps[0], by=True)


def _exists_one(turns: Turns, steps: list[Run]) -> Run:
    test, taken = steps[0], _TAKEN["existsOne"]

    def count(frame: list[Any]) -> Any:
        found = sum(_bool(test(frame)) for _ in turns(frame))
        frame[0].spend(found * taken)
        return found == 1

    return count


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise NoOverload
    return value


def _filter(turns: Turns, test: Run, first: int) -> Run:
    taken = _TAKEN["filter"]

    def kept(frame: list[Any]) -> Any:
        found = []
        for _ in turns(frame):
            if _bool(test(frame)):
                frame[0].spend(taken)
                found.append(frame[first])
        return found

    return kept


def _map(turns: Turns, steps: list[Run]) -> Run:
    step = steps[-1]
    if len(steps) == 1:
        return lambda frame: [step(frame) for _ in turns(frame)]
    test = steps[0]
    return lambda frame: [step(frame) for _ in turns(frame) if _bool(test(frame))]


def _transform_map(turns: Turns, steps: list[Run], first: int) -> Run:
    step = steps[-1]
    test = steps[0] if len(steps) > 1 else None

    def transform(frame: list[Any]) -> Any:
        found: dict[Any, Any] = {}
        for _ in turns(frame):
            if test is None or _bool(test(frame)):
                found[frame[first]] = step(frame)
        return found

    return transform


def _transform_entry(turns: Turns, steps: list[Run]) -> Run:
    step = steps[-1]
    test = steps[0] if len(steps) > 1 else None

    def transform(frame: list[Any]) -> Any:
        found: dict[Any, Any] = {}
        for _ in turns(frame):
            if test is not None and not _bool(test(frame)):
                continue
            for key, value in step(frame).items():
                if key in found:
                    raise EvalError(f"insert failed: key {key} already exists")
                found[key] = value
        return found

    return transform


_KINDS: Mapping[str, Callable[[Turns, list[Run]], Run]] = {
    "all": _all,
    "exists": _exists,
    "existsOne": _exists_one,
    "transformMapEntry": _transform_entry,
}
