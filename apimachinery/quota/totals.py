"""What objects of one kind use together, as a quota counts it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from apimachinery.meta import Obj
from apimachinery.quantity import ZERO
from apimachinery.quota.scopes import in_scope
from apimachinery.quota.usage import Usage, usage_of


def total(quota: Obj, resource: str, objects: Iterable[Obj], names: Collection[str]) -> Usage:
    """Return how much of each name the objects within the quota's scopes use: zeros included."""
    found = dict.fromkeys(names, ZERO)
    for obj in objects:
        if in_scope(quota, resource, obj):
            for name, amount in usage_of(resource, obj).items():
                if name in found:
                    found[name] += amount
    return found
