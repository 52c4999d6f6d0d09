"""What is written of a service's slices once zones and nodes are looked at.

Where the shares of the zones' nodes decide, what each zone has is remembered, so that a change of
the nodes looks again at the services that are no longer served by them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from apimachinery.meta import Obj, name_of
from nodes.client.events import NORMAL, WARNING, Recorder
from nodes.client.lister import Key, Lister
from nodes.controllers.endpointslice import hints
from nodes.controllers.endpointslice.slices import Changes, Wanted, changes, identity


class Zoning:
    """Plans slices with endpoints that are for a zone or a node, where a service asks for that."""

    def __init__(self, recorder: Recorder, nodes: Lister) -> None:
        self._recorder, self._nodes = recorder, nodes
        # How many endpoints are for each zone, by service and family.
        self._counts: dict[Key, dict[str, Mapping[str, int]]] = {}
        self._shares: hints.Shares | None = None
        self._known = False

    def forget(self, key: Key) -> None:
        self._counts.pop(key, None)

    def node_changed(self, old: Obj | None, new: Obj | None) -> Iterator[Key]:
        """Yield the services that have too few endpoints for a zone now."""
        if hints.what_counts(old) == hints.what_counts(new):
            return
        self._known = False
        for key, families in self._counts.items():
            if any(hints.is_overloaded(counts, self._now()) for counts in families.values()):
                yield key

    def planned(
        self, key: Key, service: Obj, family: str, present: Sequence[Obj], wanted: Wanted
    ) -> Changes:
        """Return what to write of the slices of one family."""
        if hints.is_automatic(service):
            return self._by_share(key, service, family, present, wanted)
        if self._counts.get(key, {}).pop(family, None) is not None:
            self._say(service, WARNING, hints.DISABLED, hints.HAS_BEEN_DISABLED, family)
        for _, endpoints in wanted.values():
            hints.prefer_near(service, endpoints)
        return changes(present, wanted)

    def _now(self) -> hints.Shares | None:
        if not self._known:
            self._shares, self._known = hints.shares_of(self._nodes.list()), True
        return self._shares

    def _by_share(
        self, key: Key, service: Obj, family: str, present: Sequence[Obj], wanted: Wanted
    ) -> Changes:
        """Plan as if nothing were asked, then divide what is written anyway among the zones."""
        every = {identity(one): one for _, endpoints in wanted.values() for one in endpoints}
        _keep_hints(present, every)
        planned = changes(present, wanted)
        going = {name_of(one) for one in planned.delete}
        going |= {name_of(one) for one, _, _ in planned.update}
        left = [one for one in present if name_of(one) not in going]
        kept = [[every[identity(one)] for one in each.get("endpoints") or ()] for each in left]
        writing = [new[1] for new in planned.create] + [old[2] for old in planned.update]
        families = self._counts.setdefault(key, {})
        try:
            counts, touched = hints.allocate(writing, kept, self._now())
        except hints.CannotHint as why:
            families.pop(family, None)
            self._say(service, WARNING, hints.DISABLED, str(why), family)
            touched = [
                at for at, endpoints in enumerate(kept) if any("hints" in e for e in endpoints)
            ]
            for one in every.values():
                one.pop("hints", None)
        else:
            if not families:
                self._say(service, NORMAL, hints.ENABLED, hints.HAS_BEEN_ENABLED, family)
            families[family] = counts
        for at in touched:
            planned.update.append((left[at], left[at].get("ports") or [], kept[at]))
        return planned

    def _say(self, service: Obj, type_: str, reason: str, message: str, family: str) -> None:
        self._recorder.event(service, type_, reason, f"{message}, addressType: {family}")


def _keep_hints(present: Sequence[Obj], wanted: Mapping[tuple[str, ...], Obj]) -> None:
    """Give ready endpoints the hints that they have, so that these alone change no slice."""
    for slice_ in present:
        for one in slice_.get("endpoints") or ():
            now = wanted.get(identity(one))
            if now is not None and "hints" in one and now["conditions"]["ready"]:
                now["hints"] = one["hints"]
