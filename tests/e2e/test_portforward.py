"""kubectl port-forward: to pods, services and workloads, for many connections, and refused."""

from __future__ import annotations

import re
import socket
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support.kubectl import Kubectl

pytestmark = pytest.mark.e2e

READY = r"Forwarding from 127\.0\.0\.1:(\d+) -> (\d+)"


@pytest.fixture
def web(kubectl: Kubectl) -> Kubectl:
    """A Deployment of nginx with a Service whose port is not the pods'."""
    kubectl("create", "deployment", "web", "--image=nginx")
    kubectl("expose", "deployment", "web", "--port=8080", "--target-port=80")
    kubectl("wait", "--for=condition=Available", "deployment/web", "--timeout=20s")
    return kubectl


@pytest.mark.parametrize(("target", "port"), [("deployment/web", 80), ("service/web", 8080)])
def test_by_what_stands_for_pods(web: Kubectl, target: str, port: int) -> None:
    with web.started("port-forward", target, f":{port}") as forward:
        local, remote = forward.until(READY).groups()
        assert remote == "80"
        assert "Welcome to nginx" in httpx.get(f"http://127.0.0.1:{local}/", timeout=10).text


def test_many_connections_at_once(web: Kubectl) -> None:
    with web.started("port-forward", "deployment/web", ":80") as forward:
        url = f"http://127.0.0.1:{forward.until(READY).group(1)}/"
        with ThreadPoolExecutor(20) as pool:
            codes = list(pool.map(lambda _: httpx.get(url, timeout=20).status_code, range(60)))
    assert codes == [200] * 60


def test_much_in_both_directions(kubectl: Kubectl) -> None:
    """What is sent comes back whole, though the client reads nothing until it has sent all."""
    kubectl("run", "echo", "--image=redis", "--port=6379")
    kubectl("wait", "--for=condition=Ready", "pod/echo", "--timeout=20s")
    value = b"0123456789abcdef" * 20_000
    with kubectl.started("port-forward", "pod/echo", ":6379") as forward:
        address = ("127.0.0.1", int(forward.until(READY).group(1)))
        with socket.create_connection(address, timeout=20) as client:
            client.sendall(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$%d\r\n%s\r\n" % (len(value), value))
            client.sendall(b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n" * 3)
            wanted = b"+OK\r\n" + (b"$%d\r\n%s\r\n" % (len(value), value)) * 3
            got = b""
            while len(got) < len(wanted):
                chunk = client.recv(65536)
                assert chunk, f"ended after {len(got)} bytes"
                got += chunk
    assert got == wanted


def test_a_port_where_nobody_listens(web: Kubectl) -> None:
    with web.started("port-forward", "deployment/web", ":81") as forward:
        local = forward.until(r"127\.0\.0\.1:(\d+) -> 81").group(1)
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{local}/", timeout=10)
        said = forward.rest()
    assert re.search(r"error forwarding port 81 to pod [0-9a-f]{64}, uid : failed to exec", said)
    assert "dial tcp4 127.0.0.1:81: connect: connection refused" in said
    assert "lost connection to pod" in said


def test_where_there_is_nothing(kubectl: Kubectl) -> None:
    assert 'pods "nobody" not found' in kubectl.fails("port-forward", "pod/nobody", ":80")
    kubectl("create", "service", "clusterip", "empty", "--tcp=80")
    assert kubectl.fails("port-forward", "service/empty", ":80", "--pod-running-timeout=1s")
    kubectl("run", "waiting", "--image=registry.invalid/none")
    said = kubectl.fails("port-forward", "pod/waiting", ":80", "--pod-running-timeout=1s")
    assert "unable to forward port because pod is not running. Current status=Pending" in said
