"""When something changed last: of each resource, and of what a field with one value selects.

A watcher that was told everything until a revision has missed nothing if nothing of its selection
has changed since, however much else has. So nobody reads the log for it: a thousand kubelets
that start together list the pods of their node and begin to watch some hundred revisions later.
"""

from __future__ import annotations

from apiserver.storage import Event

# Values of one field that are remembered: the nodes of a large cluster.
VALUES = 4096


class _Values:
    """The last change of what has each value of one field, of all changes after `since`."""

    __slots__ = ("_latest", "since")

    def __init__(self, since: int) -> None:
        self.since = since
        self._latest: dict[str, int] = {}

    def note(self, value: str, revision: int) -> None:
        if len(self._latest) >= VALUES and value not in self._latest:
            self._latest.clear()
            self.since = revision
        self._latest[value] = revision

    def is_quiet(self, value: str, after: int) -> bool:
        return self.since <= after and self._latest.get(value, 0) <= after


class Latest:
    """The last changes of one cluster, as far as they have been seen here."""

    def __init__(self, since: int) -> None:
        self._since = since
        self._resources: dict[str, int] = {}
        self._fields: dict[str, dict[str, _Values]] = {}

    def note(self, event: Event) -> None:
        """Take notice of a change; they come in the order of their revisions."""
        resource = event.entry.key.resource
        self._resources[resource] = event.revision
        for field, values in self._fields.get(resource, _NONE).items():
            now = event.entry.field(field)
            values.note(now, event.revision)
            if event.previous is not None and (before := event.previous.field(field)) != now:
                values.note(before, event.revision)

    def select(self, resource: str, field: str, revision: int) -> None:
        """Tell values of a field apart from now on, which is after `revision`."""
        fields = self._fields.setdefault(resource, {})
        if field not in fields:
            fields[field] = _Values(revision)

    def is_quiet(self, resource: str, exact: tuple[str, str] | None, after: int) -> bool:
        """Tell whether nothing of a selection has changed after a revision, as far as is known."""
        if self._since <= after and self._resources.get(resource, 0) <= after:
            return True
        if exact is None:
            return False
        field, value = exact
        values = self._fields.get(resource, _NONE).get(field)
        return values is not None and values.is_quiet(value, after)


_NONE: dict[str, _Values] = {}
