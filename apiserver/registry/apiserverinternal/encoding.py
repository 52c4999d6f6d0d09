"""In which version this API server stores each kind: what it says in StorageVersions."""

from __future__ import annotations

from collections.abc import Iterable

from apimachinery.gvk import GroupVersion
from apimachinery.meta import Obj
from apimachinery.storageversions import SERVER
from apiserver.registry.catalog import served_versions
from apiserver.registry.resource import Resource


def server_storage_versions(resources: Iterable[Resource]) -> dict[str, Obj]:
    """Return a ServerStorageVersion for each StorageVersion, by its name.

    As in kube-apiserver there is none of custom kinds, nor of what is not stored.
    """
    return {
        f"{one.kind.group or 'core'}.{one.plural}": _server_storage_version(one)
        for one in resources
        if not one.custom and {"create", "get"} <= {*one.verbs}
    }


def _server_storage_version(resource: Resource) -> Obj:
    """Return how this server stores a kind. It can decode what it serves, in all groups."""
    group = resource.kind.group
    encodes = GroupVersion(group, resource.storage_version or resource.kind.version)
    serves = [one.kind.group_version for one in served_versions(resource)]
    return {
        "apiServerID": SERVER,
        "encodingVersion": str(encodes),
        "decodableVersions": [*dict.fromkeys(map(str, (encodes, *serves)))],
        "servedVersions": sorted(str(one) for one in serves if one.group == group),
    }
