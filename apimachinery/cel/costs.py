"""What calls cost while an expression runs, in Kubernetes' units.

A unit is about one step of a small expression. Calls whose cost depends on their arguments have a
function of them here; all others cost 1. What a list or an object costs that is written out, and
what loops add, stands in `generate` and `loops`. `effort` counts the work that
Kubernetes' units do not see.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from apimachinery.cel.functions import Overload

Cost = Callable[..., int]

LIST, MAP, STRUCT = 10, 30, 40
CHECK = 350_000
# Conversions of what is written out are made once, and cost nothing.
CONVERSIONS = frozenset(
    ("bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "uint")
)
_FREE = ("or", "orValue")
# The lengths of the patterns behind named formats; most are those of one label.
_PATTERNS: Mapping[str, int] = {
    "DNS1123Subdomain": 60,
    "DNS1123SubdomainPrefix": 60,
    "QualifiedName": 60,
    "LabelValue": 40,
}


def tenth(size: int) -> int:
    """Return a tenth, rounded up: what it costs to go through a text."""
    return -(-size // 10)


def size(value: Any) -> int:
    """Return how large a value is: characters, bytes, elements; 1 for all else."""
    if isinstance(value, (str, bytes, list, dict)):
        return len(value)
    return getattr(value, "cost_size", 1)


def weight(value: Any) -> int:
    """Return how many values there are in a value."""
    if isinstance(value, dict):
        return len(value) + sum(weight(each) for each in value.values() if _is_deep(each))
    if isinstance(value, list):
        return len(value) + sum(weight(each) for each in value if _is_deep(each))
    return 1


def _is_deep(value: Any) -> bool:
    return isinstance(value, (list, dict))


def of_pair(a: Any, b: Any) -> int:
    """Return what it costs to compare two values."""
    return tenth(min(size(a), size(b)))


def _traversal(value: Any, *rest: Any) -> int:
    if isinstance(value, str):
        return len(value.encode()) // 10
    if isinstance(value, bytes):
        return len(value) // 10
    if isinstance(value, list):
        return sum(map(_traversal, value))
    if isinstance(value, dict):
        return sum(_traversal(key) + _traversal(each) for key, each in value.items())
    return 1


def _read(text: Any, *rest: Any) -> int:
    return tenth(size(text))


def _read_twice(text: Any, *rest: Any) -> int:
    return tenth(2 * size(text))


def _join(parts: list[Any], between: str = "") -> int:
    texts = [len(part) for part in parts if isinstance(part, str)]
    return tenth(2 * (sum(texts) + len(between) * max(0, len(texts) - 1)))


def _match(text: str, pattern: str, *rest: Any) -> int:
    return tenth(1 + len(text)) * -(-len(pattern) // 4)


def _contains(text: str, part: str) -> int:
    return tenth(len(text)) * tenth(len(part))


def _joined(a: Any, b: Any) -> int:
    return tenth(len(a) + len(b))


def _selector(check: Any, text: str) -> int:
    return LIST + tenth(len(text)) + -(-len(text) // 2) * (LIST + STRUCT)


def _contains_ip(cidr: Any, other: Any) -> int:
    return tenth(2 * size(cidr)) + (tenth(len(other)) if isinstance(other, str) else 0)


def _contains_cidr(cidr: Any, other: Any) -> int:
    return _contains_ip(cidr, other) + tenth(size(cidr)) + 1


def _validate(form: Any, text: str) -> int:
    return tenth(1 + len(text)) * -(-_PATTERNS.get(form.name, 30) // 4)


def _sets(factor: int) -> Cost:
    return lambda a, b: 1 + len(a) * len(b) * factor


def _made(count: int) -> int:
    return LIST + 1 + max(0, count)


def _flatten(elements: list[Any], level: int = 1) -> int:
    return _made(len(elements) * level)


def _pairs(elements: list[Any], keys: list[Any] | None = None) -> int:
    """Return what it costs to compare each element, or each key, to all others."""
    compared = elements if keys is None else keys
    factor = 2.1 if compared and isinstance(compared[0], (str, bytes)) else 2.0
    return _made(int(len(compared) ** 2 * factor))


_BY_NAME: Mapping[str, Cost] = {
    **dict.fromkeys(("startsWith", "endsWith", "format", "strings.quote"), _read),
    **dict.fromkeys(("url", "jsonpatch.escapeKey"), _read),
    **dict.fromkeys(("lowerAscii", "upperAscii", "substring", "trim"), _read),
    **dict.fromkeys(("cidr", "isIP", "isCIDR", "ip"), _read),
    **dict.fromkeys(("quantity", "isQuantity", "semver", "isSemver"), _read),
    **dict.fromkeys(("replace", "split", "ip.isCanonical"), _read_twice),
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"), _traversal),
    **dict.fromkeys(("find", "findAll"), _match),
    **dict.fromkeys(("fieldSelector", "labelSelector"), _selector),
    "join": _join,
    "contains": _contains,
    "containsIP": _contains_ip,
    "containsCIDR": _contains_cidr,
    "validate": _validate,
    "sets.contains": _sets(1),
    "sets.intersects": _sets(1),
    "sets.equivalent": _sets(2),
    "slice": lambda elements, start, end: _made(min(end, len(elements)) - start),
    "flatten": _flatten,
    **dict.fromkeys(("distinct", "sort", "@sortByAssociatedKeys"), _pairs),
    "lists.range": _made,
    "reverse": lambda elements: _made(len(elements)),
}


def price(overload: Overload) -> int | Cost:
    """Return what a call costs, or what tells it by the arguments."""
    name, first = overload.function, overload.params[0].kind if overload.params else ""
    if name == "check":
        return CHECK
    if name in _FREE:
        return 0
    if name == "matches":
        return _match if overload.member else 1
    if name == "ip" and overload.member:
        return 1
    if (name, first) in (("string", "bytes"), ("bytes", "string")):
        return _read
    if name == "_+_" and first in ("string", "bytes"):
        return _joined
    return _BY_NAME.get(name, 1)


def _texts(*values: Any) -> int:
    return sum(len(each) for each in values if isinstance(each, (str, bytes))) // 32


def _weights(*values: Any) -> int:
    return sum(map(weight, values))


def _formatted(form: str, values: list[Any]) -> int:
    return weight(values) + sum(len(each) // 32 for each in values if isinstance(each, str))


def _replaced(text: str, old: str, new: str, count: int = -1) -> int:
    found = text.count(old)
    return len(new) * (found if count < 0 else min(found, count)) // 32


def _concatenation(a: Any, b: Any) -> int:
    # Lists that are sets or maps look at every pair.
    return len(a) + len(b) if type(a) is list else (len(a) + 1) * (len(b) + 1)


_EFFORTS: Mapping[str, Cost] = {
    **dict.fromkeys(("isURL", "double", "matches", "duration", "timestamp"), _texts),
    **dict.fromkeys(("indexOf", "lastIndexOf"), _weights),
    "format": _formatted,
    "replace": _replaced,
    "distinct": lambda elements: len(elements) * weight(elements),
    "flatten": _weights,
    **dict.fromkeys(("sets.contains", "sets.intersects", "sets.equivalent"), _weights),
}


def effort(overload: Overload) -> Cost | None:
    """Return what counts the work of a call that its price does not tell, None where it does."""
    if overload.function == "_+_" and overload.params[0].kind == "list":
        return _concatenation
    if overload.function == "matches" and overload.member:
        return None
    return _EFFORTS.get(overload.function)
