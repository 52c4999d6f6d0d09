"""What priority and fairness counts: for each FlowSchema and priority level."""

from __future__ import annotations

from apimachinery.exposition import Histogram

# Seconds: of apiserver_flowcontrol_request_wait_duration_seconds.
WAIT_BUCKETS = (0.0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0)


class Usage:
    """The requests of one FlowSchema at one priority level."""

    __slots__ = ("dispatched", "executing", "rejected", "seats", "waiting", "waits")

    def __init__(self) -> None:
        self.dispatched = self.executing = self.seats = self.waiting = 0
        # By reason: queue-full, concurrency-limit, time-out, cancelled.
        self.rejected: dict[str, int] = {}
        # Of those who were served in the end, and of those who were not.
        self.waits: dict[bool, Histogram] = {}

    @property
    def idle(self) -> bool:
        """Whether no request of it is there."""
        return not self.executing and not self.waiting

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
            found = self.waits[executed] = Histogram(WAIT_BUCKETS)
        found.add(seconds)
