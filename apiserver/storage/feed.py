"""What the store needs of whoever passes its events on, so that watching can stand above it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, TypedDict, Unpack

from apiserver.storage.types import Entry, Event

Selector: TypeAlias = Callable[[Entry], bool]
Sink: TypeAlias = Callable[[Sequence[Event]], None]
Closed: TypeAlias = Callable[[str], None]


class Choice(TypedDict, total=False):
    """Which objects of a resource a subscription is about; all of them where nothing is said.

    exact: a field, and the one value that it has to have.
    """

    namespace: str | None
    selector: Selector | None
    exact: tuple[str, str] | None


class Subscription(Protocol):
    """A standing wish for events, until it is cancelled. `who` is whose it is, "" for our own.

    One that is `behind` is told nothing of what happens until the log was read up to there.
    """

    who: str

    @property
    def behind(self) -> bool: ...

    def cancel(self) -> None: ...


class Feed(Protocol):
    """The part of a hub that following a whole kind needs."""

    def subscribe(
        self, resource: str, *, after: int, sink: Sink, closed: Closed
    ) -> Subscription: ...


class Hub(Protocol):
    """Hands each event, in the order of revisions, to those who subscribed to it."""

    def publish(self, events: Sequence[Event]) -> None:
        """Pass committed events on, before the writes' waiters wake up."""

    def moved(self) -> asyncio.Future[None]:
        """Return what is done with the next commit, or when the hub closes. Shared: shield it."""

    def subscribe(
        self,
        resource: str,
        *,
        after: int,
        sink: Sink,
        closed: Closed,
        **chosen: Unpack[Choice],
    ) -> Subscription:
        """Subscribe from a revision that is still held in memory."""

    def follow(
        self,
        resource: str,
        *,
        after: int,
        sink: Sink,
        closed: Closed,
        **chosen: Unpack[Choice],
    ) -> Subscription:
        """Subscribe from any revision that the log still has: it may be behind."""

    async def read_on(self, subscription: Any) -> None:
        """Pass the next page of the log on to a subscription of this hub that is behind."""

    async def replay(
        self,
        resource: str,
        *,
        after: int,
        sink: Sink,
        closed: Closed,
        **chosen: Unpack[Choice],
    ) -> Subscription:
        """Subscribe from any revision that the log still has, and pass all of it on."""

    def audience(self, revision: int) -> Mapping[str, int] | None:
        """Return who was sent the event of a revision, None where that is not known any more."""

    def watching(self) -> Mapping[tuple[str, str], int]:
        """Return how many subscriptions there are, by who watches and what."""

    def end(self, resource: str, reason: str) -> None:
        """End every subscription to a resource."""

    def close(self, reason: str) -> None:
        """End every subscription."""
