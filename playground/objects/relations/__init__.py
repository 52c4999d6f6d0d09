"""What an object has to do with others: a drawing, and the same as lists.

`edges` has the rules, `graph` the picture that follows from them, `gathering` the objects asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from playground.objects import facts
from playground.objects.facts import Object
from playground.objects.relations import gathering, graph, headings, standing
from playground.objects.relations.edges import PODS, SLICES, Edge, Key, between, key
from playground.objects.relations.graph import DRAWN, Fold, Near
from playground.objects.summary.network import POLICIES
from playground.objects.summary.parts import Cell, Context


@dataclass(frozen=True, slots=True)
class Relation:
    """Objects of one kind that are related in one way, and where all of them are listed."""

    title: str
    cells: tuple[Cell, ...]
    more: int = 0
    list_link: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """An object's relations: `drawing` as the page's script takes it, and `lists` for all."""

    sentence: str
    drawing: dict[str, Any]
    lists: tuple[Relation, ...]


def of(title: str, item: Object, context: Context) -> Picture:
    """Return what an object has to do with others."""
    objects = gathering.objects(title, item, context)
    every = between(objects, lambda *named: gathering.key_of(context, *named))
    focus = key(title, item)
    page = _Page(focus, item, objects, graph.near(focus, every), context)
    return Picture(_sentence(page.near, focus), page.drawing(), tuple(page.lists()))


def _sentence(near: Near, focus: Key) -> str:
    """Return what a NetworkPolicy is about, empty for other kinds."""
    if focus[0] != POLICIES:
        return ""
    pods = sum(1 for one, how in near.found.items() if one[0] == PODS and how.direction == "down")
    others = sum(1 for one in near.found if one[0] == POLICIES) - 1
    chosen = ngettext("Selects %(n)d pod.", "Selects these %(n)d pods.", pods) % {"n": pods}
    if not pods:
        return str(chosen)
    told = ngettext(
        "%(n)d other policy is for some of them too: what any of them allows is allowed.",
        "%(n)d other policies are for some of them too: what any of them allows is allowed.",
        others,
    )
    return f"{chosen} {told % {'n': others}}" if others else f"{chosen} " + _("No other policy is.")


class _Page:
    """What both forms of the picture need to know of each object."""

    def __init__(
        self,
        focus: Key,
        item: Object,
        objects: Mapping[str, Iterable[Object]],
        near: Near,
        context: Context,
    ) -> None:
        self.focus, self.item, self.near, self.context = focus, item, near, context
        self._known = {key(title, one): one for title, items in objects.items() for one in items}
        self._read = {title for title in objects if context.readable(title)}
        self._uses = _remarks(near.edges)

    def standing(self, one: Key) -> standing.Standing:
        """Return an object's word and colour; what should be there and is not says so."""
        known = self._known.get(one)
        if known is not None:
            return standing.of(one[0], known)
        missing = one[0] in self._read and one[1] in ("", self.focus[1])
        return (_("missing"), "bad") if missing else ("", "plain")

    def drawing(self) -> dict[str, Any]:
        """Return nodes and edges; an edge names its ends by their positions."""
        troubled = {one for one in self.near.found if self.standing(one)[1] == "bad"}
        drawn = graph.draw(self.focus, self.near, troubled.__contains__)
        nodes = [self._node(node, column) for node, column in drawn.nodes]
        return {"nodes": nodes, "edges": [list(edge) for edge in drawn.edges]}

    def _node(self, node: graph.Node, column: int) -> dict[str, Any]:
        if isinstance(node, Fold):
            return {
                "column": column,
                "kind": self.context.kind_of(node.title),
                "more": len(node.keys),
                "link": self._list_link(node.title),
            }
        title, namespace, name = node
        word, state = self.standing(node)
        return {
            "column": column,
            "kind": self.context.kind_of(title),
            "name": name,
            "namespace": namespace if namespace != self.focus[1] else "",
            "link": self.context.link(title, namespace, name, tab="relations"),
            "word": word,
            "state": state,
            "focus": node == self.focus,
        }

    def _list_link(self, title: str) -> str:
        query = {"ns": self.focus[1]}
        if title == PODS:
            if self.focus[0] == "nodes":
                query["q"] = f"spec.nodeName={self.focus[2]}"
            elif labels := _labels(self.item):
                query["q"] = " ".join(f"{name}={value}" for name, value in labels.items())
        return self.context.list_link(title, **query)

    def lists(self) -> Iterable[Relation]:
        """Yield the same as lists: by how an object was found and its kind."""
        groups: dict[str, list[tuple[Key, graph.Found]]] = {}
        for one, how in self.near.found.items():
            if one != self.focus:
                groups.setdefault(_heading(how, one[0]), []).append((one, how))
        for heading, members in groups.items():
            members.sort(key=lambda one: (self.standing(one[0])[1] != "bad", one[0]))
            cells = tuple(self._cell(one, how) for one, how in members[:DRAWN])
            more = max(0, len(members) - DRAWN)
            yield Relation(heading, cells, more, self._list_link(members[0][0][0]) if more else "")

    def _cell(self, one: Key, how: graph.Found) -> Cell:
        title, namespace, name = one
        word, state = self.standing(one)
        said = how.remark or ", ".join(self._uses.get(one, ())[:3])
        return Cell(
            name,
            link=self.context.link(title, namespace, name),
            state=state,
            remark=" · ".join(filter(None, (word, said))),
        )


def _remarks(found: Iterable[Edge]) -> dict[Key, list[str]]:
    """Return what those that point at something use it for."""
    said: dict[Key, list[str]] = {}
    for edge in found:
        if edge.remark and edge.remark not in said.setdefault(edge.target, []):
            said[edge.target].append(edge.remark)
    return said


def _labels(item: Object) -> Mapping[str, str]:
    """Return the labels by which an object chooses its pods, empty for other ways."""
    spec = facts.spec(item)
    selector = spec.get("selector") or spec.get("podSelector") or {}
    if not isinstance(selector, dict) or selector.get("matchExpressions"):
        return {}
    found = selector.get("matchLabels", selector)
    return found if all(isinstance(value, str) for value in found.values()) else {}


def _heading(how: graph.Found, title: str) -> str:
    """Return how the objects of a list are related with the page's own."""
    words = {"kind": title.partition(".")[0], "via": how.via.partition(".")[0]}
    if how.direction == "beside":
        return _("Also for these pods: %(kind)s") % words
    if title == "services" and how.via == SLICES:
        return _("Reached through: %(kind)s") % words
    return str(headings.of(how) % words)
