"""What kubelets did for pods, step by step: the last of a cluster's, with their real times.

Beside the objects, like the scheduler's decisions. A pod takes some six steps to run; nothing is
noted of a pod that just runs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from nodes.client.cause import Cause

# The steps of the last hundred pods or so; some 200 bytes each.
KEPT = 600
LONGEST_OUTCOME = 512


class Step(NamedTuple):
    """One step: sandbox, volumes, image, create, start, a probe's first yes, a new phase.

    `began` and `ended` are in cluster seconds. `outcome` is "" where it went well; of a phase it is
    the phase, and `revision` that of the status that says so.
    """

    what: str
    uid: str
    namespace: str
    pod: str
    node: str
    container: str
    began: float
    ended: float
    outcome: str
    cause: Cause
    revision: int = 0

    def record(self) -> dict[str, Any]:
        """Return the step as JSON has it."""
        return {**self._asdict(), "cause": list(self.cause)}


class Steps:
    """The last steps, the oldest forgotten first."""

    def __init__(self, kept: int = KEPT) -> None:
        self._steps: deque[Step] = deque(maxlen=kept)

    def add(self, step: Step) -> None:
        self._steps.append(step)

    def __iter__(self) -> Iterator[Step]:
        """Yield the oldest first."""
        return iter(tuple(self._steps))
