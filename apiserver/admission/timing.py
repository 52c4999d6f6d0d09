"""How long admission takes: of each plugin, and of all of them in a phase."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter

from apimachinery.exposition import Histogram
from apiserver.admission.interfaces import AdmissionRequest

BOUNDS = (0.005, 0.025, 0.1, 0.5, 1.0, 2.5)

Ask = Callable[[AdmissionRequest], Awaitable[None]]


class AdmissionTimes:
    """Histograms by plugin ("" for all of a phase), phase, operation, and whether it refused."""

    def __init__(self) -> None:
        self.times: dict[tuple[str, str, str, bool], Histogram] = {}

    def _of(self, plugin: str, phase: str, operation: str, *, rejected: bool) -> Histogram:
        key = plugin, phase, operation, rejected
        found = self.times.get(key)
        if found is None:
            found = self.times[key] = Histogram(BOUNDS)
        return found

    def passed(self, plugin: str, phase: str, operation: str) -> Histogram:
        """Return where the times of a plugin that had nothing against a request are counted."""
        return self._of(plugin, phase, operation, rejected=False)

    def refused(self, plugin: str, phase: str, operation: str, seconds: float) -> None:
        """Count a refusal of a plugin's."""
        self._of(plugin, phase, operation, rejected=True).add(seconds)

    def timed_waiting(self, plugin: str, phase: str, operation: str, ask: Ask) -> Ask:
        """Return what a plugin asks of others in a phase, likewise."""
        passed = self._of(plugin, phase, operation, rejected=False)

        async def ask_timed(request: AdmissionRequest) -> None:
            began = perf_counter()
            try:
                await ask(request)
            except Exception:
                self.refused(plugin, phase, operation, perf_counter() - began)
                raise
            passed.add(perf_counter() - began)

        return ask_timed

    def step(self, phase: str, request: AdmissionRequest, began: float, *, rejected: bool) -> None:
        """Note that all plugins of a phase have been asked since `began`."""
        found = self._of("", phase, request.operation.value, rejected=rejected)
        found.add(perf_counter() - began)
