"""Sets of fields, kept as the FieldsV1 objects that travel in managedFields.

A set is a dict of path elements (`f:name`, `k:{"name":"a"}`, `v:"x"`, `i:0`) to nodes. A node
`{}` is a member without children; a node with children is a member if it has the key ".". So
stored sets are read and compared as they are, without decoding. Nothing here changes a set that
it was given: results share what did not change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import orjson

Node: TypeAlias = dict[str, Any]
Set: TypeAlias = dict[str, Any]

SELF = "."


def is_member(node: Node) -> bool:
    return not node or SELF in node


def is_set(value: Any) -> bool:
    """Tell whether a value from outside is a set: objects of path elements all the way down."""
    return isinstance(value, dict) and all(
        _is_element(key) and is_set(node) for key, node in value.items() if key != SELF
    )


def _is_element(key: str) -> bool:
    if key[1:2] != ":":
        return False
    try:
        rest = orjson.loads(key[2:]) if key[0] in "kvi" else None
    except orjson.JSONDecodeError:
        return False
    if key[0] == "k":
        return isinstance(rest, dict)
    return key[0] in "fv" or (isinstance(rest, int) and not isinstance(rest, bool))


def of_paths(paths: Iterable[tuple[str, ...]]) -> Set:
    """Return the set of the given paths of field names."""
    made: Set = {}
    for path in paths:
        node: Set = {}
        for name in reversed(path):
            node = {f"f:{name}": node}
        made = union(made, node)
    return made


def union(one: Set, other: Set) -> Set:
    if not one or one is other:
        return other
    made: Set | None = None
    for key, theirs in other.items():
        ours = one.get(key)
        joined = theirs if ours is None else _join(ours, theirs)
        if joined is not ours:
            made = dict(one) if made is None else made
            made[key] = joined
    if made is None:
        return one
    return made if len(made) == len(one) else {key: made[key] for key in sorted(made)}


def _join(ours: Node, theirs: Node) -> Node:
    if ours is theirs or (not ours and not theirs):
        return ours
    if not ours:
        return theirs if SELF in theirs else {SELF: {}, **theirs}
    if not theirs:
        return ours if SELF in ours else {SELF: {}, **ours}
    return union(ours, theirs)


def difference(one: Set, other: Set) -> Set:
    """Return `one` without the members of `other`; what lies below a member stays."""
    made: Set | None = None
    for key, theirs in other.items():
        ours = one.get(key)
        if ours is None or key == SELF:
            continue
        left = _minus(ours, theirs)
        if left is ours:
            continue
        made = dict(one) if made is None else made
        if left is None:
            del made[key]
        else:
            made[key] = left
    return one if made is None else made


def _minus(ours: Node, theirs: Node) -> Node | None:
    if not ours:
        return None if is_member(theirs) else ours
    left = difference(ours, theirs) if theirs else ours
    if SELF in left and is_member(theirs):
        left = {key: node for key, node in left.items() if key != SELF}
    if left is ours:
        return ours
    if not left:
        return None
    return {} if len(left) == 1 and SELF in left else left


def recursive_difference(one: Set, other: Set) -> Set:
    """Return `one` without the members of `other` and all that lies below them."""
    made: Set | None = None
    for key, theirs in other.items():
        ours = one.get(key)
        if ours is None or key == SELF:
            continue
        if is_member(theirs):
            left: Node | None = None
        else:
            left = recursive_difference(ours, theirs)
            if left is ours:
                continue
            left = left or None
        made = dict(one) if made is None else made
        if left is None:
            del made[key]
        else:
            made[key] = {} if len(left) == 1 and SELF in left else left
    return one if made is None else made


def intersection(one: Set, other: Set) -> Set:
    small, large = (one, other) if len(one) <= len(other) else (other, one)
    made: Set = {}
    for key, node in small.items():
        facing = large.get(key)
        if facing is None or key == SELF:
            continue
        common = _meet(node, facing)
        if common is not None:
            made[key] = common
    return made


def _meet(one: Node, other: Node) -> Node | None:
    children = intersection(one, other)
    if is_member(one) and is_member(other):
        return {SELF: {}, **children} if children else {}
    return children or None


def has(fields: Set, path: tuple[str, ...]) -> bool:
    """Tell whether the path of elements is a member."""
    node: Node | None = fields
    for element in path:
        node = node.get(element) if node else None
        if node is None:
            return False
    return is_member(node or {})


def members(fields: Set, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the members' paths: at each level members first, then what lies below, sorted."""
    keys = sorted((key for key in fields if key != SELF), key=_order)
    for key in keys:
        if is_member(fields[key]):
            yield (*prefix, key)
    for key in keys:
        if fields[key]:
            yield from members(fields[key], (*prefix, key))


def _order(element: str) -> tuple[int, Any]:
    """Return where an element stands among others: fields, keys, values, indexes."""
    kind, rest = element[0], element[2:]
    if kind == "f":
        return 0, rest
    if kind == "i":
        return 3, int(rest)
    value = orjson.loads(rest)
    if kind == "v":
        return 2, _rank(value)
    return 1, [(name, _rank(value[name])) for name in sorted(value)]


def _rank(value: Any) -> tuple[int, Any]:
    """Return where a scalar stands among others: numbers, texts, booleans, null."""
    if isinstance(value, bool):
        return 2, value
    if isinstance(value, (int, float)):
        return 0, value
    return (1, value) if isinstance(value, str) else (3, 0)


def canonical(fields: Set) -> Set:
    """Return the set with its keys sorted, as Kubernetes writes them.

    All operations here keep the order of sets that are in it.
    """
    keys = sorted(fields) if len(fields) > 1 else fields
    return {key: canonical(node) if (node := fields[key]) else node for key in keys}


def path_text(path: Iterable[str]) -> str:
    """Print a path as messages do: .spec.containers[name="a"].args["x"]."""
    return "".join(map(_element_text, path))


def _element_text(element: str) -> str:
    kind, rest = element[0], element[2:]
    if kind == "f":
        return f".{rest}"
    if kind == "v":
        return f"[={rest}]"
    if kind == "k":
        keys: Mapping[str, Any] = orjson.loads(rest)
        shown = ",".join(f"{k}={orjson.dumps(v).decode()}" for k, v in sorted(keys.items()))
        return f"[{shown}]"
    return f"[{rest}]"
