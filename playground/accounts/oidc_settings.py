"""Sign-in by an OpenID provider: what the operator's environment says of it.

KUBEGROUND_OIDC_ISSUER              its address; without it there is no such sign-in
KUBEGROUND_OIDC_CLIENT_ID           as whom the site is registered there
KUBEGROUND_OIDC_CLIENT_SECRET_FILE  a file with the client's secret; none for a public client
KUBEGROUND_OIDC_NAME                what the button calls it ("single sign-on")
KUBEGROUND_OIDC_CA_FILE             who signed its certificate, where no public CA has
KUBEGROUND_OIDC_USERNAME_CLAIM      what one is called here ("preferred_username")
KUBEGROUND_OIDC_ROLE_CLAIM          where roles or groups stand, as "groups" or "realm_access.roles"
KUBEGROUND_OIDC_OPERATORS           values of it that make operators, separated by commas
KUBEGROUND_OIDC_INSTRUCTORS         values of it that make instructors

The provider is told to lead back to SITE/oidc/sso/login/callback/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

PREFIX = "KUBEGROUND_OIDC_"
# In the addresses: there is one provider.
PROVIDER = "sso"


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """An OpenID provider, and what its claims mean here."""

    issuer: str
    client_id: str
    secret: str = ""
    name: str = "single sign-on"
    ca_file: str = ""
    username_claim: str = "preferred_username"
    role_claim: str = ""
    operators: tuple[str, ...] = ()
    instructors: tuple[str, ...] = ()

    def app(self) -> dict[str, Any]:
        """Return what the library wants to know of it."""
        return {
            "provider_id": PROVIDER,
            "name": self.name,
            "client_id": self.client_id,
            "secret": self.secret,
            "settings": {
                "server_url": self.issuer,
                "fetch_userinfo": False,
                "oauth_pkce_enabled": True,
            },
        }


def configured() -> OidcSettings:
    """Return the settings of an instance that has a provider."""
    found: OidcSettings | None = settings.OIDC
    assert found is not None  # noqa: S101 - the library is loaded only where it is so
    return found


def read_oidc(environment: Mapping[str, str]) -> OidcSettings | None:
    """Return what the environment says; None for nothing. Raises ValueError for half of it."""

    def given(name: str, default: str = "") -> str:
        return environment.get(PREFIX + name, "").strip() or default

    if not given("ISSUER"):
        return None
    if not given("CLIENT_ID"):
        raise ValueError(f"{PREFIX}ISSUER and {PREFIX}CLIENT_ID are set together")
    if not given("ISSUER").startswith("https://"):
        raise ValueError(f"{PREFIX}ISSUER must begin with https://")
    if (given("OPERATORS") or given("INSTRUCTORS")) and not given("ROLE_CLAIM"):
        raise ValueError(f"{PREFIX}OPERATORS and {PREFIX}INSTRUCTORS need {PREFIX}ROLE_CLAIM")
    if (ca := given("CA_FILE")) and not Path(ca).is_file():
        raise ValueError(f"{PREFIX}CA_FILE: there is no file {ca}")
    return OidcSettings(
        given("ISSUER").rstrip("/"),
        given("CLIENT_ID"),
        _secret(given("CLIENT_SECRET_FILE")),
        given("NAME", "single sign-on"),
        ca,
        given("USERNAME_CLAIM", "preferred_username"),
        given("ROLE_CLAIM"),
        _names(given("OPERATORS")),
        _names(given("INSTRUCTORS")),
    )


def _secret(file: str) -> str:
    if not file:
        return ""
    try:
        return Path(file).read_text().strip()
    except OSError as error:
        raise ValueError(f"{PREFIX}CLIENT_SECRET_FILE: {error}") from error


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
