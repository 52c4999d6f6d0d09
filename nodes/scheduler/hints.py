"""Which events may help which pods: the queueing hints of all profiles, by event and plugin."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterable, Mapping

from nodes.scheduler.framework import (
    EXTENDER,
    NO_NODES,
    Change,
    Event,
    Hint,
    Plugin,
    Readers,
    always,
)
from nodes.scheduler.podinfo import PodInfo

log = logging.getLogger(__name__)


class Hints:
    """What plugins make of a change, for the pods that they have refused."""

    def __init__(
        self,
        plugins: Mapping[str, Iterable[Plugin]],
        readers: Readers,
        *,
        extenders: bool = False,
    ) -> None:
        """`plugins` are those of each profile, by its name."""
        self._readers = readers
        self._known: dict[tuple[str, str, Event], Hint] = {}
        self._plugins: dict[tuple[str, str], Plugin] = {}
        asked: dict[Event, dict[str, None]] = {event: {} for event in Event}
        for profile, those in plugins.items():
            self._plugins |= {(profile, plugin.name): plugin for plugin in those}
            for plugin, hints in _of(those, extenders=extenders).items():
                for event, hint in hints.items():
                    self._known[profile, plugin, event] = hint
                    asked[event][plugin] = None
        self._asked = {event: tuple(names) for event, names in asked.items() if names}

    def asked(self, event: Event) -> tuple[str, ...]:
        """Return the plugins that an event may concern."""
        return self._asked.get(event, ())

    def concerns(self, scheduler: str, plugin: str, event: Event) -> bool:
        """Tell whether an event may concern the pods that a plugin of a profile has refused."""
        return (scheduler, plugin, event) in self._known

    def looked_at(self, pod: PodInfo, name: str) -> Hashable:
        """Return what the hints of who refused a pod look at: pods with the same are alike."""
        plugin = self._plugins.get((pod.scheduler, name))
        # Others that refuse pods look at none.
        return plugin.looks_at(pod) if plugin is not None else None

    def helps(self, pod: PodInfo, plugin: str, change: Change) -> bool:
        """Tell whether a pod that a plugin refused is worth another try."""
        hint = self._known.get((pod.scheduler, plugin, change.event))
        if hint is None:
            return False
        try:
            return hint(pod, change, self._readers)
        except Exception:  # better tried in vain than never
            log.exception("hint failed: %s of %s", change.event.value, plugin)
            return True


def _of(plugins: Iterable[Plugin], *, extenders: bool) -> dict[str, Mapping[Event, Hint]]:
    found = {plugin.name: plugin.hints() for plugin in plugins}
    found[NO_NODES] = {Event.NODE_ADDED: always}
    if extenders:
        # Nobody knows what an extender waits for.
        found[EXTENDER] = dict.fromkeys(Event, always)
    return found
