"""Why a pod stands where it stands, or nowhere: the record of each attempt.

Kept beside the objects, never in annotations: the last attempts of each pod, for as many pods as
fit. A record is plain data and JSON-ready.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import asdict, dataclass, field
from typing import Any

ATTEMPTS_PER_POD = 20
PODS = 2000


@dataclass(slots=True)
class Attempt:
    """One try at one pod.

    refused: node -> (plugin, reasons). scores: node -> plugin -> (raw, normalised, weighted).
    seconds: phase -> wall seconds. node is "" where nothing fitted; message is then the sentence
    that the event and the condition carry. fitting: how many nodes were found to fit; in a large
    cluster the search stops at enough, and the others were not looked at.
    """

    pod: str
    uid: str
    number: int
    at: str
    node: str = ""
    message: str = ""
    evaluated: int = 0
    fitting: int = 0
    refused: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    scores: dict[str, dict[str, tuple[int, int, int]]] = field(default_factory=dict)
    tied: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Decisions:
    """The last attempts of the pods that were looked at last."""

    def __init__(self) -> None:
        self._by_uid: OrderedDict[str, deque[Attempt]] = OrderedDict()

    def add(self, attempt: Attempt) -> None:
        attempts = self._by_uid.get(attempt.uid)
        if attempts is None:
            attempts = self._by_uid[attempt.uid] = deque(maxlen=ATTEMPTS_PER_POD)
        attempts.append(attempt)
        self._by_uid.move_to_end(attempt.uid)
        while len(self._by_uid) > PODS:
            self._by_uid.popitem(last=False)

    def of(self, uid: str) -> list[Attempt]:
        """Return the attempts at a pod, the oldest first."""
        return list(self._by_uid.get(uid, ()))

    def last(self, count: int = 50) -> list[Attempt]:
        """Return the newest attempt of each of the pods that were looked at last."""
        newest = [attempts[-1] for attempts in reversed(self._by_uid.values())]
        return newest[:count]
