"""What an object of a custom kind looks like by a schema that is not the one it was stored with."""

from __future__ import annotations

from apimachinery.meta import Obj
from apimachinery.structural import defaulting
from apimachinery.structural.pruning import pruned
from apiserver.registry import metadata
from apiserver.registry.custom.strategy import CustomResourceStrategy
from apiserver.registry.resource import Resource
from apiserver.storage import Entry


def restated(resource: Resource, old: Obj) -> Obj | None:
    """Return an object in the form that a resource's schema gives it, None if that is its own.

    With a conversion webhook, an object stays in the version in which it is stored.
    """
    strategy, version = resource.strategy, resource.kind.api_version
    if not isinstance(strategy, CustomResourceStrategy):
        return None
    if resource.conversion is not None and old["apiVersion"] != version:
        return None
    schema = strategy.about.schema
    new, _ = pruned(old, schema.structural)
    defaulting.fill(new, schema.structural)
    new["apiVersion"] = version
    return None if new == old else metadata.ordered(new)


def restated_entry(resource: Resource, entry: Entry) -> Entry:
    """Return an entry in the form that a resource's schema gives it, at the same revision."""
    new = restated(resource, entry.obj())
    if new is None:
        return entry
    return entry.reformed(new, {path: read(new) for path, read in resource.indexed.items()})
