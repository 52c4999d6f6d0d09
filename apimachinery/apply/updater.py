"""Who owns what after a write: conflicts, taking over, giving up, pruning.

Managers are keyed by their identity; the sets are FieldsV1 objects (see `fieldset`). The rules
are those of structured-merge-diff's Updater, within one version of a type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apimachinery.apply import fieldset, walk
from apimachinery.apply.fieldset import Set
from apimachinery.apply.plans import Plan
from apimachinery.meta import Obj


@dataclass(frozen=True, slots=True)
class Manager:
    """Who writes: the same name owns separately by operation, subresource, and version."""

    name: str
    operation: str
    # An applier stays the same one when it moves to another version, so this is "" for them.
    api_version: str = ""
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Owned:
    """What a manager owns, in which version it said so, and when."""

    fields: Set
    api_version: str
    time: str | None = None
    # The entry of managedFields that this was read from, as long as it still says the same.
    entry: Obj | None = None


class ConflictError(Exception):
    """Somebody else owns fields that an apply would change."""

    def __init__(self, conflicts: list[tuple[Manager, tuple[str, ...]]]) -> None:
        super().__init__(f"{len(conflicts)} conflicts")
        self.conflicts = conflicts


def take(
    owners: Mapping[Manager, Owned],
    comparison: walk.Comparison,
    actor: Manager,
    *,
    force: bool,
) -> dict[Manager, Owned]:
    """Return the owners after a change by `actor`: others lose what was changed or removed.

    Raises ConflictError where an apply without force changes what others own.
    """
    if not force:
        conflicts = [
            (manager, path)
            for manager, owned in owners.items()
            if manager != actor
            for path in fieldset.members(fieldset.intersection(owned.fields, comparison.changed))
        ]
        if conflicts:
            raise ConflictError(conflicts)
    left: dict[Manager, Owned] = {}
    for manager, owned in owners.items():
        fields = owned.fields
        if manager != actor:
            fields = fieldset.difference(fields, comparison.changed)
            fields = fieldset.difference(fields, comparison.removed)
        if not fields:
            continue
        if fields is owned.fields:
            left[manager] = owned
        else:
            left[manager] = Owned(fields, owned.api_version, owned.time)
    return left


def apply(
    plan: Plan,
    live: Obj,
    applied: Obj,
    owners: Mapping[Manager, Owned],
    actor: Manager,
    *,
    claims: Owned,
    force: bool,
) -> tuple[Obj, dict[Manager, Owned], bool]:
    """Return the merged object, its owners, and whether the object changed."""
    merged: Any = walk.merge(plan, live, applied)
    before = owners.get(actor)
    now = dict(owners)
    now[actor] = claims
    if before is not None and before.fields:
        merged = _prune(plan, merged, now, before.fields)
    comparison = walk.compare(plan, live, merged)
    return merged, take(now, comparison, actor, force=force), not comparison.same


def _prune(plan: Plan, merged: Obj, owners: Mapping[Manager, Owned], before: Set) -> Obj:
    """Remove what the applier owned and no longer applies, unless somebody else owns it."""
    last = walk.with_named_fields(plan, before)
    everything = walk.with_named_fields(plan, walk.field_set(plan, merged))
    owned: Set = {}
    for one in owners.values():
        owned = fieldset.union(owned, walk.with_named_fields(plan, one.fields))
    pruned = walk.remove(plan, merged, last) or {}
    kept = fieldset.union(_named(plan, pruned), owned)
    pruned = walk.remove(plan, merged, fieldset.difference(everything, kept)) or {}
    gone = fieldset.intersection(fieldset.difference(everything, _named(plan, pruned)), last)
    left: Obj = walk.remove(plan, merged, gone) or {}
    return left


def _named(plan: Plan, value: Any) -> Set:
    return walk.with_named_fields(plan, walk.field_set(plan, value))
