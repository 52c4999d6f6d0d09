"""The types of macros: what they run over, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping

from apimachinery.cel.ast import Bind, Fold, Node, OptionalMap
from apimachinery.cel.types import (
    BOOL,
    DYN,
    ERROR,
    INT,
    Bindings,
    Type,
    list_of,
    map_of,
    optional_of,
)


class FoldChecker:
    """The checker's part for macros."""

    bindings: Bindings
    scopes: list[Mapping[str, Type]]

    def visit(self, node: Node) -> Type:
        raise NotImplementedError

    def wrong(self, offset: int, why: str) -> Type:
        raise NotImplementedError

    def shown(self, kind: Type) -> str:
        raise NotImplementedError

    def fold(self, node: Fold) -> Type:
        """Return the type of a macro over a list or a map."""
        over = self.bindings.find(self.visit(node.range))
        scope = self._variables(node, over)
        self.scopes.append(scope)
        steps = [self.visit(step) for step in node.steps]
        self.scopes.pop()
        return self._result(node, over, steps, scope)

    def _variables(self, node: Fold, over: Type) -> dict[str, Type]:
        if over.kind == "list":
            first: Type = over.params[0] if not node.second else INT
            second = over.params[0]
        elif over.kind == "map":
            first, second = over.params
        elif over.kind in ("dyn", "error", "param"):
            first, second = DYN, DYN
        else:
            self.wrong(
                node.range.offset,
                f"expression of type '{self.shown(over)}' cannot be range of a comprehension "
                "(must be list, map, or dynamic)",
            )
            first, second = ERROR, ERROR
        return {node.first: first, node.second: second} if node.second else {node.first: first}

    def _result(self, node: Fold, over: Type, steps: list[Type], scope: Mapping[str, Type]) -> Type:
        tests = steps if node.kind in ("all", "exists", "existsOne", "filter") else steps[:-1]
        for step, kind in zip(node.steps, tests, strict=False):
            self._need_bool(node, step, kind)
        if node.kind in ("all", "exists", "existsOne"):
            return BOOL
        if node.kind == "filter":
            return list_of(scope[node.first])
        if node.kind in ("map", "transformList"):
            return list_of(steps[-1])
        if node.kind == "transformMap":
            return map_of(scope[node.first], steps[-1])
        entries = map_of(self.bindings.fresh(), self.bindings.fresh())
        if not self.bindings.accepts(entries, steps[-1]):
            why = f"expected type 'map' but found '{self.shown(steps[-1])}'"
            return self.wrong(node.steps[-1].offset, why)
        return entries

    def _need_bool(self, node: Fold, step: Node, kind: Type) -> None:
        if self.bindings.accepts(BOOL, kind):
            return
        if node.kind == "all":
            applied = f"'_&&_' applied to '(bool, {self.shown(kind)})'"
        elif node.kind == "exists":
            applied = f"'_||_' applied to '(bool, {self.shown(kind)})'"
        else:
            applied = f"'_?_:_' applied to '({self.shown(kind)}, {self._branches(node)})'"
        self.wrong(node.offset, f"found no matching overload for {applied}")
        del step

    def _branches(self, node: Fold) -> str:
        if node.kind == "existsOne":
            return "int, int"
        kind = self.shown(list_of(DYN)) if node.kind in ("map", "filter") else "list(dyn)"
        return f"{kind}, {kind}"

    def bind(self, node: Bind) -> Type:
        """Return the type of cel.bind."""
        self.scopes.append({node.name: self.visit(node.value)})
        found = self.visit(node.step)
        self.scopes.pop()
        return found

    def optional_map(self, node: OptionalMap) -> Type:
        """Return the type of optMap and optFlatMap."""
        target = self.bindings.find(self.visit(node.target))
        if target.kind == "optional_type":
            inner = target.params[0]
        elif target.kind in ("dyn", "error"):
            inner = DYN
        else:
            function = "optFlatMap" if node.flat else "optMap"
            return self.wrong(
                node.offset,
                f"found no matching overload for '{function}' applied to '{self.shown(target)}'",
            )
        self.scopes.append({node.name: inner})
        found = self.visit(node.step)
        self.scopes.pop()
        return found if node.flat else optional_of(found)
