"""The time of a cluster: held still, moved on step by step, run faster, and kept over restarts.

Only what is the cluster's own goes by its clock; clients' timeouts are real seconds
(docs/adr/0011-a-clusters-own-time.md).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from nodes.client.loopclock import LoopClock
from playground.kept import Kept

log = logging.getLogger(__name__)

_FILE = "clock.json"
# A step goes on until something was written, over timers that changed nothing: at most so many.
_MOST_TIMERS = 50
# How long is waited (real seconds) for what a timer has set off: until no write came for a while.
_QUIET, _LONGEST_SETTLING = 0.02, 0.5


@dataclass(frozen=True, slots=True)
class Start:
    """How a clock begins: where an earlier worker left it."""

    ahead: float = 0.0
    rate: float = 1.0
    paused: bool = False

    @classmethod
    async def read(cls, kept: Kept) -> Start:
        """Return what is kept of a cluster."""
        found = await kept.read(_FILE)
        try:
            return cls(
                float(found.get("ahead", 0.0)),
                float(found.get("rate", 1.0)),
                bool(found.get("paused", False)),
            )
        except (TypeError, ValueError):
            return cls()

    def clock(self, last_write: float = 0.0) -> LoopClock:
        """Return a clock that goes on from here, and from no earlier than the last write.

        A worker that was killed could not say how far its clock had come since it was set.
        """
        clock = LoopClock(ahead=self.ahead)
        if (missing := last_write - clock.seconds()) > 0:
            clock.step(missing)
        clock.set_rate(self.rate)
        if self.paused:
            clock.pause()
        return clock


class ClusterTime:
    """The controls of one cluster's clock."""

    def __init__(self, clock: LoopClock, kept: Kept, revision: Callable[[], int]) -> None:
        self.clock, self._kept, self._revision = clock, kept, revision
        self._lock = asyncio.Lock()

    async def change(
        self, *, action: str = "", rate: float | None = None, seconds: float = 0.0
    ) -> float:
        """Take a rate, and do one of pause, resume, step and move. Return how far it moved."""
        async with self._lock:
            if rate is not None:
                self.clock.set_rate(rate)
            moved = 0.0
            match action:
                case "pause":
                    self.clock.pause()
                case "resume":
                    self.clock.resume()
                case "step":
                    self.clock.pause()
                    moved = await self._step(seconds or 3600.0)
                case "move":
                    moved = await self._move(seconds)
            await self.keep()
            return moved

    async def keep(self) -> None:
        """Write down how the clock stands; nothing where it is as the machine's."""
        clock = self.clock
        document = {"ahead": clock.ahead(), "rate": clock.rate, "paused": clock.paused}
        if abs(clock.ahead()) > 0.001 or clock.rate != 1 or clock.paused or await self._is_kept():
            await self._kept.write(_FILE, document)

    async def _is_kept(self) -> bool:
        return bool(await self._kept.read(_FILE))

    async def _step(self, furthest: float) -> float:
        """Move to the next timer that leads to a write."""
        moved, before = 0.0, self._revision()
        for _ in range(_MOST_TIMERS):
            moved += self.clock.advance(furthest - moved)
            await self._settle()
            if self._revision() != before or moved >= furthest:
                break
        return moved

    async def _move(self, seconds: float) -> float:
        """Move on by so much; what comes due on the way has its turn at its own time."""
        moved, was_paused = 0.0, self.clock.paused
        self.clock.pause()
        try:
            while moved < seconds:
                moved += self.clock.advance(seconds - moved)
                await self._settle()
        finally:
            if not was_paused:
                self.clock.resume()
        return moved

    async def _settle(self) -> None:
        """Wait until what was set off has been written, or takes too long."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _LONGEST_SETTLING
        while loop.time() < end:
            before = self._revision()
            await asyncio.sleep(_QUIET)
            if self._revision() == before:
                return
