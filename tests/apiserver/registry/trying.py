"""Objects on their way through a kind's strategy, without a store around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from apimachinery.clock import ManualClock
from apimachinery.meta import Obj
from apimachinery.schema.decode import decode
from apiserver.registry.metadatarules import created_metadata_errors
from apiserver.registry.resource import Resource
from apiserver.registry.strategy import Strategy, StrategyContext

UID = "8c2f7a52-0a1d-4b57-9d8e-0d3c7d1f6a10"


class Objects:
    """Other objects of the cluster, by resource, namespace and name."""

    def __init__(self, *objects: tuple[str, Obj]) -> None:
        self._objects = list(objects)

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        for one in self.list(resource, namespace):
            if one["metadata"]["name"] == name:
                return one
        return None

    def text(self, resource: str, namespace: str, name: str) -> bytes:
        obj = self.get(resource, namespace, name)
        return b"" if obj is None else orjson.dumps(obj)

    def list(self, resource: str, namespace: str | None = None) -> list[Obj]:
        return [
            obj
            for kind, obj in self._objects
            if kind == resource and namespace in (None, obj["metadata"].get("namespace", ""))
        ]


def context(*objects: tuple[str, Obj], user: str = "ann") -> StrategyContext:
    who = {"username": user, "groups": ["devs"]}
    around = Objects(*objects)
    return StrategyContext(ManualClock(), around, user=user, user_info=who, namespace="default")


def read(resource: Resource, name: str = "a", **body: Any) -> Obj:
    """Return an object as the server has read it, with defaults."""
    metadata = {"name": name, "uid": UID} | body.pop("metadata", {})
    if resource.namespaced:
        metadata.setdefault("namespace", "default")
    obj = decode(
        {
            "apiVersion": resource.kind.api_version,
            "kind": resource.kind.kind,
            "metadata": metadata,
            **body,
        },
        resource.kind,
    ).obj
    resource.strategy.default(obj)
    return obj


def created(resource: Resource, name: str = "a", *, ctx: Any = None, **body: Any) -> Obj:
    """Return a new object as it would be validated."""
    obj = read(resource, name, **body)
    resource.strategy.prepare_for_create(obj, ctx or context())
    return obj


def create_errors(
    resource: Resource, name: str = "a", *, ctx: Any = None, **body: Any
) -> list[str]:
    """Return what is wrong with a new object, as texts."""
    obj = created(resource, name, ctx=ctx, **body)
    errors = list(created_metadata_errors(resource, resource.strategy, obj["metadata"]))
    return [str(e) for e in [*errors, *resource.strategy.validate(obj, ctx or context())]]


def update_errors(
    resource: Resource,
    old: Obj,
    change: Callable[[Obj], Any],
    subresource: str = "",
) -> list[str]:
    """Return what is wrong with a changed object, as texts."""
    new = updated(resource, old, change, subresource)
    strategy = _strategy(resource, subresource)
    return [str(e) for e in strategy.validate_update(new, old, context())]


def updated(
    resource: Resource, old: Obj, change: Callable[[Obj], Any], subresource: str = ""
) -> Obj:
    """Return an object after a change through the main resource or a subresource."""
    new = decode(old, resource.kind).obj
    change(new)
    new = decode(new, resource.kind).obj
    strategy = _strategy(resource, subresource)
    strategy.default(new)
    strategy.prepare_for_update(new, old, context())
    return new


def _strategy(resource: Resource, subresource: str) -> Strategy:
    if not subresource:
        return resource.strategy
    found = resource.subresources[subresource].strategy
    assert found is not None
    return found


def cells(resource: Resource, obj: Obj, now: float = 1_767_323_105.0) -> list[Any]:
    """Return the row of an object in a Table."""
    return [column.value(obj, now) for column in resource.columns]
