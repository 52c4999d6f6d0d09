"""Finds the type of every part of an expression, and what each call means.

Where a type cannot be found the mistake is noted once, and the part counts as of any type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from apimachinery.cel import literals
from apimachinery.cel.ast import (
    Bind,
    Call,
    Entry,
    Fold,
    ListNode,
    Literal,
    MapNode,
    Name,
    Node,
    OptionalMap,
    Select,
    StructNode,
    names,
)
from apimachinery.cel.errors import Issue
from apimachinery.cel.folds import FoldChecker
from apimachinery.cel.functions import Overload
from apimachinery.cel.types import (
    BOOL,
    DYN,
    ERROR,
    INT,
    NAMED,
    STRING,
    Bindings,
    Type,
    list_of,
    map_of,
    object_type,
    optional_of,
    type_of_type,
)
from apimachinery.cel.values import type_of


class Declarations(Protocol):
    """What may be named."""

    variables: dict[str, Type]
    structs: dict[str, Type]
    open_structs: tuple[str, ...]
    functions: dict[str, list[Overload]]


class Checker(FoldChecker):
    """One pass over one tree."""

    def __init__(self, declared: Declarations) -> None:
        self.declared = declared
        self.issues: list[Issue] = []
        self.bindings = Bindings()
        # The variables of loops, innermost last.
        self.scopes: list[Mapping[str, Type]] = []
        self._nodes: list[Node] = []
        self._by_kind: dict[type[Node], Callable[..., Type]] = {
            Literal: self._literal,
            Name: self._name,
            Select: self._select,
            Call: self._call,
            ListNode: self._list,
            MapNode: self._map,
            StructNode: self._struct,
            Fold: self.fold,
            OptionalMap: self.optional_map,
            Bind: self.bind,
        }

    def check(self, tree: Node) -> Type:
        """Check a whole tree; what is wrong stands in `issues`."""
        found = self.visit(tree)
        for node in self._nodes:
            node.type = self.bindings.settle(node.type or DYN)
        if not self.issues:
            self.issues.extend(literals.wrong(self._nodes))
        return self.bindings.settle(found)

    def visit(self, node: Node) -> Type:
        """Return the type of a part."""
        node.type = self._by_kind[type(node)](node)
        self._nodes.append(node)
        return node.type

    def wrong(self, offset: int, why: str) -> Type:
        self.issues.append(Issue(offset, why))
        return ERROR

    def shown(self, kind: Type) -> str:
        return str(self.bindings.settle(kind))

    # -- names -----------------------------------------------------------------------------------

    def _literal(self, node: Literal) -> Type:
        return type_of(node.value)

    def _lookup(self, name: str) -> Type | None:
        if not name.startswith("."):
            for scope in reversed(self.scopes):
                if name in scope:
                    return scope[name]
        name = name.removeprefix(".")
        found = self.declared.variables.get(name)
        if found is not None:
            return found
        named = NAMED.get(name) or self.declared.structs.get(name)
        return None if named is None else type_of_type(named)

    def _name(self, node: Name) -> Type:
        found = self._lookup(node.name)
        if found is None:
            shown = node.name.removeprefix(".")
            return self.wrong(node.offset, f"undeclared reference to '{shown}' (in container '')")
        return found

    def _select(self, node: Select) -> Type:
        qualified = names(node)
        if qualified is not None and not self._is_local(qualified):
            found = self._lookup(qualified)
            if found is not None:
                node.variable = qualified
                return found
        operand = self.bindings.find(self.visit(node.operand))
        optional = node.optional or operand.kind == "optional_type"
        if operand.kind == "optional_type":
            operand = self.bindings.find(operand.params[0])
        found = self._field(operand, node)
        if node.test:
            return BOOL
        return optional_of(found) if optional and found is not ERROR else found

    def _is_local(self, qualified: str) -> bool:
        first = qualified.partition(".")[0]
        return any(first in scope for scope in self.scopes)

    def _field(self, operand: Type, node: Select) -> Type:
        if operand.kind == "map":
            return operand.params[1]
        if operand.kind == "object":
            fields = operand.fields() if operand.fields is not None else None
            if fields is None:
                return DYN
            if node.field not in fields:
                return self.wrong(node.offset, f"undefined field '{node.field}'")
            return fields[node.field]
        if operand.kind == "param":
            # An element of what nothing is known of, such as [].map(x, x.y).
            return DYN
        if operand.kind in ("dyn", "error"):
            return operand
        why = f"type '{self.shown(operand)}' does not support field selection"
        return self.wrong(node.offset, why)

    # -- calls -----------------------------------------------------------------------------------

    def _call(self, node: Call) -> Type:
        self._resolve_namespace(node)
        known = self.declared.functions.get(node.function.removeprefix("."))
        if node.function == "_[_]" and known:
            return self._index(node, known)
        given = [self.visit(each) for each in node.operands]
        if not known:
            name = node.function.removeprefix(".")
            return self.wrong(node.offset, f"undeclared reference to '{name}' (in container '')")
        return self._overload(node, known, given)

    def _resolve_namespace(self, node: Call) -> None:
        """Take `sets.contains(a, b)` for a function of that name, not for a method of `sets`."""
        if node.target is None:
            return
        front = names(node.target)
        if front is None or self._is_local(front):
            return
        name = f"{front}.{node.function}"
        if name in self.declared.functions:
            node.function, node.target = name, None

    def _index(self, node: Call, known: Sequence[Overload]) -> Type:
        """Return the type of `a[b]`, which looks through optionals."""
        target = self.bindings.find(self.visit(node.args[0]))
        key = self.visit(node.args[1])
        through = target.kind == "optional_type"
        if through:
            target = self.bindings.find(target.params[0])
        found = self._overload(node, known, [target, key])
        return optional_of(found) if through and found is not ERROR else found

    def _overload(self, node: Call, known: Sequence[Overload], given: list[Type]) -> Type:
        if any(self.bindings.find(each) is ERROR for each in given):
            return ERROR
        member = node.target is not None
        result: Type | None = None
        for overload in known:
            if overload.member != member or len(overload.params) != len(given):
                continue
            saved = self.bindings.save()
            renamed: dict[str, Type] = {}
            wanted = [self.bindings.renew(each, renamed) for each in overload.params]
            if not all(map(self.bindings.accepts, wanted, given)):
                self.bindings.restore(saved)
                continue
            node.overloads.append(overload)
            found = self.bindings.renew(overload.result, renamed)
            if result is None:
                result = found
            elif not self.bindings.same(result, found):
                result = DYN
        if result is None:
            return self.wrong(node.offset, self._mismatch(node, given))
        if any(self.bindings.find(each).kind == "dyn" for each in given):
            # What came of a value of any type is not known better than that.
            return self.bindings.settle(result)
        return result

    def _mismatch(self, node: Call, given: list[Type]) -> str:
        shown = [self.shown(each) for each in given]
        applied = f"({', '.join(shown)})"
        if node.target is not None:
            applied = f"{shown[0]}.({', '.join(shown[1:])})"
        function = node.function.removeprefix(".")
        return f"found no matching overload for '{function}' applied to '{applied}'"

    # -- what is written out ---------------------------------------------------------------------

    def _list(self, node: ListNode) -> Type:
        found: Type | None = None
        for at, element in enumerate(node.elements):
            kind = self.visit(element)
            if at in node.optional:
                kind = self._unwrapped(kind, element.offset)
            found = self._joined(found, kind, element.offset)
        return list_of(found if found is not None else self.bindings.fresh())

    def _unwrapped(self, kind: Type, offset: int) -> Type:
        inner = self.bindings.fresh()
        if not self.bindings.accepts(optional_of(inner), kind):
            why = f"expected type 'optional_type' but found '{self.shown(kind)}'"
            return self.wrong(offset, why)
        return inner

    def _joined(self, first: Type | None, kind: Type, offset: int) -> Type:
        """Return the one type of what stands side by side, which must not differ."""
        if first is None:
            return kind
        settled, given = self.bindings.find(first), self.bindings.find(kind)
        if settled.kind == "dyn" or given.kind == "dyn":
            return DYN
        if not self.bindings.accepts(first, kind):
            return self.wrong(
                offset, f"expected type '{self.shown(first)}' but found '{self.shown(kind)}'"
            )
        return kind if settled.kind == "null_type" else first

    def _map(self, node: MapNode) -> Type:
        keys: Type | None = None
        values: Type | None = None
        for entry in node.entries:
            keys = self._joined(keys, self.visit(entry.key), entry.key.offset)
            kind = self.visit(entry.value)
            if entry.optional:
                kind = self._unwrapped(kind, entry.value.offset)
            values = self._joined(values, kind, entry.value.offset)
        if keys is not None and self.bindings.find(keys).kind not in _KEYS:
            self.wrong(node.offset, f"unsupported key type: {self.shown(keys)}")
        return map_of(keys or self.bindings.fresh(), values or self.bindings.fresh())

    def _struct(self, node: StructNode) -> Type:
        kind = self._struct_type(node)
        if kind is None:
            return self.wrong(
                node.offset, f"undeclared reference to '{node.name}' (in container '')"
            )
        fields = kind.fields() if kind.fields is not None else None
        for entry in node.entries:
            given = self.visit(entry.value)
            if entry.optional:
                given = self._unwrapped(given, entry.value.offset)
            if fields is not None:
                self._struct_field(entry, fields, given)
        return kind

    def _struct_type(self, node: StructNode) -> Type | None:
        found = self.declared.structs.get(node.name)
        if found is None and any(
            node.name == each or node.name.startswith(f"{each}.")
            for each in self.declared.open_structs
        ):
            return object_type(node.name)
        return found

    def _struct_field(self, entry: Entry, fields: Mapping[str, Type], given: Type) -> None:
        wanted = fields.get(entry.key)
        if wanted is None:
            self.wrong(entry.offset, f"undefined field '{entry.key}'")
        elif not self.bindings.accepts(wanted, given):
            self.wrong(
                entry.offset,
                f"expected type of field '{entry.key}' is '{self.shown(wanted)}' "
                f"but provided type is '{self.shown(given)}'",
            )


_KEYS = ("dyn", "error", "param", *(each.kind for each in (BOOL, INT, STRING)), "uint")
