"""Something that becomes true once, for which somebody may wait: an Event that costs nothing.

An asyncio.Event holds a deque of 700 bytes; a cluster has two hundred informers, and hardly anybody
ever waits for one.
"""

from __future__ import annotations

import asyncio


class Flag:
    """Keeps the part of asyncio.Event that is needed here."""

    __slots__ = ("_event", "_set")

    def __init__(self) -> None:
        self._set = False
        self._event: asyncio.Event | None = None

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True
        if self._event is not None:
            self._event.set()
            self._event = None

    async def wait(self) -> bool:
        """Return once it is set."""
        if not self._set:
            if self._event is None:
                self._event = asyncio.Event()
            await self._event.wait()
        return True
