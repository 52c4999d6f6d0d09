"""What objects of one kind use together, as a quota counts it."""

from __future__ import annotations

from collections.abc import Collection

from apimachinery.meta import Obj, namespace_of
from apimachinery.quantity import ZERO
from apimachinery.quota.devices import Around, Usage
from apimachinery.quota.scopes import in_scope
from apimachinery.quota.usage import LEFT_OVER, released_at, usage_of


def total(quota: Obj, resource: str, names: Collection[str], around: Around, now: float) -> Usage:
    """Return how much of each name the objects within the quota's scopes use: zeros included.

    `now`: in seconds; a pod that should have gone long since counts no more.
    """
    found = dict.fromkeys(names, ZERO)
    for obj in around.list(resource, namespace_of(quota)):
        if in_scope(quota, resource, obj):
            overdue = resource == "pods" and (end := released_at(obj)) is not None and now > end
            used = LEFT_OVER if overdue else usage_of(resource, obj, around)
            for name, amount in used.items():
                if name in found:
                    found[name] += amount
    return found
