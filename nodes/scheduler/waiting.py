"""A pod that waits for its node, and those that wait for an event, by whom they were refused.

Thousands of pods of one template wait for the same: a plugin is asked once about all pods that its
hints cannot tell apart. Events that do not help are counted for all of them, too.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from itertools import count
from operator import attrgetter
from typing import TypeAlias

from nodes.client.cause import NONE, Cause
from nodes.scheduler.attempt import NEW, Trigger
from nodes.scheduler.podinfo import PodInfo

# Says of a plugin what its hints look at of a pod.
LookedAt: TypeAlias = Callable[[PodInfo, str], Hashable]

# Of two events that did not help the later one has the higher number.
_numbers = count(1)
_by_order = attrgetter("order")


@dataclass(slots=True)
class Ignored:
    """Events that were found not to help: how many, and the last one."""

    count: int = 0
    last: Trigger | None = None
    number: int = 0

    def add(self, trigger: Trigger) -> None:
        self.count += 1
        self.last, self.number = trigger, next(_numbers)


@dataclass(slots=True)
class Alike:
    """Pods by uid that a plugin has refused, and of which its hints say the same."""

    pods: dict[str, Waiting] = field(default_factory=dict)
    ignored: Ignored = field(default_factory=Ignored)


@dataclass(slots=True)
class Waiting:
    """A pod in the queue, with what is known of its attempts."""

    pod: PodInfo
    since: float
    attempts: int = 0
    refused_by: frozenset[str] = frozenset()
    # The plugin that keeps it out of the queue.
    gate: str = ""
    where: str = "active"
    # When it came, or came back last: of two pods with one priority this decides.
    stamp: float = 0.0
    # The second at which its backoff ends.
    until: int = 0
    refusals: int = 0
    errors: int = 0
    order: int = 0
    cause: Cause = NONE
    # Why it is tried.
    because: Trigger = NEW
    # With whom it waits for events, and how many of these it was too late for.
    held: list[tuple[Alike, int]] = field(default_factory=list)
    # Which events since the last attempt did not help, beside those that it heard of with others.
    own: Ignored = field(default_factory=Ignored)

    @property
    def gated(self) -> bool:
        return bool(self.gate)

    @property
    def ignored(self) -> Ignored:
        """Return which events since the last attempt were found not to help."""
        own = self.own
        total, latest = own.count, own
        for alike, before in self.held:
            if more := alike.ignored.count - before:
                total += more
                latest = max(latest, alike.ignored, key=attrgetter("number"))
        return Ignored(total, latest.last, latest.number)


class Held:
    """Pods that wait for an event which may help them."""

    def __init__(self) -> None:
        # By plugin, and by what its hints look at.
        self._alike: dict[str, dict[Hashable, Alike]] = {}

    def add(self, waiting: Waiting, looked_at: LookedAt) -> None:
        """Have a pod wait for what may help with those who refused it, or keep it out."""
        pod = waiting.pod
        for plugin in waiting.refused_by:
            kinds = self._alike.setdefault(plugin, {})
            kind = (waiting.gate, pod.scheduler, looked_at(pod, plugin))
            alike = kinds.get(kind)
            if alike is None:
                alike = kinds[kind] = Alike()
            alike.pods[pod.uid] = waiting
            waiting.held.append((alike, alike.ignored.count))

    def remove(self, waiting: Waiting) -> None:
        """Let a pod wait for no event any more; it keeps what it has heard of."""
        waiting.own = waiting.ignored
        for alike, _ in waiting.held:
            del alike.pods[waiting.pod.uid]
        waiting.held.clear()

    def helped(
        self, plugin: str, trigger: Trigger, helps: Callable[[Waiting], bool | None]
    ) -> Iterable[Waiting]:
        """Return whom an event may help that a plugin has refused, who came first before others.

        `helps` is asked about one of those that are alike; None: the event is none for them.
        """
        found: list[Waiting] = []
        kinds = self._alike.get(plugin, {})
        for kind, alike in tuple(kinds.items()):
            one = next(iter(alike.pods.values()), None)
            if one is None:
                del kinds[kind]
            elif helped := helps(one):
                found += alike.pods.values()
            elif helped is not None:
                alike.ignored.add(trigger)
        found.sort(key=_by_order)
        return found
