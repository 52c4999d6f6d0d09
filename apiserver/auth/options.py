"""What an operator may choose about who is known to a cluster, and who may do what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AuthOptions:
    """Choices of authentication and authorization; the defaults are kube-apiserver's."""

    anonymous: bool = True


DEFAULTS = AuthOptions()
