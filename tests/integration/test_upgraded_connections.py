"""Upgraded connections through the API server: to extension servers, and to ports of pods."""

import asyncio

import pytest

from apiserver.endpoints.metrics import Labels
from tests.integration.serving import NAMESPACE, Served
from tests.integration.test_aggregator_conformance import (
    APISERVICES,
    FLUNDERS,
    NAME,
    flunder,
    register,
)
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

IMAGE = "registry.k8s.io/e2e-test-images/sample-apiserver:1.33.8"
CONNECT = f"{FLUNDERS}/a/connect"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


class Connection:
    """One upgrade, from the port's side: what the application sends, and what it is told."""

    def __init__(self, served, method, path, protocol="SPDY/3.1", offered=(), **headers):
        scope = served.http.scope(method, path, headers)
        scope["type"], scope["subprotocols"] = "websocket", list(offered)
        scope["extensions"] = {"websocket.http.response": {}, "upgrade": {"protocol": protocol}}
        self.sent: list[dict] = []
        self._inbox: asyncio.Queue = asyncio.Queue()
        self._inbox.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.ensure_future(served.http.app(scope, self._inbox.get, self._send))

    async def _send(self, message):
        self.sent.append(message)

    def say(self, data):
        self._inbox.put_nowait({"type": "websocket.receive", "bytes": data})

    def leave(self):
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": 1006})

    def heard(self):
        return b"".join(m["bytes"] for m in self.sent if m["type"] == "websocket.send")

    async def accepted(self):
        await eventually(lambda: self.sent)
        assert self.sent[0]["type"] == "websocket.accept", self.sent
        return dict(self.sent[0]["headers"])

    async def refused(self):
        await asyncio.wait_for(self._task, 300)
        start, body = self.sent
        assert start["type"] == "websocket.http.response.start"
        return start["status"], body["body"]

    async def over(self):
        await asyncio.wait_for(self._task, 300)
        assert self.sent[-1]["type"] == "websocket.close"


@pytest.fixture
async def sample(lab):
    served = Served(lab, "sample-api")
    await served.start("--secure-port=8444", image=IMAGE)
    await register(served)
    await served.ok("POST", FLUNDERS, flunder("a"))
    return served


def running(sample):
    """Return how many connections of POSTs go on, to what others serve."""
    return sample.lab.cluster.api.metrics.counted(Labels("create")).running


def pod(sample):
    return next(p for p in sample.lab.all("pods", NAMESPACE))["metadata"]["name"]


async def test_spdy_to_an_extension_server(sample):
    before = running(sample)
    offered = ("v4.channel.k8s.io", "channel.k8s.io")
    connection = Connection(sample, "POST", CONNECT, offered=offered)
    assert await connection.accepted() == {
        b"connection": b"Upgrade",
        b"upgrade": b"SPDY/3.1",
        b"x-stream-protocol-version": b"v4.channel.k8s.io",
    }
    large = bytes(range(256)) * 1000
    connection.say(large)
    await eventually(lambda: connection.heard() == large)
    assert running(sample) == before + 1
    connection.leave()
    await connection.over()
    assert running(sample) == before


async def test_refusals_of_an_extension_server_are_passed_on(sample):
    status, body = await Connection(sample, "POST", f"{FLUNDERS}/nobody/connect").refused()
    assert status == 404
    assert b'flunders.wardle.example.com \\"nobody\\" not found' in body
    assert await Connection(sample, "GET", FLUNDERS).refused() == (
        *(503, b"invalid upgrade response: status code 200\n"),
    )
    status, body = await Connection(sample, "GET", CONNECT, authorization="Bearer x").refused()
    assert (status, b'"reason":"Unauthorized"' in body) == (401, True)


async def test_an_extension_server_that_nobody_vouches_for(sample):
    made = await sample.ok("GET", f"{APISERVICES}/{NAME}")
    del made["spec"]["caBundle"]
    await sample.ok("PUT", f"{APISERVICES}/{NAME}", made)
    why = b"tls: failed to verify certificate: x509: certificate signed by unknown authority\n"
    refusal = await Connection(sample, "POST", CONNECT).refused()
    assert refusal == (503, b"error dialing backend: " + why)


async def test_a_pod_that_goes_ends_its_connections(sample):
    connection = Connection(sample, "POST", CONNECT)
    await connection.accepted()
    await sample.ok("DELETE", f"{PODS}/{pod(sample)}?gracePeriodSeconds=0")
    await connection.over()


async def test_a_cluster_that_ends_ends_its_connections(sample):
    connection = Connection(sample, "POST", CONNECT)
    await connection.accepted()
    await sample.lab.cluster.network.close()
    await connection.over()


async def test_a_proxys_path_ends_with_a_slash(sample):
    path = f"{PODS}/{pod(sample)}/proxy"
    answer = await sample.http.get(f"{path}?a=b")
    assert (answer.status, answer.headers["location"]) == (301, f"{path}/?a=b")
    assert answer.body == b""


async def test_a_port_of_a_pod(sample):
    """The port of the sample server again, past the aggregator: it knows nobody there."""
    path = f"{PODS}/https:{pod(sample)}:8444/proxy{CONNECT}"
    status, body = await Connection(sample, "POST", path).refused()
    assert (status, b'User \\"system:anonymous\\" cannot create' in body) == (403, True)
    status, body = await Connection(sample, "GET", f"{PODS}/{pod(sample)}:81/proxy/").refused()
    address = sample.lab.get("pods", pod(sample), NAMESPACE)["status"]["podIP"]
    why = f"error dialing backend: dial tcp {address}:81: connect: connection refused"
    assert status == 500
    assert f'"message":"{why}"'.encode() in body
    assert b'"reason"' not in body
    path = f"{PODS}/https:{pod(sample)}:8444/proxy/readyz"
    status, body = await Connection(sample, "GET", path).refused()
    assert (status, b"invalid upgrade response: status code 200" in body) == (500, True)
