"""How fast a client may say things, as client-go's rate limiters have it."""

from __future__ import annotations

from typing import NamedTuple


class Pace(NamedTuple):
    """So many a second, and so many at once after a while of silence."""

    rate: float
    burst: int


# Defaults: --event-qps and --event-burst of kubelets, clientConnection of
# kube-scheduler, --kube-api-qps and --kube-api-burst of kube-controller-manager.
USUAL = Pace(50.0, 100)
CONTROLLER = Pace(20.0, 30)


class Meter:
    """A token bucket, kept as one number: when it would be full again."""

    __slots__ = ("_full", "_pace")

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._full = 0.0

    def take(self, now: float) -> bool:
        """Take a token if there is one. Seconds of any clock that goes on evenly."""
        if self.wait(now) > 0:
            return False
        self._full = max(self._full, now) + 1 / self._pace.rate
        return True

    def wait(self, now: float, tokens: int = 1) -> float:
        """Return the seconds until so many tokens, the burst at most, can be taken."""
        rate, burst = self._pace
        missing = max(self._full - now, 0.0) * rate
        if missing > burst + 1:  # the clock was set back, which silences nobody
            missing = self._full = 0.0
        # A rounding error is not worth a wait.
        short = missing + min(tokens, burst) - burst
        return short / rate if short > 1e-6 else 0.0
