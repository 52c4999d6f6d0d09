"""Macros as loops. Each turn is paid for before it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from apimachinery.cel.errors import EvalError, NoOverload
from apimachinery.cel.values import type_name

Run = Callable[[list[Any]], Any]
# Sets the loop's variables for each element in turn, and yields.
Turns = Callable[[list[Any]], Iterator[None]]


def loop(kind: str, over: Run, steps: list[Run], first: int, second: int, cost: int) -> Run:
    """Return the closure of a macro."""
    turns = _pairs(over, first, second, cost) if second else _elements(over, first, cost)
    if kind == "filter":
        return _filter(turns, steps[0], first)
    if kind in ("map", "transformList"):
        return _map(turns, steps)
    if kind == "transformMap":
        return _transform_map(turns, steps, first)
    return _KINDS[kind](turns, steps)


def _elements(over: Run, first: int, cost: int) -> Turns:
    def turns(frame: list[Any]) -> Iterator[None]:
        values = over(frame)
        if not isinstance(values, (list, dict)):
            raise EvalError(f"got '{type_name(values)}', expected iterable type")
        spend = frame[0].spend
        for value in values:
            spend(cost)
            frame[first] = value
            yield

    return turns


def _pairs(over: Run, first: int, second: int, cost: int) -> Turns:
    def turns(frame: list[Any]) -> Iterator[None]:
        values = over(frame)
        if isinstance(values, dict):
            pairs: Iterator[tuple[Any, Any]] = iter(values.items())
        elif isinstance(values, list):
            pairs = iter(enumerate(values))
        else:
            raise EvalError(f"got '{type_name(values)}', expected iterable type")
        spend = frame[0].spend
        for key, value in pairs:
            spend(cost)
            frame[first], frame[second] = key, value
            yield

    return turns


def _decide(turns: Turns, test: Run, *, by: bool) -> Run:
    """Return a loop that one value ends; an error counts only where no such value is found."""

    def decide(frame: list[Any]) -> Any:
        failure: EvalError | None = None
        for _ in turns(frame):
            try:
                value = test(frame)
            except EvalError as error:
                failure = failure or error
                continue
            if value is by:
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
    test = steps[0]
    return lambda frame: sum(_bool(test(frame)) for _ in turns(frame)) == 1


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise NoOverload
    return value


def _filter(turns: Turns, test: Run, first: int) -> Run:
    return lambda frame: [frame[first] for _ in turns(frame) if _bool(test(frame))]


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
