"""What the API server counts of requests: recording costs a look-up, the text is made when asked.

A counter of our own, since one of prometheus_client costs as much for each of its observations as
all of this does for a request.
"""

from __future__ import annotations

from typing import NamedTuple

from apimachinery.exposition import Histogram

DURATIONS = (
    0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5,
    2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0,
)  # fmt: skip
SIZES = tuple(10.0**power for power in range(3, 10))
# Of authentication and authorization: from a millisecond on, doubled.
SHORT = tuple(0.001 * 2**power for power in range(15))
_WITH_SIZES = frozenset({"get", "list"})


class Labels(NamedTuple):
    """What a request is counted under."""

    verb: str
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    scope: str = ""
    dry_run: str = ""


class Counted:
    """The requests of one set of labels."""

    __slots__ = ("codes", "durations", "running", "sizes")

    def __init__(self, verb: str) -> None:
        self.codes: dict[int, int] = {}
        self.durations = Histogram(DURATIONS)
        # Of those that run long and are under way.
        self.running = 0
        self.sizes = Histogram(SIZES) if verb in _WITH_SIZES else None

    def add(self, code: int, seconds: float, size: int) -> None:
        self.codes[code] = self.codes.get(code, 0) + 1
        self.durations.add(seconds)
        if self.sizes is not None:
            self.sizes.add(size)


class Checked:
    """How often authentication, or authorization, came to each result, and how long it took."""

    __slots__ = ("durations", "results")

    def __init__(self) -> None:
        self.results: dict[str, int] = {}
        self.durations: dict[str, Histogram] = {}

    def add(self, result: str, seconds: float) -> None:
        self.results[result] = self.results.get(result, 0) + 1
        found = self.durations.get(result)
        if found is None:
            found = self.durations[result] = Histogram(SHORT)
        found.add(seconds)


class Metrics:
    """The counters of one cluster's API server."""

    def __init__(self) -> None:
        self.requests: dict[Labels, Counted] = {}
        self.authentication = Checked()
        self.authorization = Checked()
        self.users: dict[str, int] = {}
        # Group, version, resource, subresource, and the release that will not have it.
        self.deprecated: set[tuple[str, str, str, str, str]] = set()
        self.terminations: dict[tuple[Labels, int], int] = {}
        # Of health checks, by name and type: the last result, and how often there was which.
        self.health: dict[tuple[str, str], bool] = {}
        self.health_counts: dict[tuple[str, str, str], int] = {}

    def counted(self, labels: Labels) -> Counted:
        """Return the counters of some labels."""
        found = self.requests.get(labels)
        if found is None:
            found = self.requests[labels] = Counted(labels.verb)
        return found

    def terminated(self, labels: Labels, code: int) -> None:
        """Count a request that the server itself has ended: too many, too long."""
        key = labels, code
        self.terminations[key] = self.terminations.get(key, 0) + 1

    def checked(self, name: str, kind: str, *, well: bool) -> None:
        """Count the result of a health check."""
        self.health[name, kind] = well
        key = name, kind, "success" if well else "error"
        self.health_counts[key] = self.health_counts.get(key, 0) + 1

    def user(self, name: str) -> None:
        """Count a request of a known user, by what kind of name it is."""
        kind = "admin" if name == "admin" else "email_id" if "@" in name else "other"
        self.users[kind] = self.users.get(kind, 0) + 1
