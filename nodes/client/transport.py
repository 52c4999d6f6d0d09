"""How a worker's calls reach the API: the one interface that both transports keep.

In-process: the same handler chain as over HTTP, from authorization on, with dicts instead of
bytes. Over HTTP: a kubelet on another machine. A transport acts as one user; RBAC holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeAlias

from apimachinery.errors import ApiError, ServiceUnavailable
from apimachinery.meta import Obj
from nodes.client.cause import CAUSE, Cause


@dataclass(slots=True)
class Call:
    """One request, already in the terms of the API.

    verb: get, list, create, update, patch, delete, deletecollection.
    body: the object, the patch (a list for JSON patch), or DeleteOptions. The transport may keep
    it but never changes it. content_type: of a patch ("application/merge-patch+json", ...).
    params: query parameters by their API names (labelSelector, fieldManager, force, dryRun...).
    cause: the revisions that it is made because of; kept in the trace of the request alone.
    """

    verb: str
    group: str
    version: str
    resource: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    body: Any = None
    content_type: str = ""
    params: dict[str, str] = field(default_factory=dict)
    cause: Cause = field(default_factory=CAUSE.get)


class WatchEvent(NamedTuple):
    """A change: ADDED, MODIFIED, DELETED or BOOKMARK. The object is shared: never change it."""

    type: str
    object: Obj
    revision: int


# What takes the changes of a watch, and what is told that it has ended by itself, and why.
Deliver: TypeAlias = Callable[[Sequence[WatchEvent]], None]
Closed: TypeAlias = Callable[[ApiError | None], None]


class Unreached(ServiceUnavailable):
    """There was no answer: the call did not get to the API, or its answer did not come back."""


class Cancellable(Protocol):
    def cancel(self) -> None: ...


class Transport(Protocol):
    """Calls and watches as one user."""

    async def call(self, call: Call) -> Obj:
        """Return the answer: an object, a list (`items`, metadata.resourceVersion) or a Status.

        Raises ApiError as the API refused. What is returned is shared: never change it.
        """
        ...

    def watch(self, call: Call, after: int, deliver: Deliver, closed: Closed) -> Cancellable:
        """Send every change after revision `after` to `deliver`, in order, in batches.

        `call` is a list call (resource, namespace, selectors in params). Runs until cancelled;
        `closed` is called once if it ends by itself (an Expired error: list again).
        """
        ...
