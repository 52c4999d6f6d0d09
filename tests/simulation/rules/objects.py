"""What no object does, whatever its kind: it has one owner, one identity and one end."""

from __future__ import annotations

from collections.abc import Iterator

from apimachinery.meta import controller_of, is_deleting
from tests.simulation.states import Change, Rule, State


class OneOwner(Rule):
    """Nothing has two controllers, and nothing changes hands without being let go of.

    But a StatefulSet hands the claims of its pods to a pod that is to go with its claim, and back.
    """

    def look(self, state: State, change: Change) -> Iterator[str]:
        if change.new is None:
            return
        owners = [
            one
            for one in change.new["metadata"].get("ownerReferences") or ()
            if one.get("controller")
        ]
        if len(owners) > 1:
            yield "has two controllers"
        before = controller_of(change.old) if change.old else None
        claim = change.resource == "persistentvolumeclaims"
        if not claim and before and owners and before["uid"] != owners[0]["uid"]:
            yield "was taken from its owner"


class OneIdentity(Rule):
    """An object stays who it is: its uid and its beginning; its generation and deletion stand.

    Its generation tells of each change of its spec, but for a pod's, which a binding changes.
    """

    def look(self, state: State, change: Change) -> Iterator[str]:
        if change.old is None or change.new is None:
            return
        old, new = change.old["metadata"], change.new["metadata"]
        for field in ("uid", "creationTimestamp"):
            if old.get(field) != new.get(field):
                yield f"has another {field}"
        if old.get("generation", 0) > new.get("generation", 0):
            yield "went back to an earlier generation"
        counts = "generation" in old and change.resource != "pods"
        if counts and old["generation"] == new["generation"] and _spec_differs(change):
            yield "has another spec in the same generation"
        if is_deleting(change.old) and not is_deleting(change.new):
            yield "is deleted no more"


def _spec_differs(change: Change) -> bool:
    assert change.old is not None
    assert change.new is not None
    return bool(change.old.get("spec") != change.new.get("spec"))


class Finalized(Rule):
    """Nothing goes while somebody holds it, and nobody takes hold of what is being deleted.

    But who deletes it once more may do so in another way, which is told by a finalizer.
    """

    ways = frozenset(("orphan", "foregroundDeletion"))

    def look(self, state: State, change: Change) -> Iterator[str]:
        held = set(change.last["metadata"].get("finalizers") or ())
        if change.new is None and held:
            yield f"goes while {sorted(held)} hold it"
        if change.old is not None and is_deleting(change.old):
            more = held - self.ways - set(change.old["metadata"].get("finalizers") or ())
            if more:
                yield f"is held by {sorted(more)} when it is deleted"


class WithinItsNamespace(Rule):
    """Nothing is made in a namespace that is not there, or on its way out."""

    def look(self, state: State, change: Change) -> Iterator[str]:
        namespace = change.record.entry.key.namespace
        if change.made is None or not namespace:
            return
        found = state.get("namespaces", "", namespace)
        if found is None or is_deleting(found):
            yield f"is made in {namespace}, which {'goes' if found else 'is not there'}"


class OneWay(Rule):
    """A pod never changes its node and never wakes from its end; a claim keeps its volume."""

    def look(self, state: State, change: Change) -> Iterator[str]:
        old, new = change.old, change.new
        if old is None or new is None:
            return
        if change.resource == "pods":
            before = old["spec"].get("nodeName")
            if before and before != new["spec"].get("nodeName"):
                yield f"moves from {before} to {new['spec'].get('nodeName')}"
            ended = (old.get("status") or {}).get("phase")
            if ended in ("Succeeded", "Failed") and new["status"].get("phase") != ended:
                yield f"was {ended} and is {new['status'].get('phase')}"
        if change.resource == "persistentvolumeclaims":
            before = old["spec"].get("volumeName")
            if before and before != new["spec"].get("volumeName"):
                yield f"lets go of {before}"
