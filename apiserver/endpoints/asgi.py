"""The door for HTTP: from the server's messages to a Django view and back, without threads.

Django's own handler starts a thread for each request and sends signals through it. This one
reads the body, resolves the path, awaits the view and writes its answer: some 30 us instead of
500. A stream is left at once when its client goes, so that its watch goes with it.
"""

from __future__ import annotations

import asyncio
import io
import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.urls import get_resolver
from django.utils.functional import cached_property

from apimachinery.errors import ApiError, TooLarge
from apiserver.endpoints import negotiation, upgrades
from apiserver.endpoints.api import ClusterApi
from apiserver.endpoints.chain import LARGEST_BODY, too_large
from apiserver.endpoints.encode import status_body

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

URLCONF = "apiserver.urls"
_CLUSTERS = "/clusters/"
# Their heads are whole answers (RFC 9112, 6.3).
_WITHOUT_BODY = (204, 304)


class Lookup(Protocol):
    """Finds a cluster's API; opens the cluster where it sleeps."""

    async def __call__(self, name: str) -> ClusterApi | None: ...


class BareRequest(ASGIRequest):
    """Django's request; its META is made of the headers only if somebody asks for it."""

    def __init__(self, scope: Scope, body: bytes) -> None:
        self.scope = scope
        self.path = self.path_info = scope["path"]
        self.method = scope["method"].upper()
        self.resolver_match = None
        self._body = body

    @cached_property
    def META(self) -> dict[str, Any]:  # type: ignore[override]  # noqa: N802 - Django's name
        whole: dict[str, Any] = ASGIRequest(self.scope, io.BytesIO(self._body)).META
        return whole


class ApiServer(ASGIHandler):
    """All clusters of a process: `/clusters/NAME/...`, and the default one at the root."""

    def __init__(self, lookup: Lookup, default: str = "") -> None:
        # The base class would load the middleware of the site, which has no part in the API.
        self._lookup = lookup
        self._default = default
        self._pumps: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        kind = scope["type"]
        if kind == "http":
            await self._http(scope, receive, send)
        elif kind == "websocket":
            await self._websocket(scope, receive, send)
        elif kind == "lifespan":
            await _lifespan(receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        api, path = await self._find(scope["path"])
        if api is None:
            await _refuse(send, _no_cluster())
            return
        oversized = False
        try:
            body = await _read_body(receive)
        except TooLarge:
            body, oversized = b"", True
        if body is None:
            return
        if path is not scope["path"]:
            root = scope["path"].removesuffix(path)
            scope = {**scope, "path": path, "root_path": "", "kubeground.root": root}
        scope["kubeground.api"], scope["kubeground.body"] = api, body
        if oversized:
            # Who may not ask at all is told that first.
            scope["kubeground.oversized"] = True
        view = self._view(path)
        if view is None:
            await _refuse(send, _no_cluster())
            return
        response = await view(BareRequest(scope, body))
        await self._send_response(response, scope, receive, send)

    @cached_property
    def _views(self) -> list[tuple[re.Pattern[str], Any]]:
        # Matched here: the resolver would make a ResolverMatch, which nobody reads.
        patterns = get_resolver(URLCONF).url_patterns
        return [(one.pattern.regex, one.callback) for one in patterns]

    def _view(self, path: str) -> Any:
        """Return the view of the first address that a path matches, None where there is none."""
        if path.startswith("/"):
            rest = path[1:]
            for regex, view in self._views:
                if regex.search(rest):
                    return view
        return None

    def end_streams(self) -> None:
        """Let every stream end now: watches are taken up again where the server is next."""
        for pump in list(self._pumps):
            pump.cancel()

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        api, path = await self._find(scope["path"])
        if api is None:
            await send({"type": "websocket.close", "code": 1008})
            return
        scope = {**scope, "path": path, "kubeground.api": api, "kubeground.body": b""}
        await upgrades.serve(api, scope, receive, send)

    async def _send_response(
        self, response: Any, scope: Scope, receive: Receive, send: Send
    ) -> None:
        headers = [
            (name.encode("ascii").lower(), value.encode("latin-1"))
            for name, value in response.items()
        ]
        headers += getattr(response, "more_headers", ())
        streaming = response.streaming
        # Bytes after a head that ends the answer would be taken for the answer to the next request.
        bare = response.status_code in _WITHOUT_BODY
        content = b"" if streaming or bare else response.content
        if not streaming and not bare and not response.has_header("Content-Length"):
            headers.append((b"content-length", b"%d" % len(content)))
        await send(
            {"type": "http.response.start", "status": response.status_code, "headers": headers}
        )
        if not streaming:
            if scope["method"] == "HEAD":
                content = b""
            await send({"type": "http.response.body", "body": content})
            return
        await self._send_stream(scope["kubeground.api"], response, receive, send)

    async def _send_stream(
        self, api: ClusterApi, response: Any, receive: Receive, send: Send
    ) -> None:
        """Send chunks until the stream ends, the client goes or the server does."""
        # Servers send the head with the first chunk; a watch without events would never begin.
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        stream = response.streaming_content
        gone = asyncio.ensure_future(_gone(receive))
        pump = asyncio.ensure_future(_pump(stream, send))
        self._pumps.add(pump)
        api.open_streams.add(pump.cancel)
        ended = False
        try:
            await asyncio.wait((gone, pump), return_when=asyncio.FIRST_COMPLETED)
            ended = pump.cancelled()
        finally:
            self._pumps.discard(pump)
            api.open_streams.discard(pump.cancel)
            for task in (gone, pump):
                task.cancel()
            _, failed = await asyncio.gather(gone, pump, return_exceptions=True)
            response.close()
            if response.asked.on_end is not None:
                response.asked.on_end()
        if isinstance(failed, Exception):
            # The head is out, so all that is left is to break off; the client sees it as that.
            logger.error("a stream broke off", exc_info=failed)
            raise failed
        if ended:
            await send({"type": "http.response.body", "body": b""})

    async def _find(self, path: str) -> tuple[ClusterApi | None, str]:
        """Return the cluster that a path is about, and the rest of the path."""
        if not path.startswith(_CLUSTERS):
            return (await self._lookup(self._default)) if self._default else None, path
        name, slash, rest = path[len(_CLUSTERS) :].partition("/")
        return await self._lookup(name), slash + rest or "/"


async def _read_body(receive: Receive) -> bytes | None:
    """Return a request's body, None where the client has gone. Raises TooLarge."""
    message = await receive()
    if message["type"] == "http.disconnect":
        return None
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        _check_size(len(body))
        return body
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        _check_size(size)
    return b"".join(parts)


def _check_size(size: int) -> None:
    if size > LARGEST_BODY:
        raise too_large()


async def _pump(stream: Any, send: Send) -> None:
    async for chunk in stream:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(send: Send, error: ApiError) -> None:
    """Answer what no view can: there is no cluster."""
    body, content_type = status_body(error, negotiation.DEFAULT)
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", b"%d" % len(body)),
    ]
    await send({"type": "http.response.start", "status": error.code, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _no_cluster() -> ApiError:
    return ApiError("no such cluster", code=404, reason="NotFound", details={})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
