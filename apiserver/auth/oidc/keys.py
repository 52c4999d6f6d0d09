"""An issuer's keys: found by discovery, fetched once, and again when a token names another.

Fetching waits without blocking anybody; requests that come meanwhile wait for the same answer. A
key that is not known is looked for once a second at most, whatever tokens ask for.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from time import monotonic
from typing import Any

import httpx
import jwt

from apiserver.auth.oidc.issuer import Issuer

log = logging.getLogger(__name__)

DISCOVERY = "/.well-known/openid-configuration"
TIMEOUT = 10.0
LARGEST = 1024 * 1024
# Seconds between two fetches; discovery that failed is tried again after as long.
PAUSE = 1.0

Now = Callable[[], float]


class KeysUnavailable(Exception):
    """The issuer cannot be asked, or its answer is not good."""


class IssuerKeys:
    """The public keys of one issuer."""

    def __init__(self, issuer: Issuer, now: Now = monotonic) -> None:
        self._issuer, self._now = issuer, now
        self._client: httpx.AsyncClient | None = None
        self._keys: dict[str, jwt.PyJWK] = {}
        self._jwks_uri = ""
        self._fetched = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    def known(self, key_id: str) -> jwt.PyJWK | None:
        """Return a key that is here; a token without an id may be of the only one."""
        if not key_id and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(key_id)

    async def find(self, key_id: str) -> jwt.PyJWK | None:
        """Return a key, fetched if need be; None where the issuer has none of that id.

        Raises KeysUnavailable.
        """
        found = self.known(key_id)
        if found is not None:
            return found
        if self._fetching is None and self._now() - self._fetched >= PAUSE:
            self._fetching = asyncio.ensure_future(self._fetch())
            self._fetching.add_done_callback(self._done)
        if self._fetching is not None:
            # One who stops waiting must not stop the others.
            await asyncio.shield(self._fetching)
        if not self._jwks_uri:
            raise KeysUnavailable("oidc: authenticator not initialized")
        return self.known(key_id)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._fetching = None
        self._fetched = self._now()
        if not task.cancelled() and task.exception() is not None:
            log.warning("cannot fetch the keys of %s: %s", self._issuer.url, task.exception())

    async def _fetch(self) -> None:
        if not self._jwks_uri:
            self._jwks_uri = await self._discover()
        listed = (await self._get(self._jwks_uri)).get("keys")
        keys: dict[str, jwt.PyJWK] = {}
        for each in listed if isinstance(listed, list) else ():
            try:
                key = jwt.PyJWK(each)
            except (jwt.PyJWTError, TypeError, AttributeError) as error:
                log.info("a key of %s cannot be used: %s", self._issuer.url, error)
                continue
            keys[key.key_id or ""] = key
        self._keys = keys

    async def _discover(self) -> str:
        issuer = self._issuer
        document = await self._get(issuer.discovery_url or issuer.url.rstrip("/") + DISCOVERY)
        named = document.get("issuer")
        if named != issuer.url:
            raise KeysUnavailable(
                "oidc: issuer did not match the issuer returned by provider, expected "
                f'"{issuer.url}" got "{named}"'
            )
        uri = document.get("jwks_uri")
        if not isinstance(uri, str) or not uri.startswith("https://"):
            raise KeysUnavailable(f"oidc: the provider's jwks_uri is no https URL: {uri}")
        return uri

    async def _get(self, url: str) -> dict[str, Any]:
        if self._client is None:
            self._client = httpx.AsyncClient(verify=_trust(self._issuer.ca), timeout=TIMEOUT)
        try:
            async with self._client.stream("GET", url) as response:
                body = b""
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > LARGEST:
                        raise KeysUnavailable(f"{url} is larger than {LARGEST} bytes")
                response.raise_for_status()
                document = httpx.Response(200, content=body).json()
        except (httpx.HTTPError, ValueError) as error:
            raise KeysUnavailable(f"{url}: {error}") from error
        if not isinstance(document, dict):
            raise KeysUnavailable(f"{url} is no JSON object")
        return document


def _trust(ca: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=ca or None)
