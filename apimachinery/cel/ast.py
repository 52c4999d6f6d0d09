"""The tree that an expression is read into.

`offset` is where the part stands in the source, as messages point at it. `type` is what the
checker found; until then it is None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apimachinery.cel.functions import Overload
    from apimachinery.cel.types import Type


@dataclass(slots=True, eq=False)
class Node:
    """A part of an expression."""

    offset: int
    type: Type | None = field(default=None, init=False)


@dataclass(slots=True, eq=False)
class Literal(Node):
    """A value written out: null, bool, int, UInt, float, str or bytes."""

    value: Any


@dataclass(slots=True, eq=False)
class Name(Node):
    """A variable, a loop's variable, or a type."""

    name: str


@dataclass(slots=True, eq=False)
class Select(Node):
    """`operand.field`; with `test`, has(operand.field); with `optional`, operand.?field."""

    operand: Node
    field: str
    test: bool = False
    optional: bool = False
    # Set by the checker where the whole chain is the name of one variable ("a.b").
    variable: str = ""


@dataclass(slots=True, eq=False)
class Call(Node):
    """A function, a method of `target`, or an operator (`_+_`, `_[_]`, `_?_:_`...)."""

    function: str
    target: Node | None
    args: list[Node]
    # Set by the checker: what may be meant, once the types are known.
    overloads: list[Overload] = field(default_factory=list, init=False)

    @property
    def operands(self) -> list[Node]:
        """Return what it is called with, the target first."""
        return self.args if self.target is None else [self.target, *self.args]


@dataclass(slots=True, eq=False)
class ListNode(Node):
    """`[a, ?b]`; `optional` holds the indices of elements that may be left out."""

    elements: list[Node]
    optional: frozenset[int] = frozenset()


@dataclass(slots=True, eq=False)
class Entry:
    """`key: value`; the key is a node in a map, a name in a struct."""

    offset: int
    key: Any
    value: Node
    optional: bool = False


@dataclass(slots=True, eq=False)
class MapNode(Node):
    """`{key: value}`."""

    entries: list[Entry]


@dataclass(slots=True, eq=False)
class StructNode(Node):
    """`Name{field: value}`."""

    name: str
    entries: list[Entry]


@dataclass(slots=True, eq=False)
class Fold(Node):
    """A macro that runs over a range: all, exists, existsOne, map, filter, transform...

    With one variable it is the element (of a map: the key); with two, index or key, and value.
    """

    kind: str
    range: Node
    first: str
    second: str
    steps: list[Node]


@dataclass(slots=True, eq=False)
class OptionalMap(Node):
    """`target.optMap(x, step)`, or optFlatMap, whose step is optional itself."""

    target: Node
    name: str
    step: Node
    flat: bool


@dataclass(slots=True, eq=False)
class Bind(Node):
    """`cel.bind(x, value, step)`: a name for a value."""

    name: str
    value: Node
    step: Node


def names(node: Node) -> str | None:
    """Return `a.b.c` where a node is nothing but names, else None."""
    if isinstance(node, Name):
        return node.name.removeprefix(".")
    if isinstance(node, Select) and not node.test and not node.optional:
        front = names(node.operand)
        return None if front is None else f"{front}.{node.field}"
    return None
