"""In whose name things are told: the scheduler's that a pod has chosen."""

from __future__ import annotations

from nodes.client.events import Recorder


class Voices:
    """One recorder for each name, made when it is first needed."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._named: dict[str, Recorder] = {}

    def of(self, scheduler: str) -> Recorder:
        found = self._named.get(scheduler)
        if found is None:
            found = self._named[scheduler] = self._recorder.named(scheduler)
        return found
