"""A request on its way through the API, and what it comes to.

Both doors make these: over HTTP the body is bytes and the user is found on the way; in process
the body is an object and the user is known.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from apimachinery.errors import PathNotFound
from apimachinery.meta import Obj
from apiserver.auth.user import User
from apiserver.endpoints.negotiation import DEFAULT, Output
from apiserver.endpoints.requestinfo import RequestInfo
from apiserver.endpoints.trace import Trace
from apiserver.flowcontrol.filter import Flow
from apiserver.registry.catalog import Served
from apiserver.registry.resource import Resource
from apiserver.storage import Entry

if TYPE_CHECKING:
    from apiserver.endpoints.api import ClusterApi
    from apiserver.endpoints.auditing import Trail
    from apiserver.endpoints.tunnels import Exchange, Upgrade


@dataclass(slots=True)
class ApiRequest:
    """One request. `served` is found on the way; everything else comes with the request."""

    api: ClusterApi
    info: RequestInfo
    params: Mapping[str, str]
    trace: Trace
    # Of HTTP, "" in process. The query is kept as it came for those that it is handed on to.
    method: str = ""
    query: str = ""
    # The part of the URL that names the cluster: "/clusters/NAME", or "".
    root: str = ""
    # The addresses that the request came through, its client's first.
    peers: tuple[str, ...] = ()
    user: User | None = None
    # Who goes on as `user`, where that is another.
    real_user: User | None = None
    # None where no rule of the audit policy wants the request.
    audit: Trail | None = None
    # bytes as they came, or an object that is shared: never changed.
    body: Any = b""
    content_type: str = ""
    user_agent: str = ""
    # Where the client listens, for allow-lists and proxies: the base of its URLs.
    headers: Mapping[str, str] = field(default_factory=dict)
    output: Output = DEFAULT
    served: Served | None = None
    # Where priority and fairness has put the request; None where it takes no part.
    flow: Flow | None = None
    # The body is larger than the server takes, and was not read.
    oversized: bool = False
    # Asked for with the request, where its connection can be handed over.
    upgrade: Upgrade | None = None
    # The revision that is asked for where the path is one of the past.
    past: int | None = None
    # Bytes of the answer's body.
    size: int = 0
    # Called when a stream or an upgraded connection has ended.
    on_end: Callable[[], None] | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def target(self) -> Served:
        """Return what the path names. Raises PathNotFound where nothing is served there."""
        if self.served is None:
            raise PathNotFound
        return self.served

    @property
    def resource(self) -> Resource:
        return self.target.resource

    @property
    def username(self) -> str:
        return self.user.name if self.user is not None else ""

    def warn(self, texts: Sequence[str]) -> None:
        """Add Warning headers to the answer, each text once."""
        known = set(self.warnings)
        self.warnings += [text for text in dict.fromkeys(texts) if text not in known]


@dataclass(slots=True)
class Answer:
    """What a request comes to: one of an object, a list, a text, a stream.

    `entry` is an object as it is stored: its bytes can be sent as they are. `obj` is in the
    version that was asked for. `listing` is a list of entries.
    """

    code: int = 200
    obj: Obj | None = None
    entry: Entry | None = None
    listing: Listing | None = None
    # The items of a list of which nothing is stored.
    objs: list[Obj] | None = None
    text: bytes | None = None
    content_type: str = ""
    stream: AsyncIterator[bytes] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    # A Status, a Scale: sent as it is, whatever form was asked for.
    as_is: bool = False
    # Called when the answer's stream is left before its end.
    close: Callable[[], None] | None = None
    # The other end of a connection that is upgraded; whoever has the answer closes it.
    tunnel: Exchange | None = None


@dataclass(slots=True)
class Listing:
    """Entries of one resource, and the metadata of the list."""

    entries: Sequence[Entry]
    revision: int
    proceed: str = ""  # metadata.continue
    remaining: int | None = None

    def metadata(self) -> dict[str, Any]:
        """Return the list's metadata as JSON has it."""
        found: dict[str, Any] = {"resourceVersion": str(self.revision)}
        if self.proceed:
            found["continue"] = self.proceed
        if self.remaining:
            found["remainingItemCount"] = self.remaining
        return found
