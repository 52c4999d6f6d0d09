"""Who owns what after a write: conflicts, taking over, giving up, pruning.

Managers are keyed by their identity; the sets are FieldsV1 objects (see `fieldset`). The rules
are those of structured-merge-diff's Updater.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apimachinery.apply import fieldset, walk
from apimachinery.apply.fieldset import Set
from apimachinery.apply.plans import Plan
from apimachinery.apply.views import Compare, Views
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
    compare: Compare,
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
            for path in fieldset.members(
                fieldset.intersection(owned.fields, compare(owned.api_version).changed)
            )
        ]
        if conflicts:
            raise ConflictError(conflicts)
    left: dict[Manager, Owned] = {}
    for manager, owned in owners.items():
        fields = owned.fields
        if manager != actor:
            found = compare(owned.api_version)
            fields = fieldset.difference(fields, found.changed)
            fields = fieldset.difference(fields, found.removed)
        if not fields:
            continue
        if fields is owned.fields:
            left[manager] = owned
        else:
            left[manager] = Owned(fields, owned.api_version, owned.time)
    return left


def apply(
    views: Views,
    live: Obj,
    applied: Obj,
    owners: Mapping[Manager, Owned],
    actor: Manager,
    *,
    claims: Owned,
    force: bool,
) -> tuple[Obj, dict[Manager, Owned], bool]:
    """Return the merged object, its owners, and whether the object changed."""
    merged: Any = walk.merge(views.plan, live, applied)
    before = owners.get(actor)
    now = dict(owners)
    now[actor] = claims
    if before is not None and before.fields:
        merged = _prune(views, merged, now, before)
    comparison = walk.compare(views.plan, live, merged)
    compare = views.comparing(comparison, live, merged)
    return merged, take(now, compare, actor, force=force), not comparison.same


def _prune(views: Views, merged: Obj, owners: Mapping[Manager, Owned], before: Owned) -> Obj:
    """Remove what the applier owned and no longer applies, unless somebody else owns it.

    This is worked out in the version in which it was applied; what others own, in theirs.
    """
    version = before.api_version
    plan = views.plan_of(version)
    last = walk.with_named_fields(plan, before.fields)
    whole = views.convert(merged, views.version, version)
    left = walk.remove(plan, whole, last) or {}
    for other, owned in _by_version(views, owners, version).items():
        left = views.convert(left, version, other)
        left = _with_owned(views.plan_of(other), views.convert(whole, version, other), left, owned)
        left = views.convert(left, other, version)
    gone = fieldset.difference(_named(plan, whole), _named(plan, left))
    rest: Obj = walk.remove(plan, whole, fieldset.intersection(gone, last)) or {}
    return views.convert(rest, version, views.version)


def _by_version(views: Views, owners: Mapping[Manager, Owned], first: str) -> dict[str, Set]:
    """Return all that is owned in each version; versions that nobody knows count as the first."""
    owned: dict[str, Set] = {first: {}}
    for one in owners.values():
        version = one.api_version if one.api_version in views.others else first
        fields = walk.with_named_fields(views.plan_of(version), one.fields)
        owned[version] = fieldset.union(owned.get(version, {}), fields)
    return owned


def _with_owned(plan: Plan, whole: Obj, left: Obj, owned: Set) -> Obj:
    """Return what is left of an object with what is owned put back."""
    kept = fieldset.union(_named(plan, left), owned)
    return walk.remove(plan, whole, fieldset.difference(_named(plan, whole), kept)) or {}


def _named(plan: Plan, value: Any) -> Set:
    return walk.with_named_fields(plan, walk.field_set(plan, value))
