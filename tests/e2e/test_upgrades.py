"""Upgraded connections over the real socket: WebSockets and SPDY/3.1 to servers in the cluster."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.e2e.test_extensions import aggregated, authority
from tests.support.certificates import Authority
from tests.support.kubectl import Kubectl
from tests.support.server import Playground, wait_until

pytestmark = pytest.mark.e2e
__all__ = ["authority"]

GROUP = "/apis/wardle.example.com/v1alpha1"


@pytest.fixture
def flunders(newest: Kubectl, authority: Authority) -> Iterator[str]:
    """The path of a namespace's Flunders, of which there is `one`."""
    with aggregated(newest, authority):
        kind = {"apiVersion": "wardle.example.com/v1alpha1", "kind": "Flunder"}
        newest("create", "-f", "-", stdin=json.dumps({**kind, "metadata": {"name": "one"}}))
        yield f"{GROUP}/namespaces/{newest.namespace}/flunders"


def websocket(playground: Playground, path: str, **more: Any) -> ClientConnection:
    headers = {"Authorization": f"Bearer {playground.token}"}
    url = f"wss{playground.api.removeprefix('https')}{path}"
    return connect(url, ssl=playground.tls(), additional_headers=headers, proxy=None, **more)


def raw(playground: Playground, method: str, path: str) -> ssl.SSLSocket:
    """Ask for SPDY/3.1; return the connection."""
    parts = urlsplit(playground.api)
    plain = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)
    made = playground.tls().wrap_socket(plain, server_hostname=parts.hostname)
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {parts.netloc}",
        f"Authorization: Bearer {playground.token}",
        *("Connection: Upgrade", "Upgrade: SPDY/3.1", "Content-Length: 0"),
        "X-Stream-Protocol-Version: v4.channel.k8s.io",
    ]
    made.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
    return made


def until(connection: ssl.SSLSocket, mark: bytes) -> bytes:
    data = b""
    while not data.endswith(mark):
        more = connection.recv(65536)
        assert more, data
        data += more
    return data


def test_a_websocket_to_an_extension_server(playground: Playground, flunders: str) -> None:
    path = f"{flunders}/one/connect"
    with websocket(playground, path, subprotocols=["chat"]) as connection:
        assert connection.subprotocol == "chat"
        for message in ("hello", b"\x00\xff" * 20_000):
            connection.send(message)
            assert connection.recv(timeout=10) == message
    with pytest.raises(InvalidStatus) as caught:
        websocket(playground, f"{flunders}/nobody/connect")
    assert caught.value.response.status_code == 404
    assert b'flunders.wardle.example.com \\"nobody\\" not found' in caught.value.response.body


def test_spdy_to_an_extension_server(playground: Playground, flunders: str) -> None:
    with raw(playground, "POST", f"{flunders}/one/connect") as connection:
        head = until(connection, b"\r\n\r\n").lower()
        assert head.startswith(b"http/1.1 101 switching protocols\r\n")
        assert b"\r\nupgrade: spdy/3.1\r\n" in head
        assert b"\r\nx-stream-protocol-version: v4.channel.k8s.io\r\n" in head
        ping = b"\x80\x03\x00\x06\x00\x00\x00\x04\x00\x00\x00\x01"
        connection.sendall(ping)
        assert until(connection, ping) == ping
    with raw(playground, "GET", GROUP) as connection:
        said = until(connection, b"invalid upgrade response: status code 200\n")
        assert said.startswith(b"HTTP/1.1 503 ")
        assert connection.recv(1) == b""


def test_a_cluster_that_goes_takes_its_connections_along(playground: Playground) -> None:
    made = playground.make_cluster("upgraded", nodes=1)
    deleted = False
    try:
        echo = Kubectl("1.36", made.kubeconfig, playground.data_dir, "default")
        wait_until(lambda: echo.run("get", "serviceaccount", "default").code == 0)
        serve_echo(echo)
        path = f"/clusters/{made.name}/api/v1/namespaces/default/pods/echo/proxy/"
        with websocket(playground, path) as connection:
            assert connection.recv(timeout=10) == "Request served by echo"
            playground.delete_cluster("upgraded")
            deleted = True
            with pytest.raises(ConnectionClosed):
                connection.recv(timeout=10)
    finally:
        if not deleted:
            playground.delete_cluster("upgraded")


def serve_echo(kubectl: Kubectl) -> None:
    kubectl("run", "echo", "--image=jmalloc/echo-server", "--port=8080", "--expose")
    kubectl("wait", "--for=condition=Ready", "pod/echo", "--timeout=20s")


def test_websockets_to_pods_and_services_through_kubectl_proxy(newest: Kubectl) -> None:
    serve_echo(newest)
    space = f"/api/v1/namespaces/{newest.namespace}"
    with newest.started("proxy", "--port=0") as proxy:
        port = int(proxy.until(r"127\.0\.0\.1:(\d+)").group(1))
        for what in ("pods/echo", "pods/echo:8080", "services/http:echo:8080", "services/echo"):
            url = f"ws://127.0.0.1:{port}{space}/{what}/proxy/socket?a=b"
            with connect(url, proxy=None) as connection:
                assert connection.recv(timeout=10) == "Request served by echo"
                connection.send("over there")
                assert connection.recv(timeout=10) == "over there"
        with pytest.raises(InvalidStatus) as caught:
            connect(f"ws://127.0.0.1:{port}{space}/pods/echo:81/proxy/", proxy=None)
        assert caught.value.response.status_code == 500
        assert b"error dialing backend: dial tcp" in caught.value.response.body
