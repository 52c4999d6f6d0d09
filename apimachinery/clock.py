"""Time as the cluster sees it: everything that waits or stamps takes a Clock.

Nothing outside a Clock reads the machine's time. A test hands in a clock on virtual time; a
learner can pause a cluster or run it faster. The clock that the event loop drives stands in
`nodes.client.loopclock`, since this package knows no event loop.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol


class Timer(Protocol):
    """Something that will happen, until it is cancelled."""

    def cancel(self) -> None: ...


class Clock(ABC):
    """Now, later, and a while: in the cluster's own seconds."""

    _last_timestamp = (-1, "")

    @abstractmethod
    def seconds(self) -> float:
        """Return seconds since the Unix epoch; never runs backwards."""

    @abstractmethod
    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> Timer:
        """Call back after `delay` cluster seconds, unless the timer is cancelled first."""

    @abstractmethod
    async def sleep(self, delay: float) -> None:
        """Return after `delay` cluster seconds."""

    def now(self) -> datetime:
        """Return the moment as an aware datetime in UTC."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def timestamp(self) -> str:
        """Return the moment as metav1.Time prints it: "2026-01-02T03:04:05Z"."""
        return self._second(math.floor(self.seconds()))

    def micro_timestamp(self) -> str:
        """Return the moment as metav1.MicroTime prints it: "2026-01-02T03:04:05.000006Z"."""
        fraction, whole = math.modf(self.seconds())
        micros = round(fraction * 1e6)
        if micros == 1_000_000:
            whole, micros = whole + 1, 0
        return f"{self._second(int(whole))[:-1]}.{micros:06}Z"

    def _second(self, whole: int) -> str:
        """Print a second: a busy cluster asks for the same one a thousand times."""
        last = self._last_timestamp
        if last[0] != whole:
            last = self._last_timestamp = whole, format_seconds(whole)
        return last[1]


def format_time(moment: datetime) -> str:
    """Print a moment as metav1.Time does, to the second, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_seconds(seconds: float) -> str:
    """Print seconds since the Unix epoch as metav1.Time does."""
    return format_time(datetime.fromtimestamp(seconds, UTC))


def parse_time(text: str) -> datetime:
    """Read RFC 3339, with or without a fraction. Raises ValueError on anything else."""
    return datetime.fromisoformat(text)


class ManualClock(Clock):
    """A clock that moves when it is told to: for tests of pure code, without an event loop."""

    def __init__(self, start: float = 1_767_323_045.0) -> None:
        self._now = start
        self._due: list[tuple[float, int, _ManualTimer]] = []

    def seconds(self) -> float:
        return self._now

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> Timer:
        timer = _ManualTimer(callback, args)
        self._due.append((self._now + delay, len(self._due), timer))
        return timer

    async def sleep(self, delay: float) -> None:
        self.advance(delay)

    def advance(self, delay: float) -> None:
        """Move on by `delay` seconds, and call what has come due, in order."""
        end = self._now + delay
        while ready := sorted(item for item in self._due if item[0] <= end):
            self._due.remove(ready[0])
            self._now = max(self._now, ready[0][0])
            ready[0][2].fire()
        self._now = end


class _ManualTimer:
    def __init__(self, callback: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self._callback: Callable[..., Any] | None = callback
        self._args = args

    def cancel(self) -> None:
        self._callback = None

    def fire(self) -> None:
        if self._callback is not None:
            self._callback(*self._args)

    def __lt__(self, other: _ManualTimer) -> bool:
        return False


def age(clock: Clock, timestamp: str) -> timedelta:
    """Return how long ago an RFC 3339 timestamp was."""
    return clock.now() - parse_time(timestamp)
