"""What the secure port finds of a client's certificates, over a real TLS connection."""

from __future__ import annotations

import asyncio
import json
import ssl

import pytest
from cryptography.hazmat.primitives import serialization

from apiserver.auth.pki import issue_serving_certificate
from playground.secure_server import ClientTrust, secure_server
from playground.supervisor import listen
from tests.apiserver.auth.test_chains import CLOCK, ROOT, Holder


async def answer(scope, receive, send):
    """Tell the certificates."""
    chain = scope["extensions"]["tls"]["client_chain"]
    body = json.dumps([der.hex() for der in chain]).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def get(port, context):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    body = (await reader.read()).partition(b"\r\n\r\n")[2]
    writer.close()
    return [bytes.fromhex(each) for each in json.loads(body)]


@pytest.fixture
async def port(tmp_path):
    issued = issue_serving_certificate(ROOT, CLOCK)
    for name, text in (("crt", issued.certificate), ("key", issued.key)):
        (tmp_path / f"server.{name}").write_text(text)
    trust = ClientTrust()
    pem = ROOT.certificate.public_bytes(serialization.Encoding.PEM).decode()
    trust.add(pem)
    server = secure_server(answer, tmp_path / "server.crt", tmp_path / "server.key", trust)
    listener = listen("127.0.0.1", 0)
    started = asyncio.Event()
    server.on_started = started.set
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    await started.wait()
    yield listener.getsockname()[1]
    server.should_exit = True
    await serving


async def test_a_client_s_chain_is_known(port, tmp_path):
    middle = Holder("middle")
    leaf = Holder("ann", middle, ca=False)
    pem = serialization.Encoding.PEM
    key = leaf.key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path / "client.pem"
    parts = (leaf.certificate.public_bytes(pem), middle.certificate.public_bytes(pem), key)
    file.write_bytes(b"".join(parts))
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    assert await get(port, context) == []
    context.load_cert_chain(file)
    assert await get(port, context) == [leaf.der, middle.der]
