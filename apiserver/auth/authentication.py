"""Authentication: one of several ways to tell who asks, tried in Kubernetes' order.

Client certificate, then bearer token: a token of the instance, of a service account, or of a
bootstrap secret. A credential that is there and not good is refused; one that is not there makes
the request anonymous.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from apimachinery.errors import Unauthorized
from apiserver.auth.bootstrap_tokens import bootstrap_user
from apiserver.auth.options import AuthOptions
from apiserver.auth.pki import BadCertificate, ClientVerifier
from apiserver.auth.source import Objects
from apiserver.auth.tokens import API_AUDIENCES, InvalidToken, ServiceAccountTokens
from apiserver.auth.user import (
    ANONYMOUS,
    AUTHENTICATED,
    MASTERS,
    UNAUTHENTICATED,
    User,
    anonymous,
)

WEBSOCKET_TOKEN = "base64url.bearer.authorization.k8s.io."


INVALID = "invalid bearer token"


class TokenUser(NamedTuple):
    """Whose a token is, and for which audiences it speaks."""

    user: User
    audiences: tuple[str, ...]


class TokenRefused(Exception):
    """A bearer token that nobody knows, with the words that a TokenReview shows."""


def admin_token(token: str) -> dict[bytes, User]:
    """Return the instance's token as the authenticator keeps it: by its digest."""
    digest = hashlib.sha256(token.encode()).digest()
    uid = digest[:16].hex()
    return {digest: User("admin", (MASTERS,), uid=f"{uid[:8]}-{uid[8:12]}-{uid[12:16]}-{uid[16:]}")}


class Authenticator:
    """The credentials that one cluster knows."""

    def __init__(
        self,
        certificates: ClientVerifier,
        tokens: ServiceAccountTokens,
        objects: Objects,
        instance_tokens: Mapping[bytes, User],
        options: AuthOptions,
    ) -> None:
        self._certificates = certificates
        self._tokens = tokens
        self._objects = objects
        # By digest, so that looking one up takes no longer for a guess that is nearly right.
        self._instance_tokens = instance_tokens
        self._anonymous = options.anonymous

    def authenticate(self, headers: Mapping[str, str], client_cert_der: bytes | None) -> User:
        """Return who asks. `headers` have lower-case names. Raises Unauthorized."""
        if client_cert_der is not None:
            try:
                user = self._certificates.user(client_cert_der)
            except BadCertificate as error:
                raise Unauthorized from error
            if user is not None:
                return with_group(user)
        token = bearer_token(headers)
        if not token:
            if not self._anonymous:
                raise Unauthorized
            return anonymous()
        try:
            return self.token_user(token).user
        except TokenRefused as error:
            raise Unauthorized from error

    def token_user(self, token: str, audiences: Sequence[str] = API_AUDIENCES) -> TokenUser:
        """Return whose a bearer token is, and for which audiences. Raises TokenRefused."""
        try:
            found = self._known(token, audiences)
        except InvalidToken as error:
            why = f"[{INVALID}, {error}]" if str(error) else INVALID
            raise TokenRefused(why) from error
        if found is None or not found.audiences:
            raise TokenRefused(INVALID)
        return TokenUser(with_group(found.user), found.audiences)

    def _known(self, token: str, audiences: Sequence[str]) -> TokenUser | None:
        if token.count(".") == 2:
            return TokenUser(*self._tokens.verify(token, audiences))
        user = self._instance_tokens.get(hashlib.sha256(token.encode()).digest())
        if user is None:
            user = bootstrap_user(self._objects, token, self._tokens.clock)
        if user is None:
            return None
        # Such tokens name no audience; they are for this API alone.
        return TokenUser(user, tuple(each for each in audiences if each in API_AUDIENCES))


def bearer_token(headers: Mapping[str, str]) -> str:
    """Return the token of a request, from the Authorization header or a websocket protocol."""
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    for protocol in headers.get("sec-websocket-protocol", "").split(","):
        offered = protocol.strip()
        if offered.startswith(WEBSOCKET_TOKEN):
            return _decoded(offered.removeprefix(WEBSOCKET_TOKEN))
    return ""


def _decoded(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""


def with_group(user: User) -> User:
    """Put a known user into the group of all known users."""
    if user.name == ANONYMOUS or {AUTHENTICATED, UNAUTHENTICATED} & set(user.groups):
        return user
    return replace(user, groups=(*user.groups, AUTHENTICATED))
