"""An issuer of tokens, and how its claims become a user, as JWTAuthenticator has it.

Both ways of saying it (the --oidc flags, and a file with an AuthenticationConfiguration) end here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# What go-oidc can verify; flags may narrow it down.
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"),
    "EdDSA",
)


@dataclass(frozen=True, slots=True)
class Attribute:
    """Where one attribute of the user comes from: a claim with a prefix, or an expression."""

    claim: str = ""
    prefix: str = ""
    expression: str = ""

    def __bool__(self) -> bool:
        return bool(self.claim or self.expression)


@dataclass(frozen=True, slots=True)
class Rule:
    """A claim that must have a value, or an expression that must be true."""

    claim: str = ""
    required: str = ""
    expression: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Issuer:
    """One issuer. `ca` is PEM, "" for the machine's own trust."""

    url: str
    audiences: Sequence[str]
    username: Attribute
    groups: Attribute = Attribute()
    uid: Attribute = Attribute()
    extra: Mapping[str, str] = field(default_factory=dict)  # key -> expression
    claim_rules: Sequence[Rule] = ()
    user_rules: Sequence[Rule] = ()
    discovery_url: str = ""
    ca: str = ""
    algorithms: Sequence[str] = ALGORITHMS
