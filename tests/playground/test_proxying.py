"""What goes on from the API server to a port of a pod, and what does not."""

import pytest

from apimachinery.errors import ServiceUnavailable
from apiserver.endpoints.proxying import ProxyTarget
from apiserver.endpoints.requestinfo import RequestInfo
from nodes.client.loopclock import LoopClock
from nodes.network.fabric import Network
from nodes.network.http import Headers, HttpRequest, HttpResponse, serve_http
from nodes.network.stream import Stream
from playground.proxying import NetworkProxy

POD = {
    "metadata": {"name": "p", "namespace": "default"},
    "spec": {"containers": [{"name": "c", "ports": [{"containerPort": 80}]}]},
    "status": {"podIP": "10.244.0.2"},
}


class Objects:
    """The reads of StoredObjects that a pod's address takes."""

    def get(self, resource, namespace, name):
        return POD if (resource, namespace, name) == ("pods", "default", "p") else None


class Asked:
    """An ApiRequest, as far as a proxy looks at it."""

    def __init__(self, method="GET", query="", body=b"", **headers):
        self.info = RequestInfo("/", method.lower())
        self.method, self.query, self.body = method, query, body
        self.upgrade = None
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
async def network():
    made = Network(LoopClock())
    made.add_node("control-plane", "172.18.0.1")
    made.add_node("n1", "172.18.0.2", "10.244.0.0/24")
    yield made
    await made.close()


@pytest.fixture
def seen(network):
    """Serve port 80 of the pod; return the requests that came."""
    requests: list[HttpRequest] = []

    async def app(request: HttpRequest) -> HttpResponse:
        requests.append(request)
        return HttpResponse(200, Headers([("X-Pod", "p"), ("Connection", "close")]), b"hello")

    address = network.allocate("n1", "default/p")
    assert address == POD["status"]["podIP"]
    network.listen(address, 80, serve_http(app))
    return requests


PREFIX = "/clusters/c/api/v1/namespaces/default/pods/p/proxy"


def to(path="/", port=""):
    return ProxyTarget("pods", "default", "p", port, "http", path, PREFIX)


async def fetch(network, request, path="/", port=""):
    proxy = NetworkProxy(network, Objects(), "172.18.0.1")
    return await proxy.fetch(request, to(path, port))


async def test_an_answer_comes_back(network, seen):
    answer = await fetch(network, Asked("POST", "q=a+b&q=c", b"body"), "/x/")
    assert (answer.code, answer.text, answer.headers) == (200, b"hello", {"X-Pod": "p"})
    (request,) = seen
    assert (request.method, request.target, request.body) == ("POST", "/x/?q=a+b&q=c", b"body")


async def test_credentials_stay_with_the_api_server(network, seen):
    asked = Asked(
        authorization="Bearer secret",
        sec_websocket_protocol="base64url.bearer.authorization.k8s.io.c2VjcmV0",
        impersonate_user="ann",
        impersonate_extra_scopes="all",
        cookie="kubeground_session_8000=secret",
        accept="text/html",
    )
    await fetch(network, asked)
    assert sorted(name for name, _ in seen[0].headers.items) == [
        *("Connection", "Host", "accept", "x-forwarded-uri")
    ]


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/a b", "/a%20b"),
        ("/a?b#c", "/a%3Fb%23c"),
        ("/ HTTP/1.1\r\nX-Forged: 1\r\n\r\nGET /two", "/%20HTTP/1.1%0D%0AX-Forged:%201"),
    ],
)
async def test_a_path_is_one_path(network, seen, path, target):
    await fetch(network, Asked(), path)
    (request,) = seen
    assert request.target.startswith(target)
    assert "X-Forged" not in request.headers


async def test_nothing_listens(network, seen):
    with pytest.raises(ServiceUnavailable, match="connection refused"):
        await fetch(network, Asked(), port="81")


@pytest.mark.parametrize(
    ("port", "why"),
    [
        ("70000", "dial tcp: address 70000: invalid port"),
        ("9" * 5000, "invalid port"),
        ("nope", "dial tcp: lookup tcp/nope: unknown port"),
        ("²", "unknown port"),
    ],
)
async def test_ports_that_are_none(network, seen, port, why):
    with pytest.raises(ServiceUnavailable, match=why):
        await fetch(network, Asked(), port=port)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PATCH"])
async def test_every_method_goes_on(network, seen, method):
    answer = await fetch(network, Asked(method))
    assert seen[0].method == method
    assert answer.text == (b"" if method == "HEAD" else b"hello")
    assert ("Content-Length" in answer.headers) == (method == "HEAD")


async def answer_with(network, raw: bytes):
    """Let what listens in the pod say `raw`, whatever it is asked; return what comes of it."""

    async def handler(stream: Stream) -> None:
        await stream.read()
        await stream.write(raw)
        stream.close()

    network.listen(network.allocate("n1", "default/p"), 80, handler)
    return await fetch(network, Asked())


async def test_what_a_server_must_not_say_is_left_out(network):
    cookie = b"Set-Cookie: kubeground_session_8000=mine\r\n"
    raw = (
        b"HTTP/1.1 999 Odd\r\n"
        + cookie
        + b"Good: 1\r\nBad\x01: 1\r\nN\xc3\xa4: 1\r\nWorse: \x00\r\n\r\nbody"
    )
    answer = await answer_with(network, raw)
    assert (answer.code, answer.text, answer.headers) == (999, b"body", {"Good": "1"})


async def test_announcements_come_before_the_answer(network):
    raw = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    answer = await answer_with(network, raw)
    assert (answer.code, answer.text) == (200, b"ok")


@pytest.mark.parametrize("code", [b"42", b"1000", b"099", b"x"])
async def test_codes_that_are_none(network, code):
    with pytest.raises(ServiceUnavailable, match="malformed HTTP status code"):
        await answer_with(network, b"HTTP/1.1 " + code + b" Odd\r\n\r\n")


async def test_a_server_learns_by_which_name_and_path_it_is_known(network, seen):
    await fetch(network, Asked(host="localhost:8001", x_forwarded_uri="/forged"), "/a b/")
    (request,) = seen
    assert request.headers.get("Host") == "localhost:8001"
    assert request.headers.get("X-Forwarded-Uri") == f"{PREFIX}/a%20b/"
    assert "/forged" not in dict(request.headers.items).values()
    await fetch(network, Asked())
    assert seen[1].headers.get("Host") == "10.244.0.2:80"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_path_without_its_slash_is_sent_on(network, seen, method):
    answer = await fetch(network, Asked(method, "a=b"), "")
    assert (answer.code, answer.text) == (301, b"")
    assert answer.headers == {"Location": f"{PREFIX}/?a=b"}
    assert seen == []
    await fetch(network, Asked("POST"), "")
    assert seen[0].target == "/"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("/login", f"{PREFIX}/login"),
        ("/a/../b/?c=d#e", f"{PREFIX}/b/?c=d#e"),
        ("http://10.244.0.2:80/x", f"{PREFIX}/x"),
        ("http://localhost:8001/x", f"http://localhost:8001{PREFIX}/x"),
        (f"{PREFIX}/x", f"{PREFIX}/x"),
        ("next", "next"),
        ("https://elsewhere.example/x", "https://elsewhere.example/x"),
        ("http://[bad/", "http://[bad/"),
    ],
)
def test_where_a_redirect_leads(said, shown):
    assert to().outward(said, "localhost:8001", "10.244.0.2:80") == shown


async def test_a_redirect_is_as_a_client_has_to_ask(network):
    async def app(request: HttpRequest) -> HttpResponse:
        fields = [("location", "/login"), ("Access-Control-Allow-Origin", "*")]
        return HttpResponse(302, Headers(fields))

    network.listen(network.allocate("n1", "default/p"), 80, serve_http(app))
    answer = await fetch(network, Asked(), "/x")
    assert (answer.code, answer.headers["location"]) == (302, f"{PREFIX}/login")
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    ("kind", "encoding", "wanted"),
    [
        ("text/html; charset=utf-8", "", f'<a href="{PREFIX}/x">'),
        ("text/html", "br", "<a href=/x>"),
        ("text/plain", "", "<a href=/x>"),
    ],
)
@pytest.mark.parametrize("times", [1, 2000, 100_000])
async def test_links_of_a_page_lead_through_the_proxy(network, kind, encoding, wanted, times):
    async def app(request: HttpRequest) -> HttpResponse:
        fields = [("Content-Type", kind), *([("Content-Encoding", encoding)] if encoding else [])]
        return HttpResponse(200, Headers(fields), b"<a href=/x>" * times)

    network.listen(network.allocate("n1", "default/p"), 80, serve_http(app))
    answer = await fetch(network, Asked(), "/")
    # What is too large stays as it is.
    assert answer.text == (wanted if times < 100_000 else "<a href=/x>").encode() * times
