"""The worker's own small API, for the site: what is no Kubernetes API, below /kubeground/v1.

It is served beside the Kubernetes API on the secure port, to whoever shows the instance's token,
and to nobody else. Errors are Statuses, as everywhere on that port. What it can do stands in
files of their own; each adds its routes to the table here.
"""

from __future__ import annotations

import hmac
from typing import Any
from urllib.parse import parse_qs

import orjson

from apimachinery.errors import (
    ApiError,
    BadRequest,
    MethodNotAllowed,
    PathNotFound,
    TooLarge,
    Unauthorized,
)
from apiserver.endpoints.asgi import ApiServer
from apiserver.endpoints.chain import as_api_error
from playground import (
    control_access,
    control_activity,
    control_clock,
    control_clusters,
    control_failures,
    control_fork,
    control_history,
    control_import,
    control_overview,
    control_past,
    control_records,
    control_rest,
    control_scheduling,
    control_search,
    control_traces,
)
from playground.control_call import Answer, Call, Routes
from playground.fleet import CLUSTERS, Fleet

PREFIX = "/kubeground/v1/"
_LARGEST_BODY = 64 * 1024

ROUTES: Routes = {
    **control_access.ROUTES,
    **control_clock.ROUTES,
    **control_clusters.ROUTES,
    **control_rest.ROUTES,
    **control_failures.ROUTES,
    **control_records.ROUTES,
    **control_scheduling.ROUTES,
    **control_traces.ROUTES,
    **control_activity.ROUTES,
    **control_history.ROUTES,
    **control_fork.ROUTES,
    **control_import.ROUTES,
    **control_search.ROUTES,
    **control_overview.ROUTES,
}


class Control:
    """An ASGI application."""

    def __init__(self, fleet: Fleet, token: str, server: ApiServer) -> None:
        self._fleet, self._server = fleet, server
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            self._authenticate(scope)
            if (past := control_past.parts_of(scope["path"].removeprefix(PREFIX))) is not None:
                await control_past.serve(self._server, scope, receive, send, past)
                return
            large = scope["path"].endswith("/import")
            body = await _body(receive, control_import.LARGEST if large else _LARGEST_BODY)
            code, found = await self._answer(scope, body)
        except ApiError as error:
            code, found = error.code, error.status()
        await answer(send, code, found)

    def _authenticate(self, scope: Any) -> None:
        given = next((v for k, v in scope["headers"] if k == b"authorization"), b"")
        if not hmac.compare_digest(given, self._expected):
            raise Unauthorized

    async def _answer(self, scope: Any, body: bytes) -> Answer:
        """Return an answer, also to what nobody foresaw: pages say why something did not work."""
        try:
            return await self._route(scope, body)
        except Exception as error:
            refusal = as_api_error(error)
            return refusal.code, refusal.status()

    async def _route(self, scope: Any, body: bytes) -> Answer:
        first, *parts = scope["path"].removeprefix(PREFIX).rstrip("/").split("/")
        if first != "clusters":
            raise PathNotFound
        what = parts[1] if len(parts) > 1 else ""
        handler = ROUTES.get((scope["method"], len(parts), what))
        if handler is None:
            known = any(n == len(parts) and w == what for _, n, w in ROUTES)
            raise MethodNotAllowed(CLUSTERS, scope["method"]) if known else PathNotFound()
        query = parse_qs(scope["query_string"].decode())
        return await handler(Call(self._fleet, parts, query, body, scope["headers"]))


async def answer(send: Any, code: int, found: Any) -> None:
    """Send JSON."""
    payload = orjson.dumps(found)
    await send(
        {
            "type": "http.response.start",
            "status": code,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(payload)).encode()),
            ],
        }
    )
    await send({"type": "http.response.body", "body": payload})


async def _body(receive: Any, largest: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise BadRequest("the client has gone")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > largest:
            raise TooLarge(f"the body is larger than {largest // 1024} KiB")
        if not message.get("more_body"):
            return b"".join(parts)
