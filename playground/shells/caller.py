"""In whose name a request of a shell goes on to the API, and what of its headers may.

The socket by which a request came says whose it is. A request that brings a credential of its own,
as `kubectl --token` does, goes on with that alone; one that asks to be somebody else, as
`kubectl --as` does, goes on if its user may impersonate them: the API is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import orjson

Headers = list[tuple[bytes, bytes]]

_IMPERSONATE = b"impersonate-"
_EXTRA = b"impersonate-extra-"
# What only a proxy in front of the API may say, and what belongs to one connection.
_DROPPED = (
    *(b"host", b"connection", b"keep-alive", b"te", b"trailer"),
    *(b"proxy-authorization", b"proxy-connection"),
)
_DROPPED_PREFIXES = (b"x-remote-", b"x-forwarded-", b"x-kubeground-")
_MASTERS = "system:masters"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose a shell is, towards the API of its cluster."""

    cluster: str
    user: str
    groups: tuple[str, ...]
    # What a client shows to be this caller; a client that shows something else is somebody else.
    token: str
    # By this the traces of its requests are told from those of others.
    terminal: str = ""

    def is_own(self, headers: Headers) -> bool:
        """Tell whether a request is this caller's, and not made with a credential of its own."""
        given = next((value for name, value in headers if name == b"authorization"), None)
        return given is not None and given == b"Bearer " + self.token.encode()

    @property
    def all_powerful(self) -> bool:
        return _MASTERS in self.groups


def target(cluster: str, path: bytes) -> bytes | None:
    """Return the address of a path of a cluster, None for one that may lead out of it."""
    plain, _, query = path.partition(b"?")
    if not plain.startswith(b"/"):
        return None
    # However often it is decoded on its way, no segment may climb.
    decoded = plain.decode("latin-1")
    for _ in range(3):
        decoded = unquote(decoded)
    if any(segment in ("..", ".") for segment in decoded.replace("\\", "/").split("/")):
        return None
    asked = b"?" + query if query else b""
    return b"/clusters/" + cluster.encode() + plain + asked


def forwarded(headers: Headers) -> Headers:
    """Return what of a client's headers goes on as it is."""
    kept = [
        (name, value)
        for name, value in headers
        if name not in _DROPPED and not name.startswith(_DROPPED_PREFIXES)
    ]
    # Of what is for one connection alone only an upgrade is for the API too.
    if any(name == b"connection" and b"upgrade" in value.lower() for name, value in headers):
        kept.append((b"Connection", b"Upgrade"))
    return kept


def impersonated(headers: Headers) -> bool:
    """Tell whether a request asks to be somebody else's."""
    return any(name.startswith(_IMPERSONATE) for name, _ in headers)


def authorized(caller: Caller, headers: Headers, admin_token: str) -> Headers:
    """Return the headers with which a caller's own request goes on."""
    kept = [pair for pair in headers if pair[0] != b"authorization"]
    kept.append((b"Authorization", f"Bearer {admin_token}".encode()))
    if not impersonated(headers):
        kept.append((b"Impersonate-User", caller.user.encode()))
        kept.extend((b"Impersonate-Group", group.encode()) for group in caller.groups)
    return kept


def reviews(caller: Caller, headers: Headers) -> Iterator[dict[str, Any]]:
    """Yield a SubjectAccessReview for each thing that a request wants to be."""
    for name, value in headers:
        if not name.startswith(_IMPERSONATE):
            continue
        yield {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": caller.user,
                "groups": list(caller.groups),
                "resourceAttributes": {"verb": "impersonate", **_wanted(name, value.decode())},
            },
        }


def _wanted(name: bytes, value: str) -> dict[str, str]:
    if name == b"impersonate-user":
        parts = value.split(":")
        if len(parts) == 4 and parts[:2] == ["system", "serviceaccount"]:
            return {"resource": "serviceaccounts", "namespace": parts[2], "name": parts[3]}
        return {"resource": "users", "name": value}
    if name == b"impersonate-group":
        return {"resource": "groups", "name": value}
    group = "authentication.k8s.io"
    if name == b"impersonate-uid":
        return {"group": group, "resource": "uids", "name": value}
    key = unquote(name.removeprefix(_EXTRA).decode())
    return {"group": group, "resource": "userextras", "subresource": key, "name": value}


def refusal(caller: Caller, attributes: dict[str, str]) -> bytes:
    """Return the Status that the API has for an impersonation that is not allowed."""
    resource, group = attributes["resource"], attributes.get("group", "")
    if subresource := attributes.get("subresource"):
        resource = f"{resource}/{subresource}"
    namespace = attributes.get("namespace")
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    full = f"{resource}.{group}" if group else resource
    message = (
        f'{full} "{attributes["name"]}" is forbidden: User "{caller.user}" cannot impersonate '
        f'resource "{resource}" in API group "{group}" {where}'
    )
    details = {"name": attributes["name"], "group": group, "kind": resource}
    return status(403, "Forbidden", message, details)


def status(code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> bytes:
    """Return a Status of failure."""
    found: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }
    if details:
        found["details"] = details
    return orjson.dumps(found)


def lowered(headers: Sequence[tuple[bytes, bytes]]) -> Headers:
    """Return headers with names in small letters."""
    return [(bytes(name).lower(), bytes(value)) for name, value in headers]
