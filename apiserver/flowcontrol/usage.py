"""What priority and fairness counts: for each FlowSchema and priority level."""

from __future__ import annotations

from bisect import bisect_left

# Seconds: of apiserver_flowcontrol_request_wait_duration_seconds.
WAIT_BUCKETS = (0.0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0)


class Waits:
    """A histogram of waiting times."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(WAIT_BUCKETS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(WAIT_BUCKETS, seconds)] += 1
        self.total += seconds


class Usage:
    """The requests of one FlowSchema at one priority level."""

    __slots__ = ("dispatched", "executing", "rejected", "seats", "waiting", "waits")

    def __init__(self) -> None:
        self.dispatched = self.executing = self.seats = self.waiting = 0
        # By reason: queue-full, concurrency-limit, time-out, cancelled.
        self.rejected: dict[str, int] = {}
        # Of those who were served in the end, and of those who were not.
        self.waits: dict[bool, Waits] = {}

    def begin(self, width: int) -> None:
        self.dispatched += 1
        self.executing += 1
        self.seats += width

    def end(self, width: int) -> None:
        self.executing -= 1
        self.seats -= width

    def reject(self, reason: str) -> None:
        self.rejected[reason] = self.rejected.get(reason, 0) + 1

    def waited(self, seconds: float, *, executed: bool) -> None:
        found = self.waits.get(executed)
        if found is None:
            found = self.waits[executed] = Waits()
        found.add(seconds)
