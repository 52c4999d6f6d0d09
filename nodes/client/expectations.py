"""What a controller has asked for and its cache does not show yet.

A controller that acts again on a cache that lacks its own writes creates too much. So it notes
what it expects before it writes, and does nothing more for that key until each was observed or
five minutes have gone by (an event that never came must not block it for ever).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from apimachinery.clock import Clock
from nodes.client.lister import Key

EXPIRES = 300.0


@dataclass(slots=True)
class _Expected:
    since: float
    creations: int = 0
    deletions: set[str] = field(default_factory=set)

    @property
    def fulfilled(self) -> bool:
        return self.creations <= 0 and not self.deletions


class Expectations:
    """Creations by number, deletions by uid, for each key."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._expected: dict[Key, _Expected] = {}

    def expect(self, key: Key, *, creations: int, deletions: Iterable[str]) -> None:
        """Expect both, in place of what was expected before."""
        self._expected[key] = _Expected(self._clock.seconds(), creations, set(deletions))

    def expect_creations(self, key: Key, count: int) -> None:
        self.expect(key, creations=count, deletions=())

    def expect_deletions(self, key: Key, uids: Iterable[str]) -> None:
        self.expect(key, creations=0, deletions=uids)

    def creation_observed(self, key: Key, count: int = 1) -> None:
        """One has appeared, or was refused, or will not be asked for after all."""
        if (expected := self._expected.get(key)) is not None:
            expected.creations -= count

    def deletion_observed(self, key: Key, uid: str) -> None:
        if (expected := self._expected.get(key)) is not None:
            expected.deletions.discard(uid)

    def satisfied(self, key: Key) -> bool:
        """Tell whether the cache shows all that was asked for, or enough time has gone by."""
        expected = self._expected.get(key)
        if expected is None or expected.fulfilled:
            return True
        return self._clock.seconds() - expected.since > EXPIRES

    def forget(self, key: Key) -> None:
        self._expected.pop(key, None)
