"""The order of groups and versions in discovery: the priorities that APIServices give them."""

from __future__ import annotations

from apimachinery.gvk import GroupVersion
from apimachinery.meta import Obj
from apiserver.endpoints.api import ClusterApi
from apiserver.registry.apiregistration.apiservices import APISERVICES
from apiserver.registry.catalog import GROUP_ORDER, version_priority

# What the groups of CustomResourceDefinitions are registered with, and theirs alone come late.
CUSTOM_GROUP, CUSTOM_VERSION = 1000, 100
# More than any APIService may have.
_HIGHEST = 100_000


def group_versions(api: ClusterApi) -> dict[str, list[str]]:
    """Return all groups with their versions, in order; core is "" and comes first."""
    groups = api.catalog.groups()
    served = {(group, version) for group, versions in groups.items() for version in versions}
    served |= {(one.version.group, one.version.version) for one in api.remotes}
    ranks = {(one[2], one[3]): one[:2] for one in map(_rank, api.objects.list(APISERVICES.key))}

    def rank(place: tuple[str, str]) -> tuple[bool, int, int, str]:
        group, version = place
        name = f"{version}.{group}"
        if place in ranks:
            return group != "", -ranks[place][0], 0, name
        # Built-in groups without any come first, as that of APIServices itself does.
        if group in GROUP_ORDER:
            return group != "", -_HIGHEST, GROUP_ORDER.index(group), name
        return group != "", -CUSTOM_GROUP, 0, name

    def version_rank(place: tuple[str, str]) -> tuple[int, tuple[int, int, int, str]]:
        return ranks.get(place, (0, CUSTOM_VERSION))[1], version_priority(place[1])

    order = dict.fromkeys(group for group, _ in sorted(served, key=rank))
    best = sorted(served, key=version_rank, reverse=True)
    return {group: [version for own, version in best if own == group] for group in order}


def _rank(apiservice: Obj) -> tuple[int, int, str, str]:
    spec = apiservice.get("spec") or {}
    version = GroupVersion(spec.get("group") or "", spec.get("version") or "")
    group_priority, version_priority = (
        spec.get(name) or 0 for name in ("groupPriorityMinimum", "versionPriority")
    )
    return group_priority, version_priority, version.group, version.version
