"""Requests that are handed on to extension API servers, with the user's name in their headers.

As kube-aggregator's proxy handler: the server trusts the client certificate of the connection and
takes the user from X-Remote-*; the client's own credentials never get there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from urllib.parse import quote, urlencode

import orjson

from apiserver.auth.user import User
from apiserver.endpoints import hops, tunnels
from apiserver.endpoints.aggregation.remotes import Remote, Remotes, Unresolved
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.endpoints.tunnels import Exchange
from apiserver.registry.calling import CallError

_TEXT = "text/plain; charset=utf-8"
_REDIRECTED = b"the backend attempted to redirect this request, which is not permitted"
_METHODS = {
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "deletecollection": "DELETE",
}
# Written anew, so that nobody can say them for us.
_OWN = frozenset({"audit-id", "content-type", "user-agent"})
_OWN_PREFIXES = ("x-remote-", "x-forwarded-", "proxy-")
_PATH = "/:@!$&'()*+,;=~"
# An extra's key may hold what a header's name may not.
_KEY = "!#$&'*+-.^_`|~"
MAX_WHOLE = 4 * 1024 * 1024


def handler_of(request: ApiRequest) -> Callable[[ApiRequest], Awaitable[Answer]] | None:
    """Return what answers a request that somebody else serves."""
    remotes: Remotes = request.api.remotes
    remote = remotes.find(request.info.path)
    if remote is None:
        return None

    async def handler(asked: ApiRequest) -> Answer:
        return await hand_on(asked, remotes, remote)

    return handler


async def hand_on(request: ApiRequest, remotes: Remotes, remote: Remote) -> Answer:
    """Return what the server of a group-version answers."""
    if not remote.available or remotes.servers is None:
        return _unavailable("service unavailable")
    try:
        # A watch goes on for as long as it likes, once it has begun.
        async with asyncio.timeout(request.api.options.request_timeout):
            answer = await remotes.servers.open(
                remote.server,
                _method(request),
                _target(request),
                _fields(request),
                _body(request),
            )
            request.trace.stage("aggregated", remote.name)
            if request.upgrade is not None:
                return await tunnels.answered(answer, request.upgrade)
            return await _answer(answer)
    except Unresolved:
        return _unavailable("service unavailable")
    except tunnels.InvalidUpgrade as error:
        return _unavailable(str(error))
    except CallError as error:
        what = "trying to reach service" if request.upgrade is None else "dialing backend"
        return _unavailable(f"error {what}: {error}")
    except TimeoutError:
        return _unavailable("error trying to reach service: context deadline exceeded")


def _unavailable(text: str) -> Answer:
    headers = {"X-Content-Type-Options": "nosniff"}
    return Answer(503, text=f"{text}\n".encode(), content_type=_TEXT, headers=headers)


def _method(request: ApiRequest) -> str:
    return request.method or _METHODS.get(request.info.verb, "GET")


def _target(request: ApiRequest) -> str:
    path, query = quote(request.info.path, safe=_PATH), request.query
    if not query and request.params:
        query = urlencode(request.params)
    return f"{path}?{query}" if query else path


def _body(request: ApiRequest) -> bytes:
    body = request.body
    if isinstance(body, bytes):
        return body
    return orjson.dumps(body) if body else b""


def _fields(request: ApiRequest) -> list[tuple[str, str]]:
    upgrade, headers = request.upgrade, request.headers
    onward = hops.onward(headers) if upgrade is None else upgrade.fields(headers)
    found = [
        (name, value)
        for name, value in onward.items()
        if name not in _OWN and not name.startswith(_OWN_PREFIXES)
    ]
    found += upgrade.asking() if upgrade is not None else ()
    host = request.headers.get("host", "")
    found += [
        ("Content-Type", request.content_type or "application/json"),
        ("User-Agent", request.user_agent or "kube-apiserver"),
        ("Audit-ID", request.trace.audit_id),
        ("X-Forwarded-Host", host),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Uri", request.info.path),
    ]
    found += user_fields(request.user or User(""))
    return [(name, value) for name, value in found if value]


def user_fields(user: User) -> list[tuple[str, str]]:
    """Return who asks, as an authenticating proxy says it."""
    found = [("X-Remote-User", user.name)]
    if user.uid:
        found.append(("X-Remote-Uid", user.uid))
    found += [("X-Remote-Group", group) for group in user.groups]
    extra: Mapping[str, tuple[str, ...]] = user.extra
    found += [
        (f"X-Remote-Extra-{quote(key, safe=_KEY)}", value)
        for key, values in extra.items()
        for value in values
    ]
    # Go sends UTF-8; a header field here holds bytes, each as a character.
    return [(name, value.encode().decode("latin-1")) for name, value in found]


async def _answer(answer: Exchange) -> Answer:
    """Return an answer: whole where its length is known, else as a stream."""
    fields = {name.lower(): value for name, value in answer.fields}
    if answer.status == tunnels.SWITCHING:
        answer.close()
        protocol = fields.get("upgrade", "")[:80]
        return _unavailable(f'backend tried to switch protocol "{protocol}" when "" was requested')
    if 300 <= answer.status < 400 and fields.get("location"):
        # It might lead a client, credentials and all, to anywhere.
        answer.close()
        return Answer(502, text=_REDIRECTED, content_type=_TEXT)
    made = Answer(
        answer.status,
        content_type=hops.content_type(answer.fields, _TEXT),
        headers=hops.back(answer.fields, but=("audit-id",)),
    )
    length = fields.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:10]) <= MAX_WHOLE:
        try:
            made.text = b"".join([chunk async for chunk in answer.body()])
        except (OSError, EOFError):
            return _unavailable("error trying to reach service: unexpected EOF")
        finally:
            answer.close()
        return made
    made.stream, made.close = _stream(answer), answer.close
    return made


async def _stream(answer: Exchange) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.body():
            yield chunk
    except (OSError, EOFError):
        return  # the head is out: a client sees that the answer ends early
    finally:
        answer.close()
