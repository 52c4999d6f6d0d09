"""What calls may cost at most: operators, CEL's functions, and those that Kubernetes adds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from apimachinery.cel.ast import Call, Literal, Node
from apimachinery.cel.costs import CHECK, LIST, STRUCT
from apimachinery.cel.functions import Overload
from apimachinery.cel.ranges import ONE, UNBOUNDED, Estimated, Size, add, part, times, total

STRING, PATTERN = 0.1, 0.25
# The longest pattern behind a named format, and the longest name of one.
_FORMAT_PATTERN, _FORMAT_NAME = 128, 64
# Tells how large the elements of a list may be.
Elements = Callable[[Node, Estimated], Size]


# -- operators -------------------------------------------------------------------------------------


def _logic(node: Call, given: Sequence[Estimated]) -> Estimated:
    return Estimated(add(given[0].cost, given[1].cost), ONE)


def _condition(node: Call, given: Sequence[Estimated]) -> Estimated:
    test, then, other = given
    entries = None
    if then.entries and other.entries:
        mine, theirs = then.entries, other.entries
        entries = mine[0].union(theirs[0]), mine[1].union(theirs[1])
    cost = add(test.cost, max(then.cost, other.cost))
    return Estimated(cost, then.sized.union(other.sized), entries)


def _plus(node: Call, given: Sequence[Estimated]) -> Estimated:
    spent, size = add(given[0].cost, given[1].cost), given[0].sized.plus(given[1].sized)
    kinds = {overload.params[0].kind for overload in node.overloads}
    cost = part(size.most, STRING) if kinds & {"string", "bytes"} else 1
    if not kinds & {"string", "bytes", "list"}:
        return Estimated(add(spent, cost))
    entries = None
    if given[0].entries and given[1].entries:
        mine, theirs = given[0].entries, given[1].entries
        entries = mine[0].union(theirs[0]), mine[1].union(theirs[1])
    return Estimated(add(spent, max(cost, 1) if "list" in kinds else cost), size, entries)


def _compared(node: Call, given: Sequence[Estimated]) -> Estimated:
    spent = add(given[0].cost, given[1].cost)
    smaller = min(given[0].sized.most, given[1].sized.most)
    kinds = {overload.params[0].kind for overload in node.overloads}
    if node.function in ("_==_", "_!=_"):
        cost = _equality(node) if node.function == "_==_" else None
        return Estimated(add(spent, part(smaller, STRING) if cost is None else cost), ONE)
    cost = part(smaller, STRING) if kinds & {"string", "bytes"} else 0
    if kinds - {"string", "bytes"}:
        cost = max(cost, 1)
    return Estimated(add(spent, cost), ONE)


def _equality(node: Call) -> int | None:
    """Return what it costs to compare values of Kubernetes' own types."""
    kinds = [each.type for each in node.operands]
    first = kinds[0]
    if first is None or first.kind != "opaque" or any(each != first for each in kinds):
        return None
    return part(_FORMAT_NAME, STRING) if first.name == "kubernetes.NamedFormat" else 1


def _within(node: Call, given: Sequence[Estimated]) -> Estimated:
    spent = add(given[0].cost, given[1].cost)
    kinds = {overload.params[1].kind for overload in node.overloads}
    cost = given[1].sized.most if "list" in kinds else 1
    return Estimated(add(spent, max(cost, 1) if "map" in kinds else cost), ONE)


def _index(node: Call, given: Sequence[Estimated]) -> Estimated:
    spent = total(*(each.cost for each in given), 1)
    return Estimated(spent, given[0].entries[1] if given[0].entries else None)


OPERATORS: dict[str, Callable[[Call, Sequence[Estimated]], Estimated]] = {
    "_&&_": _logic,
    "_||_": _logic,
    "_?_:_": _condition,
    "_+_": _plus,
    **dict.fromkeys(("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"), _compared),
    "@in": _within,
    "_[_]": _index,
}


# -- functions -------------------------------------------------------------------------------------

Rule = Callable[[Elements, Overload, Call, Sequence[Estimated]], Estimated]


def _fixed(cost: int) -> Rule:
    return lambda elements, overload, node, given: Estimated(cost)


def _read(*, of: int = 0, keeps: bool = False, factor: float = STRING) -> Rule:
    """Return the cost of reading one argument; `keeps`: the result is no larger than it."""

    def cost(
        elements: Elements, overload: Overload, node: Call, given: Sequence[Estimated]
    ) -> Estimated:
        size = given[of].sized
        return Estimated(part(size.most, factor), size if keeps else None)

    return cost


def _text_of(
    elements: Elements, overload: Overload, node: Call, given: Sequence[Estimated]
) -> Estimated:
    size = given[0].sized
    if overload.params[0].kind != "bytes":
        return Estimated(1)
    return Estimated(part(size.most, STRING), Size(size.least // 4, size.most))


def _bytes_of(
    elements: Elements, overload: Overload, node: Call, given: Sequence[Estimated]
) -> Estimated:
    size = given[0].sized
    if overload.params[0].kind != "string":
        return Estimated(1)
    return Estimated(part(size.most, STRING), Size(size.least, times(size.most, 4)))


def _quote(
    elements: Elements, overload: Overload, node: Call, given: Sequence[Estimated]
) -> Estimated:
    size = given[0].sized
    longest = add(times(size.most, 2), 2)
    return Estimated(part(size.most, STRING), Size(add(size.least, 2), longest))


def _pattern(
    elements: Elements, overload: Overload, node: Call, given: Sequence[Estimated]
) -> Estimated:
    if node.target is None:
        return Estimated(1)
    text = part(add(given[0].sized.most, 1), STRING)
    cost = times(text, part(given[1].sized.most, PATTERN))
    made = Size(0, given[0].sized.most) if node.function in ("find", "findAll") else None
    return Estimated(cost, made)


def _contains(
    elements: Elements, overload: Overload, node: Call, given: Sequence[Estimated]
) -> Estimated:
    text, sought = (part(each.sized.most, STRING) for each in given)
    return Estimated(times(text, sought))


def _walk(
    elements: Elements, overload: Overload, node: Call, given: Sequence[Estimated]
) -> Estimated:
    """Return the cost of looking at each element of a list, or at all of a text."""
    kind = node.operands[0].type
    size = given[0].sized.most
    if kind is None or not kind.params:
        return Estimated(part(size, STRING))
    each = 1
    if kind.params[0].kind in ("string", "bytes"):
        size_of_each = elements(node.operands[0], given[0])
        each = add(1, part(size_of_each.most, STRING))
    return Estimated(times(size, each))


def _replace(
    elements: Elements, overload: Overload, node: Call, given: Sequence[Estimated]
) -> Estimated:
    text, old, new = (each.sized for each in given[:3])
    size = Size(_shortest(text, old, new), _longest(text, old, new))
    return Estimated(part(text.most, 2 * STRING), size)


def _longest(text: Size, old: Size, new: Size) -> int:
    if old.least == 0:
        return add(times(add(text.most, 1), new.most), text.most)
    if new.most <= old.least:
        return text.most
    return times(-(-text.most // old.least), new.most)


def _shortest(text: Size, old: Size, new: Size) -> int:
    if old.most == 0:
        return add(times(add(text.least, 1), new.least), text.least)
    if old.most <= new.least:
        return text.least
    return times(-(-text.least // old.most), new.least)


def _split(
    elements: Elements, overload: Overload, node: Call, given: Sequence[Estimated]
) -> Estimated:
    most, last = given[0].sized.most, node.args[-1]
    if len(node.args) > 1 and isinstance(last, Literal) and isinstance(last.value, int):
        most = last.value if last.value >= 0 else UNBOUNDED + 1 + last.value
    return Estimated(part(given[0].sized.most, 2 * STRING), Size(0, most))


def _join(
    elements: Elements, overload: Overload, node: Call, given: Sequence[Estimated]
) -> Estimated:
    count = given[0].sized
    size = count.times(elements(node.operands[0], given[0]))
    if len(given) > 1:
        gaps = Size(max(0, count.least - 1), max(0, count.most - 1))
        size = size.plus(given[1].sized.times(gaps))
    return Estimated(part(size.most, STRING), size)


def _selector(
    elements: Elements, overload: Overload, node: Call, given: Sequence[Estimated]
) -> Estimated:
    length = given[1].sized.most
    return Estimated(total(LIST, part(length, STRING), part(part(length, 0.5), LIST + STRUCT)))


def _inside(more: int) -> Rule:
    """Return the cost of comparing prefixes of 16 bytes; a text has to be read before."""

    def cost(
        elements: Elements, overload: Overload, node: Call, given: Sequence[Estimated]
    ) -> Estimated:
        read = part(given[1].sized.most, STRING) if overload.params[1].kind == "string" else 0
        return Estimated(total(part(32, STRING), more, read))

    return cost


def _sets(factor: int) -> Rule:
    def cost(
        elements: Elements, overload: Overload, node: Call, given: Sequence[Estimated]
    ) -> Estimated:
        pairs = times(given[0].sized.most, given[1].sized.most)
        return Estimated(add(times(pairs, factor), 1))

    return cost


def _validate(
    elements: Elements, overload: Overload, node: Call, given: Sequence[Estimated]
) -> Estimated:
    text = part(given[1].sized.most, STRING)
    return Estimated(part(text, _FORMAT_PATTERN * PATTERN))


def _made(factor: float, size: Size) -> Estimated:
    """Return the cost of a call that makes a list of some size."""
    return Estimated(total(LIST, 1, part(size.most, factor)), size)


def _number(node: Node, other: int) -> int:
    if not isinstance(node, Literal) or not isinstance(node.value, int):
        return other
    return max(0, node.value)


def _slice(
    elements: Elements, overload: Overload, node: Call, given: Sequence[Estimated]
) -> Estimated:
    start, end = _number(node.args[0], 0), _number(node.args[1], given[0].sized.most)
    # What ends before it starts fails, and is the most expensive there is.
    length = (end - start) % (UNBOUNDED + 1)
    return _made(1, Size(length, length))


def _range(
    elements: Elements, overload: Overload, node: Call, given: Sequence[Estimated]
) -> Estimated:
    length = _number(node.args[0], UNBOUNDED)
    return _made(1, Size(length, length))


def _flatten(
    elements: Elements, overload: Overload, node: Call, given: Sequence[Estimated]
) -> Estimated:
    level = _number(node.args[0], UNBOUNDED) if node.args else 1
    return _made(level, given[0].sized)


def _reverse(
    elements: Elements, overload: Overload, node: Call, given: Sequence[Estimated]
) -> Estimated:
    return _made(1, given[0].sized)


def _pairs(
    elements: Elements, overload: Overload, node: Call, given: Sequence[Estimated]
) -> Estimated:
    """Return the cost of comparing each to all others: elements, or the keys made of them."""
    texts = node.function != "distinct" and overload.params[-1].params[0].kind
    factor = 2.0 + STRING if texts in ("string", "bytes") else 2.0
    return _made(factor, given[-1].sized.times(given[-1].sized))


FUNCTIONS: dict[str, Rule] = {
    "check": _fixed(CHECK),
    "startsWith": _read(of=1),
    "endsWith": _read(of=1),
    "contains": _contains,
    "matches": _pattern,
    "find": _pattern,
    "findAll": _pattern,
    "string": _text_of,
    "bytes": _bytes_of,
    "format": _read(),
    "strings.quote": _quote,
    **dict.fromkeys(("url", "jsonpatch.escapeKey"), _read(keeps=True)),
    **dict.fromkeys(("lowerAscii", "upperAscii", "substring", "trim"), _read(keeps=True)),
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"), _walk),
    "replace": _replace,
    "split": _split,
    "join": _join,
    **dict.fromkeys(("fieldSelector", "labelSelector"), _selector),
    "containsIP": _inside(0),
    "containsCIDR": _inside(part(16, STRING) + 1),
    "validate": _validate,
    "sets.contains": _sets(1),
    "sets.intersects": _sets(1),
    "sets.equivalent": _sets(2),
    "slice": _slice,
    "flatten": _flatten,
    "lists.range": _range,
    "reverse": _reverse,
    **dict.fromkeys(("distinct", "sort", "@sortByAssociatedKeys"), _pairs),
}
