"""Where etcd would keep an object: some messages of Kubernetes name its key."""

from __future__ import annotations

from typing import Any

from apimachinery.meta import Obj
from apiserver.registry.resource import Resource

# Resources from before there was a rule for keys, and those of aggregated API servers.
_PREFIXES = {
    "nodes": "minions",
    "replicationcontrollers": "controllers",
    "services": "services/specs",
    "endpoints": "services/endpoints",
    "ingresses.networking.k8s.io": "ingress",
    "apiservices.apiregistration.k8s.io": "apiregistration.k8s.io/apiservices",
    "customresourcedefinitions.apiextensions.k8s.io": (
        "apiextensions.k8s.io/customresourcedefinitions"
    ),
}


def etcd_key(resource: Resource, metadata: Obj) -> str:
    """Return an object's key in etcd."""
    usual = f"{resource.kind.group}/{resource.plural}" if resource.custom else resource.plural
    parts = [_PREFIXES.get(resource.key, usual), metadata.get("namespace"), metadata["name"]]
    return "/registry/" + "/".join(part for part in parts if part)


def uid_mismatch(resource: Resource, wanted: Any, metadata: Obj) -> str:
    """Say that the stored object is not the one that a write is about."""
    return (
        f"StorageError: invalid object, Code: 4, Key: {etcd_key(resource, metadata)}, "
        "ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: "
        f"UID in precondition: {wanted}, UID in object meta: {metadata.get('uid')}"
    )
