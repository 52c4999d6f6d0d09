"""What a container uses of CPU and memory, as a function of the time and of what it has done.

Nothing ticks: a program says how much it takes while idle and adds what each piece of work cost;
everything else is computed when somebody asks. The same seed gives the same curve.
"""

from __future__ import annotations

import math

# The span that a rate is averaged over, as cAdvisor's housekeeping does about.
WINDOW = 15.0
NANO = 1_000_000_000


class Meter:
    """The consumption of one container run."""

    __slots__ = (
        "_base_cores",
        "_base_memory",
        "_done",
        "_phase",
        "_spin",
        "_spin_since",
        "_started",
        "_window",
        "_window_work",
        "extra_memory",
        "limit_cores",
    )

    def __init__(self, seed: int, started: float, cores: float, memory: int) -> None:
        """`cores` and `memory` are what the program takes while it has nothing to do."""
        self._phase = seed % 6283 / 1000
        self._started = started
        self._base_cores = cores
        self._base_memory = memory
        self._done = 0.0
        self._spin = 0.0
        self._spin_since = started
        self._window = 0
        self._window_work = (0.0, 0.0)
        self.extra_memory = 0
        self.limit_cores = math.inf

    def work(self, now: float, seconds: float) -> None:
        """Add CPU seconds that were spent just now."""
        self._roll(now)
        self._done += seconds
        before, current = self._window_work
        self._window_work = (before, current + seconds)

    def spin(self, now: float, cores: float) -> None:
        """Take this many cores from now on (0: no more)."""
        self._done += self._spun(now)
        self._spin, self._spin_since = cores, now

    def cores(self, now: float) -> float:
        """Return the rate of the last WINDOW."""
        self._roll(now)
        before, current = self._window_work
        part = now / WINDOW % 1
        worked = (before * (1 - part) + current) / WINDOW
        idle = self._base_cores * (1 + 0.25 * math.sin(now / 37 + self._phase))
        return min(idle + worked + self._spin_rate(), self.limit_cores)

    def core_seconds(self, now: float) -> float:
        """Return all CPU since the start."""
        return self._base_cores * (now - self._started) + self._done + self._spun(now)

    def memory(self, now: float) -> int:
        """Return the working set in bytes."""
        wave = 1 + 0.02 * math.sin(now / 61 + self._phase)
        return int(self._base_memory * wave) + self.extra_memory

    def _spin_rate(self) -> float:
        return min(self._spin, self.limit_cores)

    def _spun(self, now: float) -> float:
        return self._spin_rate() * (now - self._spin_since)

    def _roll(self, now: float) -> None:
        window = int(now / WINDOW)
        if window == self._window + 1:
            self._window_work = (self._window_work[1], 0.0)
        elif window != self._window:
            self._window_work = (0.0, 0.0)
        self._window = window
