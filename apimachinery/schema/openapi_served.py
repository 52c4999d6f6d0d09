"""What a cluster serves, as far as OpenAPI documents depend on it."""

from __future__ import annotations

from dataclasses import dataclass

from apimachinery.gvk import GroupVersionKind
from apimachinery.schema.table import types

Subresource = tuple[str, GroupVersionKind, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ServedResource:
    """A resource in one version: its names, verbs, and subresources (name, kind, verbs).

    `schema` is the JSON of a custom resource's OpenAPI v3 schema; empty for built-in kinds.
    """

    gvk: GroupVersionKind
    plural: str
    singular: str
    namespaced: bool
    verbs: tuple[str, ...]
    subresources: tuple[Subresource, ...] = ()
    schema: bytes = b""

    @property
    def document(self) -> str:
        """The path of the v3 document that this resource is in: "api/v1", "apis/apps/v1"."""
        return f"apis/{self.gvk.api_version}" if self.gvk.group else f"api/{self.gvk.version}"

    @property
    def definition(self) -> str:
        return definition_name(self.gvk)


def definition_name(gvk: GroupVersionKind) -> str:
    """Return the name of a kind's definition; a custom kind has its group's name reversed."""
    name = types().kinds().get(gvk)
    if name is not None:
        return name
    reverse = ".".join(reversed(gvk.group.split("."))) if gvk.group else "io.k8s.api.core"
    return f"{reverse}.{gvk.version}.{gvk.kind}"
