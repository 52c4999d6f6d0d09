"""How much one cluster may hold: tenants share a machine.

A cluster that is full takes no new objects, and no change that makes one larger; what is there can
be made smaller and deleted. The refusal has the words of a ResourceQuota that is exceeded.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from apimachinery.errors import Forbidden
from apimachinery.gvk import GroupResource
from apimachinery.meta import Obj, name_of
from apiserver.storage import ClusterStore, Entry

_QUOTA = "exceeded quota: cluster, requested: {0}={1}, used: {0}={2}, limited: {0}={3}"


@dataclass(frozen=True, slots=True)
class Room:
    """Objects, and bytes of all of them as they are stored."""

    objects: int = 100_000
    size: int = 512 * 1024 * 1024

    def check(
        self, store: ClusterStore, resource: GroupResource, obj: Obj, replaced: Entry | None
    ) -> None:
        """Raise Forbidden where the cluster is full."""
        if replaced is None and store.objects >= self.objects:
            raise self._full(resource, obj, "objects", 1, store.objects, self.objects)
        if store.size < self.size or "deletionTimestamp" in obj["metadata"]:
            return
        more = len(orjson.dumps(obj)) - (len(replaced.raw) if replaced else 0)
        if more > 0:
            raise self._full(resource, obj, "bytes", more, store.size, self.size)

    def _full(
        self, resource: GroupResource, obj: Obj, what: str, more: int, used: int, most: int
    ) -> Forbidden:
        return Forbidden(resource, name_of(obj), _QUOTA.format(what, more, used, most))
