"""How much components may write in a history: who goes on for ever is stopped, and told of."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import Any

# The longest of a thousand histories takes some 13,000 writes, most take 1,000 (a second).
MOST = 25_000
# Of so many writes, the last ones, it is told who has made them.
_LAST, _NAMED = 1000, 3


class Allowance:
    """Counts what is written, and ends the task that plays a history when it is too much."""

    def __init__(self, most: int = MOST) -> None:
        self._most, self.spent = most, 0
        self._last: deque[str] = deque(maxlen=_LAST)
        self._player = asyncio.current_task()

    def spend(self, who: str, call: Any) -> None:
        """Take note of a write."""
        name = "/".join(filter(None, (call.resource, call.subresource, call.namespace, call.name)))
        self._last.append(f"{who.rpartition(':')[2]} {call.verb} {name}")
        self.spent += 1
        if self.spent == self._most and self._player is not None:
            self._player.cancel()

    @property
    def used_up(self) -> bool:
        return self.spent >= self._most

    def told(self) -> str:
        """Say who has written what in the end."""
        often = Counter(self._last).most_common(_NAMED)
        said = ", ".join(f"{what} ({times})" for what, times in often)
        return f"never rests: of the last {len(self._last)} of {self.spent} writes: {said}"
