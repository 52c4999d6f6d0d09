"""The admission chain: each request meets only the plugins that handle it, in their order.

Which plugins those are is worked out once for each (resource, subresource, operation) and kept,
so an object that concerns nobody costs a dictionary look-up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from apimachinery.gvk import GroupResource
from apiserver.admission.interfaces import AdmissionRequest, Operation, Plugin


class Stage(NamedTuple):
    """One plugin's part in a phase, by the plugin's name (the trace shows it)."""

    plugin: str
    run: Callable[[AdmissionRequest], None]


class Handlers(NamedTuple):
    """The stages that one kind of request goes through."""

    mutators: tuple[Stage, ...]
    validators: tuple[Stage, ...]


class AdmissionChain:
    """The plugins of one cluster. Raises the first refusal."""

    def __init__(self, plugins: Sequence[Plugin]) -> None:
        self._plugins = tuple(plugins)
        self._handlers: dict[tuple[GroupResource, str, Operation], Handlers] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all plugins, in order."""
        return tuple(plugin.name for plugin in self._plugins)

    def handlers(self, resource: GroupResource, subresource: str, operation: Operation) -> Handlers:
        """Return the stages for a kind of request; the endpoint may time each."""
        key = (resource, subresource, operation)
        found = self._handlers.get(key)
        if found is None:
            found = self._handlers[key] = self._select(str(resource), subresource, operation)
        return found

    def admit(self, request: AdmissionRequest) -> None:
        """Let every mutator that handles this request change its object."""
        stages = self.handlers(request.resource, request.subresource, request.operation)
        for stage in stages.mutators:
            stage.run(request)

    def validate(self, request: AdmissionRequest) -> None:
        """Let every validator that handles this request look at its object."""
        stages = self.handlers(request.resource, request.subresource, request.operation)
        for stage in stages.validators:
            stage.run(request)

    def _select(self, resource: str, subresource: str, operation: Operation) -> Handlers:
        chosen = [p for p in self._plugins if p.handles.matches(resource, subresource, operation)]
        return Handlers(_stages(chosen, "admit"), _stages(chosen, "validate"))


def _stages(plugins: Sequence[Plugin], phase: str) -> tuple[Stage, ...]:
    runs = ((plugin.name, getattr(plugin, phase, None)) for plugin in plugins)
    return tuple(Stage(name, run) for name, run in runs if run is not None)
