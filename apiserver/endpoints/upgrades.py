"""Connections that are upgraded: into containers, and to servers of the cluster's network.

A websocket to exec, attach or portforward goes through the same stages as any request, and so
does an upgrade to SPDY, which comes as one; the kubelet of the pod's node serves both. What goes
to /proxy or to an extension API server is handed on with its bytes (`tunnels`). What is refused
before the connection is accepted is answered as HTTP would be.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from apimachinery.errors import ApiError, BadRequest, ServiceUnavailable
from apiserver.auth.user import User
from apiserver.endpoints import chain, tunnels
from apiserver.endpoints.api import ClusterApi
from apiserver.endpoints.encode import status_body
from apiserver.endpoints.negotiation import DEFAULT
from apiserver.endpoints.pod_streams import check_connect
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.endpoints.scope import request_of_scope, user_of_scope

_POLICY = 1008
_PARTS = ("exec", "attach", "portforward")
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class _Door:
    """Who asks is in the scope; what they may do is asked as ever."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def authenticate(self, request: ApiRequest) -> User | Awaitable[User]:
        return user_of_scope(request, self._scope)

    def authorize(self, request: ApiRequest) -> None:
        chain.authorize(request)

    def respond(self, request: ApiRequest, answer: Answer) -> None:
        """Do nothing: the connection is answered by who serves it."""


async def serve(api: ClusterApi, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one websocket to its end."""
    request = request_of_scope(scope, scope.get("method", "GET"))
    request.upgrade = tunnels.Upgrade.of_scope(scope)
    elsewhere = api.remotes.find(request.info.path) is not None
    if elsewhere and request.upgrade is None:
        await _deny(scope, send, BadRequest("Upgrade request not expected"))
        return
    # A watch over a websocket is no longer asked for by any client; a connection is.
    if request.info.verb == "watch" and not elsewhere:
        request.info.verb = "get"
    try:
        answer = await chain.serve(request, _Door(scope), _check)
    except Exception as error:
        await _deny(scope, send, chain.as_api_error(error))
        return
    running = asyncio.ensure_future(_run(api, request, answer, scope, receive, send))
    api.open_streams.add(running.cancel)
    try:
        await asyncio.wait([running])
    finally:
        api.open_streams.discard(running.cancel)
        ended = running.cancelled()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        if request.on_end is not None:
            request.on_end()
    if ended:
        # Whoever was let in is let in no more.
        with contextlib.suppress(Exception):
            await send({"type": "websocket.close", "code": _POLICY})
    else:
        running.result()


async def _run(
    api: ClusterApi, request: ApiRequest, answer: Answer, scope: Scope, receive: Receive, send: Send
) -> None:
    if answer.tunnel is not None:
        await tunnels.serve(answer, answer.tunnel, api.wall, receive, send)
    elif answer.code != tunnels.SWITCHING:
        await _pass_on(send, answer)
    elif api.streams is None:
        await _deny(scope, send, ServiceUnavailable("no kubelet can be reached"))
    else:
        await api.streams.connect(request, scope, receive, send)


async def _check(request: ApiRequest) -> Answer:
    handler = chain.route(request)
    if request.info.subresource == "proxy" and request.upgrade is not None:
        return await handler(request)
    if request.info.subresource not in _PARTS or tunnels.is_websocket(request.upgrade):
        raise BadRequest("Upgrade request not expected")
    return Answer(tunnels.SWITCHING, obj=await check_connect(request))


async def _pass_on(send: Send, answer: Answer) -> None:
    """Answer the handshake as the server that was asked for it has."""
    fields = {**answer.headers, "Content-Type": answer.content_type}
    await _respond(send, answer.code, fields, answer.text or b"")


async def _deny(scope: Scope, send: Send, error: ApiError) -> None:
    """Answer the handshake with a Status, where the server can send one."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": error.message[:120]})
        return
    body, content_type = status_body(error, DEFAULT)
    await _respond(send, error.code, {"content-type": content_type}, body)


async def _respond(send: Send, code: int, fields: Mapping[str, str], body: bytes) -> None:
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in fields.items()]
    await send({"type": "websocket.http.response.start", "status": code, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
