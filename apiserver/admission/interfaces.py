"""What an admission plugin is handed and what it promises, as k8s.io/apiserver admission.

A plugin names in `handles` what it wants to see. A `Mutator` may change `request.object`; a
`Validator` only looks. Either refuses by raising an ApiError; the first refusal ends the request.
All mutators run before any validator. Plugins get readers in the constructor, never a client.

Most plugins answer at once. One that has to ask somebody over the network is `waiting`: it tells
at once whether a request concerns it, and only such a request waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from apimachinery.errors import Forbidden
from apimachinery.gvk import GroupResource, GroupVersionKind
from apimachinery.meta import Obj


class Operation(Enum):
    """What a request does to an object."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    CONNECT = "CONNECT"


CREATE, UPDATE = Operation.CREATE, Operation.UPDATE
DELETE, CONNECT = Operation.DELETE, Operation.CONNECT
ANY = "*"


def _same(obj: Obj) -> Obj:
    return obj


def _nothing(obj: Obj) -> None:
    del obj


class UserInfo(Protocol):
    """Who asks, as authentication found out."""

    @property
    def name(self) -> str: ...

    @property
    def groups(self) -> tuple[str, ...]: ...

    @property
    def uid(self) -> str: ...

    @property
    def extra(self) -> Mapping[str, tuple[str, ...]]: ...


class May(Protocol):
    """Tells whether a user may do something to an object; its namespace is "" if it has none."""

    def __call__(
        self,
        user: UserInfo,
        verb: str,
        group: str,
        resource: str,
        name: str,
        namespace: str = "",
        subresource: str = "",
        /,
    ) -> bool: ...


@dataclass(frozen=True, slots=True)
class View:
    """An object as the request's version shows it, where another one is stored."""

    kind: GroupVersionKind | None = None
    shown: Callable[[Obj], Obj] = _same
    stored: Callable[[Obj], Obj] = _same


AS_STORED = View()


@dataclass(slots=True)
class AdmissionRequest:
    """One write (or connect), on its way to the store.

    `object` is private to the request: None for a deletion. `old_object` is shared: never change
    it; None for a creation. `namespace` is "" for cluster-scoped objects, and the name itself for
    namespaces. `name` may be "" on a creation with generateName. `warnings` gathers the texts of
    Warning headers; `annotations` gathers audit annotations.
    """

    operation: Operation
    kind: GroupVersionKind
    resource: GroupResource
    version: str
    user: UserInfo
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    object: Obj | None = None
    old_object: Obj | None = None
    options: dict[str, Any] = field(default_factory=dict)
    dry_run: bool = False
    warnings: list[str] = field(default_factory=list)
    annotations: dict[str, str] = field(default_factory=dict)
    # Webhooks that were asked, how long that took, and what came of it.
    calls: list[dict[str, Any]] = field(default_factory=list)
    # Told of each mutator what it has made of the object, while somebody looks.
    seen: Callable[[str, Obj | None], None] | None = None
    view: View = AS_STORED
    # Fills in what a changed object lacks; the chain calls it before the mutators run again.
    default: Callable[[Obj], None] = _nothing
    # Reads an object that a patch has changed, as it would be read from the client.
    decode: Callable[[Obj], Obj] = _same
    # A mutator that came late has changed the object, so that those before it run once more.
    reinvoke: bool = False
    # This is that second run.
    reinvoked: bool = False
    # What a plugin remembers of this request from the first run to the second, by its name.
    memory: dict[str, Any] = field(default_factory=dict)

    def put(self, new: Obj) -> None:
        """Let an object take the place of the request's own, which others hold already."""
        if self.object is None or new is self.object:
            return
        kept = dict(new)
        self.object.clear()
        self.object.update(kept)

    def refusal(self, why: str, kind: type[Forbidden] = Forbidden) -> Forbidden:
        """Return the 403 that names this request's object, as admission.NewForbidden makes it."""
        return kind(self.resource, self._shown_name(), why)

    def _shown_name(self) -> str:
        metadata = (self.object or {}).get("metadata") or {}
        if self.name:
            return self.name
        return str(metadata.get("name") or metadata.get("generateName") or "Unknown")


class NotYet(Forbidden):
    """A refusal that may be over in a moment: what is missing is usually about to be made.

    The endpoint may admit again until `PATIENCE` seconds have passed; then the refusal stands.
    """

    PATIENCE = 1.0


@dataclass(frozen=True, slots=True)
class Rule:
    """What a plugin wants to see.

    resources: as `str(GroupResource)` ("pods", "deployments.apps"), or ANY. subresources: "" is
    the object itself; ANY is every one of them.
    """

    resources: tuple[str, ...]
    operations: tuple[Operation, ...]
    subresources: tuple[str, ...] = ("",)

    def matches(self, resource: str, subresource: str, operation: Operation) -> bool:
        return (
            operation in self.operations
            and (ANY in self.resources or resource in self.resources)
            and (ANY in self.subresources or subresource in self.subresources)
        )


class Plugin(Protocol):
    """The part that every plugin shares: a name, and what it handles."""

    name: str
    handles: Rule


class Mutator(Plugin, Protocol):
    """A plugin that may change the object."""

    def admit(self, request: AdmissionRequest) -> None: ...


class Validator(Plugin, Protocol):
    """A plugin that looks at the object in its final form."""

    def validate(self, request: AdmissionRequest) -> None: ...


class Waiting(Plugin, Protocol):
    """A plugin that may have to ask somebody and wait for the answer."""

    def concerns(self, request: AdmissionRequest) -> bool:
        """Tell whether it has to; called for every request that it handles, so it is quick."""
        ...


class WaitingMutator(Waiting, Protocol):
    """A waiting plugin that may change the object."""

    async def admit_async(self, request: AdmissionRequest) -> None: ...


class WaitingValidator(Waiting, Protocol):
    """A waiting plugin that looks at the object in its final form."""

    async def validate_async(self, request: AdmissionRequest) -> None: ...
