"""The declaration of a kind: all that is particular to it, in one value.

A kind's file builds one `Resource`; `catalog.RESOURCES` lists it. Discovery, routes, Table
output, field selectors and storage are generic and read this declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apimachinery.gvk import GroupResource, GroupVersionKind
from apimachinery.meta import Obj
from apiserver.registry.strategy import Strategy

ALL_VERBS = (
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `kubectl get`: `value(obj, now)` gives the cell; priority 1 means -o wide."""

    name: str
    value: Callable[[Obj, float], Any]
    type: str = "string"
    format: str = ""
    priority: int = 0
    description: str = ""


@dataclass(frozen=True, slots=True)
class Subresource:
    """A part of an object with verbs of its own.

    `strategy` set: it is read and written as the object through that strategy (status, resize,
    approval, ephemeralcontainers, finalize). `kind` names what travels when it is not the object
    itself (Scale, Eviction, Binding, TokenRequest). Anything else (log, exec, attach, proxy,
    portforward, eviction, binding, token, scale) is handled by endpoints/subresources by name.
    """

    verbs: tuple[str, ...] = ("get", "patch", "update")
    kind: GroupVersionKind | None = None
    strategy: Strategy | None = None
    # For `scale`: where a custom resource keeps its replicas (registry/scale.py ScalePaths).
    scale_paths: Any = None


@dataclass(frozen=True, slots=True)
class ServedVersion:
    """A further version in which the same objects are served (autoscaling/v1, events.k8s.io)."""

    kind: GroupVersionKind
    to_storage: Callable[[Obj], Obj]
    from_storage: Callable[[Obj], Obj]
    plural: str = ""  # where it differs
    # What is particular to the version: schema, columns and subresources of a custom kind.
    resource: Resource | None = None
    # Rules of its own for what is written through this version; None: those of the resource.
    strategy: Strategy | None = None
    # Names of its own in field selectors; None: those of the resource.
    field_labels: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind as the API serves it."""

    kind: GroupVersionKind  # the version that is stored
    plural: str
    strategy: Strategy
    namespaced: bool = True
    singular: str = ""
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS  # ("create",) alone: nothing is stored (reviews)
    subresources: Mapping[str, Subresource] = field(default_factory=dict)
    # Field selectors besides metadata.name and metadata.namespace: path -> value as text.
    selectable: Mapping[str, Callable[[Obj], str]] = field(default_factory=dict)
    # What field selectors call the fields, where it is not what `selectable` does.
    field_labels: Mapping[str, str] | None = None
    # Without columns a Table has Name and Age (Created At for kinds without a printer).
    columns: tuple[Column, ...] = ()
    versions: tuple[ServedVersion, ...] = ()
    # Where Kubernetes stores another version than the one declared here, discovery's hash says so.
    storage_version: str = ""
    # Defined by a CustomResourceDefinition: the type table knows nothing of it.
    custom: bool = False
    # Is the version that is stored also served? (that of a custom kind need not be)
    serves_storage: bool = True
    # What is kept of an object for field selectors, where that is more than `selectable`: those of
    # all versions of a custom kind.
    indexed: Mapping[str, Callable[[Obj], str]] = field(default_factory=dict)
    # How objects get from the stored version to this one, where a webhook has to be asked
    # (registry/converting.py Conversion); None: `versions` know.
    conversion: Any = None
    # Told to whoever uses the version.
    deprecation: str = ""
    # The name in messages, and as text in the store: "pods", "deployments.apps".
    group_resource: GroupResource = field(init=False)
    key: str = field(init=False)

    def __post_init__(self) -> None:
        about = GroupResource(self.kind.group, self.plural)
        object.__setattr__(self, "group_resource", about)
        object.__setattr__(self, "key", str(about))
