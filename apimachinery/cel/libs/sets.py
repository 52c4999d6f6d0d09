"""Lists seen as sets."""

from __future__ import annotations

from typing import Any

from apimachinery.cel.functions import Overload, function
from apimachinery.cel.values import contains


def _covers(whole: list[Any], part: list[Any]) -> bool:
    return all(contains(whole, each) for each in part)


SETS: list[Overload] = [
    function("sets.contains(list(A), list(A)) -> bool", _covers),
    function(
        "sets.equivalent(list(A), list(A)) -> bool",
        lambda a, b: _covers(a, b) and _covers(b, a),
    ),
    function(
        "sets.intersects(list(A), list(A)) -> bool",
        lambda a, b: any(contains(b, each) for each in a),
    ),
]
