"""A cluster at rest: nothing of it runs and nothing of it is in memory but what lists show.

It takes no CPU, and answers each request with words that say so. It is opened again as after a
restart of the playground: what ran is started, nothing that was acknowledged is missing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apimachinery.errors import ServiceUnavailable
from apiserver.storage import ClusterRecord

# In a record's settings, in seconds since the epoch: since when it rests, when it was used last,
# when it will be paused; and how many pods it had.
RESTING, USED, EXPIRES, PODS = "paused", "used", "expires", "pods"
# By holders' marks, until when certificates that they were given count no more.
REVOKED = "revoked"
# What the refusal's cause says, for programs.
CAUSE = "ClusterPaused"


def refusal(name: str, *, expired: bool) -> ServiceUnavailable:
    """Return what a cluster at rest says, with a cause that programs can tell it by."""
    why = "its time was up" if expired else "somebody paused it"
    return ServiceUnavailable(
        f'the cluster "{name}" is paused: {why}. Nothing of it is lost. '
        "Resume it on the page of clusters",
        details={"name": name, "causes": [{"reason": CAUSE, "message": "paused"}]},
    )


@dataclass(frozen=True, slots=True)
class Sleeper:
    """What is known of a cluster at rest."""

    record: ClusterRecord

    @property
    def pods(self) -> int:
        return int(self.record.settings.get(PODS) or 0)

    def refusal(self) -> ServiceUnavailable:
        """Return what to say to whoever asks for it."""
        settings = self.record.settings
        expires = settings.get(EXPIRES)
        expired = bool(expires and expires <= settings.get(RESTING, 0))
        return refusal(self.record.name, expired=expired)


def settled(record: ClusterRecord, **changes: Any) -> Mapping[str, Any]:
    """Return a record's settings with some changed; None takes one away."""
    merged = {**record.settings, **changes}
    return {key: value for key, value in merged.items() if value is not None}


def now() -> float:
    """Return the time on the wall: clusters expire by it, whatever their own clocks say."""
    return time.time()  # noqa: TID251 - see above
