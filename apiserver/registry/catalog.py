"""Every kind that is served: the literal list, and the look-ups that requests make in it.

A cluster has a Catalog of its own, since its CustomResourceDefinitions add kinds to it. The
built-in part is shared. `generation` counts changes, so that what is derived from a catalog
(discovery, OpenAPI) can be kept until the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from apimachinery import features
from apimachinery.gvk import GroupVersion, GroupVersionKind
from apiserver.registry import gates
from apiserver.registry.admissionregistration import RESOURCES as ADMISSIONREGISTRATION
from apiserver.registry.apiextensions import RESOURCES as APIEXTENSIONS
from apiserver.registry.apiregistration import RESOURCES as APIREGISTRATION
from apiserver.registry.apiserverinternal import ALPHA as APISERVERINTERNAL_ALPHA
from apiserver.registry.apps import RESOURCES as APPS
from apiserver.registry.authentication import RESOURCES as AUTHENTICATION
from apiserver.registry.authorization import RESOURCES as AUTHORIZATION
from apiserver.registry.autoscaling import RESOURCES as AUTOSCALING
from apiserver.registry.batch import RESOURCES as BATCH
from apiserver.registry.certificates import RESOURCES as CERTIFICATES
from apiserver.registry.coordination import RESOURCES as COORDINATION
from apiserver.registry.core import RESOURCES as CORE
from apiserver.registry.discovery import RESOURCES as DISCOVERY
from apiserver.registry.dra import BETA as DRA_BETA
from apiserver.registry.dra import RESOURCES as DRA
from apiserver.registry.flowcontrol import RESOURCES as FLOWCONTROL
from apiserver.registry.networking import RESOURCES as NETWORKING
from apiserver.registry.node import RESOURCES as NODE
from apiserver.registry.policy import RESOURCES as POLICY
from apiserver.registry.rbac import RESOURCES as RBAC
from apiserver.registry.resource import Resource, ServedVersion
from apiserver.registry.scheduling import ALPHA as SCHEDULING_ALPHA
from apiserver.registry.scheduling import RESOURCES as SCHEDULING
from apiserver.registry.storage import RESOURCES as STORAGE
from apiserver.registry.storagemigration import BETA as STORAGEMIGRATION_BETA

RESOURCES: tuple[Resource, ...] = (
    *CORE,
    *APIREGISTRATION,
    *APPS,
    *AUTHENTICATION,
    *AUTHORIZATION,
    *AUTOSCALING,
    *BATCH,
    *CERTIFICATES,
    *NETWORKING,
    *POLICY,
    *RBAC,
    *STORAGE,
    *ADMISSIONREGISTRATION,
    *APIEXTENSIONS,
    *SCHEDULING,
    *COORDINATION,
    *NODE,
    *DISCOVERY,
    *DRA,
    *FLOWCONTROL,
)

# The order in which discovery lists groups; those that CustomResourceDefinitions add come after.
GROUP_ORDER = (
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "resource.k8s.io",
    "flowcontrol.apiserver.k8s.io",
)


_OF_FEATURES: Mapping[str, tuple[Resource, ...]] = {
    features.GENERIC_WORKLOAD: SCHEDULING_ALPHA,
    features.TAINT_RULES: DRA_BETA,
    features.MIGRATOR: STORAGEMIGRATION_BETA,
    features.STORAGE_VERSIONS: APISERVERINTERNAL_ALPHA,
}


def wanted() -> tuple[Resource, ...]:
    """Return the kinds that are served here: those of features that are on besides the others."""
    on = (kinds for name, kinds in _OF_FEATURES.items() if gates.enabled(name))
    return (*RESOURCES, *chain.from_iterable(on))


@dataclass(frozen=True, slots=True)
class Served:
    """A resource in one of the versions in which it is served."""

    resource: Resource
    kind: GroupVersionKind
    plural: str
    # None: this is the version that is stored.
    version: ServedVersion | None = None

    @property
    def is_storage(self) -> bool:
        """Tell whether stored bytes can be sent as they are."""
        return self.version is None


class Catalog:
    """The kinds of one cluster, by every name under which they are asked for."""

    def __init__(self, resources: Iterable[Resource] = RESOURCES) -> None:
        self.generation = 0
        self._resources: dict[str, Resource] = {}
        self._served: dict[tuple[str, str, str], Served] = {}
        for resource in resources:
            self.add(resource)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._resources.values())

    def add(self, resource: Resource) -> None:
        """Serve a kind, in place of what had its name."""
        self.remove(resource.key)
        self._resources[resource.key] = resource
        for served in served_versions(resource):
            place = (served.kind.group, served.kind.version, served.plural)
            self._served[place] = served
        self.generation += 1

    def remove(self, key: str) -> None:
        """Serve the kind no more; nothing happens where it was not served."""
        resource = self._resources.pop(key, None)
        if resource is None:
            return
        for served in served_versions(resource):
            self._served.pop((served.kind.group, served.kind.version, served.plural), None)
        self.generation += 1

    def get(self, key: str) -> Resource | None:
        """Return the resource that is stored under a name ("deployments.apps")."""
        return self._resources.get(key)

    def find(self, group: str, version: str, plural: str) -> Served | None:
        """Return what a path names."""
        return self._served.get((group, version, plural))

    def of_kind(self, kind: GroupVersionKind) -> Served | None:
        """Return the resource whose objects are of a kind."""
        for served in self._served.values():
            if served.kind == kind:
                return served
        return None

    def served(self) -> list[Served]:
        """Return everything that is served, in the order in which it was added."""
        return list(self._served.values())

    def groups(self) -> dict[str, list[str]]:
        """Return the groups with their versions in discovery's order; core is ""."""
        found: dict[str, set[str]] = {}
        for group, version, _ in self._served:
            found.setdefault(group, set()).add(version)
        added = sorted(set(found) - {"", *GROUP_ORDER})
        names = [name for name in ("", *GROUP_ORDER, *added) if name in found]
        return {name: sorted(found[name], key=version_priority, reverse=True) for name in names}

    def in_version(self, group_version: GroupVersion) -> list[Served]:
        """Return what a group's version serves, by name."""
        group, version = group_version.group, group_version.version
        places = sorted(place for place in self._served if place[:2] == (group, version))
        return [self._served[place] for place in places]


def served_versions(resource: Resource) -> Iterator[Served]:
    """Yield a resource in the stored version, then in the further ones."""
    if resource.serves_storage:
        yield Served(resource, resource.kind, resource.plural)
    for version in resource.versions:
        ruled = version.resource or resource
        if version.strategy is not None:
            labels = version.field_labels or ruled.field_labels
            ruled = replace(resource, strategy=version.strategy, field_labels=labels)
        yield Served(ruled, version.kind, version.plural or resource.plural, version)


def version_priority(version: str) -> tuple[int, int, int, str]:
    """Return the rank of a version: v2 before v1 before v1beta2 before v1alpha1 before others."""
    digits = version[1:]
    for stage, rank in (("beta", 1), ("alpha", 0)):
        major, found, minor = digits.partition(stage)
        if found and version.startswith("v") and major.isdigit() and (minor or "0").isdigit():
            return (rank, int(major), int(minor or 0), version)
    if version.startswith("v") and digits.isdigit():
        return (2, int(digits), 0, version)
    return (-1, 0, 0, version)
