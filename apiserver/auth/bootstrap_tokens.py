"""Bootstrap tokens: "abcdef.0123456789abcdef", kept as a secret in kube-system, for new nodes."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping

from apimachinery.clock import Clock, parse_time
from apimachinery.meta import Obj, is_deleting
from apiserver.auth.source import Objects
from apiserver.auth.user import User
from apiserver.storage.types import Key

SECRET_TYPE = "bootstrap.kubernetes.io/token"
GROUP = "system:bootstrappers"
_TOKEN = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")
_GROUP = re.compile(r"system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]")


def bootstrap_user(objects: Objects, token: str, clock: Clock) -> User | None:
    """Return the user of a bootstrap token, None if there is no such token or it is over."""
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        return None
    token_id, secret = parts.groups()
    entry = objects.get(Key("secrets", "kube-system", f"bootstrap-token-{token_id}"))
    if entry is None:
        return None
    obj = entry.obj()
    data = _data(obj)
    if obj.get("type") != SECRET_TYPE or is_deleting(obj) or data.get("token-id") != token_id:
        return None
    known = data.get("token-secret", "")
    if not known or not hmac.compare_digest(known.encode(), secret.encode()):
        return None
    if not _usable(data, clock):
        return None
    groups = _groups(data)
    return None if groups is None else User(f"system:bootstrap:{token_id}", groups)


def _usable(data: Mapping[str, str], clock: Clock) -> bool:
    if data.get("usage-bootstrap-authentication") != "true":
        return False
    expiration = data.get("expiration", "")
    if not expiration:
        return True
    try:
        return parse_time(expiration).timestamp() > clock.seconds()
    except ValueError:
        return False


def _groups(data: Mapping[str, str]) -> tuple[str, ...] | None:
    groups = {GROUP}
    for group in data.get("auth-extra-groups", "").split(","):
        if not group:
            continue
        if not _GROUP.fullmatch(group):
            return None
        groups.add(group)
    return tuple(sorted(groups))


def _data(secret: Obj) -> dict[str, str]:
    encoded = secret.get("data") or {}
    return {
        name: base64.b64decode(value).decode(errors="replace") for name, value in encoded.items()
    }
