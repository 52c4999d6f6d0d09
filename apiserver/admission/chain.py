"""The admission chain: each request meets only the plugins that handle it, in their order.

Which plugins those are is worked out once for each (resource, subresource, operation) and kept,
so an object that concerns nobody costs a dictionary look-up. `admit` and `validate` return None
where everything is said, and something to await where a webhook has to be asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from time import perf_counter
from typing import Any, NamedTuple, Protocol

from apimachinery.exposition import Histogram
from apimachinery.gvk import GroupResource
from apiserver.admission.interfaces import AdmissionRequest, Operation, Plugin
from apiserver.admission.timing import BOUNDS, AdmissionTimes
from apiserver.admission.watched import seen
from apiserver.storage.feed import Hub


class Stage(NamedTuple):
    """One plugin's part in a phase, by the plugin's name (the trace shows it).

    `concerns` is None where `run` answers at once; its times are counted in `passed`. Otherwise it
    tells whether `run` is asked, whose answer is to be waited for.
    """

    plugin: str
    run: Callable[[AdmissionRequest], Any]
    passed: Histogram
    concerns: Callable[[AdmissionRequest], bool] | None = None


class Handlers(NamedTuple):
    """The stages that one kind of request goes through, in the plugins' order."""

    mutators: tuple[Stage, ...]
    validators: tuple[Stage, ...]


class Follower(Protocol):
    """What a plugin follows of its cluster."""

    def start(self, hub: Hub, revision: int) -> None: ...

    def stop(self) -> None: ...


class AdmissionChain:
    """The plugins of one cluster. Raises the first refusal."""

    def __init__(self, plugins: Sequence[Plugin]) -> None:
        self._plugins = tuple(plugins)
        self._handlers: dict[tuple[GroupResource, str, Operation], Handlers] = {}
        self.times = AdmissionTimes()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all plugins, in order."""
        return tuple(plugin.name for plugin in self._plugins)

    def start(self, hub: Hub, revision: int) -> None:
        """Let the plugins that follow configurations read them at `revision`, and follow them."""
        for followed in self._followed():
            followed.start(hub, revision)

    def stop(self) -> None:
        """Follow no more."""
        for followed in self._followed():
            followed.stop()

    def _followed(self) -> list[Follower]:
        found = (getattr(plugin, "followed", None) for plugin in self._plugins)
        return [each for each in found if each is not None]

    def handlers(self, resource: GroupResource, subresource: str, operation: Operation) -> Handlers:
        """Return the stages for a kind of request; the endpoint may time each."""
        key = (resource, subresource, operation)
        found = self._handlers.get(key)
        if found is None:
            found = self._handlers[key] = self._select(str(resource), subresource, operation)
        return found

    def admit(self, request: AdmissionRequest) -> Awaitable[None] | None:
        """Let every mutator that handles this request change its object."""
        return self._step("admit", request, self._admit)

    def validate(self, request: AdmissionRequest) -> Awaitable[None] | None:
        """Let every validator that handles this request look at its object."""
        return self._step("validate", request, self._validate)

    def _step(
        self,
        phase: str,
        request: AdmissionRequest,
        run: Callable[[AdmissionRequest], Awaitable[None] | None],
    ) -> Awaitable[None] | None:
        began = perf_counter()
        try:
            waiting = run(request)
        except Exception:
            self.times.step(phase, request, began, rejected=True)
            raise
        if waiting is not None:
            return self._step_waiting(phase, request, began, waiting)
        self.times.step(phase, request, began, rejected=False)
        return None

    async def _step_waiting(
        self, phase: str, request: AdmissionRequest, began: float, waiting: Awaitable[None]
    ) -> None:
        rejected = True
        try:
            await waiting
            rejected = False
        finally:
            self.times.step(phase, request, began, rejected=rejected)

    def _admit(self, request: AdmissionRequest) -> Awaitable[None] | None:
        stages = self.handlers(request.resource, request.subresource, request.operation).mutators
        if request.seen is not None:
            stages = seen(stages, request.seen)
        waiting = self._walk("admit", stages, request)
        if waiting is not None:
            return self._admit_later(stages, request, waiting)
        return self._again(stages, request) if request.reinvoke else None

    def _validate(self, request: AdmissionRequest) -> Awaitable[None] | None:
        stages = self.handlers(request.resource, request.subresource, request.operation)
        return self._walk("validate", stages.validators, request)

    def _select(self, resource: str, subresource: str, operation: Operation) -> Handlers:
        chosen = [p for p in self._plugins if p.handles.matches(resource, subresource, operation)]
        what = operation.value
        return Handlers(
            tuple(self._stages(chosen, "admit", what)),
            tuple(self._stages(chosen, "validate", what)),
        )

    def _stages(self, plugins: Sequence[Plugin], phase: str, operation: str) -> Iterator[Stage]:
        for plugin in plugins:
            name = plugin.name
            if (run := getattr(plugin, phase, None)) is not None:
                yield Stage(name, run, self.times.passed(name, phase, operation))
            if (ask := getattr(plugin, f"{phase}_async", None)) is not None:
                timed = self.times.timed_waiting(name, phase, operation, ask)
                passed = self.times.passed(name, phase, operation)
                yield Stage(name, timed, passed, getattr(plugin, "concerns"))  # noqa: B009

    def _walk(
        self, phase: str, stages: Sequence[Stage], request: AdmissionRequest, start: int = 0
    ) -> Awaitable[None] | None:
        """Go through the stages; returns what to wait for once one of them has to wait."""
        began = perf_counter()
        for at in range(start, len(stages)):
            stage = stages[at]
            if stage.concerns is not None:
                if stage.concerns(request):
                    return self._walk_on(phase, stages, request, at)
                continue
            try:
                stage.run(request)
            except Exception:
                took = perf_counter() - began
                self.times.refused(stage.plugin, phase, request.operation.value, took)
                raise
            # One look at the clock for each: a write meets some fifteen plugins, all of them quick.
            ended = perf_counter()
            took, times = ended - began, stage.passed
            if took <= BOUNDS[0]:
                times.counts[0] += 1  # what `add` does, without a call
                times.total += took
            else:
                times.add(took)
            began = ended
        return None

    async def _walk_on(
        self, phase: str, stages: Sequence[Stage], request: AdmissionRequest, at: int
    ) -> None:
        await stages[at].run(request)
        rest = self._walk(phase, stages, request, at + 1)
        if rest is not None:
            await rest

    def _again(self, stages: Sequence[Stage], request: AdmissionRequest) -> Awaitable[None] | None:
        """Run the mutators a second time on an object that came out of the first changed."""
        request.reinvoked = True
        if request.object is not None:
            request.default(request.object)
        return self._walk("admit", stages, request)

    async def _admit_later(
        self, stages: Sequence[Stage], request: AdmissionRequest, waiting: Awaitable[None]
    ) -> None:
        await waiting
        if request.reinvoke and (rest := self._again(stages, request)) is not None:
            await rest
