"""How long a Job waits before it makes another pod: 10 s after a failure, doubled, to 10 min."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from apimachinery.meta import Obj
from nodes.controllers.job.facts import all_failures, finished_at

FIRST, LONGEST = 10.0, 600.0


class Backoff(NamedTuple):
    """The failures since the last success, and when the last of them was."""

    failures: int = 0
    last: float = 0.0

    def after(self, succeeded: Sequence[Obj], failed: Sequence[Obj]) -> Backoff:
        """Return what it is with these pods ended besides."""
        ends = sorted(finished_at(pod) for pod in failed)
        if not succeeded:
            return Backoff(self.failures + len(ends), ends[-1]) if ends else self
        since = max(finished_at(pod) for pod in succeeded)
        later = [end for end in ends if end > since]
        return Backoff(len(later), later[-1]) if later else Backoff()

    def remaining(self, now: float) -> float:
        """Return in how many seconds a pod may be made."""
        if not self.failures:
            return 0.0
        # 2 to the 6 times ten is more than the longest.
        wait = min(FIRST * 2.0 ** min(self.failures - 1, 6), LONGEST)
        return max(self.last + wait - now, 0.0)


def remaining_for_index(failed: Obj | None, now: float) -> float:
    """Return in how many seconds the pod of an index whose last one failed may be replaced."""
    if failed is None:
        return 0.0
    return Backoff(all_failures(failed) + 1, finished_at(failed)).remaining(now)
