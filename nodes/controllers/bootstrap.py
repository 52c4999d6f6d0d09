"""Bootstrap tokens: gone when they have expired, and signing what a new node may trust."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime

from apimachinery.clock import parse_time
from apimachinery.errors import NotFound
from apimachinery.meta import Obj, is_deleting, name_of, namespace_of, uid_of
from nodes.client.controller import DONE, Mapped, Result
from nodes.client.lister import Key
from nodes.client.resources import CONFIGMAPS, SECRETS
from nodes.controllers.common.base import ManagedController

TYPE = "bootstrap.kubernetes.io/token"
_SYSTEM, _PUBLIC, _INFO = "kube-system", "kube-public", "cluster-info"
_SIGNATURE = "jws-kubeconfig-"


def is_token(secret: Obj) -> bool:
    return secret.get("type") == TYPE and namespace_of(secret) == _SYSTEM


def _text(secret: Obj, field: str) -> str:
    try:
        return base64.b64decode((secret.get("data") or {}).get(field) or "").decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _expires(secret: Obj) -> datetime | None:
    try:
        return parse_time(_text(secret, "expiration"))
    except ValueError:
        return None


class TokenCleaner(ManagedController):
    """Keys are secrets."""

    name = "token-cleaner-controller"
    service_account = "token-cleaner"
    component = "token-cleaner"
    reconciles = SECRETS

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None and is_token(new):
            super().on_object(old, new)

    async def reconcile(self, key: Key) -> Result:
        secret = self.informer(SECRETS).get(*key)
        expires = _expires(secret) if secret is not None and is_token(secret) else None
        if secret is None or expires is None:
            return DONE
        left = expires.timestamp() - self.clock.seconds()
        if left > 0:
            return Result(requeue_after=left)
        try:
            await self.client.delete(SECRETS, *key, uid=uid_of(secret))
        except NotFound:
            return DONE
        return DONE


def _cluster_info(controller: BootstrapSigner, obj: Obj) -> list[Key]:
    del controller
    return [Key(_PUBLIC, _INFO)] if is_token(obj) else []


class BootstrapSigner(ManagedController):
    """The one key is the ConfigMap cluster-info in kube-public, if there is one."""

    name = "bootstrap-signer-controller"
    service_account = "bootstrap-signer"
    component = "bootstrap-signer"
    reconciles = CONFIGMAPS
    watches = (Mapped(SECRETS, _cluster_info),)

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None and (namespace_of(new), name_of(new)) == (_PUBLIC, _INFO):
            super().on_object(old, new)

    async def reconcile(self, key: Key) -> Result:
        info = self.informer(CONFIGMAPS).get(*key)
        if info is None or is_deleting(info):
            return DONE
        data = info.get("data") or {}
        content = data.get("kubeconfig")
        if content is None:
            return DONE
        kept = {k: v for k, v in data.items() if not k.startswith(_SIGNATURE)}
        wanted = kept | self._signatures(content)
        if wanted != data:
            await self.client.update({**info, "data": wanted}, resource=CONFIGMAPS)
        return DONE

    def _signatures(self, content: str) -> dict[str, str]:
        found = {}
        for secret in self.informer(SECRETS).list(_SYSTEM):
            token, key = _text(secret, "token-id"), _text(secret, "token-secret")
            if is_token(secret) and token and key and self._may_sign(secret):
                found[_SIGNATURE + token] = detached_signature(content, token, key)
        return found

    def _may_sign(self, secret: Obj) -> bool:
        expires = _expires(secret)
        over = expires is not None and expires.timestamp() <= self.clock.seconds()
        return _text(secret, "usage-bootstrap-signing") == "true" and not over


def detached_signature(content: str, token_id: str, secret: str) -> str:
    """Return a JSON web signature by a token, without what it signs."""
    header = _base64url(f'{{"alg":"HS256","kid":"{token_id}"}}'.encode())
    signed = f"{header}.{_base64url(content.encode())}".encode()
    signature = hmac.new(f"{token_id}.{secret}".encode(), signed, hashlib.sha256).digest()
    return f"{header}..{_base64url(signature)}"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
