"""One subscriber, and the buckets of subscribers that an event is looked up in."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from apiserver.storage import Event, Sink
from apiserver.storage.feed import Closed
from apiserver.watch.selection import Selection

logger = logging.getLogger(__name__)


class Bucket:
    """Subscriptions that the same events concern. It goes when the last of them does."""

    __slots__ = ("_home", "_key", "members")

    def __init__(self, home: dict[str, Bucket], key: str) -> None:
        self._home = home
        self._key = key
        self.members: dict[Subscription, None] = {}
        home[key] = self

    def leave(self, member: Subscription) -> None:
        self.members.pop(member, None)
        if not self.members and self._home.get(self._key) is self:
            del self._home[self._key]


class Subscription:
    """One subscriber's selection and sink.

    After the revision `after` it is told what happens as it happens. As long as it is `behind` it
    is told nothing of that, and `after` grows with what is read of the log.
    """

    __slots__ = ("_bucket", "_closed", "_selection", "_sink", "after", "behind", "resource", "who")

    def __init__(
        self, resource: str, after: int, selection: Selection, sink: Sink, closed: Closed
    ) -> None:
        self.resource = resource
        self.after = after
        self.behind = False
        self._selection = selection
        self._sink = sink
        self._closed = closed
        self._bucket: Bucket | None = None
        self.who = ""

    @property
    def active(self) -> bool:
        return self._bucket is not None

    @property
    def exact(self) -> tuple[str, str] | None:
        """The field that must have one value, and that value."""
        return self._selection.exact

    def join(self, bucket: Bucket) -> None:
        bucket.members[self] = None
        self._bucket = bucket

    def cancel(self) -> None:
        """Stop at once: neither the sink nor `closed` is called any more."""
        if self._bucket is not None:
            self._bucket.leave(self)
            self._bucket = None
            self.behind = False

    def end(self, reason: str) -> None:
        """Stop, and tell the subscriber why."""
        self.cancel()
        try:
            self._closed(reason)
        except Exception:  # the others have to be told as well
            logger.exception("watch: a subscriber failed as it was told of the end")

    def was_sent(self, event: Event) -> bool:
        """Tell whether an event that happened was passed on as it happened."""
        if self.behind:
            return False
        return self.after < event.revision and self._selection.view(event) is not None

    def deliver(self, events: Sequence[Event]) -> None:
        """Pass on what the subscriber may see and has not seen."""
        if self._bucket is None or self.behind:
            return
        if self.after >= events[0].revision:
            events = [event for event in events if event.revision > self.after]
        self._tell(events)

    def catch_up(self, missed: Sequence[Event], upto: int) -> None:
        """Pass on all of its resource that happened until `upto`."""
        if self._bucket is not None:
            self._tell(self._selection.within(missed))
            self.after = max(self.after, upto)

    def _tell(self, events: Sequence[Event]) -> None:
        if not self._selection.everything:
            events = self._selection.views(events)
        if not events:
            return
        try:
            self._sink(events)
        except Exception:
            logger.exception("watch: a sink failed and is cut off")
            self.end("the subscriber failed")


class Topic:
    """The subscriptions to one resource, by what decides whether an event concerns them."""

    __slots__ = ("_everywhere", "_exact", "_namespaces")

    def __init__(self) -> None:
        self._everywhere: dict[str, Bucket] = {}
        self._namespaces: dict[str, Bucket] = {}
        self._exact: dict[str, dict[str, Bucket]] = {}

    def bucket(self, selection: Selection) -> Bucket:
        """Return where a subscription with this selection belongs."""
        if selection.exact is not None:
            field, key = selection.exact
            home = self._exact.setdefault(field, {})
        elif selection.namespace is not None:
            home, key = self._namespaces, selection.namespace
        else:
            home, key = self._everywhere, ""
        return home.get(key) or Bucket(home, key)

    def route(self, event: Event) -> list[Bucket]:
        """Return the buckets that an event concerns, each once."""
        found = list(self._everywhere.values())
        if mine := self._namespaces.get(event.entry.key.namespace):
            found.append(mine)
        for field, values in self._exact.items():
            now = event.entry.field(field)
            if mine := values.get(now):
                found.append(mine)
            before = event.previous.field(field) if event.previous is not None else now
            if before != now and (mine := values.get(before)):
                found.append(mine)
        return found

    def members(self) -> list[Subscription]:
        homes = (self._everywhere, self._namespaces, *self._exact.values())
        return [member for home in homes for bucket in home.values() for member in bucket.members]
