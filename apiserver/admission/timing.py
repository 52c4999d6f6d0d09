"""How long admission takes: of each plugin, and of all of them in a phase."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter

from apimachinery.exposition import Histogram
from apiserver.admission.interfaces import AdmissionRequest

BOUNDS = (0.005, 0.025, 0.1, 0.5, 1.0, 2.5)
# Of a method that plugins have: the phase that it belongs to.
_PHASES = {
    "admit": "admit",
    "admit_async": "admit",
    "validate": "validate",
    "validate_async": "validate",
}

Run = Callable[[AdmissionRequest], None]
Ask = Callable[[AdmissionRequest], Awaitable[None]]


class AdmissionTimes:
    """Histograms by plugin ("" for all of a phase), phase, operation, and whether it refused."""

    def __init__(self) -> None:
        self.times: dict[tuple[str, str, str, bool], Histogram] = {}
        self._timed: dict[tuple[str, str, str], Run] = {}

    def _of(self, plugin: str, phase: str, operation: str, *, rejected: bool) -> Histogram:
        key = plugin, _PHASES[phase], operation, rejected
        found = self.times.get(key)
        if found is None:
            found = self.times[key] = Histogram(BOUNDS)
        return found

    def timed(self, plugin: str, phase: str, operation: str, run: Run) -> Run:
        """Return what a plugin does in a phase, with a watch on it: the same for all resources."""
        key = plugin, phase, operation
        found = self._timed.get(key)
        if found is None:
            found = self._timed[key] = self._watched(plugin, phase, operation, run)
        return found

    def _watched(self, plugin: str, phase: str, operation: str, run: Run) -> Run:
        passed = self._of(plugin, phase, operation, rejected=False)
        counts, first = passed.counts, BOUNDS[0]

        def run_timed(request: AdmissionRequest) -> None:
            began = perf_counter()
            try:
                run(request)
            except Exception:
                refused = self._of(plugin, phase, operation, rejected=True)
                refused.add(perf_counter() - began)
                raise
            took = perf_counter() - began
            if took > first:
                passed.add(took)
                return
            # The same, without a call: a write meets some fifteen plugins, all of them quick.
            counts[0] += 1
            passed.total += took

        return run_timed

    def timed_waiting(self, plugin: str, phase: str, operation: str, ask: Ask) -> Ask:
        """Return what a plugin asks of others in a phase, likewise."""
        passed = self._of(plugin, phase, operation, rejected=False)

        async def ask_timed(request: AdmissionRequest) -> None:
            began = perf_counter()
            try:
                await ask(request)
            except Exception:
                refused = self._of(plugin, phase, operation, rejected=True)
                refused.add(perf_counter() - began)
                raise
            passed.add(perf_counter() - began)

        return ask_timed

    def step(self, phase: str, request: AdmissionRequest, began: float, *, rejected: bool) -> None:
        """Note that all plugins of a phase have been asked since `began`."""
        found = self._of("", phase, request.operation.value, rejected=rejected)
        found.add(perf_counter() - began)
