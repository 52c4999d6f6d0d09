"""The one way in which objects of every kind are created, updated and deleted.

Generic code over a Resource and its Strategy, as k8s.io/apiserver registry/generic/registry. It
knows nothing of users or admission: whoever asks hands in the validating step as a callback, so
that it runs on the very object that is going to be stored.

- A write is made at the revision that was read. If the object changed meanwhile, the change is
  made again on the newer object, unless the client named a resourceVersion: then it is a Conflict.
- A change that changes nothing is not written.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from apimachinery.clock import Clock
from apimachinery.errors import (
    MODIFIED,
    AlreadyExists,
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
)
from apimachinery.gvk import GroupKind
from apimachinery.meta import Obj, labels_of, replace_in
from apimachinery.validation.field import FieldError, Path, invalid
from apiserver.registry import converting, deletion, metadata
from apiserver.registry.deletion import DeleteOptions, Fate
from apiserver.registry.etcd import uid_mismatch
from apiserver.registry.metadatarules import created_metadata_errors, updated_metadata_errors
from apiserver.registry.objects import StoredObjects
from apiserver.registry.resource import Resource
from apiserver.registry.room import Room
from apiserver.registry.strategy import Companion, Strategy, StrategyContext
from apiserver.storage import (
    Changed,
    ClusterStore,
    Dropped,
    Entry,
    EventType,
    Exists,
    Key,
    Missing,
    StorageError,
    Write,
)

# A hot object (a lease, an Endpoints) sees some tens of writers at once; more is a livelock.
TRIES = 100

# Both may return something to wait for, where whoever asks has to ask somebody else.
Check = Callable[[Obj | None, Obj | None], Awaitable[None] | None]
Make = Callable[[Obj | None], Obj | Awaitable[Obj]]


class Wrote(NamedTuple):
    """One write of a request: its revision, what kind of change, and of which object."""

    revision: int
    type: EventType
    key: Key
    uid: str

    def record(self) -> dict[str, Any]:
        """Return the write as JSON has it."""
        resource, namespace, name = self.key
        return {
            "revision": self.revision,
            "type": self.type,
            "resource": resource,
            "namespace": namespace,
            "name": name,
            "uid": self.uid,
        }


# Of a request that writes many objects so many are told.
MOST_WROTE = 200


@dataclass(slots=True)
class Writing:
    """What a write carries besides the object: who, why, and the step that has the last word."""

    ctx: StrategyContext
    # Called with the object as it will be stored and the one that it replaces; may refuse.
    check: Check
    warn: Callable[[list[str]], None]
    actor: str = ""
    trace: str = ""
    # Told of each write that was made.
    wrote: list[Wrote] = field(default_factory=list)


class Stored(NamedTuple):
    """The outcome of a write; `entry` is None for a dry run."""

    obj: Obj
    entry: Entry | None
    created: bool = False
    gone: bool = False


class _Form(NamedTuple):
    """An object as it is stored, with what field selectors ask of it."""

    obj: Obj
    fields: dict[str, str]


class Registry:
    """Objects of one cluster, with the rules of their kinds."""

    def __init__(
        self,
        store: ClusterStore,
        clock: Clock,
        identity: metadata.Identity,
        objects: StoredObjects,
        allocators: Mapping[str, Any] | None = None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.identity = identity
        self.objects = objects
        self.allocators = allocators or {}
        self.room = Room()

    def context(
        self,
        user: str,
        namespace: str,
        *,
        dry_run: bool = False,
        user_info: Mapping[str, Any] | None = None,
    ) -> StrategyContext:
        """Return what hooks may know of a request."""
        return StrategyContext(
            clock=self.clock,
            objects=self.objects,
            user=user,
            user_info=user_info or {},
            namespace=namespace,
            dry_run=dry_run,
            allocators=self.allocators,
        )

    def get(self, resource: Resource, namespace: str, name: str) -> Entry:
        """Return an object. Raises NotFound."""
        entry = self.store.get(Key(resource.key, namespace, name))
        if entry is None:
            raise NotFound(resource.group_resource, name)
        return entry

    async def create(self, resource: Resource, obj: Obj, namespace: str, how: Writing) -> Stored:
        """Store a new object. `obj` is private to the caller and is handed over."""
        meta = obj["metadata"]
        metadata.match_namespace(meta, namespace)
        if meta.get("resourceVersion"):
            raise BadRequest("resourceVersion should not be set on objects to be created")
        base = "" if meta.get("name") else meta.get("generateName") or ""
        for left in range(metadata.NAME_TRIES, 0, -1):
            if base:
                meta["name"] = self.identity.name(base)
            try:
                return await self._create(resource, obj, namespace, how)
            except AlreadyExists as error:
                if not base:
                    raise
                if left == 1:
                    raise _no_name_left(error) from None
        raise AssertionError("unreachable")

    async def _create(self, resource: Resource, obj: Obj, namespace: str, how: Writing) -> Stored:
        strategy, meta = resource.strategy, obj["metadata"]
        metadata.fill_on_create(
            obj,
            self.clock.timestamp(),
            self.identity.uid(),
            has_generation=strategy.has_generation,
        )
        strategy.prepare_for_create(obj, how.ctx)
        try:
            waiting = self._check_new(resource, obj, how)
            if waiting is not None:
                await waiting
            strategy.canonicalize(obj)
            key = Key(resource.key, namespace, meta["name"])
            if how.ctx.dry_run:
                self._require_absent(key)
                return Stored(metadata.ordered(obj), None, created=True)
            form = await self._form(resource, obj)
            return await self._write(resource, key, "ADDED", form, None, how)
        except (ApiError, Exists, Changed) as error:
            strategy.after_delete(obj, how.ctx)
            if isinstance(error, Exists):
                raise AlreadyExists(resource.group_resource, meta["name"]) from None
            if isinstance(error, Changed):
                raise Conflict(resource.group_resource, meta["name"], MODIFIED) from None
            raise

    def _check_new(self, resource: Resource, obj: Obj, how: Writing) -> Awaitable[None] | None:
        strategy = resource.strategy
        strategy.drop_disabled(obj, None)
        errors = list(created_metadata_errors(resource, strategy, obj["metadata"]))
        errors += strategy.validate(obj, how.ctx)
        _refuse(resource, obj, errors)
        how.warn(strategy.warnings_on_create(obj, how.ctx))
        return how.check(obj, None)

    def _require_absent(self, key: Key) -> None:
        if self.store.get(key) is not None:
            raise Exists

    async def update(
        self,
        resource: Resource,
        strategy: Strategy,
        key: Key,
        make: Make,
        how: Writing,
        *,
        creates: bool = False,
        carried: bool = False,
    ) -> Stored:
        """Store what `make` returns for the current object, which it must not change.

        Where there is no object, `make` is called with None if this `creates`. It may be called
        again when the object changed meanwhile; it returns the current object for "no change".
        With `carried`, a resourceVersion that is the current one came with the object (a patch
        leaves it alone) and not from the client, so that a lost race is run again.
        """
        sent = ""
        for _ in range(TRIES):
            entry = self.store.get(key)
            if entry is None and creates:
                obj = await _made(make(None))
                obj["metadata"].pop("resourceVersion", None)
                return await self.create(resource, obj, key.namespace, how)
            if entry is None:
                break
            old = await self._shown(resource, entry)
            new = await _made(make(old))
            if new is old:
                return Stored(old, entry)
            pinned = self._pin(resource, strategy, new, old) and not carried
            sent = old["metadata"]["resourceVersion"] if pinned else ""
            try:
                return await self._update(resource, strategy, entry, new, old, how)
            except Changed:
                if pinned:
                    break
            except Missing:
                if pinned:
                    break
        entry = self.store.get(key)
        if entry is None:
            raise NotFound(resource.group_resource, key.name)
        raise _modified(resource, key.name, sent, str(entry.revision))

    def _pin(self, resource: Resource, strategy: Strategy, new: Obj, old: Obj) -> bool:
        """Check resourceVersion and uid; tell whether the client named the revision it means."""
        meta, before = new["metadata"], old["metadata"]
        name, version = before["name"], meta.get("resourceVersion") or ""
        uid = meta.get("uid")
        if uid and uid != before.get("uid"):
            raise Conflict(resource.group_resource, name, uid_mismatch(resource, uid, before))
        if not version or version == "0":
            if not strategy.allow_unconditional_update:
                path = Path("metadata") / "resourceVersion"
                why = "must be specified for an update"
                about = GroupKind(resource.kind.group, resource.plural)
                raise Invalid(about, name, [invalid(path, 0, why)])
            meta["resourceVersion"] = before["resourceVersion"]
            return False
        if version != before["resourceVersion"]:
            raise _modified(resource, name, version, before["resourceVersion"])
        return True

    async def _update(
        self, resource: Resource, strategy: Strategy, entry: Entry, new: Obj, old: Obj, how: Writing
    ) -> Stored:
        metadata.match_namespace(new["metadata"], entry.key.namespace)
        metadata.keep_on_update(new, old)
        strategy.prepare_for_update(new, old, how.ctx)
        strategy.drop_disabled(new, old)
        own = resource.strategy
        if own.has_generation and strategy.counts_changes and own.spec_changed(new, old):
            new["metadata"]["generation"] = (old["metadata"].get("generation") or 0) + 1
        errors = list(updated_metadata_errors(resource, strategy, new, old))
        errors += strategy.validate_update(new, old, how.ctx)
        _refuse(resource, new, errors)
        how.warn(strategy.warnings_on_update(new, old, how.ctx))
        waiting = how.check(new, old)
        if waiting is not None:
            await waiting
        own.canonicalize(new)
        if deletion.is_finished(new, resource.strategy):
            return await self._remove(resource, entry, await self._form(resource, new), how)
        if new == old and not _outdated(resource, entry):
            return Stored(old, entry)
        if how.ctx.dry_run:
            return Stored(metadata.ordered(new), None)
        form = await self._form(resource, new)
        stored = await self._write(resource, entry.key, "MODIFIED", form, entry, how)
        own.after_update(new, old, how.ctx)
        return stored

    async def delete(
        self, resource: Resource, key: Key, options: DeleteOptions, how: Writing
    ) -> Stored:
        """Delete an object, or mark it as going. `Stored.gone` tells which it was."""
        _refuse_kept(resource, key.name)
        for _ in range(TRIES):
            entry = self.store.get(key)
            if entry is None:
                raise NotFound(resource.group_resource, key.name)
            old = await self._shown(resource, entry)
            if options.wants_orphans is None and not options.foreground:
                how.warn(resource.strategy.warnings_on_delete(old))
            deletion.check_preconditions(options, old, resource.kind)
            waiting = how.check(None, old)
            if waiting is not None:
                await waiting
            form = _Form(entry.obj(), entry.fields)
            resource.strategy.keep_text(form.obj, entry.raw)
            obj = form.obj
            fate = deletion.begin(obj, resource.strategy, options, how.ctx)
            try:
                if fate is Fate.GONE:
                    return await self._remove(resource, entry, form, how)
                if fate is Fate.PENDING or obj == self.objects.parse(entry):
                    return Stored(old, entry)
                if how.ctx.dry_run:
                    return Stored(metadata.ordered(obj), None)
                return await self._write(resource, key, "MODIFIED", form, entry, how)
            except Changed:
                continue
            except Missing:
                raise NotFound(resource.group_resource, key.name) from None
        raise Conflict(resource.group_resource, key.name, MODIFIED)

    async def _remove(self, resource: Resource, entry: Entry, form: _Form, how: Writing) -> Stored:
        if how.ctx.dry_run:
            return Stored(metadata.ordered(form.obj), None, gone=True)
        # Clients are told the object as it was last; its deletion has a revision of its own.
        last = metadata.ordered(form.obj)
        await self._write(resource, entry.key, "DELETED", form, entry, how)
        resource.strategy.after_delete(last, how.ctx)
        return Stored(last, None, gone=True)

    async def _write(
        self,
        resource: Resource,
        key: Key,
        type_: EventType,
        form: _Form,
        replaced: Entry | None,
        how: Writing,
    ) -> Stored:
        first = metadata.ordered(form.obj)
        if type_ != "DELETED":
            self.room.check(self.store, resource.group_resource, first, replaced)
        write = Write(
            key=key,
            type=type_,
            obj=first,
            uid=first["metadata"]["uid"],
            labels=labels_of(first),
            fields=form.fields,
            expected=0 if replaced is None else replaced.revision,
            actor=how.actor,
            trace=how.trace,
        )
        companions = resource.strategy.companions(
            None if type_ == "DELETED" else first,
            None if replaced is None else self.objects.parse(replaced),
        )
        entry = await self._commit(write, companions)
        if len(how.wrote) < MOST_WROTE:
            how.wrote.append(Wrote(entry.revision, type_, key, write.uid))
        made = write.stored
        if type_ == "DELETED":
            self.objects.forget(key)
        elif made is not None:
            self.objects.renew(entry, made)
        if made is None:
            made = replace_in(first, ("metadata", "resourceVersion"), str(entry.revision))
        return Stored(made, entry, created=replaced is None)

    async def _commit(self, write: Write, companions: Sequence[Companion]) -> Entry:
        """Make a write with all that belongs to it. Raises Changed where that is not to be had."""
        beside = [made for one in companions if (made := self._beside(one, write)) is not None]
        if not beside:
            return await self.store.commit(write)
        result = (await self.store.commit_together([*beside, write]))[-1]
        if isinstance(result, Dropped):
            raise Changed(None)
        if isinstance(result, StorageError):
            raise result
        return result

    def _beside(self, companion: Companion, write: Write) -> Write | None:
        """Return the write of a companion; None where it is gone, or its finalizers keep it."""
        key = Key(companion.resource, "", companion.name)
        if companion.obj is not None:
            obj = replace_in(companion.obj, ("metadata", "uid"), self.identity.uid())
            obj = replace_in(obj, ("metadata", "creationTimestamp"), self.clock.timestamp())
            uid, labels = obj["metadata"]["uid"], labels_of(obj)
            obj = metadata.ordered(obj)
            return Write(key, "ADDED", obj, uid, labels, actor=write.actor, trace=write.trace)
        entry = self.store.get(key)
        if entry is None or self.objects.parse(entry)["metadata"].get("finalizers"):
            return None
        return Write(
            key, "DELETED", None, expected=entry.revision, actor=write.actor, trace=write.trace
        )

    async def restore(self, companions: Sequence[Companion], actor: str) -> None:
        """Make companions that are missing, as those of objects from before there were any."""
        about = Write(Key("", "", ""), "ADDED", None, actor=actor)
        writes = (self._beside(one, about) for one in companions)
        await self.store.commit_many(write for write in writes if write is not None)

    # -- versions --------------------------------------------------------------------------------

    async def _shown(self, resource: Resource, entry: Entry) -> Obj:
        """Return an object in the version of the request; shared."""
        obj = self.objects.parse(entry)
        if resource.conversion is None:
            return obj
        return await converting.shown_object(resource, obj)

    async def _form(self, resource: Resource, obj: Obj) -> _Form:
        """Return an object in the form in which it is stored."""
        conversion = resource.conversion
        if conversion is None:
            index = resource.indexed or resource.selectable
            return _Form(obj, {path: read(obj) for path, read in index.items()})
        (stored,) = await conversion.convert([obj], conversion.storage)
        return _Form(stored, await conversion.fields(stored, obj))


def _outdated(resource: Resource, entry: Entry) -> bool:
    """Tell whether an object is stored in a version that is not the one for it any more."""
    conversion = resource.conversion
    if conversion is None:
        return False
    return bool(entry.obj()["apiVersion"] != conversion.storage.api_version)


async def _made(found: Obj | Awaitable[Obj]) -> Obj:
    return found if isinstance(found, dict) else await found


def _modified(resource: Resource, name: str, sent: str, stored: str) -> Conflict:
    """Return the refusal of a write that means another revision than there is."""
    error = Conflict(resource.group_resource, name, MODIFIED)
    error.sent, error.stored = sent, stored
    return error


def _refuse(resource: Resource, obj: Obj, errors: list[FieldError]) -> None:
    if errors:
        name = obj["metadata"].get("name") or ""
        raise Invalid(resource.kind.group_kind, name, errors)


def _refuse_kept(resource: Resource, name: str) -> None:
    if why := resource.strategy.why_kept(name):
        raise Forbidden(resource.group_resource, name, why)


def _no_name_left(error: AlreadyExists) -> AlreadyExists:
    error.message += ", the server was not able to generate a unique name for the object"
    error.args = (error.message,)
    error.details = (error.details or {}) | {"retryAfterSeconds": 1}
    return error
