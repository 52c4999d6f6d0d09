"""What an expression may cost at most, before anything is known but its types and sizes.

Kubernetes refuses rules of CustomResourceDefinitions that may become too expensive, so the
numbers here are part of its API: they follow CEL's own estimate, step by step, with the sizes
that a schema allows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apimachinery.cel.ast import (
    Bind,
    Call,
    Fold,
    ListNode,
    Literal,
    MapNode,
    Name,
    Node,
    OptionalMap,
    Select,
    StructNode,
)
from apimachinery.cel.call_estimates import FUNCTIONS, OPERATORS
from apimachinery.cel.costs import LIST, MAP, STRUCT
from apimachinery.cel.ranges import (
    ONE,
    UNKNOWN,
    Entries,
    Estimated,
    Paths,
    Size,
    add,
    times,
    total,
    union,
)
from apimachinery.cel.sizes import Sized
from apimachinery.cel.types import Type

_SCALARS = ("bool", "double", "duration", "int", "timestamp", "uint")


@dataclass(slots=True)
class _Local:
    path: Paths
    size: Size | None
    entries: Entries | None = None


def estimate(tree: Node, root: Sized | None) -> int:
    """Return the most that a checked expression may cost; `root` sizes `self` and `oldSelf`."""
    return _Estimator(root).visit(tree).cost


class _Estimator:
    def __init__(self, root: Sized | None) -> None:
        self._root = root
        self._scopes: list[dict[str, _Local]] = []
        self._by_kind: dict[type[Node], Callable[..., Estimated]] = {
            Literal: self._literal,
            Name: self._name,
            Select: self._select,
            Call: self._call,
            ListNode: self._list,
            MapNode: self._map,
            StructNode: self._struct,
            Fold: self._fold,
            OptionalMap: self._optional_map,
            Bind: self._bind,
        }

    def visit(self, node: Node) -> Estimated:
        found = self._by_kind[type(node)](node)
        if found.size is not None:
            return found
        return found._replace(size=self._of_path(found.path) or _of_type(node.type))

    def _of_path(self, path: Paths) -> Size | None:
        # The first step is the variable, or stands for a value of which no more is known.
        found = self._root.at(path[1:]) if self._root is not None and path else None
        return None if found is None else Size(0, found.most)

    # -- values ----------------------------------------------------------------------------------

    def _literal(self, node: Literal) -> Estimated:
        value = node.value
        length = len(value) if isinstance(value, (str, bytes)) else 1
        return Estimated(0, Size(length, length))

    def _name(self, node: Name) -> Estimated:
        for scope in reversed(self._scopes):
            if node.name in scope:
                local = scope[node.name]
                size = self._of_path(local.path) or _of_type(node.type) or local.size
                return Estimated(1, size, local.entries, local.path)
        return Estimated(1, path=(node.name.removeprefix("."),))

    def _select(self, node: Select) -> Estimated:
        if node.variable:
            return Estimated(1, path=(node.variable,))
        operand = self.visit(node.operand)
        if node.optional:
            return Estimated(add(operand.cost, 1))
        if node.test:
            return Estimated(operand.cost, ONE)
        kind = node.operand.type
        known = kind is not None and kind.kind in ("map", "object", "param")
        return Estimated(add(operand.cost, int(known)), path=(*operand.path, node.field))

    def _list(self, node: ListNode) -> Estimated:
        found = [self.visit(each) for each in node.elements]
        items = union([each.sized for each in found])
        cost = total(LIST, *(each.cost for each in found))
        return Estimated(cost, Size(len(found), len(found)), (ONE, items))

    def _map(self, node: MapNode) -> Estimated:
        keys = [self.visit(entry.key) for entry in node.entries]
        values = [self.visit(entry.value) for entry in node.entries]
        cost = total(MAP, *(each.cost for each in (*keys, *values)))
        entries = union([each.sized for each in keys]), union([each.sized for each in values])
        return Estimated(cost, Size(len(keys), len(keys)), entries)

    def _struct(self, node: StructNode) -> Estimated:
        return Estimated(total(STRUCT, *(self.visit(entry.value).cost for entry in node.entries)))

    # -- macros ----------------------------------------------------------------------------------

    def _fold(self, node: Fold) -> Estimated:
        over = self.visit(node.range)
        self._scopes.append(_variables(node, over))
        steps = [self.visit(step) for step in node.steps]
        self._scopes.pop()
        start, turn, entries = _turn(node, over, steps)
        cost = total(over.cost, start, times(over.sized.most, turn))
        if entries is None:
            return Estimated(cost, ONE)
        return Estimated(cost, over.sized, entries)

    def _bind(self, node: Bind) -> Estimated:
        value = self.visit(node.value)
        self._scopes.append({node.name: _Local(value.path, value.size, value.entries)})
        step = self.visit(node.step)
        self._scopes.pop()
        return step._replace(cost=total(LIST, value.cost, step.cost), path=())

    def _optional_map(self, node: OptionalMap) -> Estimated:
        # target.hasValue() ? optional.of(<a name for target.value() in step>) : optional.none()
        target = self.visit(node.target)
        self._scopes.append({node.name: _Local((), None)})
        step = self.visit(node.step)
        self._scopes.pop()
        bound = total(LIST, target.cost, 1, step.cost)
        then = bound if node.flat else add(bound, 1)
        return Estimated(total(target.cost, 1, max(then, 1)))

    # -- calls -----------------------------------------------------------------------------------

    def _call(self, node: Call) -> Estimated:
        given = [self.visit(each) for each in node.operands]
        if node.function == "dyn" and len(given) == 1:
            return given[0]._replace(cost=add(given[0].cost, 1))
        if node.function in OPERATORS:
            found = OPERATORS[node.function](node, given)
        else:
            found = self._function(node, given)
        path = found.path
        if node.function == "_[_]":
            kind = node.args[0].type
            step = "@values" if kind is not None and kind.kind == "map" else "@items"
            path = (*given[0].path, step)
        return found._replace(path=path)

    def _function(self, node: Call, given: Sequence[Estimated]) -> Estimated:
        spent = total(*(each.cost for each in given))
        rule = FUNCTIONS.get(node.function.removeprefix("."))
        overloads = node.overloads
        if rule is None or not overloads:
            return Estimated(add(spent, 1))
        own: list[Estimated] = [
            rule(self.elements, overload, node, given) for overload in overloads
        ]
        cost = max(each.cost for each in own)
        sizes = [each.size for each in own if each.size is not None]
        return Estimated(add(spent, cost), union(sizes) if sizes else None)

    def elements(self, node: Node, found: Estimated) -> Size:
        """Return the size of the elements of a list, of which only the type may be known."""
        return self._of_path((*found.path, "@items") if found.path else ()) or UNKNOWN


def _of_type(kind: Type | None) -> Size | None:
    while kind is not None and kind.kind == "optional_type":
        kind = kind.params[0]
    return ONE if kind is not None and kind.kind in _SCALARS else None


def _variables(node: Fold, over: Estimated) -> dict[str, _Local]:
    keys, values = over.entries or (None, None)
    kind = node.range.type
    is_list = kind is not None and kind.kind == "list"
    value = _Local((*over.path, "@items" if is_list else "@values"), values)
    key = _Local((*over.path, "@indices" if is_list else "@keys"), keys)
    if node.second:
        return {node.first: key, node.second: value}
    return {node.first: value if is_list else key}


def _turn(
    node: Fold, over: Estimated, steps: Sequence[Estimated]
) -> tuple[int, int, Entries | None]:
    """Return what a macro costs besides its range, what each turn does, and the entries it makes.

    A macro is a loop around an accumulator, whose reads and tests count as well.
    """
    first, last = steps[0].cost, steps[-1]
    if node.kind == "all":
        return 1, add(first, 3), None
    if node.kind == "exists":
        return 1, add(first, 4), None
    if node.kind == "existsOne":
        return 2, add(first, 2), None
    nothing = Size(0, 0)
    if node.kind == "filter":
        element = _variables(node, over)[node.first].size
        return LIST + 1, add(first, LIST + 3), (ONE, nothing.union(element or UNKNOWN))
    condition = first if len(steps) > 1 else 0
    if node.kind in ("map", "transformList"):
        made = (ONE, nothing.union(last.sized))
        return LIST + 1, total(condition, last.cost, LIST + 2), made
    own = 3 if node.kind == "transformMap" else 2
    return MAP + 1, total(condition, last.cost, own), (UNKNOWN, UNKNOWN)
