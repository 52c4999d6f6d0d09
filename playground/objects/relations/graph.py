"""From all edges to the picture of one object: what is near it, its columns, and what is folded.

Pure and deterministic: the same objects give the same picture, whatever order they came in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from playground.objects.relations.edges import PODS, Edge, Key

# More than this are a list, not a picture.
DRAWN = 300
# Of more than so many objects of a kind in a column, a few are drawn and the others counted.
FOLD_OVER = 10
KEPT = (8, 5, 3, 1)
# What one follows from a pod that is not itself the object: its owners, not all that it has.
_OWNERS = {"owns", "scales"}


@dataclass(frozen=True, slots=True)
class Near:
    """What is near an object: how each was found, in the order of finding, and all edges within."""

    found: Mapping[Key, Found]
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """How an object was come upon: "down" and "up" the edges, or "beside", as another's company.

    `via` is the kind of what lies between, empty where the verb holds for the page's own object.
    """

    direction: str
    verb: str
    remark: str = ""
    via: str = ""


def near(focus: Key, every: Iterable[Edge]) -> Near:
    """Return what an object acts on, what acts on it, and what else acts on pods of its."""
    out: dict[Key, list[Edge]] = defaultdict(list)
    into: dict[Key, list[Edge]] = defaultdict(list)
    for edge in _without_doubles(every):
        out[edge.source].append(edge)
        into[edge.target].append(edge)
    found: dict[Key, Found] = {focus: Found("", "")}
    _down(focus, out, found)
    below = [one for one in found if one[0] == PODS and one != focus]
    _up([focus], focus, into, found, "up")
    _up(below, focus, into, found, "beside")
    edges = tuple(edge for one in found for edge in out[one] if edge.target in found)
    return Near(found, edges)


def _without_doubles(every: Iterable[Edge]) -> list[Edge]:
    """Return edges in order, one for each pair: owning says more than listing."""
    pairs: dict[tuple[Key, Key], Edge] = {}
    for edge in every:
        if edge.source != edge.target:
            pairs.setdefault((edge.source, edge.target), edge)
    return [pairs[pair] for pair in sorted(pairs)]


def _said(verb: str, here: Key, focus: Key, found: Mapping[Key, Found]) -> tuple[str, str]:
    """Return the verb of an edge at `here`, and which kind it is the verb of if not the focus'."""
    if here == focus:
        return verb, ""
    before = found[here]
    if before.via:
        return verb, here[0]
    way = before.verb, verb
    # What one owns by others is one's own, and what those use, one uses; a Service sends where its
    # slices say; who owns what uses something, uses it.
    down = way in (("owns", "owns"), ("owns", "uses"), ("owns", "lists"), ("endpoints", "lists"))
    if before.direction == "down" and down:
        return verb, ""
    if before.direction != "down" and way in (("owns", "owns"), ("uses", "owns")):
        return before.verb, ""
    return verb, here[0]


def _down(focus: Key, out: Mapping[Key, list[Edge]], found: dict[Key, Found]) -> None:
    queue = [focus]
    for here in queue:
        for edge in out[here]:
            # Where pods run is a matter of each pod; of a hundred it would be a tangle.
            if edge.target in found or (edge.verb == "runs" and here != focus):
                continue
            verb, via = _said(edge.verb, here, focus, found)
            found[edge.target] = Found("down", verb, edge.remark, via)
            queue.append(edge.target)


def _up(
    start: list[Key],
    focus: Key,
    into: Mapping[Key, list[Edge]],
    found: dict[Key, Found],
    direction: str,
) -> None:
    queue = list(start)
    for here in queue:
        for edge in into[here]:
            passing = here[0] == PODS and here != focus and direction == "up"
            if edge.source in found or (passing and edge.verb not in _OWNERS):
                continue
            verb, via = _said(edge.verb, here, focus, found)
            found[edge.source] = Found(direction, verb, edge.remark, via)
            queue.append(edge.source)


def layers(near_: Near) -> dict[Key, int]:
    """Return the column of each object, counted from 0: an edge leads to a column further right.

    Edges that would lead back, as where two objects own each other, do not count.
    """
    out: dict[Key, list[Key]] = defaultdict(list)
    for edge in near_.edges:
        out[edge.source].append(edge.target)
    order, kept = _sorted(near_.found, out)
    column = dict.fromkeys(order, 0)
    for one in order:
        for target in kept[one]:
            column[target] = max(column[target], column[one] + 1)
    sources = set(order) - {target for one in order for target in kept[one]}
    # What nothing leads to stands right before what it acts on, not at the far left.
    for one in sources:
        if kept[one]:
            column[one] = min(column[target] for target in kept[one]) - 1
    least = min(column.values(), default=0)
    return {one: place - least for one, place in column.items()}


def _sorted(
    keys: Iterable[Key], out: Mapping[Key, list[Key]]
) -> tuple[list[Key], dict[Key, list[Key]]]:
    """Return the objects so that edges lead forward, and the edges that do."""
    done: set[Key] = set()
    open_: set[Key] = set()
    order: list[Key] = []
    kept: dict[Key, list[Key]] = {}
    for root in keys:
        stack = [(root, False)]
        while stack:
            here, leaving = stack.pop()
            if leaving:
                open_.discard(here)
                order.append(here)
                continue
            if here in done:
                continue
            done.add(here)
            open_.add(here)
            kept[here] = [one for one in out[here] if one not in open_]
            stack.append((here, True))
            stack.extend((one, False) for one in reversed(kept[here]) if one not in done)
    return order[::-1], kept


@dataclass(frozen=True, slots=True)
class Fold:
    """Objects of one kind in one column that are counted and not drawn."""

    title: str
    column: int
    keys: tuple[Key, ...]


Node = Key | Fold


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn: objects and folds with their columns, and edges by position."""

    nodes: tuple[tuple[Node, int], ...]
    edges: tuple[tuple[int, int, str, str], ...]


def draw(focus: Key, near_: Near, troubled: Callable[[Key], bool]) -> Drawing:
    """Fold what is many: of each kind in a column those in trouble stay, then the first names."""
    columns = layers(near_)
    for kept in KEPT:
        nodes = _folded(focus, near_, columns, troubled, kept)
        if len(nodes) <= DRAWN:
            break
    place: dict[Key, int] = {}
    for position, (node, _column) in enumerate(nodes):
        for one in node.keys if isinstance(node, Fold) else (node,):
            place[one] = position
    edges: dict[tuple[int, int], tuple[str, str]] = {}
    for edge in near_.edges:
        pair = place[edge.source], place[edge.target]
        edges.setdefault(pair, (edge.verb, edge.remark))
    drawn = tuple((*pair, *said) for pair, said in edges.items() if pair[0] != pair[1])
    return Drawing(tuple(nodes), drawn)


def _folded(
    focus: Key,
    near_: Near,
    columns: Mapping[Key, int],
    troubled: Callable[[Key], bool],
    kept: int,
) -> list[tuple[Node, int]]:
    groups: dict[tuple[int, str], list[Key]] = defaultdict(list)
    for one in near_.found:
        groups[(columns[one], one[0])].append(one)
    neighbours: dict[Key, set[Key]] = defaultdict(set)
    for edge in near_.edges:
        neighbours[edge.source].add(edge.target)
        neighbours[edge.target].add(edge.source)
    shown = {focus}
    nodes: list[tuple[Node, int]] = []
    outward = sorted(groups, key=lambda one: (abs(one[0] - columns[focus]), one))
    for column, title in outward:
        members = sorted(
            groups[(column, title)],
            key=lambda one: (one != focus, not neighbours[one] & shown, not troubled(one), one),
        )
        few = members if len(members) <= min(FOLD_OVER, kept + 2) else members[:kept]
        shown.update(few)
        nodes += [(one, column) for one in sorted(few)]
        if len(few) < len(members):
            rest = Fold(title, column, tuple(members[len(few) :]))
            nodes.append((rest, column))
    return nodes
