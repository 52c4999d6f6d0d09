"""Why a pod stands where it stands, or nowhere: the record of each attempt.

Kept beside the objects, never in annotations: the last attempts of each pod, for as many pods as
fit into `BYTES`; what is forgotten first is the pod that was tried longest ago. An attempt is
packed as soon as it is over (`packing`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from nodes.scheduler.attempt import Attempt, Choice, Column, Trigger, Victim
from nodes.scheduler.packing import Names, pack, unpack

ATTEMPTS_PER_POD = 20
# All that a cluster keeps, with what Python adds.
BYTES = 1024 * 1024
# What a pod and an attempt take beside their bytes: the entries, the uid, the objects' heads.
_POD, _RECORD = 400, 120


class Packed(NamedTuple):
    """An attempt that is over, as bytes; `names` are those of the nodes that it speaks of."""

    names: Names
    content: bytes


class Decisions:
    """The last attempts of the pods that were looked at last."""

    def __init__(self) -> None:
        self._by_uid: OrderedDict[str, list[Attempt | Packed]] = OrderedDict()
        self._names = Names()
        self.size = 0

    def add(self, attempt: Attempt) -> None:
        """Take an attempt that may still change, until it is told of as over."""
        attempts = self._by_uid.get(attempt.uid)
        if attempts is None:
            attempts = self._by_uid[attempt.uid] = []
            self.size += _POD
        attempts.append(attempt)
        self.size += _RECORD
        while len(attempts) > ATTEMPTS_PER_POD:
            self.size -= _size(attempts.pop(0))
        self._by_uid.move_to_end(attempt.uid)

    def over(self, attempt: Attempt) -> None:
        """Pack an attempt; forget what was tried longest ago where all takes too much."""
        attempts = self._by_uid.get(attempt.uid, [])
        for at in range(len(attempts) - 1, -1, -1):
            if attempts[at] is attempt:
                self._names = self._names.for_(attempt.evaluated)
                packed = Packed(self._names, pack(self._names, attempt))
                attempts[at] = packed
                self.size += len(packed.content)
                break
        while self.size > BYTES and len(self._by_uid) > 1:
            _, gone = self._by_uid.popitem(last=False)
            self.size -= _POD + sum(map(_size, gone))

    def of(self, uid: str) -> list[Attempt]:
        """Return the attempts at a pod, the oldest first."""
        return [_read(uid, one) for one in self._by_uid.get(uid, ())]

    def last(self, count: int = 50) -> list[Attempt]:
        """Return the newest attempt of each of the pods that were looked at last."""
        pods: Sequence[str] = list(self._by_uid)[: -count - 1 : -1]
        return [_read(uid, self._by_uid[uid][-1]) for uid in pods]


def _read(uid: str, one: Attempt | Packed) -> Attempt:
    if isinstance(one, Attempt):
        return one
    found = unpack(one.names, one.content)
    table = [Column(*column) for column in found.pop("table")]
    candidates = tuple(
        Choice(node, tuple(Victim(*victim) for victim in victims), count, violations)
        for node, victims, count, violations in found.pop("candidates")
    )
    because = Trigger(*found.pop("because"))
    return Attempt(uid=uid, table=table, candidates=candidates, because=because, **found)


def _size(one: Attempt | Packed) -> int:
    return _RECORD + (len(one.content) if isinstance(one, Packed) else 0)
