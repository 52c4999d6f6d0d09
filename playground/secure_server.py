"""The secure port: uvicorn over TLS, with the client's certificate in the ASGI scope.

A client may present a certificate (CERT_OPTIONAL); TLS checks that one of the clusters' CAs
signed it, and `scope["extensions"]["tls"]["client_chain"]` holds it as DER, with the authorities
between it and the CA after it; without one it is empty. Which cluster's CA it was is for
authentication to say.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.datastructures import Headers
from websockets.server import ServerProtocol

from playground import rawupgrade

# Go's client keeps an idle connection for 90 s; closing later than it does avoids the race.
KEEP_ALIVE_SECONDS = 120
# A ping a connection shows TCP that the other side has gone. No answer is waited for: it stands
# in line behind what a client does not read for now, as `kubectl exec ... | less` does not.
PING_SECONDS = 30.0
# How long streams may go on after SIGTERM: watches end at once, being told to.
SHUTDOWN_SECONDS = 2
# OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which the ssl module has no name for.
_NO_CHECK_TIME = 0x200000

# What listens behind a proxied port may answer any code of three digits.
STATUS_LINE.update({code: b"HTTP/1.1 %d \r\n" % code for code in range(600, 1000)})


def peer_chain(transport: asyncio.BaseTransport) -> tuple[bytes, ...]:
    """Return the client's certificate and what stands between it and the CA, as DER."""
    connection = transport.get_extra_info("ssl_object")
    own = connection.getpeercert(binary_form=True) if connection else None
    if own is None:
        return ()
    return (own, *(der for der in _sent(connection) if der != own))


def _sent(connection: Any) -> list[bytes]:
    """Return all certificates that a client has sent; a resumed session may know its own alone."""
    if hasattr(connection, "get_unverified_chain"):  # public from Python 3.13 on
        return list(connection.get_unverified_chain() or ())
    listed = connection._sslobj.get_unverified_chain() or ()  # noqa: SLF001
    return [ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in listed]


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol; the certificate is read once a connection.

    A connection that is upgraded leaves it: for the WebSocket protocol, or as it is.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._tls = {"client_chain": peer_chain(transport)}
        super().connection_made(transport)

    def on_headers_complete(self) -> None:
        cast("dict[str, Any]", self.scope).setdefault("extensions", {})["tls"] = self._tls
        super().on_headers_complete()

    def _should_upgrade(self) -> bool:
        return self._get_upgrade() in (rawupgrade.SPDY, rawupgrade.WEBSOCKET)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over to the protocol that the client asks for."""
        url, protocol = httptools.parse_url(self.url), self._get_upgrade()
        if protocol is None or not rawupgrade.takes(protocol, url.path):
            super().handle_websocket_upgrade()
            return
        self.connections.discard(self)
        before = cast("Any", self.cycle)  # None on a fresh connection
        if before is not None and not before.response_complete:
            self.transport.close()  # the answer to an earlier request would go among the frames
            return
        scope = cast("dict[str, Any]", self.scope) | {
            "type": "websocket",
            "path": urllib.parse.unquote(url.path.decode("ascii")),
            "raw_path": url.path,
            "query_string": url.query or b"",
            "subprotocols": rawupgrade.subprotocols(protocol, self.headers),
            "extensions": {
                "tls": self._tls,
                "websocket.http.response": {},
                "upgrade": rawupgrade.extension(protocol),
            },
        }
        rawupgrade.RawUpgrade(self.app, scope, self.server_state).take_over(self.transport)


class Handshake(ServerProtocol):
    """The WebSocket handshake, for Kubernetes' names of protocols too.

    `SPDY/3.1+portforward.k8s.io` is no token of HTTP's, which the library would insist on. What
    is offered goes to the application as it is, and the application chooses.
    """

    def process_subprotocol(self, headers: Headers) -> None:
        """Leave the choice to the application."""


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, likewise."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.conn = Handshake(max_size=config.ws_max_size, logger=self.logger)

    async def run_asgi(self) -> None:
        chain = peer_chain(self.transport)
        cast("dict[str, Any]", self.scope)["extensions"]["tls"] = {"client_chain": chain}
        await super().run_asgi()

    def handle_parser_exception(self) -> None:
        """End a connection whose frames make no sense: before it was answered, without a word."""
        if self.conn.close_sent is None:
            self.transport.close()
        else:
            super().handle_parser_exception()


class ClientTrust:
    """The CAs whose client certificates TLS lets in; grows while the server runs.

    Whether a certificate is valid now is for its cluster to say, by the cluster's own clock.
    """

    def __init__(self) -> None:
        self._context: ssl.SSLContext | None = None
        self._waiting: list[str] = []

    def attach(self, context: ssl.SSLContext) -> None:
        self._context = context
        context.verify_flags = ssl.VerifyFlags(context.verify_flags | _NO_CHECK_TIME)
        for pem in self._waiting:
            context.load_verify_locations(cadata=pem)
        self._waiting.clear()

    def add(self, ca_pem: str) -> None:
        """Trust one more CA from the next connection on."""
        if self._context is None:
            self._waiting.append(ca_pem)
        else:
            self._context.load_verify_locations(cadata=ca_pem)


class SecureServer(uvicorn.Server):
    """uvicorn's server: signals are the worker's own business, and it tells when it serves."""

    on_started: Callable[[], None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self.on_started is not None:
            self.on_started()


def secure_server(
    app: Callable[..., Any], certificate: Path, key: Path, trust: ClientTrust
) -> SecureServer:
    """Return a server that is ready for `serve(sockets=[...])`."""

    def context(config: uvicorn.Config, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        made = default()
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.set_alpn_protocols(["http/1.1"])
        trust.attach(made)
        return made

    config = server_config(
        app,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        ssl_cert_reqs=ssl.CERT_OPTIONAL,
        ssl_context_factory=context,
    )
    return SecureServer(config)


def server_config(app: Callable[..., Any], **tls: Any) -> uvicorn.Config:
    """Return how the API is served, with or without TLS."""
    return uvicorn.Config(
        app,
        http=HttpProtocol,
        ws=WebSocketProtocol,
        ws_per_message_deflate=False,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=None,
        lifespan="off",
        loop="uvloop",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        **tls,
    )


def adopt(descriptor: int) -> socket.socket:
    """Return the socket that the parent listens on."""
    return socket.socket(fileno=descriptor)
