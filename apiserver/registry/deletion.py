"""What a deletion does to an object: gone at once, or marked until grace and finalizers allow.

Follows k8s.io/apiserver registry/rest/delete.go and registry/generic/registry/store.go. The
functions work on an object private to the request and say what has become of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

from apimachinery.clock import format_time, parse_time
from apimachinery.errors import Conflict, Invalid
from apimachinery.gvk import GroupKind, GroupResource, GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, not_supported
from apiserver.registry.strategy import Strategy, StrategyContext

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
_POLICIES = ("Foreground", "Background", "Orphan", "nil")


class Fate(Enum):
    """What becomes of an object that is asked to go."""

    GONE = "gone"  # removed now
    MARKED = "marked"  # stays, with a deletionTimestamp
    PENDING = "pending"  # was marked before; nothing changes


@dataclass(slots=True)
class DeleteOptions:
    """How something is to be deleted: metav1.DeleteOptions."""

    grace: int | None = None
    policy: str = ""
    orphan: bool | None = None
    uid: str = ""
    resource_version: str = ""
    dry_run: tuple[str, ...] = ()
    # The object goes with all others of its kind.
    of_collection: bool = False

    @classmethod
    def read(cls, body: Obj) -> DeleteOptions:
        """Read the body of a DELETE. Raises Invalid where the options contradict each other."""
        conditions, grace = body.get("preconditions") or {}, body.get("gracePeriodSeconds")
        options = cls(
            # Negative periods were once allowed; they stand for the shortest one.
            grace=1 if grace is not None and grace < 0 else grace,
            policy=body.get("propagationPolicy") or "",
            orphan=body.get("orphanDependents"),
            uid=conditions.get("uid") or "",
            resource_version=conditions.get("resourceVersion") or "",
            dry_run=tuple(body.get("dryRun") or ()),
        )
        errors = list(options.errors())
        if errors:
            raise Invalid(GroupKind("meta.k8s.io", "DeleteOptions"), "", errors)
        return options

    def errors(self) -> FieldErrors:
        """Yield what is wrong with the options."""
        path = Path("propagationPolicy")
        if self.orphan is not None and self.policy:
            why = "orphanDependents and deletionPropagation cannot be both set"
            yield invalid(path, self.policy, why)
        if self.policy and self.policy not in _POLICIES[:3]:
            yield not_supported(path, self.policy, _POLICIES)
        if any(value != "All" for value in self.dry_run):
            yield not_supported(Path("dryRun"), list(self.dry_run), ["All"])

    @property
    def wants_orphans(self) -> bool | None:
        """True: dependents stay; False: they go; None: nothing was said."""
        if self.orphan is not None:
            return self.orphan
        return self.policy == "Orphan" if self.policy else None

    @property
    def foreground(self) -> bool:
        return self.orphan is None and self.policy == "Foreground"


def check_preconditions(options: DeleteOptions, obj: Obj, kind: GroupVersionKind) -> None:
    """Raise Conflict where the object is not the one that the client meant."""
    metadata = obj["metadata"]
    about, name = GroupResource(kind.group, kind.kind), metadata["name"]
    if options.uid and options.uid != metadata.get("uid"):
        raise Conflict(about, name, _not_in_record("UID", options.uid, metadata.get("uid")))
    version = metadata.get("resourceVersion")
    if options.resource_version and options.resource_version != version:
        why = _not_in_record("ResourceVersion", options.resource_version, version)
        raise Conflict(about, name, why)


def _not_in_record(what: str, wanted: str, found: Any) -> str:
    end = "deleted and then recreated" if what == "UID" else "modified"
    return (
        f"the {what} in the precondition ({wanted}) does not match the {what} in record ({found}). "
        f"The object might have been {end}"
    )


def begin(obj: Obj, strategy: Strategy, options: DeleteOptions, ctx: StrategyContext) -> Fate:
    """Mark the object as the options say, and tell what becomes of it."""
    graceful = is_graceful(strategy)
    if graceful and obj["metadata"].get("deletionTimestamp"):
        fate = _shorten(obj["metadata"], options)
        if fate is not None:
            return fate
        graceful = False
    elif graceful:
        _start_grace(obj, strategy.grace_period(obj, options.grace, ctx), ctx)
    finalizers = finalizers_after(obj["metadata"], strategy, options)
    _set_finalizers(obj["metadata"], finalizers)
    alone = not (options.of_collection and strategy.collection_goes_at_once)
    pending = bool(finalizers) or (alone and not strategy.may_be_removed(obj))
    if not pending and not graceful:
        return Fate.GONE
    if not graceful:
        _mark(obj, ctx)
        if not strategy.may_be_removed(obj):
            # Whatever else holds it has no notion of grace.
            obj["metadata"].pop("deletionGracePeriodSeconds", None)
    strategy.prepare_for_delete(obj, ctx)
    if pending or obj["metadata"].get("deletionGracePeriodSeconds"):
        return Fate.MARKED
    return Fate.GONE


def is_graceful(strategy: Strategy) -> bool:
    """Tell whether objects of a kind are given time to end: where grace_period says how much."""
    return type(strategy).grace_period is not Strategy.grace_period


def is_finished(obj: Obj, strategy: Strategy) -> bool:
    """Tell whether an object that is being deleted has nothing left that keeps it."""
    metadata = obj["metadata"]
    if metadata.get("finalizers") or not metadata.get("deletionTimestamp"):
        return False
    return not metadata.get("deletionGracePeriodSeconds") and strategy.may_be_removed(obj)


def finalizers_after(
    metadata: dict[str, Any], strategy: Strategy, options: DeleteOptions
) -> list[str]:
    """Return the finalizers with those that the garbage collector is to act on."""
    had = metadata.get("finalizers") or []
    kept = [one for one in had if one not in (ORPHAN, FOREGROUND)]
    orphans = options.wants_orphans
    if orphans is None:
        if ORPHAN in had or FOREGROUND in had:
            orphans = ORPHAN in had
        else:
            orphans = strategy.default_propagation == "Orphan"
    if orphans:
        kept.append(ORPHAN)
    if options.foreground or (FOREGROUND in had and options.wants_orphans is None):
        kept.append(FOREGROUND)
    return list(had) if set(kept) == set(had) else kept


def _set_finalizers(metadata: dict[str, Any], finalizers: list[str]) -> None:
    if finalizers:
        metadata["finalizers"] = finalizers
    else:
        metadata.pop("finalizers", None)


def _shorten(metadata: dict[str, Any], options: DeleteOptions) -> Fate | None:
    """Deal with a deletion of what is ending already; None: its grace is over."""
    left = metadata.get("deletionGracePeriodSeconds")
    if not left:
        return None
    if options.grace is None or options.grace >= left:
        return Fate.PENDING
    since = parse_time(metadata["deletionTimestamp"]) - timedelta(seconds=left)
    metadata["deletionTimestamp"] = format_time(since + timedelta(seconds=options.grace))
    metadata["deletionGracePeriodSeconds"] = options.grace
    return Fate.GONE if not options.grace and not metadata.get("finalizers") else Fate.MARKED


def _start_grace(obj: Obj, seconds: int, ctx: StrategyContext) -> None:
    metadata = obj["metadata"]
    ends = ctx.clock.now() + timedelta(seconds=seconds)
    metadata["deletionTimestamp"] = format_time(ends)
    metadata["deletionGracePeriodSeconds"] = seconds
    _bump(metadata)


def _mark(obj: Obj, ctx: StrategyContext) -> None:
    metadata = obj["metadata"]
    if metadata.get("deletionTimestamp"):
        return
    metadata["deletionTimestamp"] = ctx.clock.timestamp()
    metadata["deletionGracePeriodSeconds"] = 0
    _bump(metadata)


def _bump(metadata: dict[str, Any]) -> None:
    # A mark changes what controllers do with the object, so it counts as a change of its spec.
    if metadata.get("generation"):
        metadata["generation"] += 1
