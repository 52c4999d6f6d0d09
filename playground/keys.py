"""A cluster's keys in the hands of its controllers: they may sign with them, not have them."""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.clock import Clock
from apimachinery.meta import Obj
from apiserver.auth.pki import CertificateAuthority
from apiserver.auth.signing import sign_request
from apiserver.auth.tokens import ServiceAccountTokens


class ClusterKeys:
    """Keeps nodes.controllers.common.base.Authority."""

    def __init__(
        self, ca: CertificateAuthority, tokens: ServiceAccountTokens, clock: Clock
    ) -> None:
        self._ca, self._tokens, self._clock = ca, tokens, clock

    def sign_request(self, pem: bytes, usages: Sequence[str], seconds: float | None) -> str:
        return sign_request(self._ca, pem, usages, seconds, self._clock)

    def account_token(self, account: Obj, secret: str) -> str:
        return self._tokens.issue_legacy(account, secret)
