"""What a summary is made of: a sentence, facts, tables, and links to other objects.

Builders are functions of an object and a `Context`; they yield parts and change nothing. What the
user may not read is missing from a part, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from playground.objects import facts
from playground.objects.discovery import Resource, find_kind
from playground.objects.reading import Object, Reader
from playground.placement.reading import decisions
from playground.topology import podstatus

CLUSTER_SCOPE = "-"  # stands for "no namespace" in addresses: no namespace has this name


@dataclass(frozen=True, slots=True)
class Cell:
    """A value: its text, where it leads, its colour ("good", "waiting", "bad"), and a remark."""

    text: str
    link: str = ""
    state: str = ""
    remark: str = ""
    code: bool = False
    moment: bool = False


@dataclass(frozen=True, slots=True)
class Sentence:
    """How the object stands, in words."""

    text: str
    state: str = "plain"
    # The API's own words beside ours.
    verbatim: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels and values."""

    items: tuple[tuple[str, Cell], ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """A table."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    # What to say when it is empty, and how many rows were left out.
    empty: str = ""
    more: int = 0
    list_link: str = ""


@dataclass(frozen=True, slots=True)
class Texts:
    """Named texts, folded where they are long: the data of a ConfigMap."""

    title: str
    items: tuple[tuple[str, str, str], ...]  # name, what it is, text ("" while it is hidden)
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Lines:
    """Sentences under a title, and the API's own words beside ours."""

    title: str
    items: tuple[str, ...]
    verbatim: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """An offer to try changes on copies of the cluster; `not_here` says why there is none."""

    address: str
    changes: int
    not_here: str = ""


Part = Sentence | Facts | Rows | Texts | Lines | Trial
Parts = Iterator[Part]
Builder = Callable[[Object, "Context"], Parts]
# A summary names this many; the list itself is a page.
SHOWN = 50


@dataclass(slots=True)
class Context:
    """What builders may ask: other objects, and where their pages are."""

    reader: Reader
    # The key of a Secret whose value one asked to see.
    shown: str = ""
    _cache: dict[tuple[str, str, str], list[Object]] = field(default_factory=dict)

    def items(self, title: str, namespace: str = "", **params: str) -> list[Object]:
        """Return a list's objects, read once."""
        key = (title, namespace, repr(sorted(params.items())))
        if key not in self._cache:
            self._cache[key] = self.reader.items(title, namespace, metadata=False, **params)
        return self._cache[key]

    def placed(self, uid: str) -> dict[str, Any] | None:
        """Return the scheduler's attempts at a pod; None for the past, of which none are kept."""
        reader = self.reader
        if reader.rev is not None:
            return None
        return decisions(reader.gateway, reader.cluster.name, reader.identity, uid)

    def resources(self) -> list[Resource]:
        """Return the kinds that the cluster serves."""
        return self.reader.resources

    def kind_of(self, title: str) -> str:
        """Return the kind's name as objects have it: "Pod"; its plural if it is not served."""
        resource = self.reader.named(title)
        return resource.kind if resource else title.partition(".")[0]

    def namespaced(self, title: str) -> bool:
        """Tell whether objects of a kind stand in namespaces."""
        resource = self.reader.named(title)
        return resource is not None and resource.namespaced

    def readable(self, title: str) -> bool:
        """Tell whether lists of a kind were read whole: what is not in them is missing."""
        return title not in self.reader.unread and self.reader.named(title) is not None

    def one(self, title: str, namespace: str, name: str) -> Object | None:
        """Return an object, or None."""
        resource = self.reader.named(title)
        return self.reader.maybe(resource.path(namespace, name)) if resource and name else None

    def link(self, title: str, namespace: str, name: str, tab: str = "") -> str:
        """Return where an object's page is, empty for a kind that is not served."""
        resource = self.reader.named(title)
        if resource is None or not name:
            return ""
        scope = namespace if resource.namespaced and namespace else CLUSTER_SCOPE
        kind = [self.reader.cluster.name, resource.slug_group, resource.version, resource.plural]
        return reverse("object", args=[*kind, scope, name]) + self._query(tab=tab)

    def list_link(self, title: str, **query: str) -> str:
        """Return where the list of a kind is, filtered."""
        resource = self.reader.named(title)
        if resource is None:
            return ""
        kind = [self.reader.cluster.name, resource.slug_group, resource.version, resource.plural]
        return reverse("objects", args=kind) + self._query(**query)

    def _query(self, **query: str) -> str:
        given = {key: value for key, value in query.items() if value}
        if self.reader.rev is not None:
            given["rev"] = str(self.reader.rev)
        return f"?{urlencode(given)}" if given else ""

    def to(self, title: str, namespace: str, name: str, text: str = "") -> Cell:
        """Return a cell that leads to an object."""
        return Cell(text or name, link=self.link(title, namespace, name))

    def title_of(self, api_version: str, kind: str) -> str:
        """Return the kind that a reference names, as `named` takes it; empty if not served."""
        group, _slash, _version = api_version.rpartition("/")
        resource = find_kind(self.reader.resources, group, kind)
        return resource.title if resource else ""

    def to_reference(self, reference: Mapping[str, Any], namespace: str) -> Cell:
        """Return a cell that leads to what an owner or target reference names."""
        kind, name = str(reference.get("kind") or ""), str(reference.get("name") or "")
        title = self.title_of(str(reference.get("apiVersion") or ""), kind)
        return Cell(f"{kind} {name}", link=self.link(title, namespace, name) if title else "")


def text(value: Any, state: str = "", remark: str = "") -> Cell:
    """Return a plain cell."""
    shown = "" if value is None else str(value)
    return Cell(shown, state=state, remark=remark)


def code(value: Any, remark: str = "") -> Cell:
    """Return a cell in the face of code: what the API holds to the letter."""
    return Cell("" if value is None else str(value), code=True, remark=remark)


def moment(value: Any) -> Cell:
    """Return a cell that shows how long ago something was."""
    return Cell(str(value or ""), moment=True)


def known(*items: tuple[str, Cell | None], title: str = "") -> Facts:
    """Return the facts that have a value."""
    return Facts(tuple((label, cell) for label, cell in items if cell and cell.text), title)


def joined(values: Sequence[Any] | None) -> Cell:
    """Return a list's values in one cell."""
    return text(", ".join(str(value) for value in values or ()))


def pod_rows(
    title: str, pods: Sequence[Object], context: Context, empty: str = "", **query: str
) -> Rows:
    """Return pods as a table: name, ready, status, restarts, node, age."""
    rows = []
    for pod in pods[:SHOWN]:
        ready, restarts = podstatus.readiness(pod)
        word = podstatus.display_status(pod)
        node = str(facts.spec(pod).get("nodeName") or "")
        rows.append(
            (
                context.to("pods", facts.namespace(pod), facts.name(pod)),
                text(ready),
                text(word, state_of(word)),
                text(restarts),
                context.to("nodes", "", node) if node else text(""),
                moment(facts.meta(pod).get("creationTimestamp")),
            )
        )
    headings = ("Name", "Ready", "Status", "Restarts", "Node", "Age")
    return Rows(
        title,
        headings,
        tuple(rows),
        empty=empty,
        more=max(0, len(pods) - SHOWN),
        list_link=context.list_link("pods", **query) if query else "",
    )


_BAD = ("Error", "BackOff", "Failed", "NotReady", "Evicted", "Invalid", "OOMKilled", "Lost")
_GOOD = {"Running", "Ready", "Active", "Bound", "Available", "True"}
_WAITING = {"Pending", "ContainerCreating", "PodInitializing", "Terminating", "Waiting", "Init"}


def state_of(word: Any) -> str:
    """Return the colour of a status; its word stands beside it always."""
    shown = str(word)
    if any(part in shown for part in _BAD):
        return "bad"
    first = shown.partition(":")[0].partition(",")[0]
    if first in _GOOD:
        return "good"
    if first in _WAITING:
        return "waiting"
    return "done" if first in ("Succeeded", "Completed", "Ended") else "plain"
