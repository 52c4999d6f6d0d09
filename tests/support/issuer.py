"""An OpenID issuer: an HTTPS server with a CA and keys of its own, that signs tokens."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.support.backend import HttpsBackend

SECRET = "the-client-secret"
DISCOVERY = "/.well-known/openid-configuration"
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class TestIssuer:
    """Serves what discovery and keys are; `token` signs."""

    __test__ = False

    def __init__(self, directory: Path) -> None:
        self.keys: dict[str, Key] = {"one": rsa.generate_private_key(65537, 2048)}
        self.asked: list[str] = []
        self.broken = False
        self.codes: dict[str, tuple[str, str]] = {}
        self._backend = HttpsBackend(directory, self._answer)
        self.url, self.ca, self.ca_file = (
            self._backend.url,
            self._backend.ca,
            self._backend.ca_file,
        )

    def _answer(self, path: str, body: Any) -> tuple[int, Any]:
        self.asked.append(path)
        if self.broken:
            return 503, {}
        if path == "/token":
            return self._redeem(body)
        documents = {DISCOVERY: self._discovery, "/keys": self._keys}
        found = documents.get(path)
        return (404, {}) if found is None else (200, found())

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/keys",
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def grant(self, challenge: str, **claims: Any) -> str:
        """Return a code for whom claims name, as after somebody has signed in here."""
        code = f"code-{len(self.codes)}"
        self.codes[code] = (challenge, self.token(**claims))
        return code

    def _redeem(self, form: dict[str, str]) -> tuple[int, Any]:
        """Answer the token endpoint: the code, the client's secret and the verifier must fit."""
        challenge, token = self.codes.pop(form.get("code", ""), ("", ""))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        fits = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
        if form.get("client_secret") != SECRET:
            return 401, {"error": "invalid_client"}
        if not fits:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "access", "token_type": "Bearer", "id_token": token}

    def _keys(self) -> dict[str, Any]:
        return {"keys": [_public(name, key) for name, key in self.keys.items()]}

    def rotate(self, name: str) -> None:
        """Sign with a new key from now on; the old one is good no more."""
        self.keys = {name: ec.generate_private_key(ec.SECP256R1())}

    def token(self, name: str = "", key: Key | None = None, **claims: Any) -> str:
        """Return a token for `shop`, good for an hour; claims that are None are left out."""
        name = name or next(iter(self.keys))
        signer = key or self.keys[name]
        now = int(time.time())
        every = {"iss": self.url, "aud": "shop", "sub": "ann", "iat": now, "exp": now + 3600}
        every |= claims
        kept = {claim: value for claim, value in every.items() if value is not None}
        algorithm = "RS256" if isinstance(signer, rsa.RSAPrivateKey) else "ES256"
        return jwt.encode(kept, signer, algorithm, headers={"kid": name})

    @contextmanager
    def serving(self) -> Iterator[TestIssuer]:
        """Answer, in a thread."""
        with self._backend.serving():
            yield self


def _public(name: str, key: Key) -> dict[str, Any]:
    algorithms = jwt.algorithms
    if isinstance(key, rsa.RSAPrivateKey):
        found = algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        return {**found, "kid": name, "use": "sig", "alg": "RS256"}
    found = algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**found, "kid": name, "use": "sig", "alg": "ES256"}
