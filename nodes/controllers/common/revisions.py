"""ControllerRevisions: the templates that a StatefulSet or DaemonSet has had, by number."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from apimachinery.errors import AlreadyExists, NotFound
from apimachinery.labels import from_label_selector
from apimachinery.meta import (
    Obj,
    annotations_of,
    labels_of,
    name_of,
    namespace_of,
    owner_reference,
    uid_of,
)
from apimachinery.workloads import template_hash
from nodes.client.resources import CONTROLLERREVISIONS, Res
from nodes.client.rest import Client
from nodes.controllers.common.claims import Claims

# The label of a revision's hash: of StatefulSets, and of DaemonSets, which is their pods' too.
HASH = "controller.kubernetes.io/hash"
POD_HASH = "controller-revision-hash"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def data_of(owner: Obj) -> Obj:
    """Return what a revision holds: a patch that brings the template back."""
    return {"spec": {"template": {**owner["spec"]["template"], "$patch": "replace"}}}


def hash_of(revision: Obj) -> str:
    """Return a revision's hash, by whichever label it has."""
    labels = labels_of(revision)
    return labels.get(POD_HASH) or labels.get(HASH, "")


def template_of(revision: Obj) -> Obj:
    template = dict(revision["data"]["spec"]["template"])
    template.pop("$patch", None)
    return template


class Revisions:
    """The history of one controller's objects."""

    def __init__(self, client: Client, owners: Res, label: str = HASH) -> None:
        """`label` is the one of the hashes."""
        self._client, self._label = client, label
        self._claims = Claims(client, owners, CONTROLLERREVISIONS)

    async def claimed(self, owner: Obj, found: Sequence[Obj]) -> list[Obj]:
        """Return the owner's revisions, oldest first."""
        selector = from_label_selector(owner["spec"].get("selector"))
        mine = await self._claims.claim(owner, selector, found)
        return sorted(mine, key=lambda one: (one.get("revision") or 0, name_of(one)))

    async def present(self, owner: Obj, history: Sequence[Obj], collisions: int) -> tuple[Obj, int]:
        """Return the revision of the owner's template, made or renumbered, and collisions."""
        data = data_of(owner)
        number = max((one.get("revision") or 0 for one in history), default=0) + 1
        for one in reversed(history):
            if one.get("data") == data:
                if one is history[-1]:
                    return one, collisions
                changed: Obj = {**one, "revision": number}
                return await self._client.update(changed, resource=CONTROLLERREVISIONS), collisions
        return await self._create(owner, data, number, collisions)

    async def _create(self, owner: Obj, data: Obj, number: int, collisions: int) -> tuple[Obj, int]:
        while True:
            wanted = _revision(owner, data, number, collisions, self._label)
            try:
                return await self._client.create(wanted, CONTROLLERREVISIONS), collisions
            except AlreadyExists:
                namespace = namespace_of(wanted)
                taken = await self._client.find(CONTROLLERREVISIONS, namespace, name_of(wanted))
                if taken is not None and taken.get("data") == data:
                    return taken, collisions
                collisions += 1

    async def clean_up(self, owner: Obj, history: Sequence[Obj], live: Collection[str]) -> None:
        """Delete the oldest revisions beyond the limit that no pod and no status names."""
        limit = owner["spec"].get("revisionHistoryLimit")
        unused = [one for one in history if name_of(one) not in live]
        keep = 10 if limit is None else int(limit)
        for one in unused[: max(len(unused) - keep, 0)]:
            try:
                await self._client.delete(
                    CONTROLLERREVISIONS, namespace_of(one), name_of(one), uid=uid_of(one)
                )
            except NotFound:
                continue


def _revision(owner: Obj, data: Any, number: int, collisions: int, label: str) -> Obj:
    hashed = template_hash(owner["spec"]["template"], collisions or None)
    annotations = {k: v for k, v in annotations_of(owner).items() if k != _LAST_APPLIED}
    metadata: Obj = {
        "name": f"{name_of(owner)[:223]}-{hashed}",
        "namespace": namespace_of(owner),
        "labels": {**labels_of(owner["spec"]["template"]), label: hashed},
        "ownerReferences": [owner_reference(owner)],
    }
    if annotations:
        metadata["annotations"] = annotations
    return {
        "apiVersion": CONTROLLERREVISIONS.api_version,
        "kind": CONTROLLERREVISIONS.kind,
        "metadata": metadata,
        "data": data,
        "revision": number,
    }
