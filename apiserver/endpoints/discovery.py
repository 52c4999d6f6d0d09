"""Discovery: what a cluster serves, in the legacy lists and in the aggregated documents.

Every document is made from the catalog, once for each state of it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from apimachinery.gvk import GroupVersion, GroupVersionKind
from apimachinery.meta import Obj
from apiserver.endpoints.aggregation.remotes import Remotes
from apiserver.registry.catalog import Catalog, Served
from apiserver.registry.resource import Resource, Subresource

# Groups and their versions, in the order in which they are shown; core is "".
Groups = Mapping[str, Sequence[str]]
AGGREGATED = "apidiscovery.k8s.io"


def api_versions(address: str) -> Obj:
    """Return /api: the versions of the core group."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def group_list(groups: Groups) -> Obj:
    """Return /apis: all groups but core."""
    shown = [_group(name, versions) for name, versions in groups.items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": shown}


def group(groups: Groups, name: str) -> Obj | None:
    """Return /apis/GROUP, None where there is no such group."""
    versions = groups.get(name)
    if versions is None or not name:
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)}


def _group(name: str, versions: Sequence[str]) -> Obj:
    shown = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": shown, "preferredVersion": shown[0]}


def resource_list(catalog: Catalog, version: GroupVersion) -> Obj | None:
    """Return /api/v1 or /apis/GROUP/VERSION, None where it is not served."""
    served = catalog.in_version(version)
    if not served:
        return None
    rows: list[Obj] = []
    for one in served:
        rows.append(_row(one))
        parts = sorted(one.resource.subresources.items())
        rows += [_part_row(one, name, part) for name, part in parts]
    return {
        "kind": "APIResourceList",
        **({"apiVersion": "v1"} if version.group else {}),
        "groupVersion": version.api_version,
        "resources": rows,
    }


def _row(served: Served) -> Obj:
    resource = served.resource
    row: Obj = {
        "name": served.plural,
        "singularName": _singular(resource),
        "namespaced": resource.namespaced,
        "kind": served.kind.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short:
        row["shortNames"] = list(resource.short)
    if resource.categories:
        row["categories"] = list(resource.categories)
    if "watch" in resource.verbs:
        row["storageVersionHash"] = storage_hash(resource)
    return row


def _singular(resource: Resource) -> str:
    return resource.singular or resource.kind.kind.lower()


def _part_row(served: Served, name: str, part: Subresource) -> Obj:
    row: Obj = {
        "name": f"{served.plural}/{name}",
        "singularName": "",
        "namespaced": served.resource.namespaced,
    }
    kind = part.kind
    if kind is not None and kind.group_version != served.kind.group_version:
        row |= {"group": kind.group, "version": kind.version}
    return row | {"kind": _part_kind(served, part), "verbs": list(part.verbs)}


def _part_kind(served: Served, part: Subresource) -> str:
    return part.kind.kind if part.kind is not None else served.kind.kind


def storage_hash(resource: Resource) -> str:
    """Return what tells clients that a resource is stored in another version than before."""
    kind = resource.kind
    version = resource.storage_version or kind.version
    digest = hashlib.sha256(f"{kind.group}/{version}/{kind.kind}".encode()).digest()
    return base64.b64encode(digest[:8]).decode()


def aggregated(
    catalog: Catalog, groups: Groups, remotes: Remotes, *, core: bool, version: str
) -> Obj:
    """Return the APIGroupDiscoveryList of core, or of all other groups."""
    chosen = {"": groups[""]} if core and "" in groups else {}
    if not core:
        chosen = {name: versions for name, versions in groups.items() if name}
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"{AGGREGATED}/{version}",
        "metadata": {},
        "items": [_aggregated_group(catalog, remotes, *item) for item in chosen.items()],
    }


def _aggregated_group(
    catalog: Catalog, remotes: Remotes, name: str, versions: Sequence[str]
) -> Obj:
    shown = [_aggregated_version(catalog, remotes, GroupVersion(name, one)) for one in versions]
    return {"metadata": {"name": name} if name else {}, "versions": shown}


def _aggregated_version(catalog: Catalog, remotes: Remotes, version: GroupVersion) -> Obj:
    remote = remotes.get(version)
    if remote is not None:
        return remote.discovered
    return {
        "version": version.version,
        "resources": [_aggregated_row(served) for served in catalog.in_version(version)],
        "freshness": "Current",
    }


def _aggregated_row(served: Served) -> Obj:
    resource = served.resource
    row: Obj = {
        "resource": served.plural,
        "responseKind": _response_kind(served, None),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": _singular(resource),
        "verbs": list(resource.verbs),
    }
    if resource.short:
        row["shortNames"] = list(resource.short)
    if resource.categories:
        row["categories"] = list(resource.categories)
    parts: list[Any] = [
        {
            "subresource": name,
            "responseKind": _response_kind(served, part.kind),
            "verbs": list(part.verbs),
        }
        for name, part in sorted(resource.subresources.items())
    ]
    return row | ({"subresources": parts} if parts else {})


def _response_kind(served: Served, kind: GroupVersionKind | None) -> Obj:
    own = kind is None or kind.group_version == served.kind.group_version
    name = served.kind.kind if kind is None else kind.kind
    if served.resource.custom and own:
        return {"group": served.kind.group, "version": served.kind.version, "kind": name}
    group, version = ("", "") if kind is None or own else (kind.group, kind.version)
    return {"group": group, "version": version, "kind": name}
