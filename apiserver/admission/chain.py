"""The admission chain: each request meets only the plugins that handle it, in their order.

Which plugins those are is worked out once for each (resource, subresource, operation) and kept,
so an object that concerns nobody costs a dictionary look-up. `admit` and `validate` return None
where everything is said, and something to await where a webhook has to be asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import NamedTuple, Protocol

from apimachinery.gvk import GroupResource
from apiserver.admission.interfaces import AdmissionRequest, Operation, Plugin
from apiserver.admission.timing import AdmissionTimes
from apiserver.storage.feed import Hub


class Stage(NamedTuple):
    """One plugin's part in a phase, by the plugin's name (the trace shows it)."""

    plugin: str
    run: Callable[[AdmissionRequest], None]


class WaitingStage(NamedTuple):
    """The part of a plugin that may have to wait."""

    plugin: str
    concerns: Callable[[AdmissionRequest], bool]
    run: Callable[[AdmissionRequest], Awaitable[None]]


class Handlers(NamedTuple):
    """The stages that one kind of request goes through."""

    mutators: tuple[Stage, ...]
    validators: tuple[Stage, ...]
    waiting_mutators: tuple[WaitingStage, ...] = ()
    waiting_validators: tuple[WaitingStage, ...] = ()
    # Those that wait before anybody else looks: they make what the others would miss.
    first_mutators: tuple[WaitingStage, ...] = ()
    # Those that come after what waits: quota counts what nobody refuses any more.
    last_validators: tuple[Stage, ...] = ()


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
        stages = self.handlers(request.resource, request.subresource, request.operation)
        first = _concerned(stages.first_mutators, request)
        return _admit_first(stages, first, request) if first else _admit(stages, request)

    def _validate(self, request: AdmissionRequest) -> Awaitable[None] | None:
        stages = self.handlers(request.resource, request.subresource, request.operation)
        _run(stages.validators, request)
        waiting = _concerned(stages.waiting_validators, request)
        if waiting:
            return _validate_waiting(stages, waiting, request)
        _run(stages.last_validators, request)
        return None

    def _select(self, resource: str, subresource: str, operation: Operation) -> Handlers:
        chosen = [p for p in self._plugins if p.handles.matches(resource, subresource, operation)]
        waits = [at for at, plugin in enumerate(chosen) if hasattr(plugin, "validate_async")]
        middle = waits[0] if waits else len(chosen)
        begin = next((at for at, p in enumerate(chosen) if hasattr(p, "admit")), 0)
        what = operation.value
        return Handlers(
            self._stages(chosen, "admit", what),
            self._stages(chosen[:middle], "validate", what),
            self._waiting_stages(chosen[begin:], "admit_async", what),
            self._waiting_stages(chosen, "validate_async", what),
            self._waiting_stages(chosen[:begin], "admit_async", what),
            self._stages(chosen[middle:], "validate", what),
        )

    def _stages(self, plugins: Sequence[Plugin], phase: str, operation: str) -> tuple[Stage, ...]:
        runs = ((plugin.name, getattr(plugin, phase, None)) for plugin in plugins)
        return tuple(
            Stage(name, self.times.timed(name, phase, operation, run))
            for name, run in runs
            if run is not None
        )

    def _waiting_stages(
        self, plugins: Sequence[Plugin], phase: str, operation: str
    ) -> tuple[WaitingStage, ...]:
        runs = (
            (plugin.name, getattr(plugin, "concerns", None), getattr(plugin, phase, None))
            for plugin in plugins
        )
        return tuple(
            WaitingStage(name, concerns, self.times.timed_waiting(name, phase, operation, ask))
            for name, concerns, ask in runs
            if concerns is not None and ask is not None
        )


def _run(stages: Sequence[Stage], request: AdmissionRequest) -> None:
    for stage in stages:
        stage.run(request)


def _concerned(stages: Sequence[WaitingStage], request: AdmissionRequest) -> list[WaitingStage]:
    return [stage for stage in stages if stage.concerns(request)] if stages else []


def _admit(stages: Handlers, request: AdmissionRequest) -> Awaitable[None] | None:
    _run(stages.mutators, request)
    waiting = _concerned(stages.waiting_mutators, request)
    if waiting:
        return _admit_waiting(stages, waiting, request)
    if request.reinvoke:
        _again(stages, request)
    return None


async def _admit_first(
    stages: Handlers, first: Sequence[WaitingStage], request: AdmissionRequest
) -> None:
    for stage in first:
        await stage.run(request)
    rest = _admit(stages, request)
    if rest is not None:
        await rest


def _again(stages: Handlers, request: AdmissionRequest) -> None:
    """Run the mutators a second time on an object that came out of the first changed."""
    request.reinvoked = True
    if request.object is not None:
        request.default(request.object)
    _run(stages.mutators, request)


async def _admit_waiting(
    stages: Handlers, waiting: Sequence[WaitingStage], request: AdmissionRequest
) -> None:
    for stage in waiting:
        await stage.run(request)
    if request.reinvoke:
        _again(stages, request)
        for stage in waiting:
            await stage.run(request)


async def _validate_waiting(
    stages: Handlers, waiting: Sequence[WaitingStage], request: AdmissionRequest
) -> None:
    for stage in waiting:
        await stage.run(request)
    _run(stages.last_validators, request)
