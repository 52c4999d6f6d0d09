"""The loop that every controller is: keys in, `reconcile`, back off or come again.

A reconcile is given a name and reads the whole state, never an event: a missed or doubled event
changes nothing. At most `workers` keys are worked on at a time and a key by one worker alone.
An idle controller has no task: workers start when a key is ready and end when none is.
A key whose work took long rests for a while, so that what changes meanwhile is worked on at once.
"""

from __future__ import annotations

import asyncio
import logging
import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from apimachinery.clock import Clock
from apimachinery.errors import ApiError, Conflict, NotFound
from apimachinery.gotext import quoted
from apimachinery.meta import Obj, controller_of, namespace_of, uid_of
from nodes.client.events import Recorder
from nodes.client.informer import Informer, Informers
from nodes.client.klog import SILENT, Klog
from nodes.client.lister import Key, key_of
from nodes.client.resources import Res
from nodes.client.rest import Client
from nodes.client.supervise import TaskSet
from nodes.client.workqueue import WorkQueue

log = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)

# Work of 2 ms or less is not worth waiting for; nobody should wait longer than half a second.
_SHORT, _LONGEST_REST = 0.002, 0.5


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a reconcile: done, or look again after some seconds."""

    requeue_after: float | None = None


DONE = Result()


@dataclass(frozen=True, slots=True)
class Context:
    """All that a controller is given."""

    client: Client
    informers: Informers
    recorder: Recorder
    clock: Clock
    tasks: TaskSet
    random: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311
    # Every loop that was made of it, so that one can tell how much work waits.
    loops: list[Loop[Any]] = field(default_factory=list)
    klog: Klog = SILENT
    # Where the controller stands in the sources of Kubernetes, for its log.
    source: str = ""


@dataclass(frozen=True, slots=True)
class Owned:
    """Watch objects for their controlling owner's sake."""

    resource: Res


@dataclass(frozen=True, slots=True)
class Mapped:
    """Watch objects that concern other keys: `keys(controller, obj)` says which."""

    resource: Res
    keys: Callable[..., list[Key]]


Watch: TypeAlias = Owned | Mapped


class Loop(Generic[K]):
    """A queue and those who work on it: all that a controller needs besides what it does.

    Held at first, so that nothing is worked on before the caches are filled.
    """

    def __init__(
        self,
        name: str,
        context: Context,
        handle: Callable[[K], Awaitable[Result]],
        *,
        workers: int = 5,
        rest: float = 1.0,
    ) -> None:
        """`rest`: after work that took t seconds, a key is left alone for `rest` times t."""
        self.name, self.workers = name, workers
        self.queue: WorkQueue[K] = WorkQueue(context.clock, wake=self._wake)
        self._context, self._handle, self._rest = context, handle, rest
        self._running = 0
        self._held, self._stopped = True, False
        context.loops.append(self)

    @property
    def idle(self) -> bool:
        return self.queue.idle

    def release(self) -> None:
        """Begin to work."""
        self._held = False
        for _ in range(min(len(self.queue), self.workers)):
            self._wake()

    def stop(self) -> None:
        self._stopped = True
        self.queue.close()

    def _wake(self) -> None:
        if self._running < self.workers and not self._held and not self._stopped:
            self._running += 1
            self._context.tasks.spawn(self.name, self._work())

    async def _work(self) -> None:
        now = asyncio.get_running_loop().time
        try:
            while (key := self.queue.take()) is not None:
                began = now()
                try:
                    await self._process(key)
                finally:
                    self._done(key, now() - began)
        finally:
            self._running -= 1

    def _done(self, key: K, took: float) -> None:
        if self.queue.meter is not None:
            self.queue.meter.done(key)
        if took <= _SHORT or not self._rest:
            self.queue.done(key)
            return
        rest = min(took * self._rest, _LONGEST_REST)
        self._context.clock.call_later(rest, self.queue.done, key)

    async def _process(self, key: K) -> None:
        try:
            result = await self._handle(key)
        except (Conflict, NotFound) as error:
            # The cache was behind: normal, and the next try sees what is so.
            log.debug("behind: %s %s: %s", self.name, key, error.message)
            self.queue.add_rate_limited(key)
        except ApiError as error:
            log.warning("reconcile refused: %s %s: %s", self.name, key, error.message)
            self._complain(key, error.message)
            self.queue.add_rate_limited(key)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("reconcile failed: %s %s", self.name, key)
            self._complain(key, "internal error")
            self.queue.add_rate_limited(key)
        else:
            self.queue.forget(key)
            if result.requeue_after is not None:
                self.queue.add_after(key, result.requeue_after)

    def _complain(self, key: K, why: str) -> None:
        """Log that a key is going to be tried again, as runtime.HandleError does."""
        name = "/".join(filter(None, key)) if isinstance(key, Key) else str(key)
        said = f"sync {quoted(name)} failed with {why}"
        where = self._context.source
        self._context.klog.error(where, "Unhandled Error", "err", said, "logger", "UnhandledError")


class Controller(ABC):
    """One kind of object, brought to where its spec wants it."""

    name: ClassVar[str]
    reconciles: ClassVar[Res]
    watches: ClassVar[tuple[Watch, ...]] = ()
    workers: ClassVar[int] = 5
    rest: ClassVar[float] = 1.0
    _more: tuple[Loop[Any], ...] = ()

    def __init__(self, context: Context) -> None:
        self.context = context
        self.client, self.clock = context.client, context.clock
        self.recorder = context.recorder
        self.loop: Loop[Key] = Loop(
            self.name, context, self.reconcile, workers=self.workers, rest=self.rest
        )
        self.queue = self.loop.queue

    def also(
        self, name: str, handle: Callable[[K], Awaitable[Result]], *, workers: int = 5
    ) -> Loop[K]:
        """Have one more queue, of other keys; it works and rests with the controller's own."""
        loop: Loop[K] = Loop(name, self.context, handle, workers=workers)
        self._more = (*self._more, loop)
        return loop

    @abstractmethod
    async def reconcile(self, key: Key) -> Result:
        """Bring one object on its way. An exception means: again, after a wait."""

    def informer(self, resource: Res) -> Informer:
        return self.context.informers.get(resource)

    def start(self) -> None:
        """Follow what is watched; the first listing fills the queue."""
        self.informer(self.reconciles).on_change(self.on_object)
        for watch in self.watches:
            if isinstance(watch, Owned):
                self.informer(watch.resource).on_change(self.on_owned)
            else:
                self.informer(watch.resource).on_change(self._on_mapped(watch))

    def release(self) -> None:
        """Begin to work: the caches hold what there is."""
        for loop in (self.loop, *self._more):
            loop.release()

    def stop(self) -> None:
        for loop in (self.loop, *self._more):
            loop.stop()

    @property
    def idle(self) -> bool:
        return all(loop.idle for loop in (self.loop, *self._more))

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        obj = new if new is not None else old
        if obj is not None:
            self.queue.add(key_of(obj))

    def on_owned(self, old: Obj | None, new: Obj | None) -> None:
        """Wake the owner, and the one before if the owner has changed."""
        before = self.owner_key(old) if old is not None else None
        after = self.owner_key(new) if new is not None else None
        if before is not None and before != after:
            self.queue.add(before)
        if after is not None:
            self.queue.add(after)

    def owner_key(self, obj: Obj) -> Key | None:
        """Return the key of the controlling owner, if that is of our kind."""
        owner = controller_of(obj)
        if owner is None or owner.get("kind") != self.reconciles.kind:
            return None
        if (
            owner.get("apiVersion", "").partition("/")[0]
            != (self.reconciles.api_version.partition("/")[0])
        ):
            return None
        return Key(namespace_of(obj) if self.reconciles.namespaced else "", owner["name"])

    def owner_of(self, obj: Obj) -> Obj | None:
        """Return the controlling owner from the cache, if it is the very one that is meant."""
        key, reference = self.owner_key(obj), controller_of(obj)
        if key is None or reference is None:
            return None
        owner = self.informer(self.reconciles).get(*key)
        return owner if owner is not None and uid_of(owner) == reference.get("uid") else None

    def _on_mapped(self, watch: Mapped) -> Callable[[Obj | None, Obj | None], None]:
        def changed(old: Obj | None, new: Obj | None) -> None:
            for obj in (old, new):
                if obj is not None:
                    for key in watch.keys(self, obj):
                        self.queue.add(key)

        return changed
