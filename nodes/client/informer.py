"""A resource as one worker sees it: a cache that a watch keeps, and callbacks at each change.

Promises: the cache holds, a little late, what the API holds; each change that the cache takes
in reaches every handler, in order, after the cache shows it; a handler that comes later is told
of what is there first; when the watch has lost its place everything is listed again and handlers
hear of the differences. Intermediate states may be skipped; the last one never is.
Objects are shared by all readers: never change them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import orjson

from apimachinery.caching import kept_if_short
from apimachinery.clock import Clock
from apimachinery.errors import ApiError, Expired, NotFound, TooManyRequests
from apimachinery.labels import Selector
from apimachinery.meta import Obj, revision_of
from nodes.client.cause import CAUSE
from nodes.client.flag import Flag
from nodes.client.lister import NODE, Indexer, IndexFunc, Objs, TallyFunc, by_node, key_of
from nodes.client.resources import PODS, Res
from nodes.client.rest import list_call
from nodes.client.supervise import TaskSet
from nodes.client.transport import Call, Cancellable, Transport, WatchEvent

log = logging.getLogger(__name__)

Handler: TypeAlias = Callable[[Obj | None, Obj | None], None]

# client-go's reflector: from 0.8 s, doubled, to 30 s.
_FIRST_RETRY, _LAST_RETRY = 0.8, 30.0


class Informer:
    """Lists and watches one resource (or one namespace of it, or what a selector leaves)."""

    def __init__(
        self,
        resource: Res,
        transport: Transport,
        clock: Clock,
        tasks: TaskSet,
        *,
        namespace: str = "",
        field_selector: str = "",
        whole: bool = True,
    ) -> None:
        """`whole`: False keeps of each object what tells who it is and whose (see `_outline`)."""
        self.resource = resource
        self._whole = whole
        # Objects that were kept in outline have to be taken in again; who asked for whole ones
        # hears of them then, for the first time.
        self._outdated = False
        self._late_handlers: list[Handler] = []
        self._late_indexes: dict[str, IndexFunc] = {}
        # Which of the lists and watches, that take turns, is the one to go by.
        self._turn = 0
        self.synced = Flag()
        # Synced, or known not to be served: there is nothing to wait for.
        self.settled = Flag()
        self.revision = 0
        self._call = list_call(resource, namespace, field_selector=field_selector)
        self._transport, self._clock, self._tasks = transport, clock, tasks
        self._store = Indexer()
        if resource is PODS:
            self._store.add_index(NODE, by_node)
        self._handlers: list[Handler] = []
        self._watch: Cancellable | None = None
        self._started = self._stopped = False
        self._retry = _FIRST_RETRY

    def start(self) -> None:
        if not self._started:
            self._started = True
            self._list_next()

    def keep_whole(self) -> None:
        """Keep whole objects from now on; what is there in outline is listed again.

        Until then it is not settled.
        """
        if self._whole:
            return
        self._whole = True
        if self.settled.is_set() and not self._stopped:
            self._outdated = True
            self.synced, self.settled = Flag(), Flag()
            if self._watch is not None:
                self._watch.cancel()
                self._watch = None
            self._list_next()

    def _list_next(self) -> None:
        self._turn += 1
        self._tasks.serve(f"list {self.resource.plural}", partial(self._relist, self._turn))

    def stop(self) -> None:
        self._stopped = True
        if self._watch is not None:
            self._watch.cancel()

    def on_change(self, handler: Handler) -> None:
        """Call `handler(old, new)` for each change: old None is new, new None is gone."""
        if self._outdated:
            self._late_handlers.append(handler)
            return
        self._handlers.append(handler)
        for obj in self._store.list():
            self._tell(handler, None, obj)

    def add_index(self, name: str, function: IndexFunc) -> None:
        if self._outdated:
            self._late_indexes[name] = function
        else:
            self._store.add_index(name, function)

    def add_tally(self, name: str, function: TallyFunc) -> None:
        self._store.add_tally(name, function)

    # Reading: an informer is its own Lister.

    def get(self, namespace: str, name: str) -> Obj | None:
        return self._store.get(namespace, name)

    def list(self, namespace: str = "", selector: Selector | None = None) -> Objs:
        return self._store.list(namespace, selector)

    def by_index(self, index: str, value: str) -> Objs:
        return [] if index in self._late_indexes else self._store.by_index(index, value)

    def count(self, index: str, value: str) -> int:
        return 0 if index in self._late_indexes else self._store.count(index, value)

    def tally(self, name: str, group: str) -> Mapping[Any, int]:
        return self._store.tally(name, group)

    def owned_by(self, owner: Obj) -> Objs:
        return self._store.owned_by(owner)

    # The list and the watch.

    def _goes_on(self, turn: int) -> bool:
        return turn == self._turn and not self._stopped

    async def _relist(self, turn: int) -> None:
        while self._goes_on(turn):
            try:
                answer = await self._transport.call(self._copy())
            except ApiError as error:
                log.warning("cannot list %s: %s", self.resource.plural, error.message)
                if isinstance(error, NotFound):
                    self.settled.set()
                await self._pause()
                continue
            if not self._goes_on(turn):
                return
            self._replace_all(answer.get("items") or [])
            self._follow(revision_of(answer))
            self.synced.set()
            self.settled.set()
            return

    async def _pause(self) -> None:
        await self._clock.sleep(self._longer())

    def _longer(self) -> float:
        """Return how long to wait before another try: longer each time, until events come again."""
        wait, self._retry = self._retry, min(self._retry * 2, _LAST_RETRY)
        return wait

    def _follow(self, revision: int) -> None:
        self.revision = revision
        if not self._stopped:
            self._watch = self._transport.watch(self._copy(), revision, self._deliver, self._closed)

    def _closed(self, error: ApiError | None) -> None:
        self._watch = None
        if self._stopped:
            return
        plural, turn = self.resource.plural, self._turn
        if error is None:
            self._tasks.serve(f"watch {plural}", partial(self._again, turn, _FIRST_RETRY))
            return
        if error.code == TooManyRequests.code:
            # It has not begun, so nothing was missed: to list again would ask for more.
            wait = max(error.retry_after or 0, self._longer())
            self._tasks.serve(f"watch {plural}", partial(self._again, turn, wait))
            return
        if isinstance(error, Expired):
            self._tasks.serve(f"list {plural}", partial(self._relist, turn))
            return
        log.warning("watch of %s ended: %s", plural, error.message)
        self._tasks.serve(f"list {plural}", partial(self._relist_later, turn))

    async def _again(self, turn: int, wait: float) -> None:
        """Take up a watch from where it was, after `wait` seconds."""
        await self._clock.sleep(wait)
        if self._goes_on(turn):
            self._follow(self.revision)

    async def _relist_later(self, turn: int) -> None:
        await self._pause()
        await self._relist(turn)

    def _copy(self) -> Call:
        return replace(self._call, params=dict(self._call.params))

    def _replace_all(self, items: Sequence[Obj]) -> None:
        before = CAUSE.get()
        gone = set(self._store.keys())
        for item in items:
            obj = self._typed(item)
            key = key_of(obj)
            gone.discard(key)
            known = self._store.get(*key)
            if known is None or revision_of(known) != revision_of(obj):
                # Whoever began to follow has a reason of its own.
                CAUSE.set(before or (revision_of(obj),))
                self._apply(obj, deleted=False)
            elif self._outdated:
                self._store.replace(key, obj)
        CAUSE.set(before)
        for key in sorted(gone):
            last = self._store.get(*key)
            if last is not None:
                self._apply(last, deleted=True)
        if self._outdated:
            self._take_in_late()

    def _take_in_late(self) -> None:
        """Let those who have asked for whole objects see them."""
        self._outdated = False
        for name, function in self._late_indexes.items():
            self._store.add_index(name, function)
        self._late_indexes = {}
        handlers, self._late_handlers = self._late_handlers, []
        for handler in handlers:
            self.on_change(handler)

    def _deliver(self, events: Sequence[WatchEvent]) -> None:
        self._retry = _FIRST_RETRY
        before = CAUSE.get()
        for event in events:
            self.revision = event.revision
            CAUSE.set((event.revision,))
            if event.type != "BOOKMARK":
                self._apply(self._typed(event.object), deleted=event.type == "DELETED")
        CAUSE.set(before)

    def _apply(self, obj: Obj, *, deleted: bool) -> None:
        old = self._store.replace(key_of(obj), None if deleted else obj)
        if deleted:
            # The object of a deletion is its last state, which may be newer than ours.
            for handler in self._handlers:
                self._tell(handler, obj, None)
            return
        for handler in self._handlers:
            self._tell(handler, old, obj)

    def _typed(self, obj: Obj) -> Obj:
        """Give an item of a list its kind, which lists leave out; leave out what is not kept."""
        if not self._whole:
            obj = _outline(obj)
        elif rules := obj.get("rules"):
            obj = {**obj, "rules": _once(orjson.dumps(rules))}
        if "kind" in obj and "apiVersion" in obj:
            return obj
        return {"apiVersion": self.resource.api_version, "kind": self.resource.kind, **obj}

    def _tell(self, handler: Handler, old: Obj | None, new: Obj | None) -> None:
        try:
            handler(old, new)
        except Exception:
            log.exception("handler of %s failed", self.resource.plural)


@kept_if_short(128, longest=8192)
def _once(rules: bytes) -> Any:
    """Return rules as all clusters share them: the roles that each begins with are the same."""
    return orjson.loads(rules)


# What ownership and deletion are decided by; a role's rules are a hundred times as much.
_KEPT = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "finalizers",
    "labels",
    "ownerReferences",
)


def _outline(obj: Obj) -> Obj:
    """Return an object's kind and the part of its metadata that tells who it is and whose."""
    metadata = obj["metadata"]
    outline: Obj = {key: obj[key] for key in ("apiVersion", "kind") if key in obj}
    outline["metadata"] = {key: metadata[key] for key in _KEPT if key in metadata}
    return outline


class Informers:
    """The informers that share one user's view: at most one list and watch for a resource."""

    def __init__(self, transport: Transport, clock: Clock, tasks: TaskSet) -> None:
        self._transport, self._clock, self._tasks = transport, clock, tasks
        self._informers: dict[tuple[Res, str, str], Informer] = {}
        self._started = False

    def get(
        self,
        resource: Res,
        field_selector: str = "",
        namespace: str = "",
        *,
        whole: bool = True,
    ) -> Informer:
        """Return the informer of a resource; it starts with the others, or now if they have.

        `whole`: False is content with outlines, as long as nobody else wants whole objects.
        """
        informer = self._informers.get((resource, namespace, field_selector))
        if informer is None:
            informer = Informer(
                resource,
                self._transport,
                self._clock,
                self._tasks,
                namespace=namespace,
                field_selector=field_selector,
                whole=whole,
            )
            self._informers[resource, namespace, field_selector] = informer
            if self._started:
                informer.start()
        elif whole:
            informer.keep_whole()
        return informer

    def start(self) -> None:
        self._started = True
        for informer in self._informers.values():
            informer.start()

    async def synced(self) -> None:
        """Wait until every informer has listed, or has been told that its kind is not served."""
        for informer in list(self._informers.values()):
            await informer.settled.wait()

    def drop(self, resource: Res, field_selector: str = "", namespace: str = "") -> None:
        """Stop following a resource (a custom kind that is no longer served)."""
        if informer := self._informers.pop((resource, namespace, field_selector), None):
            informer.stop()

    def stop(self) -> None:
        for informer in self._informers.values():
            informer.stop()
