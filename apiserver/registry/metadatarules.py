"""What is checked of metadata when an object is made and when it changes.

An update is checked in three places, each of which tells all that it finds: the same cause comes
once from each. Every kind's metadata is checked wholly and for its changes; then the kind's own
rules look at it again, in a way of their own (`Strategy.metadata_checks`).
"""

from __future__ import annotations

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors
from apimachinery.validation.metadata import (
    METADATA,
    validate_object_meta,
    validate_object_meta_update,
)
from apimachinery.validation.names import is_path_segment, is_standard_finalizer
from apiserver.registry.podspec.checks import obey
from apiserver.registry.resource import Resource
from apiserver.registry.strategy import MetadataCheck, Strategy

# What a change may touch, and only a check of the whole looks at.
_NOT_IN_CHANGES = ("generateName", "finalizers")


def created_metadata_errors(resource: Resource, strategy: Strategy, meta: Obj) -> FieldErrors:
    """Yield what a kind finds wrong with the metadata of a new object."""
    yield from validate_object_meta(
        meta, namespaced=resource.namespaced, name_rule=strategy.name_rule
    )
    if strategy.qualifies_finalizers:
        for at, finalizer in enumerate(meta.get("finalizers") or ()):
            yield from obey(is_standard_finalizer, finalizer, (METADATA / "finalizers")[at])


def updated_metadata_errors(
    resource: Resource, strategy: Strategy, new: Obj, old: Obj
) -> FieldErrors:
    """Yield what all kinds, and then what this one, find wrong with changed metadata."""
    meta, before = new["metadata"], old["metadata"]
    changes = list(validate_object_meta_update(meta, before))
    if not changes and all(meta.get(name) == before.get(name) for name in _NOT_IN_CHANGES):
        return
    yield from validate_object_meta(meta, namespaced=resource.namespaced, name_rule=is_path_segment)
    yield from changes
    for check in strategy.metadata_checks:
        if check is MetadataCheck.CHANGES:
            yield from changes
        else:
            yield from created_metadata_errors(resource, strategy, meta)
