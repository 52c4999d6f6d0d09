"""What an answer is made of.

Finders are functions of an object and a `World`, and change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ref:
    """An object by its kind's title ("deployments.apps"), namespace and name."""

    title: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Fix:
    """What would help: in words, as a command, and as the change itself where one change does.

    `kind` is that of the patch, as `kubectl patch --type` names it.
    """

    text: str
    command: str = ""
    target: Ref | None = None
    patch: Object | Sequence[Object] | None = None
    kind: Literal["strategic", "json"] = "strategic"


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is so, where it stands, and the rule that makes a problem of it.

    `verbatim` are the API's own words. `leads_to` names objects that are at the bottom of it.
    """

    text: str
    condition: str = ""
    verbatim: str = ""
    rule: str = ""
    fixes: tuple[Fix, ...] = ()
    leads_to: tuple[Ref, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A cause in its place: the object that it is about, and how far down the chain it stands."""

    about: Ref
    depth: int
    cause: Cause = field(repr=False)


class World(Protocol):
    """What finders may ask of a cluster; what one may not read is not there."""

    def one(self, title: str, namespace: str, name: str) -> Object | None: ...

    def items(self, title: str, namespace: str = "") -> list[Object]: ...


Finder = Callable[[Object, World], Iterator[Cause]]
