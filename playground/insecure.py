"""The insecure port: plain HTTP, where everybody is a superuser, as old books describe it.

Its socket listens on loopback alone. Pages of other sites that a browser shows must not get in
either: a request has to name this machine as its host, and come from no other page.
"""

from __future__ import annotations

from typing import Any

from apiserver.auth.user import AUTHENTICATED, MASTERS, User
from apiserver.endpoints.scope import USER
from playground.loopback import is_loopback
from playground.secure_server import SecureServer, server_config

UNSECURED = User("system:unsecured", (MASTERS, AUTHENTICATED))
_REFUSAL = b"Forbidden\n"
# What a browser says of an address that its user has typed.
_NO_PAGE = "none"


class Unsecured:
    """An ASGI application that lets everybody of this machine into another one."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not _from_here(scope):
            await _refuse(scope, send)
            return
        await self._app({**scope, USER: UNSECURED}, receive, send)


def _from_here(scope: Any) -> bool:
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get(b"host", "")
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    origin = headers.get(b"origin", f"http://{host}")
    # A picture or a link of another page names no origin; a browser says then whose it is.
    page = headers.get(b"sec-fetch-site", _NO_PAGE)
    return is_loopback(name) and origin == f"http://{host}" and page in (_NO_PAGE, "same-origin")


async def _refuse(scope: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(_REFUSAL))]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": _REFUSAL})


def insecure_server(app: Any) -> SecureServer:
    """Return a server that is ready for `serve(sockets=[...])`."""
    return SecureServer(server_config(Unsecured(app)))
