"""Hands each committed event of a cluster to those who subscribed, in the order of revisions.

- A subscription gets every event of its selection after its revision, once, in order.
- What happened lately is replayed from memory, what is older from the log; the hand-over from
  the log to what happens meanwhile leaves no gap and doubles nothing.
- Sinks are called on the event loop and must return at once. One that raises is cut off.

Cost: an event touches the subscriptions of its resource and namespace, and of the exact field
values it has or had. A hundred kubelets that watch the pods of their node cost a pod nothing
but the one that runs it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Protocol, Unpack

from apiserver.storage import Compacted, Event, Sink
from apiserver.storage.feed import Choice, Closed
from apiserver.watch.latest import Latest
from apiserver.watch.selection import Selection
from apiserver.watch.subscription import Bucket, Subscription, Topic
from apiserver.watch.window import Window

# What is read of the log at once: some 2 MB of pods with their previous states.
LOG_PAGE = 256
# Subscribers encode within a turn or two of the loop; what is derived is kept 1 to 2 seconds.
RELEASE_AFTER = 1.0


class Log(Protocol):
    """The store, as the hub needs it."""

    @property
    def revision(self) -> int: ...

    @property
    def oldest(self) -> int: ...

    @property
    def size(self) -> int:
        """The bytes of all objects."""
        ...

    async def changes(
        self, resource: str | None, after: int, upto: int | None = None, limit: int = ...
    ) -> Sequence[Event]: ...


class NotInMemoryError(Exception):
    """The revision lies before the window: `replay` reads the log."""


class WatchHub:
    """The subscriptions to one cluster."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._topics: dict[str, Topic] = {}
        self._window = Window(log.revision)
        self._latest = Latest(log.revision)
        self._delivered: list[Event] = []
        self._releasing: list[Event] = []
        self._timer: asyncio.TimerHandle | None = None
        # Done with the next commit; there only while somebody waits for one.
        self._moved: asyncio.Future[None] | None = None

    def moved(self) -> asyncio.Future[None]:
        """Return what is done with the next commit, or when the hub closes. Shared: shield it."""
        if self._moved is None:
            self._moved = asyncio.get_running_loop().create_future()
        return self._moved

    def publish(self, events: Sequence[Event]) -> None:
        """Pass committed events on."""
        self._window.extend(events, self._log.size)
        self._delivered.extend(events)
        if self._timer is None:
            self._arm()
        if self._moved is not None:
            self._tell_moved()
        routed: dict[Bucket, list[Event]] = {}
        for event in events:
            self._latest.note(event)
            topic = self._topics.get(event.entry.key.resource)
            if topic is not None:
                for bucket in topic.route(event):
                    routed.setdefault(bucket, []).append(event)
        for bucket, mine in routed.items():
            for subscription in tuple(bucket.members):
                subscription.deliver(mine)

    def subscribe(
        self,
        resource: str,
        *,
        after: int,
        sink: Sink,
        closed: Closed,
        **chosen: Unpack[Choice],
    ) -> Subscription:
        """Subscribe from a revision that is still in memory; what it missed is passed on first.

        Raises Compacted, or NotInMemoryError where `follow` or `replay` has to be asked.
        """
        if after >= self._log.oldest and self._is_behind(resource, chosen.get("exact"), after):
            raise NotInMemoryError(after)
        return self.follow(resource, after=after, sink=sink, closed=closed, **chosen)

    def follow(
        self,
        resource: str,
        *,
        after: int,
        sink: Sink,
        closed: Closed,
        **chosen: Unpack[Choice],
    ) -> Subscription:
        """Subscribe from any revision that the log still has. Raises Compacted.

        Where memory does not go back as far the subscription is `behind`: `read_on` is for it.
        """
        if after < self._log.oldest:
            raise Compacted(after, self._log.oldest)
        selection = Selection(**chosen)
        subscription = Subscription(resource, after, selection, sink, closed)
        topic = self._topics.get(resource)
        if topic is None:
            topic = self._topics[resource] = Topic()
        subscription.join(topic.bucket(selection))
        if selection.exact is not None:
            self._latest.select(resource, selection.exact[0], self._log.revision)
        self._remember(subscription)
        return subscription

    async def read_on(self, subscription: Subscription) -> None:
        """Pass the next page of the log on to one that is behind. Raises Compacted."""
        upto = self._log.revision
        page = await self._log.changes(
            subscription.resource, subscription.after, upto, limit=LOG_PAGE
        )
        subscription.catch_up(page, page[-1].revision if page else upto)
        self._remember(subscription)

    async def replay(
        self,
        resource: str,
        *,
        after: int,
        sink: Sink,
        closed: Closed,
        **chosen: Unpack[Choice],
    ) -> Subscription:
        """Subscribe from any revision that the log still has, and pass all of it on at once.

        Raises Compacted.
        """
        subscription = self.follow(resource, after=after, sink=sink, closed=closed, **chosen)
        try:
            while subscription.behind:
                await self.read_on(subscription)
        except BaseException:
            subscription.cancel()
            raise
        return subscription

    def _remember(self, subscription: Subscription) -> None:
        """Pass on what is in memory of what a subscription missed, if that is all of it."""
        resource, after = subscription.resource, subscription.after
        subscription.behind = subscription.active and self._is_behind(
            resource, subscription.exact, after
        )
        if not subscription.behind:
            missed = self._window.after(max(after, self._window.floor))
            mine = [e for e in missed if e.entry.key.resource == resource]
            subscription.catch_up(mine, self._log.revision)

    def _is_behind(self, resource: str, exact: tuple[str, str] | None, after: int) -> bool:
        """Tell whether memory does not have all of a selection that happened after a revision."""
        return after < self._window.floor and not self._latest.is_quiet(resource, exact, after)

    def audience(self, revision: int) -> Counter[str] | None:
        """Return who was sent the event of a revision, as far as their watches are still open.

        None where the event is not in memory any more.
        """
        if not self._window.floor < revision <= self._log.revision:
            return None
        event = next(iter(self._window.after(revision - 1)))
        topic = self._topics.get(event.entry.key.resource)
        buckets = topic.route(event) if topic is not None else ()
        members = (member for bucket in buckets for member in bucket.members)
        return Counter(member.who for member in members if member.was_sent(event))

    def watching(self) -> Counter[tuple[str, str]]:
        """Return how many subscriptions there are, by who watches and what."""
        return Counter(
            (member.who, resource)
            for resource, topic in self._topics.items()
            for member in topic.members()
        )

    def end(self, resource: str, reason: str) -> None:
        """End the subscriptions to a resource that is served no more."""
        topic = self._topics.pop(resource, None)
        for subscription in topic.members() if topic is not None else ():
            subscription.end(reason)

    def close(self, reason: str) -> None:
        """End every subscription."""
        if self._moved is not None:
            self._tell_moved()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for topic in self._topics.values():
            for subscription in topic.members():
                subscription.end(reason)
        self._topics.clear()

    def _tell_moved(self) -> None:
        moved, self._moved = self._moved, None
        if moved is not None and not moved.done():
            moved.set_result(None)

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(RELEASE_AFTER, self._release)

    def _release(self) -> None:
        """Let go of what was derived from events that have been delivered for a while."""
        for event in self._releasing:
            event.release()
        self._releasing, self._delivered = self._delivered, []
        self._timer = None
        if self._releasing:
            self._arm()
