"""Connections into containers: authorized here, served by the kubelet of the pod's node.

A websocket to exec, attach or portforward goes through the same stages as any request, and so
does an upgrade to SPDY, which comes as one. What is refused before the connection is accepted is
answered as HTTP would be.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from apimachinery.errors import ApiError, BadRequest, ServiceUnavailable
from apiserver.auth.user import User
from apiserver.endpoints import chain
from apiserver.endpoints.api import ClusterApi
from apiserver.endpoints.encode import status_body
from apiserver.endpoints.negotiation import DEFAULT
from apiserver.endpoints.pod_streams import check_connect
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.endpoints.scope import request_of_scope, user_of_scope

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
    # A watch over a websocket is no longer asked for by any client; a connection is.
    if request.info.is_resource and request.info.verb == "watch":
        request.info.verb = "get"
    if api.remotes and api.remotes.find(request.info.path):
        # An extension API server is asked over HTTP alone.
        await _deny(scope, send, BadRequest("Upgrade request not expected"))
        return
    try:
        await chain.serve(request, _Door(scope), _check)
    except Exception as error:
        await _deny(scope, send, chain.as_api_error(error))
        return
    try:
        if api.streams is None:
            await _deny(scope, send, ServiceUnavailable("no kubelet can be reached"))
        else:
            await api.streams.connect(request, scope, receive, send)
    finally:
        if request.on_end is not None:
            request.on_end()


async def _check(request: ApiRequest) -> Answer:
    chain.route(request)
    if request.info.subresource not in _PARTS:
        raise BadRequest("Upgrade request not expected")
    return Answer(101, obj=await check_connect(request))


async def _deny(scope: Scope, send: Send, error: ApiError) -> None:
    """Answer the handshake with a Status, where the server can send one."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": error.message[:120]})
        return
    body, content_type = status_body(error, DEFAULT)
    headers = [(b"content-type", content_type.encode())]
    start = {"type": "websocket.http.response.start", "status": error.code, "headers": headers}
    await send(start)
    await send({"type": "websocket.http.response.body", "body": body})
