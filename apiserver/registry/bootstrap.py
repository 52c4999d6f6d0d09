"""The first objects of a cluster, as writes: they are there before anybody can ask for them.

They are complete as they come; defaults are filled in and metadata is set as for any object, but
no rule refuses them and nobody is asked.
"""

from __future__ import annotations

from collections.abc import Iterable

from apimachinery.clock import Clock
from apimachinery.gvk import GroupVersion
from apimachinery.meta import Obj, labels_of
from apimachinery.schema.decode import decode
from apiserver.registry import metadata
from apiserver.registry.catalog import Catalog
from apiserver.storage import Key, Write


def initial_writes(
    catalog: Catalog, objects: Iterable[Obj], identity: metadata.Identity, clock: Clock
) -> list[Write]:
    """Return the writes that put objects into a new cluster. Raises KeyError on unknown kinds."""
    now = clock.timestamp()
    return [initial_write(catalog, obj, identity, now) for obj in objects]


def initial_write(catalog: Catalog, obj: Obj, identity: metadata.Identity, now: str) -> Write:
    """Return the write of one object; it is left as it was."""
    kind = GroupVersion.parse(obj["apiVersion"]).kind(obj["kind"])
    served = catalog.of_kind(kind)
    if served is None:
        raise KeyError(f"{kind} is not served")
    resource = served.resource
    complete = decode(obj, kind).obj
    resource.strategy.default(complete)
    # Objects that others of the same cluster name by their uid bring it along.
    uid = complete["metadata"].get("uid") or identity.uid()
    metadata.fill_on_create(complete, now, uid, has_generation=resource.strategy.has_generation)
    stored = metadata.ordered(complete)
    meta = stored["metadata"]
    return Write(
        key=Key(resource.key, meta.get("namespace", ""), meta["name"]),
        type="ADDED",
        obj=stored,
        uid=meta["uid"],
        labels=labels_of(stored),
        fields={path: read(stored) for path, read in resource.selectable.items()},
        actor="system:apiserver",
    )
