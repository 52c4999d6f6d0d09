"""Authentication: one of several ways to tell who asks, tried in Kubernetes' order.

Client certificate, then bearer token: one of the instance or of the operator's file, of an issuer
outside, of a service account, or of a bootstrap secret. The first credential that is good counts;
where all that are there are bad the request is refused, and without any it is anonymous.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from apimachinery.clock import Clock
from apimachinery.errors import Unauthorized
from apiserver.auth.bootstrap_tokens import bootstrap_user
from apiserver.auth.oidc.verifier import IssuerVerifier
from apiserver.auth.options import AuthOptions
from apiserver.auth.pki import BadCertificate, ClientVerifier
from apiserver.auth.remarks import Remarks
from apiserver.auth.source import Objects
from apiserver.auth.static_tokens import digest
from apiserver.auth.tokens import InvalidToken, ServiceAccountTokens
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
    key = digest(token)
    uid = key[:16].hex()
    return {key: User("admin", (MASTERS,), uid=f"{uid[:8]}-{uid[8:12]}-{uid[12:16]}-{uid[16:]}")}


class Authenticator:
    """The credentials that one cluster knows.

    Nearly everything is answered at once. A token of an issuer outside, whose keys may have to be
    fetched, is an answer to wait for.
    """

    def __init__(
        self,
        certificates: ClientVerifier,
        tokens: ServiceAccountTokens,
        objects: Objects,
        instance_tokens: Mapping[bytes, User],
        options: AuthOptions,
        wall: Clock,
    ) -> None:
        self._certificates = certificates
        self._wall = wall
        self._tokens = tokens
        self._objects = objects
        known = {**options.static_tokens, **instance_tokens}
        self._static = {key: with_group(user) for key, user in known.items()}
        self._options = options
        self._audiences = options.audiences

    def authenticate(
        self,
        headers: Mapping[str, str],
        certificates: Sequence[bytes] = (),
        path: str = "",
        remarks: Remarks | None = None,
    ) -> User | Awaitable[User]:
        """Return who asks. Raises Unauthorized.

        `headers` have lower-case names; `certificates` are the client's as DER, its own first.
        """
        refused: BadCertificate | None = None
        if certificates:
            try:
                user = self._certificates.user(certificates)
            except BadCertificate as error:
                refused, user = error, None
            if user is not None:
                return with_group(user)
        token = bearer_token(headers)
        if token:
            try:
                found = self.token_user(token, (), remarks)
            except TokenRefused as error:
                raise Unauthorized from error
            return found.user if isinstance(found, TokenUser) else _user_of(found)
        if refused is not None or not self._may_be_anonymous(path):
            raise Unauthorized from refused
        return anonymous()

    def _may_be_anonymous(self, path: str) -> bool:
        paths = self._options.anonymous_paths
        return self._options.anonymous and (not paths or path in paths)

    def token_user(
        self, token: str, audiences: Sequence[str] = (), remarks: Remarks | None = None
    ) -> TokenUser | Awaitable[TokenUser]:
        """Return whose a bearer token is, and for which audiences (none: the API's own).

        Raises TokenRefused.
        """
        wanted = audiences or self._audiences
        for issuer in self._options.issuers:
            if issuer.concerns(token):
                return self._outside(issuer, token, wanted)
        try:
            found = self._known(token, wanted, remarks or Remarks())
        except InvalidToken as error:
            raise _refusal(error) from error
        if found is None or not found.audiences:
            raise TokenRefused(INVALID)
        return TokenUser(with_group(found.user), found.audiences)

    def _outside(
        self, issuer: IssuerVerifier, token: str, audiences: Sequence[str]
    ) -> TokenUser | Awaitable[TokenUser]:
        found = issuer.user(token, self._wall.seconds())
        if isinstance(found, User):
            return self._for_api(found, audiences)
        return self._outside_later(found, audiences)

    async def _outside_later(
        self, verifying: Awaitable[User], audiences: Sequence[str]
    ) -> TokenUser:
        try:
            user = await verifying
        except InvalidToken as error:
            raise _refusal(error) from error
        return self._for_api(user, audiences)

    def _known(self, token: str, audiences: Sequence[str], remarks: Remarks) -> TokenUser | None:
        user = self._static.get(digest(token))
        if user is None and token.count(".") == 2:
            return TokenUser(*self._tokens.verify(token, audiences, remarks))
        if user is None:
            user = bootstrap_user(self._objects, token, self._tokens.clock)
        return None if user is None else self._for_api(user, audiences)

    def _for_api(self, user: User, audiences: Sequence[str]) -> TokenUser:
        """Such tokens name no audience of ours; they are for this API alone."""
        common = self._audiences
        if audiences is not common:
            common = tuple(each for each in audiences if each in self._audiences)
        if not common:
            raise TokenRefused(INVALID)
        return TokenUser(with_group(user), common)


async def _user_of(found: Awaitable[TokenUser]) -> User:
    try:
        return (await found).user
    except TokenRefused as error:
        raise Unauthorized from error


def _refusal(error: InvalidToken) -> TokenRefused:
    return TokenRefused(f"[{INVALID}, {error}]" if str(error) else INVALID)


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
    groups = user.groups
    if AUTHENTICATED in groups or UNAUTHENTICATED in groups or user.name == ANONYMOUS:
        return user
    return replace(user, groups=(*groups, AUTHENTICATED))
