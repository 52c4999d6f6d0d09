"""Turns a checked tree into closures: each part becomes a function of a frame.

A frame is a list: the budget, the variables of the program, then those of loops. What is known
when the closure is made is worked out then, so that running costs little more than Python itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from apimachinery.cel import operators
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
from apimachinery.cel.calls import call, is_folded
from apimachinery.cel.costs import LIST, MAP, STRUCT
from apimachinery.cel.errors import EvalError, NoOverload
from apimachinery.cel.loops import RESULT, loop
from apimachinery.cel.operators import paid
from apimachinery.cel.readers import reader
from apimachinery.cel.schema_names import unescape
from apimachinery.cel.types import NAMED, Type
from apimachinery.cel.values import NOTHING, Lazy, Opt, Struct

Run = Callable[[list[Any]], Any]
# (value, field): what stands there, _MISSING where nothing does.
_Get = Callable[[Any, str], Any]
_MISSING = object()


class Generator:
    """Makes the closures of one program."""

    def __init__(self, variables: Mapping[str, Type]) -> None:
        self._variables = variables
        # Where the variables stand in a frame; place 0 is the budget's.
        self.slots: dict[str, int] = {}
        self.size = 1
        # What the part that is being made costs, as far as it always runs.
        self.cost = 0
        self._scopes: list[dict[str, int]] = []
        self._by_kind: dict[type[Node], Callable[..., Run]] = {
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
        self._branches: dict[str, Callable[[Call], Run]] = {
            "_&&_": self._both,
            "_||_": self._either,
            "_?_:_": self._condition,
        }

    def program(self, tree: Node) -> Run:
        """Return the closure of a whole tree."""
        return paid(*self._apart(tree))

    def make(self, node: Node) -> Run:
        return self._by_kind[type(node)](node)

    def _apart(self, node: Node) -> tuple[Run, int]:
        """Return a part that need not run, and what it costs where it does."""
        before, self.cost = self.cost, 0
        run = self.make(node)
        cost, self.cost = self.cost, before
        return run, cost

    def _slot(self) -> int:
        self.size += 1
        return self.size - 1

    def _literal(self, node: Literal) -> Run:
        value = node.value
        return lambda frame: value

    def _name(self, node: Name) -> Run:
        for scope in reversed(self._scopes):
            if node.name in scope:
                self.cost += 1
                return _from(scope[node.name])
        return self._global(node.name.removeprefix("."), node)

    def _global(self, name: str, node: Node) -> Run:
        if name in self._variables:
            if name not in self.slots:
                self.slots[name] = self._slot()
            self.cost += 1
            return _from(self.slots[name])
        named = NAMED.get(name)
        if named is None and node.type is not None:
            named = node.type.params[0]
        return lambda frame: named

    def _select(self, node: Select) -> Run:
        if node.variable:
            return self._global(node.variable, node)
        operand = self.make(node.operand)
        self.cost += not node.test
        self.cost += not _is_attribute(node.operand)
        kind = node.operand.type
        field, read, get = node.field, None, _get
        if kind is not None and kind.params and kind.kind == "optional_type":
            kind = kind.params[0]
        if kind is not None and kind.kind == "object" and kind.fields is not None:
            known = kind.fields()
            if known is not None:
                read = reader(known[field])
                field, get = unescape(field), _get_known
        if node.test:
            return _has(operand, field, get)
        if node.optional:
            return _optional_field(operand, field, read, get)
        return _field(operand, field, read, get)

    def _call(self, node: Call) -> Run:
        branch = self._branches.get(node.function)
        if branch is not None:
            return branch(node)
        index = operators.INDEX.get(node.function)
        if index is not None:
            return self._index(node, index)
        made = [self.make(each) for each in node.operands]
        special = operators.SPECIAL.get(node.function)
        if special is None:
            run, cost = call(node, made)
        elif node.function == "@in" and _is_membership(node.args[1]):
            run, cost = operators.among(*made), 0
        else:
            run, cost = special(*made), 1
        self.cost += cost
        return run

    def _both(self, node: Call) -> Run:
        return operators.both(self.make(node.args[0]), paid(*self._apart(node.args[1])))

    def _either(self, node: Call) -> Run:
        return operators.either(self.make(node.args[0]), paid(*self._apart(node.args[1])))

    def _condition(self, node: Call) -> Run:
        test = self.make(node.args[0])
        return operators.condition(test, *(self._branch(each) for each in node.args[1:]))

    def _branch(self, node: Node) -> Run:
        run, cost = self._apart(node)
        # The name in a branch is read as a part of the condition, which costs nothing.
        return paid(run, cost - _starts_with_a_name(node))

    def _index(self, node: Call, index: Callable[[Run, Run], Run]) -> Run:
        target, key = node.args
        made = self.make(target), self.make(key)
        self.cost += 1 + (not _is_attribute(target)) - _starts_with_a_name(key)
        return index(*made)

    def _list(self, node: ListNode) -> Run:
        made = [self.make(each) for each in node.elements]
        self.cost += 0 if _is_constant(node) else LIST
        optional = node.optional
        if not optional:
            if all(isinstance(each, Literal) for each in node.elements):
                fixed = [each.value for each in node.elements if isinstance(each, Literal)]
                return lambda frame: fixed
            return lambda frame: [run(frame) for run in made]

        def listed(frame: list[Any]) -> Any:
            found = []
            for at, run in enumerate(made):
                value = run(frame)
                if at not in optional:
                    found.append(value)
                elif value.present:
                    found.append(value.value)
            return found

        return listed

    def _map(self, node: MapNode) -> Run:
        made = [
            (self.make(entry.key), self.make(entry.value), entry.optional) for entry in node.entries
        ]
        self.cost += 0 if _is_constant(node) else MAP

        def mapped(frame: list[Any]) -> Any:
            found: dict[Any, Any] = {}
            for key, value, optional in made:
                name, given = operators.map_key(key(frame)), value(frame)
                if name in found:
                    raise EvalError(f"Failed with repeated key: {name}")
                if not optional:
                    found[name] = given
                elif given.present:
                    found[name] = given.value
            return found

        return mapped

    def _struct(self, node: StructNode) -> Run:
        made = [(entry.key, self.make(entry.value), entry.optional) for entry in node.entries]
        self.cost += STRUCT
        name = node.name

        def struct(frame: list[Any]) -> Any:
            fields = {}
            for key, value, optional in made:
                given = value(frame)
                if not optional:
                    fields[key] = given
                elif given.present:
                    fields[key] = given.value
            return Struct(name, fields)

        return struct

    def _fold(self, node: Fold) -> Run:
        over = self.make(node.range)
        first = self._slot()
        second = self._slot() if node.second else 0
        scope = {node.first: first}
        if node.second:
            scope[node.second] = second
        self._scopes.append(scope)
        steps = [self._apart(step) for step in node.steps]
        self._scopes.pop()
        self.cost += RESULT[node.kind]
        return loop(node.kind, over, steps, first, second)

    def _bind(self, node: Bind) -> Run:
        value = self.make(node.value)
        slot = self._slot()
        self._scopes.append({node.name: slot})
        step = self.make(node.step)
        self._scopes.pop()

        def bound(frame: list[Any]) -> Any:
            frame[slot] = value(frame)
            return step(frame)

        return bound

    def _optional_map(self, node: OptionalMap) -> Run:
        # CEL asks the target twice: whether there is a value, and for the value.
        target, cost = self._apart(node.target)
        self.cost += 2 * cost + 1
        slot = self._slot()
        self._scopes.append({node.name: slot})
        made, cost = self._apart(node.step)
        step = paid(made, cost + 1 + (not node.flat))
        self._scopes.pop()
        flat = node.flat

        def mapped(frame: list[Any]) -> Any:
            value = target(frame)
            if not isinstance(value, Opt):
                raise NoOverload
            if not value.present:
                frame[0].spend(1)
                return NOTHING
            frame[slot] = value.value
            found = step(frame)
            return found if flat else Opt(found)

        return mapped


def _is_attribute(node: Node) -> bool:
    """Tell whether a part is read as one way: a name, fields and elements."""
    if isinstance(node, Call):
        return node.function in operators.INDEX or node.function == "_?_:_"
    return isinstance(node, Name) or (isinstance(node, Select) and not node.test)


def _starts_with_a_name(node: Node) -> bool:
    """Tell whether a part is one way that is read, with a cost for its start."""
    return _is_attribute(node) and not (isinstance(node, Call) and node.function == "_?_:_")


def _is_constant(node: Node) -> bool:
    """Tell whether a part is known once it is written."""
    if isinstance(node, ListNode):
        return not node.optional and all(map(_is_constant, node.elements))
    if isinstance(node, MapNode):
        parts = [part for entry in node.entries for part in (entry.key, entry.value)]
        return all(map(_is_constant, parts)) and not any(one.optional for one in node.entries)
    return isinstance(node, Literal) or (isinstance(node, Call) and is_folded(node))


def _is_membership(node: Node) -> bool:
    """Tell whether a list is one of plain values that are written out."""
    return isinstance(node, ListNode) and all(
        isinstance(each, Literal) and not isinstance(each.value, bytes) for each in node.elements
    )


def _from(slot: int) -> Run:
    return lambda frame: frame[slot]


def _get(value: Any, field: str) -> Any:
    """Return a field, `_MISSING` where there is none. Raises NoOverload."""
    if type(value) is dict or isinstance(value, dict):
        return value.get(field, _MISSING)
    if isinstance(value, Lazy):
        try:
            return value.find(field)
        except KeyError:
            return _MISSING
    raise NoOverload


def _get_known(value: Any, field: str) -> Any:
    """Return a field of an object whose fields are declared: null counts as missing there."""
    found = value.get(field) if type(value) is dict else _get(value, field)
    return _MISSING if found is None else found


def _field(operand: Run, field: str, read: Callable[[Any], Any] | None, get: _Get) -> Run:
    def select(frame: list[Any]) -> Any:
        value = operand(frame)
        if isinstance(value, Opt):
            return _through(value, field, read, get)
        found = get(value, field)
        if found is _MISSING:
            raise EvalError(f"no such key: {field}")
        return found if read is None else read(found)

    return select


def _through(value: Opt, field: str, read: Callable[[Any], Any] | None, get: _Get) -> Opt:
    if not value.present:
        return NOTHING
    found = get(value.value, field)
    if found is _MISSING:
        return NOTHING
    return Opt(found if read is None else read(found))


def _optional_field(operand: Run, field: str, read: Callable[[Any], Any] | None, get: _Get) -> Run:
    def select(frame: list[Any]) -> Any:
        value = operand(frame)
        return _through(value if isinstance(value, Opt) else Opt(value), field, read, get)

    return select


def _has(operand: Run, field: str, get: _Get) -> Run:
    def test(frame: list[Any]) -> Any:
        value = operand(frame)
        if isinstance(value, Opt):
            if not value.present:
                return False
            value = value.value
        return get(value, field) is not _MISSING

    return test
