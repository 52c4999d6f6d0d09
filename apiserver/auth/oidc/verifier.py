"""Tokens of one outside issuer: verified, and mapped to a user."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import jwt

from apiserver.auth.attributes import quote
from apiserver.auth.oidc.claims import ClaimMapper, read_claims
from apiserver.auth.oidc.issuer import Issuer
from apiserver.auth.oidc.keys import IssuerKeys, KeysUnavailable
from apiserver.auth.tokens import MAX_VERIFIED, InvalidToken
from apiserver.auth.user import User

# How far a token's beginning may lie ahead, since clocks differ.
LEEWAY = 300
_GOOGLE = "accounts.google.com"


class _Verified(NamedTuple):
    user: User
    expires: float


class IssuerVerifier:
    """What one issuer's tokens mean; shared by all clusters, so that keys are fetched once."""

    def __init__(self, issuer: Issuer, keys: IssuerKeys | None = None) -> None:
        self.issuer = issuer
        self._keys = keys or IssuerKeys(issuer)
        self._mapper = ClaimMapper(issuer)
        self._verified: dict[str, _Verified] = {}

    def concerns(self, token: str) -> bool:
        """Tell whether a token says that it is of this issuer."""
        return untrusted_issuer(token) == self.issuer.url

    def user(self, token: str, now: float) -> User | Awaitable[User]:
        """Return whose the token is, at once if it is known. Raises InvalidToken."""
        found = self._verified.get(token)
        if found is not None and now <= found.expires:
            return found.user
        return self._verify(token, now)

    async def _verify(self, token: str, now: float) -> User:
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError as error:
            raise _unverified(f"oidc: malformed jwt: {error}") from error
        claims = read_claims(_payload(token))
        self._check_claims(claims, now)
        await self._check_signature(token, header)
        user = self._mapper.user(claims)
        if len(self._verified) >= MAX_VERIFIED:
            self._verified.clear()
        self._verified[token] = _Verified(user, float(claims["exp"]))
        return user

    def _check_claims(self, claims: dict[str, Any], now: float) -> None:
        audiences = claims.get("aud")
        listed = [audiences] if isinstance(audiences, str) else audiences or []
        wanted = sorted(self.issuer.audiences)
        expires, begins = claims.get("exp"), claims.get("nbf")
        if not isinstance(expires, int | float):
            raise _unverified("oidc: failed to unmarshal claims: the token has no expiry")
        if now > expires:
            raise _unverified(f"oidc: token is expired (Token Expiry: {_go_time(expires)})")
        if isinstance(begins, int | float) and now + LEEWAY < begins:
            raise _unverified(
                f"oidc: current time {_go_time(now)} before the nbf (not before) time: "
                f"{_go_time(begins)}"
            )
        if not set(wanted) & {each for each in listed if isinstance(each, str)}:
            raise _unverified(f"oidc: expected audience in {_go(wanted)} got {_go(listed)}")

    async def _check_signature(self, token: str, header: dict[str, Any]) -> None:
        algorithm = str(header.get("alg") or "")
        if algorithm not in self.issuer.algorithms:
            raise _unverified(
                "oidc: id token signed with unsupported algorithm, expected "
                f"{_go(self.issuer.algorithms)} got {quote(algorithm)}"
            )
        try:
            key = await self._keys.find(str(header.get("kid") or ""))
        except KeysUnavailable as error:
            raise InvalidToken(str(error)) from error
        try:
            if key is None:
                raise jwt.InvalidSignatureError
            # Some keys cost a tenth of a millisecond: nobody else waits for that.
            await asyncio.to_thread(jwt.decode, token, key.key, [algorithm], options=_SIGNATURE)
        except (jwt.PyJWTError, TypeError, ValueError) as error:
            why = "failed to verify signature: failed to verify id token signature"
            raise _unverified(why) from error


# Claims are checked by us, in the words of the library that Kubernetes uses.
_SIGNATURE: Any = {
    f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")
}


def untrusted_issuer(token: str) -> str:
    """Return the issuer that a token names, before anything of it is verified; "" for none."""
    if token.count(".") != 2:
        return ""
    try:
        named = read_claims(_payload(token)).get("iss")
    except InvalidToken:
        return ""
    if named == _GOOGLE:
        return f"https://{_GOOGLE}"
    return named if isinstance(named, str) else ""


def _payload(token: str) -> bytes:
    part = token.split(".")[1]
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError) as error:
        raise _unverified(f"oidc: malformed jwt: {error}") from error


def _unverified(why: str) -> InvalidToken:
    return InvalidToken(f"oidc: verify token: {why}")


def _go(values: Any) -> str:
    return "[" + " ".join(quote(str(each)) for each in values) + "]"


def _go_time(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")
    except (OverflowError, ValueError, OSError):
        return str(seconds)  # a token may say any number
