"""JSON from outside, with an end to its depth.

What is read goes through functions that call themselves for each level, and the encoder of answers
takes 254 levels at most: what is nested deeper than any Kubernetes object is refused on reading.
"""

from __future__ import annotations

from typing import Any

import orjson

# Values inside of values. Schemas of custom resources, the deepest of all objects, have about 60.
DEEPEST = 200


class TooDeep(orjson.JSONDecodeError):
    """The text is well-formed, and nested too deep."""

    def __init__(self) -> None:
        super().__init__("exceeded max depth", "", 0)

    def __str__(self) -> str:
        return "exceeded max depth"


def loads(raw: bytes) -> Any:
    """Parse JSON. Raises orjson.JSONDecodeError, also for what is nested too deep."""
    value = orjson.loads(raw)
    # Few texts have so many brackets that they could be nested too deep.
    if raw.count(b"{") + raw.count(b"[") > DEEPEST and _is_deep(value):
        raise TooDeep
    return value


def _is_deep(value: Any) -> bool:
    """Tell whether a value is nested deeper than DEEPEST, level by level."""
    level = [value]
    for _ in range(DEEPEST + 1):
        below: list[Any] = []
        for each in level:
            if each.__class__ is dict:
                below.extend(item for item in each.values() if item.__class__ in (dict, list))
            elif each.__class__ is list:
                below.extend(item for item in each if item.__class__ in (dict, list))
        if not below:
            return False
        level = below
    return True
