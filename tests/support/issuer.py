"""An OpenID issuer: an HTTPS server with a CA and keys of its own, that signs tokens."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from apimachinery.clock import ManualClock
from apiserver.auth.pki import (
    CertificateAuthority,
    create_authority,
    issue_serving_certificate,
)

DISCOVERY = "/.well-known/openid-configuration"
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class _Now(ManualClock):
    """The machine's time: the certificates must be good for real clients."""

    def __init__(self) -> None:
        super().__init__(time.time())


class TestIssuer:
    """Serves what discovery and keys are; `token` signs."""

    __test__ = False

    def __init__(self, directory: Path) -> None:
        self._authority = create_authority("issuer-ca", _Now())
        self.ca = self._authority.certificate
        self.keys: dict[str, Key] = {"one": rsa.generate_private_key(65537, 2048)}
        self.asked: list[str] = []
        self.broken = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        ca = CertificateAuthority(self.ca, self._authority.key)
        issued = issue_serving_certificate(ca, _Now())
        certificate, key = directory / "issuer.crt", directory / "issuer.key"
        certificate.write_text(issued.certificate)
        key.write_text(issued.key)
        self.ca_file = directory / "issuer-ca.crt"
        self.ca_file.write_text(self.ca)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                answers = {DISCOVERY: issuer.discovery, "/keys": issuer.jwks}
                found = answers.get(self.path)
                code = 404 if found is None else 503 if issuer.broken else 200
                body = json.dumps(found() if found and code == 200 else {}).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        return Handler

    def discovery(self) -> dict[str, Any]:
        return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}

    def jwks(self) -> dict[str, Any]:
        return {"keys": [_public(name, key) for name, key in self.keys.items()]}

    def rotate(self, name: str) -> None:
        """Sign with a new key from now on; the old one is good no more."""
        self.keys = {name: ec.generate_private_key(ec.SECP256R1())}

    def token(self, name: str = "", key: Key | None = None, **claims: Any) -> str:
        """Return a token for `shop`, good for an hour; claims that are None are left out."""
        name = name or next(iter(self.keys))
        signer = key or self.keys[name]
        now = int(time.time())
        every = {
            "iss": self.url,
            "aud": "shop",
            "sub": "ann",
            "iat": now,
            "exp": now + 3600,
            **claims,
        }
        kept = {claim: value for claim, value in every.items() if value is not None}
        algorithm = "RS256" if isinstance(signer, rsa.RSAPrivateKey) else "ES256"
        return jwt.encode(kept, signer, algorithm, headers={"kid": name})

    @contextmanager
    def serving(self) -> Iterator[TestIssuer]:
        """Answer, in a thread."""
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def _public(name: str, key: Key) -> dict[str, Any]:
    algorithms = jwt.algorithms
    if isinstance(key, rsa.RSAPrivateKey):
        found = algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        return {**found, "kid": name, "use": "sig", "alg": "RS256"}
    found = algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**found, "kid": name, "use": "sig", "alg": "ES256"}
