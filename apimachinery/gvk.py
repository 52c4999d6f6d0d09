"""Names of kinds and resources: group, version, kind, resource, as apimachinery has them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class GroupVersion:
    """A group ("" is core) and one of its versions."""

    group: str
    version: str

    @classmethod
    def parse(cls, api_version: str) -> GroupVersion:
        """Read an apiVersion: "v1" or "apps/v1"."""
        group, _, version = api_version.rpartition("/")
        return cls(group, version)

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def kind(self, kind: str) -> GroupVersionKind:
        return GroupVersionKind(self.group, self.version, kind)

    def __str__(self) -> str:
        return self.api_version


@dataclass(frozen=True, slots=True, order=True)
class GroupVersionKind:
    """A kind in one version of its group."""

    group: str
    version: str
    kind: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_version(self) -> GroupVersion:
        return GroupVersion(self.group, self.version)

    @property
    def group_kind(self) -> GroupKind:
        return GroupKind(self.group, self.kind)

    def __str__(self) -> str:
        """Print as Go does in messages: "apps/v1, Kind=Deployment", "/v1, Kind=Pod"."""
        return f"{self.group}/{self.version}, Kind={self.kind}"


@dataclass(frozen=True, slots=True, order=True)
class GroupKind:
    """A kind whatever its version; errors about invalid objects name this ("Deployment.apps")."""

    group: str
    kind: str

    def __str__(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind


@dataclass(frozen=True, slots=True, order=True)
class GroupResource:
    """A resource whatever its version; errors and stores name this ("deployments.apps", "pods")."""

    group: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> GroupResource:
        resource, _, group = text.partition(".")
        return cls(group, resource)

    def __str__(self) -> str:
        return f"{self.resource}.{self.group}" if self.group else self.resource


CORE_V1 = GroupVersion("", "v1")
APPS_V1 = GroupVersion("apps", "v1")
