"""How long those who are sent away should stay away: longer, the more of them there are.

As k8s.io/apiserver pkg/util/flowcontrol/dropped_requests_tracker.go: it begins with one second,
doubles while three times as many requests as seconds are dropped, and comes down step by step.
"""

from __future__ import annotations

from collections import deque

SHORTEST, LONGEST = 1, 32


class Dropped:
    """The requests of one level that were dropped lately, by second."""

    def __init__(self) -> None:
        self.retry_after = SHORTEST
        self._seconds: deque[tuple[int, int]] = deque()
        self._second = self._count = self._changed = 0

    def note(self, now: float) -> int:
        """Count one more, and return the seconds after which it may come again."""
        second = int(now)
        if second != self._second:
            self._turn_to(second)
        self._count += 1
        return self.retry_after

    def _turn_to(self, second: int) -> None:
        if self._count:
            self._seconds.append((self._second, self._count))
        self._second, self._count = second, 0
        kept = min(2 * self.retry_after, LONGEST)
        while self._seconds and second - self._seconds[0][0] > kept:
            self._seconds.popleft()
        wait = self.retry_after
        lately = sum(count for at, count in self._seconds if second - at <= wait)
        if second - self._changed >= wait and lately >= 3 * wait:
            self.retry_after, self._changed = min(2 * wait, LONGEST), second
        elif lately < wait > SHORTEST:
            self.retry_after, self._changed = wait - 1, second
