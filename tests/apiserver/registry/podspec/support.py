"""Running a kind's strategy as the store does, without a store."""

from __future__ import annotations

import copy
from typing import Any

import orjson

from apimachinery.clock import ManualClock
from apimachinery.meta import Obj, name_of, namespace_of
from apimachinery.schema.decode import decode
from apiserver.registry.core.serviceallocation import open_allocators
from apiserver.registry.resource import Resource
from apiserver.registry.strategy import Strategy, StrategyContext

Errors = list[tuple[str, str]]


class Objects:
    """The objects of a cluster, as a strategy may read them."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str, str], Obj] = {}

    def put(self, resource: str, obj: Obj) -> Obj:
        self.stored[resource, namespace_of(obj), name_of(obj)] = obj
        return obj

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        return self.stored.get((resource, namespace, name))

    def text(self, resource: str, namespace: str, name: str) -> bytes:
        obj = self.get(resource, namespace, name)
        return b"" if obj is None else orjson.dumps(obj)

    def list(self, resource: str, namespace: str | None = None) -> list[Obj]:
        return [obj for (kind, _, _), obj in self.stored.items() if kind == resource]


def context(**changes: Any) -> StrategyContext:
    values: dict[str, Any] = {
        "clock": ManualClock(),
        "objects": Objects(),
        "namespace": "default",
        "allocators": open_allocators([]),
    }
    return StrategyContext(**(values | changes))


def made(resource: Resource, body: Obj, ctx: StrategyContext | None = None) -> Obj:
    """Return the object that a client's body becomes, before it is validated."""
    obj = read(resource, body)
    resource.strategy.prepare_for_create(obj, ctx or context())
    return obj


def read(resource: Resource, body: Obj) -> Obj:
    """Decode and default a body."""
    full = {"metadata": {"name": "it", "namespace": "default"}, **copy.deepcopy(body)}
    if not resource.namespaced:
        full["metadata"].pop("namespace", None)
    obj = decode(full, resource.kind).obj
    resource.strategy.default(obj)
    return obj


def create_errors(resource: Resource, body: Obj, ctx: StrategyContext | None = None) -> Errors:
    """Return (path, message) of everything that is wrong with a new object."""
    ctx = ctx or context()
    obj = made(resource, body, ctx)
    before = copy.deepcopy(obj)
    found = [(e.path, e.message) for e in resource.strategy.validate(obj, ctx)]
    assert obj == before, "validation changed the object"
    return found


def update_errors(
    resource: Resource, old: Obj, new: Obj, strategy: Strategy | None = None
) -> Errors:
    """Return what is wrong with replacing one stored object by another body."""
    _, errors = updated(resource, old, new, strategy)
    return errors


def updated(
    resource: Resource,
    old: Obj,
    body: Obj,
    strategy: Strategy | None = None,
    ctx: StrategyContext | None = None,
) -> tuple[Obj, Errors]:
    """Return the object after an update, and what is wrong with the update."""
    ctx = ctx or context()
    strategy = strategy or resource.strategy
    new = read(resource, body)
    kept = copy.deepcopy(old)
    strategy.prepare_for_update(new, old, ctx)
    errors = [(e.path, e.message) for e in strategy.validate_update(new, old, ctx)]
    assert old == kept, "an update changed the stored object"
    return new, errors


def changed(obj: Obj, path: str, value: Any) -> Obj:
    """Return a copy with the value at a dotted path replaced; None removes it."""
    found = copy.deepcopy(obj)
    inner: Any = found
    *outer, last = path.split(".")
    for part in outer:
        inner = inner[int(part)] if isinstance(inner, list) else inner.setdefault(part, {})
    if value is None:
        inner.pop(last, None)
    else:
        inner[int(last) if isinstance(inner, list) else last] = value
    return found
