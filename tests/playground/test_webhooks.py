"""The API server's way to webhooks: Services of the simulated network, and no host unasked."""

import asyncio
import base64

import pytest

from apiserver.registry.calling import Address, CallError, ClientError
from nodes.client.loopclock import LoopClock
from nodes.network.fabric import Network
from nodes.network.http import MAX_BODY, Headers, HttpResponse, serve_http
from nodes.network.tls import KeyPair, serve_tls
from playground.services import Services
from playground.webhooks import WebhookCalls, allowed_hosts
from tests.support.backend import HttpsBackend
from tests.support.certificates import Authority

SERVICE = {
    "metadata": {"name": "web", "namespace": "hooks"},
    "spec": {"ports": [{"name": "https", "port": 443, "targetPort": 8443}]},
}
CA = Authority("the-ca")
CONFIG = {
    "service": {"namespace": "hooks", "name": "web", "path": "check"},
    "caBundle": base64.b64encode(CA.pem).decode(),
}


def endpoints(ready):
    return {
        "metadata": {"labels": {"kubernetes.io/service-name": "web"}},
        "ports": [{"name": "https", "port": 8443}],
        "endpoints": [{"addresses": ["10.244.0.2"], "conditions": {"ready": ready}}],
    }


class Objects:
    def __init__(self, service=SERVICE, *slices):
        self.service, self.slices = service, slices

    def get(self, resource, namespace, name):
        assert (resource, namespace, name) == ("services", "hooks", "web")
        return self.service

    def list(self, resource, namespace):
        return self.slices


@pytest.fixture
async def network():
    made = Network(LoopClock())
    made.add_node("control-plane", "172.18.0.1")
    made.add_node("n1", "172.18.0.2", "10.244.0.0/24")
    assert made.allocate("n1", "hooks/web") == "10.244.0.2"
    yield made
    await made.close()


def calls(network, *objects):
    services = Services(network, Objects(*objects), "172.18.0.1")
    return WebhookCalls(services, {"good.example.com"})


def listen(network, app, name="web.hooks.svc"):
    handler = serve_tls(serve_http(app), KeyPair(*CA.issue(name)))
    network.listen("10.244.0.2", 8443, handler)


async def hello(request):
    return HttpResponse(200, Headers(), b"")


async def test_a_service_is_asked_at_an_endpoint_that_is_ready(network):
    seen = []

    async def app(request):
        seen.append(request)
        return HttpResponse(200, Headers(), b"answer")

    listen(network, app)
    ask = calls(network, SERVICE, endpoints(ready=False), endpoints(ready=True))
    answer = await ask(Address.read(CONFIG), b"review", 10.0)
    assert (answer.code, answer.body) == (200, b"answer")
    (request,) = seen
    assert (request.method, request.body) == ("POST", b"review")
    assert request.headers.get("Host") == "web.hooks.svc:443"


@pytest.mark.parametrize(
    ("objects", "why"),
    [
        ((None,), 'service "web" not found'),
        ((SERVICE,), 'no endpoints available for service "web"'),
        ((SERVICE, endpoints(ready=False)), 'no endpoints available for service "web"'),
        (({**SERVICE, "spec": {"ports": []}},), 'no service port 443 found for service "web"'),
        (
            (SERVICE, endpoints(ready=True)),
            "dial tcp 10.244.0.2:8443: connect: connection refused",
        ),
    ],
)
async def test_why_a_service_is_not_reached(network, objects, why):
    with pytest.raises(CallError) as caught:
        await calls(network, *objects)(Address.read(CONFIG), b"", 10.0)
    assert str(caught.value) == why


async def test_a_webhook_that_takes_too_long(network):
    async def app(request):
        await asyncio.Event().wait()
        return HttpResponse(200, Headers(), b"")

    listen(network, app)
    with pytest.raises(CallError, match="context deadline exceeded"):
        await calls(network, SERVICE, endpoints(ready=True))(Address.read(CONFIG), b"", 0.01)


async def test_a_certificate_that_is_not_for_the_service(network):
    listen(network, hello, "else.hooks.svc")
    with pytest.raises(CallError) as caught:
        await calls(network, SERVICE, endpoints(ready=True))(Address.read(CONFIG), b"", 10.0)
    assert str(caught.value) == (
        "tls: failed to verify certificate: x509: certificate is valid for else.hooks.svc, "
        "not web.hooks.svc"
    )


async def test_a_certificate_of_an_authority_that_nobody_named(network):
    listen(network, hello)
    config = {"service": CONFIG["service"]}
    with pytest.raises(CallError) as caught:
        await calls(network, SERVICE, endpoints(ready=True))(Address.read(config), b"", 10.0)
    assert str(caught.value) == (
        "tls: failed to verify certificate: x509: certificate signed by unknown authority"
    )


async def test_a_service_that_speaks_plain_http(network):
    network.listen("10.244.0.2", 8443, serve_http(hello))
    with pytest.raises(CallError, match="server gave HTTP response to HTTPS client"):
        await calls(network, SERVICE, endpoints(ready=True))(Address.read(CONFIG), b"", 10.0)


async def test_a_bundle_that_is_none(network):
    config = {**CONFIG, "caBundle": base64.b64encode(b"nothing").decode()}
    with pytest.raises(ClientError, match="unable to load root certificates"):
        await calls(network, SERVICE, endpoints(ready=True))(Address.read(config), b"", 10.0)


@pytest.mark.parametrize("url", ["https://evil.example.com/x", "https://127.0.0.1:6443/", "no"])
async def test_a_host_outside_is_reached_only_where_it_is_allowed(network, url):
    with pytest.raises(CallError, match="not allowed by KUBEGROUND_WEBHOOK_HOSTS"):
        await calls(network)(Address.read({"url": url}), b"", 1.0)


async def test_a_host_outside_says_only_so_much(tmp_path, network):
    answers = {"/small": "yes", "/large": "x" * MAX_BODY}
    backend = HttpsBackend(tmp_path, lambda path, _: (200, answers[path.partition("?")[0]]))
    bundle = base64.b64encode(backend.ca.encode()).decode()
    call = WebhookCalls(Services(network, Objects(), "172.18.0.1"), {"127.0.0.1"})
    with backend.serving():
        small, large = (
            Address.read({"url": f"{backend.url}{path}", "caBundle": bundle}) for path in answers
        )
        assert (await call(small, b"{}", 10.0)).body == b'"yes"'
        with pytest.raises(CallError, match="webhook response is too large"):
            await call(large, b"{}", 10.0)


def test_the_hosts_that_an_operator_names(monkeypatch):
    assert allowed_hosts() == frozenset()
    monkeypatch.setenv("KUBEGROUND_WEBHOOK_HOSTS", "a.example.com, B.example.com,")
    assert allowed_hosts() == {"a.example.com", "b.example.com"}
