"""The door for workers in the same process: the same chain as over HTTP, with dicts.

A worker acts as its own user, so its rights hold and its doings can be traced. What it gets is
shared with others: it changes nothing of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlencode

import orjson

from apimachinery.errors import ApiError, Expired, PathNotFound
from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj, replace_in
from apiserver.auth.user import User
from apiserver.endpoints import chain, encode
from apiserver.endpoints.api import ClusterApi
from apiserver.endpoints.listing import Chosen
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.endpoints.requestinfo import RequestInfo, selected_name
from apiserver.endpoints.trace import Trace
from apiserver.endpoints.write import from_storage
from apiserver.storage import Compacted, Event, Subscription


class CallLike(Protocol):
    """A request in the terms of the API: `nodes.client.transport.Call`."""

    @property
    def verb(self) -> str: ...

    @property
    def group(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def resource(self) -> str: ...

    @property
    def namespace(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def subresource(self) -> str: ...

    @property
    def body(self) -> Any: ...

    @property
    def content_type(self) -> str: ...

    @property
    def params(self) -> dict[str, str]: ...

    @property
    def cause(self) -> tuple[int, ...]: ...


@dataclass(slots=True)
class OwnCall:
    """A request that the API server makes of itself."""

    verb: str
    kind: GroupVersionKind
    resource: str
    name: str = ""
    body: Any = None
    subresource: str = ""
    namespace: str = ""
    content_type: str = ""
    params: dict[str, str] = field(default_factory=dict)
    cause: tuple[int, ...] = ()

    @property
    def group(self) -> str:
        return self.kind.group

    @property
    def version(self) -> str:
        return self.kind.version


class WatchEvent(NamedTuple):
    """A change; the object is shared."""

    type: str
    object: Obj
    revision: int


class LocalTransport:
    """Calls and watches of one user, in process."""

    def __init__(self, api: ClusterApi, user: User, user_agent: str = "") -> None:
        self._api = api
        self._user = user
        # What a worker writes is owned under its own short name.
        self._agent = user_agent or user.name.rpartition(":")[2]

    async def call(self, call: CallLike) -> Obj:
        """Return the answer: an object, a list or a Status. Raises ApiError."""
        request = self._request(call, call.verb)
        answer = await chain.serve(request, self)
        return result_of(request, answer)

    def watch(
        self,
        call: CallLike,
        after: int,
        deliver: Callable[[Sequence[Any]], None],
        closed: Callable[[ApiError | None], None],
    ) -> LocalWatch:
        """Send every change after a revision to `deliver`, in order, until cancelled."""
        return LocalWatch(self, self._request(call, "watch"), after, deliver, closed)

    def authenticate(self, request: ApiRequest) -> User:
        """Return the worker's own user: nobody else can hold this transport."""
        del request
        return self._user

    def authorize(self, request: ApiRequest) -> None:
        chain.authorize(request)

    def respond(self, request: ApiRequest, answer: Answer) -> None:
        """Do nothing: answers are handed over as they are."""

    def _request(self, call: CallLike, verb: str) -> ApiRequest:
        api = self._api
        info = RequestInfo(
            _path(call),
            verb,
            True,
            call.group,
            call.version,
            call.namespace,
            call.resource,
            call.subresource,
            call.name,
        )
        if call.resource == "namespaces" and call.name:
            info.namespace = call.name
        if not call.name and verb in ("list", "watch", "deletecollection"):
            info.name = selected_name(call.params.get("fieldSelector", ""))
        trace = Trace(api.identity.uid(), api.clock.seconds())
        trace.verb, trace.path, trace.resource = verb, info.path, call.resource
        trace.cause = call.cause
        return ApiRequest(
            api=api,
            info=info,
            params=call.params,
            trace=trace,
            user=self._user,
            body={} if call.body is None else call.body,
            content_type=call.content_type,
            user_agent=self._agent,
        )


def _path(call: CallLike) -> str:
    parts = ["/apis", call.group] if call.group else ["/api"]
    parts.append(call.version)
    if call.namespace:
        parts += ["namespaces", call.namespace]
    parts += [part for part in (call.resource, call.name, call.subresource) if part]
    return "/".join(parts)


def result_of(request: ApiRequest, answer: Answer) -> Obj:
    """Return an answer as an object."""
    if answer.text is not None:
        return _said(answer)
    if answer.obj is not None:
        if answer.entry is None or request.served is None:
            return answer.obj
        version = str(answer.entry.revision)
        obj = answer.obj
        if obj["metadata"].get("resourceVersion") != version:
            obj = replace_in(obj, ("metadata", "resourceVersion"), version)
        return from_storage(request.served, obj)
    served = request.target
    if answer.entry is not None:
        return from_storage(served, request.api.objects.parse(answer.entry))
    if answer.listing is None:
        return encode.list_object(served.kind, answer.objs or [], {})
    entries = answer.listing.entries
    if served.version is None:
        items = request.api.objects.listed(served.resource.key, entries)
    else:
        items = [encode.object_of(served, entry) for entry in entries]
    return {
        "kind": f"{served.kind.kind}List",
        "apiVersion": served.kind.api_version,
        "metadata": answer.listing.metadata(),
        "items": items,
    }


def _said(answer: Answer) -> Obj:
    """Return what an extension API server said. Raises the ApiError that it is."""
    try:
        found: Obj = orjson.loads(answer.text or b"")
    except orjson.JSONDecodeError:
        found = {"message": (answer.text or b"").decode(errors="replace").strip()}
    if answer.code < 400:
        return found
    raise ApiError(
        found.get("message") or "unknown",
        code=answer.code,
        reason=found.get("reason") or "",
        details=found.get("details") or {},
    )


def renamed(api_version: str, obj: Obj) -> Obj:
    """Return an object under another version's name, its contents as they are stored."""
    return {**obj, "apiVersion": api_version}


class LocalWatch:
    """A standing watch; events arrive on the event loop, as parsed objects that all share."""

    def __init__(
        self,
        door: LocalTransport,
        request: ApiRequest,
        after: int,
        deliver: Callable[[Sequence[Any]], None],
        closed: Callable[[ApiError | None], None],
    ) -> None:
        self._deliver = deliver
        self._closed = closed
        self._subscription: Subscription | None = None
        self._on_end: Callable[[], None] | None = None
        self._convert: Callable[[Obj], Obj] | None = None
        self._task: asyncio.Task[None] | None = asyncio.ensure_future(
            self._open(door, request, after)
        )

    def cancel(self) -> None:
        """Deliver nothing any more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._subscription is not None:
            self._subscription.cancel()
            self._subscription = None
        self._tell_end()

    def _tell_end(self) -> None:
        if self._on_end is not None:
            self._on_end()

    async def _open(self, door: LocalTransport, request: ApiRequest, after: int) -> None:
        """Take the request through the chain, and subscribe. Every failure is told to `closed`."""

        async def subscribe(asked: ApiRequest) -> Answer:
            await self._subscribe(asked, after)
            return Answer()

        if request.api.remotes and request.api.remotes.find(request.info.path):
            asked = {**request.params, "watch": "true", "resourceVersion": str(after)}
            request.query = urlencode(asked)
        try:
            answer = await chain.serve(request, door, subscribe)
            self._on_end = request.on_end
            if answer.stream is not None:
                await self._relay(answer.stream)
        except ApiError as error:
            self._closed(error)
        finally:
            self._task = None

    async def _relay(self, stream: AsyncIterator[bytes]) -> None:
        """Deliver what an extension API server sends, until it ends."""
        rest = b""
        async for chunk in stream:
            *lines, rest = (rest + chunk).split(b"\n")
            events = [orjson.loads(line) for line in lines if line.strip()]
            for event in events:
                if event.get("type") == "ERROR":
                    raise Expired(str(event["object"].get("message") or ""))
                obj = event["object"]
                revision = int((obj.get("metadata") or {}).get("resourceVersion") or 0)
                if event["type"] != "BOOKMARK":
                    self._deliver([WatchEvent(event["type"], obj, revision)])
        self._closed(None)

    async def _subscribe(self, request: ApiRequest, after: int) -> None:
        chain.route(request)
        served, params = request.target, request.params
        if "watch" not in served.resource.verbs:
            raise PathNotFound
        if served.resource.conversion is not None:
            # Workers follow custom kinds for their metadata, which no webhook may change.
            self._convert = partial(renamed, served.kind.api_version)
        elif served.version is not None:
            self._convert = served.version.from_storage
        chosen = Chosen.read(served.resource, request.info.namespace, params)
        try:
            self._subscription = await request.api.store.hub.replay(
                served.resource.key,
                after=after,
                sink=self._sink,
                closed=self._ended,
                namespace=chosen.namespace,
                selector=chosen.selector,
                exact=chosen.exact,
            )
            self._subscription.who = request.username
        except Compacted as gone:
            raise Expired(str(gone)) from None

    def _sink(self, events: Sequence[Event]) -> None:
        convert = self._convert
        if convert is None:
            self._deliver([WatchEvent(e.type, e.obj, e.revision) for e in events])
        else:
            self._deliver([WatchEvent(e.type, convert(e.obj), e.revision) for e in events])

    def _ended(self, reason: str) -> None:
        self._subscription = None
        self._tell_end()
        self._closed(Expired(reason) if reason else None)
