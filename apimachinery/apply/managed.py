"""metadata.managedFields of an object, kept up to date by every write.

The API server calls `update_managers` for creates, updates and patches, after defaulting and
before admission, and `apply_patch` for server-side apply. Neither changes what it is given.
Values in metadata that the server itself keeps are owned by nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from apimachinery.apply import checking, fieldset, updater, walk
from apimachinery.apply.fieldset import Set
from apimachinery.apply.plans import AnySchema, Plan, plan_of
from apimachinery.apply.updater import ConflictError, Manager, Owned
from apimachinery.apply.views import Compare, View, Views
from apimachinery.errors import ApiError, BadRequest, Conflict
from apimachinery.gvk import GroupVersion
from apimachinery.meta import Obj, name_of, namespace_of

# More updaters than this are merged into one, the oldest first.
MAX_UPDATE_MANAGERS = 10
ANCIENT = "ancient-changes"
BEFORE_FIRST_APPLY = "before-first-apply"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

_STRIPPED_METADATA = frozenset({
    "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation",
    "managedFields", "resourceVersion",
})  # fmt: skip
_STRIPPED = fieldset.of_paths([
    ("apiVersion",), ("kind",), ("metadata",), *(("metadata", name) for name in _STRIPPED_METADATA),
])  # fmt: skip
# A server takes these parts from elsewhere, so that writing them gives no ownership.
_RESET: Mapping[str, Set] = {
    "": fieldset.of_paths([("status",)]),
    "status": fieldset.of_paths([("spec",)]),
    "finalize": fieldset.of_paths([("status",)]),
}
_RESET_OF_KIND: Mapping[tuple[str, str], Set] = {
    # What is asked to be signed cannot change once it is created.
    ("CertificateSigningRequest", ""): fieldset.of_paths([("spec",), ("status",)]),
}


def update_managers(
    live: Obj | None,
    new: Obj,
    schema: AnySchema,
    manager: str,
    *,
    now: str,
    api_version: str,
    subresource: str = "",
    reset: Mapping[str, Any] | None = None,
    others: Mapping[str, View] | None = None,
) -> list[Obj] | None:
    """Return the managedFields of `new`, which replaces `live` (None: it is created).

    Both are of `api_version`; `others` are the versions that managers may have written in. None
    means that nothing is tracked. The live list itself comes back where nothing changed.
    """
    ignored = _ignored(new, subresource) if reset is None else dict(reset)
    views = Views(api_version, plan_of(schema), ignored, others or {})
    actor = Manager(manager, "Update", api_version, subresource)
    if live is None:
        return _create(views, new, actor, now)
    kept = _entries_of(live)
    entries = kept if subresource else _sent_or_live(new, kept)
    if not entries:
        return None
    before, after = _trimmed(live), _trimmed(new)
    compare = views.comparing(walk.compare(views.plan, before, after), before, after)
    unchanged = entries == kept
    if unchanged and compare(api_version).same:
        return kept
    owners = _decoded(entries) if unchanged or _are_sets(entries) else None
    if owners is None:
        owners = _decoded(kept or []) or {}
    _update(owners, compare, actor, now)
    return _encoded(owners) or None


def _ignored(obj: Obj, subresource: str) -> Set:
    found = _RESET_OF_KIND.get((obj.get("kind") or "", subresource))
    return _RESET.get(subresource, {}) if found is None else found


def _entries_of(obj: Obj) -> list[Obj] | None:
    entries: list[Obj] | None = (obj.get("metadata") or {}).get("managedFields")
    return entries


def _sent_or_live(new: Obj, kept: list[Obj] | None) -> list[Obj] | None:
    """Return what the client sent; an empty list, or one empty entry, asks to forget all."""
    sent = _entries_of(new)
    if sent is None:
        return kept
    if not sent or sent == [{}]:
        return None
    return sent


def _create(views: Views, new: Obj, actor: Manager, now: str) -> list[Obj] | None:
    sent = _entries_of(new)
    owners = (_decoded(sent) or {}) if sent and _are_sets(sent) else {}
    fields = walk.created(views.plan, _trimmed(new))
    if views.ignored:
        fields = fieldset.recursive_difference(fields, views.ignored)
    if not owners:
        fields = fieldset.canonical(fields)
        return [_entry(actor, Owned(fields, actor.api_version, now))] if fields else None
    comparison = walk.Comparison(fields, {})
    _update(owners, lambda _: comparison, actor, now)
    return _encoded(owners) or None


def _update(owners: dict[Manager, Owned], compare: Compare, actor: Manager, now: str) -> None:
    """Give the changed fields to the actor, in place."""
    # The actor loses what it removed like everybody else, then gets what it changed.
    left = updater.take(owners, compare, Manager("", ""), force=True)
    owners.clear()
    owners.update(left)
    changed = compare(actor.api_version).changed
    if changed:
        mine = owners.get(actor, Owned({}, actor.api_version))
        fields = fieldset.union(mine.fields, fieldset.canonical(changed))
        owners[actor] = Owned(fields, actor.api_version, now)
    _cap(owners)


def _trimmed(obj: Obj) -> Obj:
    """Return the object without what nobody owns; shares everything else."""
    trimmed = {key: obj[key] for key in obj if key not in ("apiVersion", "kind")}
    meta = obj.get("metadata")
    if meta:
        rest = {key: meta[key] for key in meta if key not in _STRIPPED_METADATA}
        if rest:
            trimmed["metadata"] = rest
        else:
            del trimmed["metadata"]
    return trimmed


def _decoded(entries: Sequence[Obj]) -> dict[Manager, Owned] | None:
    """Return the owners; None where an entry cannot be read."""
    owners: dict[Manager, Owned] = {}
    for entry in entries:
        operation, version = entry.get("operation"), entry.get("apiVersion") or ""
        if operation not in ("Apply", "Update") or not version:
            return None
        if entry.get("fieldsType") != "FieldsV1":
            return None
        manager = Manager(
            entry.get("manager") or "",
            operation,
            version if operation == "Update" else "",
            entry.get("subresource") or "",
        )
        fields = entry.get("fieldsV1") or {}
        owners[manager] = Owned(fields, version, entry.get("time"), entry)
    return owners


def _are_sets(entries: Sequence[Obj]) -> bool:
    """Tell whether the fields of all entries can be read."""
    return all(fieldset.is_set(entry.get("fieldsV1") or {}) for entry in entries)


def _encoded(owners: Mapping[Manager, Owned]) -> list[Obj]:
    ordered = sorted(
        owners.items(),
        key=lambda item: (
            item[0].operation,
            item[1].time or "",
            item[0].name,
            item[1].api_version,
            item[0].subresource,
        ),
    )
    return [_entry(manager, owned) for manager, owned in ordered]


def _entry(manager: Manager, owned: Owned) -> Obj:
    if owned.entry is not None:
        return owned.entry
    entry: Obj = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": owned.api_version,
    }
    if owned.time:
        entry["time"] = owned.time
    entry["fieldsType"] = "FieldsV1"
    entry["fieldsV1"] = owned.fields
    if manager.subresource:
        entry["subresource"] = manager.subresource
    return entry


def _cap(owners: dict[Manager, Owned]) -> None:
    """Merge the oldest updaters of each version into one until there are few enough."""
    updaters = [manager for manager in owners if manager.operation == "Update"]
    if len(updaters) <= MAX_UPDATE_MANAGERS:
        return
    updaters.sort(key=lambda one: (owners[one].time or "", one.name, one.subresource))
    first: dict[str, Manager] = {}
    count = len(updaters)
    for manager in updaters:
        if count <= MAX_UPDATE_MANAGERS:
            return
        owned = owners[manager]
        bucket = Manager(ANCIENT, "Update", owned.api_version)
        oldest = first.setdefault(owned.api_version, manager)
        if oldest is manager:
            continue
        if bucket not in owners:
            owners[bucket] = owners.pop(oldest)
        fields = fieldset.union(owned.fields, owners[bucket].fields)
        owners[bucket] = Owned(fields, owned.api_version, owned.time)
        del owners[manager]
        count -= 1


def apply_patch(
    live: Obj | None,
    applied: Obj,
    schema: AnySchema,
    manager: str,
    *,
    force: bool,
    now: str,
    api_version: str,
    subresource: str = "",
    reset: Mapping[str, Any] | None = None,
    others: Mapping[str, View] | None = None,
) -> Obj:
    """Return the live object (None: none yet) with the applied configuration merged in.

    Both are of `api_version`; `others` are the versions that managers may have written in. Raises
    BadRequest on managedFields in the patch, Conflict where others own what it changes, and a plain
    error where it does not fit the schema.
    """
    plan = plan_of(schema)
    _check(plan, applied)
    actor = Manager(manager, "Apply", "", subresource)
    owners = _owners_before_apply(plan, live, now, api_version)
    ignored = _ignored(applied, subresource) if reset is None else dict(reset)
    views = Views(api_version, plan, ignored, others or {})
    # Names are owned by nobody, but as long as they are applied their parents stay.
    claimed = fieldset.recursive_difference(walk.field_set(plan, applied), ignored)
    fields = fieldset.canonical(fieldset.difference(claimed, _STRIPPED))
    old = owners.get(actor)
    claims = Owned(claimed, api_version)
    base = _without_managed_fields(live or {})

    def attempt(*, forced: bool) -> tuple[Obj, dict[Manager, Owned], bool]:
        return updater.apply(views, base, applied, owners, actor, claims=claims, force=forced)

    try:
        merged, after, changed = attempt(forced=force)
    except ConflictError as error:
        left = _not_excused(plan, base, error, manager)
        if left:
            raise conflict(left) from None
        merged, after, changed = attempt(forced=True)
    after.pop(actor, None)
    if fields:
        before = old.time if old is not None else None
        after[actor] = Owned(fields, api_version, now if changed else before)
    finished = _finished(merged if changed else base, after, applied, manager)
    return _plain(finished) if plan.built_in else finished


def _owners_before_apply(
    plan: Plan, live: Obj | None, now: str, api_version: str
) -> dict[Manager, Owned]:
    """Return who owns the live object; what nobody tracked belongs to before-first-apply."""
    if live is None:
        return {}
    owners = _decoded(_entries_of(live) or [])
    if owners:
        return owners
    actor = Manager(BEFORE_FIRST_APPLY, "Update", api_version)
    fields = fieldset.canonical(walk.created(plan, _trimmed(live)))
    return {actor: Owned(fields, api_version, now)} if fields else {}


def _check(plan: Plan, applied: Obj) -> None:
    if (applied.get("metadata") or {}).get("managedFields") is not None:
        raise BadRequest("metadata.managedFields must be nil")
    found = list(checking.problems(plan, _typed_part(plan, applied)))
    if found:
        who = f"{namespace_of(applied)}/{name_of(applied)}"
        kind = GroupVersion.parse(applied.get("apiVersion") or "").kind(applied.get("kind") or "")
        raise ApiError(
            f"failed to create typed patch object ({who}; {kind}): {checking.message(found)}",
            code=500,
            reason="",
        )


def _typed_part(plan: Plan, applied: Obj) -> Obj:
    """Leave out what types of custom kinds need not declare."""
    known = plan.fields if plan.struct else {}
    return {
        key: value
        for key, value in applied.items()
        if key in known or key not in ("apiVersion", "kind", "metadata")
    }


def _without_managed_fields(obj: Obj) -> Obj:
    meta = obj.get("metadata")
    if not meta or "managedFields" not in meta:
        return obj
    return {**obj, "metadata": {k: v for k, v in meta.items() if k != "managedFields"}}


def _finished(merged: Obj, owners: Mapping[Manager, Owned], applied: Obj, manager: str) -> Obj:
    meta = dict(merged.get("metadata") or {})
    entries = _encoded({who: owned for who, owned in owners.items() if owned.fields})
    if entries:
        meta["managedFields"] = entries
    notes = meta.get("annotations") or {}
    if manager == "kubectl" and notes.get(LAST_APPLIED):
        meta["annotations"] = {**notes, LAST_APPLIED: _last_applied(applied)}
    return {**merged, "metadata": meta}


def _plain(value: Any) -> Any:
    """Drop fields that were applied as null: typed objects have no nulls."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items() if part is not None}
    return [_plain(part) for part in value] if isinstance(value, list) else value


def _last_applied(applied: Obj) -> str:
    meta = dict(applied.get("metadata") or {})
    if "annotations" in meta:
        meta["annotations"] = {k: v for k, v in meta["annotations"].items() if k != LAST_APPLIED}
    body = orjson.dumps({**applied, "metadata": meta}, option=orjson.OPT_SORT_KEYS)
    return body.decode() + "\n"


def _not_excused(
    plan: Plan, live: Obj, error: ConflictError, manager: str
) -> list[tuple[Manager, tuple[str, ...]]]:
    """Return the conflicts left after kubectl's own client-side apply is taken into account.

    What the last-applied annotation says, and still holds, kubectl may take over.
    """
    if manager != "kubectl":
        return error.conflicts
    text = ((live.get("metadata") or {}).get("annotations") or {}).get(LAST_APPLIED)
    try:
        last = orjson.loads(text or "")
    except orjson.JSONDecodeError:
        return error.conflicts
    if not isinstance(last, dict) or last.get("apiVersion") != live.get("apiVersion"):
        return error.conflicts
    mine = walk.field_set(plan, last)
    compared = walk.compare(plan, last, live)
    mine = fieldset.difference(fieldset.difference(mine, compared.changed), compared.removed)
    return [one for one in error.conflicts if not fieldset.has(mine, one[1])]


def conflict(conflicts: Iterable[tuple[Manager, tuple[str, ...]]]) -> Conflict:
    """Return the refusal that names each field and its owner."""
    found = [(manager, _describe(manager), fieldset.path_text(path)) for manager, path in conflicts]
    if len(found) == 1:
        _, who, path = found[0]
        message = f"Apply failed with 1 conflict: conflict with {who}: {path}"
    else:
        lines = []
        for manager in sorted({manager for manager, _, _ in found}, key=_identifier):
            lines.append(f"conflicts with {_describe(manager)}:")
            lines += [f"- {path}" for owner, _, path in found if owner == manager]
        message = f"Apply failed with {len(found)} conflicts: " + "\n".join(lines)
    error = Conflict.__new__(Conflict)
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {who}", "field": path}
        for _, who, path in found
    ]
    ApiError.__init__(error, message, details={"causes": causes})
    return error


def _identifier(manager: Manager) -> str:
    """Return the text by which Kubernetes sorts managers."""
    parts = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": manager.api_version,
        "subresource": manager.subresource,
    }
    return orjson.dumps({key: value for key, value in parts.items() if value}).decode()


def _describe(manager: Manager) -> str:
    text = orjson.dumps(manager.name).decode()
    if manager.subresource:
        text += f' with subresource "{manager.subresource}"'
    if manager.operation == "Update":
        text += f" using {manager.api_version}"
    return text
