"""The API server's word on its storage: a StorageVersion of each resource that is built in.

It is given before anything else is served, as by kube-apiserver's storage version manager, which
says nothing of custom resources either.
"""

from __future__ import annotations

import logging

from apimachinery.errors import ApiError
from apimachinery.gvk import GroupVersion
from apimachinery.meta import Obj
from apimachinery.storageversions import SERVER, with_servers
from apiserver.auth.user import User
from apiserver.endpoints.api import ClusterApi
from apiserver.endpoints.local import LocalTransport, OwnCall
from apiserver.registry.apiserverinternal.storageversions import STORAGEVERSIONS
from apiserver.registry.catalog import served_versions
from apiserver.registry.resource import Resource
from apiserver.storage import Key

logger = logging.getLogger(__name__)


async def tell_storage_versions(api: ClusterApi, user: User) -> None:
    """Write what has changed since the last start."""
    transport = LocalTransport(api, user, "kube-apiserver")
    stored = (one for one in api.catalog if not one.custom and {"create", "get"} <= {*one.verbs})
    for resource in sorted(stored, key=lambda one: (one.kind.group, one.plural)):
        name = f"{resource.kind.group or 'core'}.{resource.plural}"
        try:
            await _tell(api, transport, name, server_storage_version(resource))
        except ApiError as error:
            logger.warning("storage version %s: %s", name, error.message)


async def _tell(api: ClusterApi, transport: LocalTransport, name: str, server: Obj) -> None:
    entry = api.store.get(Key(STORAGEVERSIONS.key, "", name))
    if entry is not None:
        found = entry.obj()
    else:
        kind = STORAGEVERSIONS.kind
        new = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name}}
        found = await transport.call(_call("create", "", {**new, "spec": {}}))
    servers = (found.get("status") or {}).get("storageVersions") or []
    if server in servers:
        return
    if all(one["apiServerID"] != SERVER for one in servers):
        servers = [*servers, server]
    servers = [server if one["apiServerID"] == SERVER else one for one in servers]
    changed = with_servers(found, servers, api.clock.timestamp())
    await transport.call(_call("update", name, changed, "status"))


def server_storage_version(resource: Resource) -> Obj:
    """Return what this server says of a resource: a ServerStorageVersion.

    It can decode what it serves, in other groups as well.
    """
    group = resource.kind.group
    encodes = GroupVersion(group, resource.storage_version or resource.kind.version)
    serves = [one.kind.group_version for one in served_versions(resource)]
    return {
        "apiServerID": SERVER,
        "encodingVersion": str(encodes),
        "decodableVersions": [*dict.fromkeys(map(str, (encodes, *serves)))],
        "servedVersions": sorted(str(one) for one in serves if one.group == group),
    }


def _call(verb: str, name: str, body: Obj, subresource: str = "") -> OwnCall:
    return OwnCall(verb, STORAGEVERSIONS.kind, STORAGEVERSIONS.plural, name, body, subresource)
