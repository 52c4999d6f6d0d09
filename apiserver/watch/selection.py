"""What a change looks like to someone who sees only some objects.

An object that enters the selection arrives as ADDED; one that leaves it goes as DELETED, showing
the last state that the watcher was allowed to see, at the revision of the change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from apiserver.storage import Entry, Event, Selector


class Selection:
    """A namespace, a field with one value, and a predicate: each may be absent."""

    __slots__ = ("exact", "namespace", "selector")

    def __init__(
        self,
        namespace: str | None = None,
        exact: tuple[str, str] | None = None,
        selector: Selector | None = None,
    ) -> None:
        self.namespace = namespace
        self.exact = exact
        self.selector = selector

    @property
    def everything(self) -> bool:
        """Whether each event of the namespace is wanted as it is."""
        return self.exact is None and self.selector is None

    def matches(self, entry: Entry) -> bool:
        """Tell whether an object in this state is selected, its namespace aside."""
        if self.exact is not None:
            name, value = self.exact
            if entry.field(name) != value:
                return False
        return self.selector is None or self.selector(entry)

    def view(self, event: Event) -> Event | None:
        """Return the event as the watcher has it, None if it sees nothing of it."""
        if self.namespace is not None and event.entry.key.namespace != self.namespace:
            return None
        if self.everything:
            return event
        before = event.previous is not None and self.matches(event.previous)
        if event.type == "DELETED":
            return event if before else None
        if self.matches(event.entry):
            return event if before or event.type == "ADDED" else event.entering()
        return event.leaving() if before else None

    def within(self, events: Sequence[Event]) -> Sequence[Event]:
        """Return the events of the namespace."""
        if self.namespace is None:
            return events
        return [event for event in events if event.entry.key.namespace == self.namespace]

    def views(self, events: Iterable[Event]) -> list[Event]:
        """Return what the watcher has of several events."""
        return [seen for event in events if (seen := self.view(event)) is not None]
