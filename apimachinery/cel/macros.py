"""The calls that are no calls: has(), and what runs over lists and maps."""

from __future__ import annotations

from apimachinery.cel.ast import (
    Bind,
    Call,
    Fold,
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

# name -> how many arguments it has with one loop variable, and with two.
_FOLDS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "all": ((2,), (3,)),
    "exists": ((2,), (3,)),
    "exists_one": ((2,), ()),
    "existsOne": ((2,), (3,)),
    "map": ((2, 3), ()),
    "filter": ((2,), ()),
    "transformList": ((), (3, 4)),
    "transformMap": ((), (3, 4)),
    "transformMapEntry": ((), (3, 4)),
}
# Reads the list that sortBy() sorts; no name of an expression can be this.
_SORTED = "@__sortBy_input__"
_OPTIONAL = {"optMap": False, "optFlatMap": True}
# What is said of a variable that is no name, by macro.
_NOT_SIMPLE: dict[str, str] = {
    **dict.fromkeys(("map", "filter"), "argument is not an identifier"),
    **{name: f"{name}() variable name must be a simple identifier" for name in _OPTIONAL},
    "bind": "cel.bind() variable names must be simple identifiers",
}


def expand(
    offset: int, function: str, target: Node | None, args: list[Node], *, bindings: bool = False
) -> Node:
    """Return the tree of a call, a macro where it is one. Raises Issue.

    bindings: `cel.bind` is a macro, too.
    """
    if target is None:
        if function == "has" and len(args) == 1:
            return _has(offset, args[0])
        return Call(offset, function, None, args)
    if bindings and function == "bind" and len(args) == 3 and names(target) == "cel":
        return Bind(offset, _variable(function, args[0]), args[1], args[2])
    if function == "sortBy" and len(args) == 2:
        return _sort_by(offset, target, args)
    if function in _OPTIONAL and len(args) == 2:
        flat = _OPTIONAL[function]
        return OptionalMap(offset, target, _variable(function, args[0]), args[1], flat)
    one, two = _FOLDS.get(function, ((), ()))
    kind = "existsOne" if function == "exists_one" else function
    if len(args) in one:
        return Fold(offset, kind, target, _variable(function, args[0]), "", args[1:])
    if len(args) in two:
        first, second = _variable(function, args[0]), _variable(function, args[1])
        if first == second:
            raise Issue(args[1].offset, f"duplicate variable name: {first}")
        return Fold(offset, kind, target, first, second, args[2:])
    return Call(offset, function, target, args)


def _has(offset: int, arg: Node) -> Node:
    if isinstance(arg, Select) and not arg.test:
        return Select(arg.offset, arg.operand, arg.field, test=True)
    raise Issue(arg.offset, "invalid argument to has() macro")


def _sort_by(offset: int, target: Node, args: list[Node]) -> Node:
    if isinstance(target, (Literal, MapNode, StructNode)):
        raise Issue(
            target.offset,
            "sortBy can only be applied to a list, identifier, comprehension, call or "
            "select expression",
        )
    keys = Fold(offset, "map", Name(offset, _SORTED), _variable("map", args[0]), "", args[1:])
    call = Call(offset, "@sortByAssociatedKeys", Name(offset, _SORTED), [keys])
    return Bind(offset, _SORTED, target, call)


def _variable(macro: str, node: Node) -> str:
    if not isinstance(node, Name) or node.name.startswith("."):
        raise Issue(node.offset, _NOT_SIMPLE.get(macro, "argument must be a simple name"))
    return node.name
