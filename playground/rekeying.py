"""A cluster that was copied gets keys of its own: what the old ones had signed or named goes.

Nobody's old certificate or token opens the copy, and none of the copy's opens the original.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apimachinery.clock import Clock
from apimachinery.meta import Obj
from apiserver.auth.cluster import Credentials
from apiserver.auth.pki import front_proxy_authority
from apiserver.storage import ClusterStore, Entry, Key, StorageError, Write

_ACTOR = "system:apiserver"
_PUBLISHED = Key("configmaps", "kube-system", "extension-apiserver-authentication")
_TOKENS = "kubernetes.io/service-account-token"


async def rekey(store: ClusterStore, credentials: Credentials, clock: Clock) -> None:
    """Write what has to change before the copy begins to work. Raises StorageError."""
    store.clock = clock
    for result in await store.commit_many(list(_writes(store, credentials, clock))):
        if isinstance(result, StorageError):
            raise result


def _writes(store: ClusterStore, credentials: Credentials, clock: Clock) -> Iterator[Write]:
    published = store.get(_PUBLISHED)
    if published is not None:
        front = front_proxy_authority(credentials.ca_key, clock).certificate
        yield _with_data(
            published,
            {
                "client-ca-file": credentials.ca_certificate,
                "requestheader-client-ca-file": front,
            },
        )
    for entry in store.list("secrets"):
        if entry.obj().get("type") == _TOKENS:
            # Without its token the controller signs another, with the new key.
            yield _with_data(entry, {"token": None})


def _with_data(entry: Entry, changes: dict[str, Any]) -> Write:
    obj: Obj = entry.obj()
    merged = {**(obj.get("data") or {}), **changes}
    obj["data"] = {name: value for name, value in merged.items() if value is not None}
    return Write(
        key=entry.key,
        type="MODIFIED",
        obj=obj,
        uid=entry.uid,
        labels=dict(entry.labels),
        fields=dict(entry.fields),
        expected=entry.revision,
        actor=_ACTOR,
    )
