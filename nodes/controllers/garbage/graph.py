"""Who owns whom, by uid, over every resource of a cluster.

Pure bookkeeping: each change of an object goes in, and what has to be looked at comes out.
An owner may be named before it is seen, or never be seen: its dependents are known all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from apimachinery.meta import Obj, is_deleting, name_of, namespace_of, uid_of
from nodes.client.resources import Res

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"


@dataclass(slots=True)
class Node:
    """An object in the graph."""

    uid: str
    resource: Res
    namespace: str
    name: str
    owners: Sequence[Obj] = ()
    deleting: bool = False
    finalizers: frozenset[str] = frozenset()

    def __str__(self) -> str:
        where = f"namespace: {self.namespace}, name: {self.name}, uid: {self.uid}"
        return f"[{self.resource.api_version}/{self.resource.kind}, {where}]"

    @property
    def waits_for_dependents(self) -> bool:
        """Being deleted in the foreground."""
        return self.deleting and FOREGROUND in self.finalizers

    @property
    def orphans(self) -> bool:
        """Being deleted, and its dependents are to stay."""
        return self.deleting and ORPHAN in self.finalizers


@dataclass(slots=True)
class Work:
    """What a change calls for: uids to look at for deletion, and for orphaning."""

    examine: list[str] = field(default_factory=list)
    orphan: list[str] = field(default_factory=list)


class Graph:
    """Nodes by uid, and dependents by the uid of the owner that they name."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._dependents: dict[str, dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._nodes)

    def get(self, uid: str) -> Node | None:
        return self._nodes.get(uid)

    def dependents(self, uid: str) -> list[Node]:
        nodes = self._nodes
        return [nodes[one] for one in self._dependents.get(uid, ()) if one in nodes]

    def blocking(self, owner: str) -> list[Node]:
        """Return the dependents that the foreground deletion of their owner waits for."""
        return [
            node
            for node in self.dependents(owner)
            if any(ref["uid"] == owner and ref.get("blockOwnerDeletion") for ref in node.owners)
        ]

    def observe(self, resource: Res, obj: Obj) -> Work:
        """Take in an object that is new or has changed."""
        uid, work = uid_of(obj), Work()
        metadata = obj["metadata"]
        owners = metadata.get("ownerReferences") or ()
        old = self._nodes.get(uid)
        node = Node(
            uid,
            resource,
            namespace_of(obj),
            name_of(obj),
            owners,
            is_deleting(obj),
            frozenset(metadata.get("finalizers") or ()),
        )
        self._nodes[uid] = node
        self._link(uid, old.owners if old is not None else (), owners)
        if owners and (old is None or old.owners != owners):
            self._examine_owners(node, old, work)
        if node.waits_for_dependents and not (old is not None and old.waits_for_dependents):
            work.examine += [one.uid for one in self.dependents(uid)]
            work.examine.append(uid)
        if node.orphans and not (old is not None and old.orphans):
            work.orphan.append(uid)
        return work

    def forget(self, uid: str) -> Work:
        """Take in that an object is gone."""
        node, work = self._nodes.pop(uid, None), Work()
        work.examine += [one.uid for one in self.dependents(uid)]
        if node is not None:
            self._link(uid, node.owners, ())
            work.examine += self._waiting(node.owners)
        return work

    def _examine_owners(self, node: Node, old: Node | None, work: Work) -> None:
        for reference in node.owners:
            owner = self._nodes.get(reference["uid"])
            # Unknown, or on its way out and waiting: what that means is found out in time.
            if owner is None or owner.waits_for_dependents or not _may_own(owner, node):
                work.examine.append(node.uid)
                break
        # An owner that waited may have been waiting for this one, which no longer blocks it.
        if old is not None:
            work.examine += self._waiting(old.owners)

    def _waiting(self, owners: Iterable[Obj]) -> list[str]:
        found = []
        for reference in owners:
            owner = self._nodes.get(reference["uid"])
            if owner is not None and owner.waits_for_dependents:
                found.append(owner.uid)
        return found

    def _link(self, uid: str, before: Iterable[Obj], after: Iterable[Obj]) -> None:
        if before is after:
            return
        for reference in before:
            dependents = self._dependents.get(reference["uid"])
            if dependents is not None:
                dependents.pop(uid, None)
                if not dependents:
                    del self._dependents[reference["uid"]]
        for reference in after:
            self._dependents.setdefault(reference["uid"], {})[uid] = None


def _may_own(owner: Node, dependent: Node) -> bool:
    """Owners are of the same namespace or of none."""
    return owner.namespace in ("", dependent.namespace)
