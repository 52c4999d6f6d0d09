"""An ASGI scope in the terms of the API: what is asked for, and by whom."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl

from apiserver.auth.remarks import Remarks
from apiserver.auth.user import User
from apiserver.endpoints import chain, requestinfo
from apiserver.endpoints.request import ApiRequest
from apiserver.endpoints.trace import Trace

# In a scope: who asks, where the port itself has said so.
USER = "kubeground.user"
# The revision that a request is about, where that is not the present.
PAST = "kubeground.past"
_NO_PARAMS: dict[str, str] = {}
# Traces are kept, so what clients may put into one is bounded.
LONGEST_ID, LONGEST_PATH = 64, 1024


def request_of_scope(scope: Mapping[str, Any], method: str) -> ApiRequest:
    """Return the request that a scope is."""
    api = scope["kubeground.api"]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query: bytes = scope["query_string"]
    params = _NO_PARAMS
    if query:
        # Of a parameter that comes twice the first counts.
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        params = dict(reversed(pairs))
    path = scope["path"]
    info = requestinfo.parse(method, path, params)
    audit_id = headers.get("audit-id", "")[:LONGEST_ID] or api.identity.uid()
    trace = Trace(audit_id, api.clock.seconds())
    trace.verb, trace.path, trace.resource = info.verb, path[:LONGEST_PATH], info.resource
    return ApiRequest(
        api=api,
        info=info,
        params=params,
        trace=trace,
        method=method,
        root=scope.get("kubeground.root", ""),
        query=query.decode("latin-1"),
        peers=_peers(headers, scope.get("client")),
        oversized=scope.get("kubeground.oversized", False),
        past=scope.get(PAST),
        body=scope["kubeground.body"],
        content_type=headers.get("content-type", ""),
        user_agent=headers.get("user-agent", ""),
        headers=headers,
    )


def _peers(headers: Mapping[str, str], client: Any) -> tuple[str, ...]:
    """Return the addresses that proxies name, and that of who has connected."""
    peer = str(client[0]) if client else ""
    forwarded = headers.get("x-forwarded-for", "")
    real = headers.get("x-real-ip", "")
    if not forwarded and not real:
        return (peer,) if peer else ()
    named = [*forwarded.split(","), real, peer]
    return tuple(dict.fromkeys(filter(None, map(_address, named))))


def _address(text: str) -> str:
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return ""


def user_of_scope(request: ApiRequest, scope: Mapping[str, Any]) -> User | Awaitable[User]:
    """Return who asks, by certificate or token, and as whom. Raises Unauthorized or Forbidden."""
    user = scope.get(USER)
    if user is None:
        tls = (scope.get("extensions") or {}).get("tls") or {}
        remarks = Remarks(request.trace, request.warnings)
        user = request.api.auth.authenticate(
            request.headers, tls.get("client_chain") or (), request.info.path, remarks
        )
    return (
        _impersonating(request, scope, user)
        if isinstance(user, User)
        else _later(request, scope, user)
    )


async def _later(request: ApiRequest, scope: Mapping[str, Any], finding: Awaitable[User]) -> User:
    return _impersonating(request, scope, await finding)


def _impersonating(request: ApiRequest, scope: Mapping[str, Any], user: User) -> User:
    """Return the user as whom the request goes on."""
    pairs = [
        (name.decode("latin-1"), value.decode(errors="replace"))  # names are UTF-8, as in Go
        for name, value in scope["headers"]
        if name.startswith(b"impersonate-")
    ]
    if pairs:
        request.real_user = user
        return request.api.auth.impersonate(user, pairs, chain.attributes_of(request, user))
    return user
