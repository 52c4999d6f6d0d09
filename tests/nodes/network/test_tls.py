"""TLS in memory: what both ends agree on, and why they do not, in Go's words."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtensionOID

from apimachinery.clock import ManualClock
from nodes.client.loopclock import LoopClock
from nodes.network import tls
from nodes.network.exchange import exchange
from nodes.network.fabric import Network
from nodes.network.http import Headers, HttpResponse, request, serve_http
from nodes.network.tls import (
    INSECURE,
    KeyPair,
    TLSError,
    Trust,
    open_tls,
    read_bundle,
    serve_tls,
)
from nodes.network.x509 import CertificateError, verify
from tests.support.certificates import Authority

NAME = "web.hooks.svc"
CA = Authority("the-ca")
SERVER, CLIENT = "10.244.0.2", "172.18.0.1"


@pytest.fixture
async def network():
    made = Network(LoopClock())
    made.add_node("control-plane", CLIENT)
    made.add_node("n1", "172.18.0.2", "10.244.0.0/24")
    assert made.allocate("n1", "hooks/web") == SERVER
    yield made
    await made.close()


def listen(network, pair=None, app=None, **options):
    async def hello(request):
        return HttpResponse(200, Headers(), request.body or b"hello")

    handler = serve_http(app or hello)
    if pair is not None:
        handler = serve_tls(handler, KeyPair(*pair), **options)
    network.listen(SERVER, 8443, handler)


async def get(network, trust, **more):
    return await request(network, CLIENT, f"https://{SERVER}:8443/x", trust=trust, **more)


def trust(*authorities, name=NAME, **more):
    return Trust([root for ca in authorities for root in read_bundle(ca.pem)], name, **more)


async def test_a_request_and_its_answer_under_tls(network):
    listen(network, CA.issue(NAME))
    body = b"x" * 100_000
    answer = await get(network, trust(CA), method="POST", body=body)
    assert (answer.status, answer.body) == (200, body)


@pytest.mark.parametrize(
    ("pair", "wanted", "why"),
    [
        (CA.issue(NAME), trust(), "x509: certificate signed by unknown authority"),
        (
            Authority("other").issue(NAME),
            trust(CA),
            "x509: certificate signed by unknown authority",
        ),
        (
            Authority("the-ca").issue(NAME),
            trust(CA),
            (
                "x509: certificate signed by unknown authority (possibly because of "
                '"x509: ECDSA verification failure" while trying to verify candidate authority '
                'certificate "the-ca")'
            ),
        ),
        (
            CA.issue("a.svc", "*.b.svc"),
            trust(CA),
            "x509: certificate is valid for a.svc, *.b.svc, not web.hooks.svc",
        ),
        (
            CA.issue(common_name=NAME),
            trust(CA),
            "x509: certificate relies on legacy Common Name field, use SANs instead",
        ),
        (
            CA.issue(common_name="else"),
            trust(CA),
            "x509: certificate is not valid for any names, but wanted to match web.hooks.svc",
        ),
        (
            CA.issue(NAME, usage="client"),
            trust(CA),
            "x509: certificate specifies an incompatible key usage",
        ),
    ],
)
async def test_certificates_that_are_not_trusted(network, pair, wanted, why):
    listen(network, pair)
    with pytest.raises(TLSError) as caught:
        await get(network, wanted)
    assert str(caught.value) == f"tls: failed to verify certificate: {why}"
    assert (await get(network, INSECURE)).status == 200


def test_a_certificate_has_its_time():
    clock = ManualClock()
    ca = Authority("ca", clock)
    (leaf,) = KeyPair(*ca.issue(NAME)).chain
    roots = read_bundle(ca.pem)
    verify([leaf], roots, clock.now(), name=NAME)
    with pytest.raises(CertificateError) as caught:
        verify([leaf], roots, clock.now() + timedelta(days=5000), name=NAME)
    assert str(caught.value).startswith(
        "x509: certificate has expired or is not yet valid: current time 2039-"
    )
    assert " is after 20" in str(caught.value)
    with pytest.raises(CertificateError, match=" is before 20"):
        verify([leaf], roots, clock.now() - timedelta(days=5000), name=NAME)


def test_a_chain_over_an_issuer_that_is_no_root():
    middle = CA.authority("middle")
    pair = middle.issue(NAME)
    chain = KeyPair(pair[0] + middle.pem, pair[1]).chain
    now = ManualClock().now()
    verify(chain, read_bundle(CA.pem), now, name=NAME)
    with pytest.raises(CertificateError, match="unknown authority"):
        verify(chain[:1], read_bundle(CA.pem), now, name=NAME)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("10.0.0.2", "x509: certificate is valid for 10.0.0.1, not 10.0.0.2"),
        ("b.a.svc.", None),
        ("c.b.a.svc", "x509: certificate is valid for *.a.svc, not c.b.a.svc"),
    ],
)
def test_names_of_a_certificate(name, why):
    chain = KeyPair(*CA.issue("*.a.svc", "10.0.0.1")).chain
    roots, now = read_bundle(CA.pem), ManualClock().now()
    if why is None:
        verify(chain, roots, now, name=name)
        return
    with pytest.raises(CertificateError) as caught:
        verify(chain, roots, now, name=name)
    assert str(caught.value) == why


async def test_a_server_that_speaks_plain_http(network):
    listen(network)
    with pytest.raises(TLSError, match="server gave HTTP response to HTTPS client"):
        await get(network, INSECURE)


async def test_a_client_that_speaks_plain_http(network):
    listen(network, CA.issue(NAME))
    answer = await request(network, CLIENT, f"http://{SERVER}:8443/")
    assert answer.status == 400
    assert answer.body == b"Client sent an HTTP request to an HTTPS server.\n"


async def test_a_server_sees_the_certificate_of_its_client(network):
    seen = []

    async def app(request):
        seen.extend(request.certificates)
        return HttpResponse(200)

    listen(network, CA.issue(NAME), app, ask_client=True)
    pair = KeyPair(*CA.issue(common_name="front-proxy-client", usage="client"))
    await get(network, trust(CA, pair=pair))
    assert seen == pair.chain
    seen.clear()
    await get(network, trust(CA))
    assert seen == []


async def test_an_answer_that_is_streamed_is_read_as_it_comes(network):
    more, left = asyncio.Event(), asyncio.Event()

    async def lines():
        try:
            yield b"first"
            await more.wait()
            yield b"second"
            await asyncio.Event().wait()
        finally:
            left.set()

    async def app(request):
        return HttpResponse(200, stream=lines())

    listen(network, CA.issue(NAME), app)
    plain = await network.connect(CLIENT, SERVER, 8443)
    stream = await open_tls(plain, trust(CA), network.clock.now())
    answer = await exchange(stream, "GET", "/", [("Host", "x")])
    body = answer.body()
    assert await anext(body) == b"first"
    more.set()
    assert await anext(body) == b"second"
    answer.close()
    await left.wait()


@pytest.mark.parametrize(
    ("certificate", "key", "why"),
    [
        (b"", CA.issue(NAME)[1], "failed to find any PEM data in certificate input"),
        (CA.issue(NAME)[0], b"", "failed to find any PEM data in key input"),
        (CA.issue(NAME)[0], CA.issue(NAME)[1], "private key does not match public key"),
    ],
)
def test_pairs_that_are_none(certificate, key, why):
    with pytest.raises(ValueError, match=f"^tls: {why}$"):
        KeyPair(certificate, key)


def test_a_key_that_takes_long_to_sign_with_is_refused(monkeypatch):
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    certificate, _ = CA.issue(NAME)
    with pytest.raises(ValueError, match="does not match"):
        KeyPair(certificate, pem)
    monkeypatch.setattr(tls, "LARGEST_RSA", 1024)
    with pytest.raises(ValueError, match=r"^tls: RSA key larger than 1024 bits$"):
        KeyPair(certificate, pem)


def test_of_many_authorities_of_one_name_not_all_are_asked():
    """Go gives up after a hundred signatures, too."""
    strangers = [root for _ in range(101) for root in read_bundle(Authority("the-ca").pem)]
    own = read_bundle(CA.pem)
    leaf = read_bundle(CA.issue(NAME)[0])
    now = leaf[0].not_valid_before_utc
    with pytest.raises(CertificateError, match="signature check attempts limit reached"):
        verify(leaf, [*strangers, *own], now)
    verify(leaf, [*strangers[:99], *own], now)


def test_a_certificate_whose_extensions_cannot_be_read():
    key = ec.generate_private_key(ec.SECP256R1())
    odd = x509.UnrecognizedExtension(ExtensionOID.EXTENDED_KEY_USAGE, b"no DER")
    now = CA.certificate.not_valid_before_utc
    made = (
        x509.CertificateBuilder()
        .subject_name(CA.subject)
        .issuer_name(CA.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(odd, critical=False)
        .sign(CA.key, hashes.SHA256())
    )
    with pytest.raises(CertificateError, match=r"^x509: malformed certificate$"):
        verify([made], [CA.certificate], now)
