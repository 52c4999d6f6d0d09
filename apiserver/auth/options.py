"""What an operator may choose about who is known to a cluster, and who may do what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from apiserver.auth.abac import Policy
from apiserver.auth.oidc.verifier import IssuerVerifier
from apiserver.auth.tokens import ISSUER
from apiserver.auth.user import User


@dataclass(frozen=True, slots=True)
class AuthOptions:
    """Choices of authentication and authorization; the defaults are those of a usual cluster."""

    anonymous: bool = True
    # The paths that requests without credentials may ask for; none means all.
    anonymous_paths: Sequence[str] = ()
    # By digest, see `static_tokens`.
    static_tokens: Mapping[bytes, User] = field(default_factory=dict)
    # Issuers outside, shared by all clusters.
    issuers: Sequence[IssuerVerifier] = ()
    # The first one signs; tokens of all are good.
    service_account_issuers: Sequence[str] = (ISSUER,)
    # Whom tokens for the API are for; none means the issuers.
    api_audiences: Sequence[str] = ()
    jwks_uri: str = ""
    # Tokens of pods live for a year, for clients that never read the file again.
    extend_tokens: bool = True
    # Seconds that a token may live at most; 0 is no limit.
    longest_token: float = 0.0
    # The authorizers, in the order in which they are asked.
    modes: Sequence[str] = ("Node", "RBAC")
    policies: Sequence[Policy] = ()

    @property
    def audiences(self) -> tuple[str, ...]:
        """For whom a token has to be that speaks to the API."""
        return tuple(self.api_audiences or self.service_account_issuers)


DEFAULTS = AuthOptions()
