"""API servers and the versions in which they store: identities, Leases, StorageVersions.

An API server says by a Lease in kube-system that it lives, and in the StorageVersion of each
resource in which version it stores objects of it. Rules and words are those of
apiserver/pkg/storageversion and of kube-apiserver's identity Lease (pkg/controlplane/apiserver).
"""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Sequence

from apimachinery.meta import Obj, labels_of

NAMESPACE = "kube-system"
# Where the control plane runs, as the names of its components' instances have it.
HOST = "control-plane"
IDENTITY = "apiserver.kubernetes.io/identity"
KUBE_APISERVER = "kube-apiserver"
ALL_EQUAL = "AllEncodingVersionsEqual"


def server_id(host: str) -> str:
    """Return the ID of the kube-apiserver on a host: the same after each start."""
    parts = (host.encode(), KUBE_APISERVER.encode())
    digest = hashlib.sha256(b"".join(len(one).to_bytes(2, "big") + one for one in parts)).digest()
    return f"apiserver-{b32encode(digest[:16]).decode().rstrip('=').lower()}"


SERVER = server_id(HOST)


def is_identity(lease: Obj) -> bool:
    """Tell whether a Lease says that a kube-apiserver lives."""
    return labels_of(lease).get(IDENTITY) == KUBE_APISERVER


def common_version(servers: Sequence[Obj]) -> str | None:
    """Return the version in which all of these servers store, None where there is no such."""
    versions = {one.get("encodingVersion") or "" for one in servers}
    return versions.pop() if len(versions) == 1 else None


def servers_of(storage_version: Obj) -> Sequence[Obj]:
    """Return what servers say in a StorageVersion: ServerStorageVersions."""
    return (storage_version.get("status") or {}).get("storageVersions") or []
