"""The rules for metadata, which all kinds share, for label selectors and request options.

The order of the errors is Kubernetes' own, since it is the order in which people read them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from apimachinery.gvk import GroupVersion
from apimachinery.meta import Obj
from apimachinery.validation import names, values
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    forbidden,
    invalid,
    not_supported,
    required,
    show,
    too_long,
)

NameRule: TypeAlias = Callable[[str], list[str]]

METADATA = Path("metadata")
ANNOTATIONS_LIMIT = 256 * 1024
FIELD_MANAGER_LIMIT = 128
SUBRESOURCE_LIMIT = 256

_DELETE_DEPENDENTS = "foregroundDeletion"
_ORPHAN_DEPENDENTS = "orphan"

_IMMUTABLE = (
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)


def validate_object_meta(
    meta: Mapping[str, Any],
    *,
    namespaced: bool,
    name_rule: NameRule = names.is_dns1123_subdomain,
    path: Path = METADATA,
) -> FieldErrors:
    """Check the metadata of a new object, whose name has been generated already."""
    prefix = meta.get("generateName") or ""
    if prefix:
        for message in name_rule(_mask_trailing_dash(prefix)):
            yield invalid(path / "generateName", prefix, message)
    if name := meta.get("name"):
        yield from values.matches(path / "name", name, name_rule)
    else:
        yield required(path / "name", "name or generateName is required")
    yield from _namespace(meta.get("namespace") or "", path / "namespace", namespaced=namespaced)
    yield from values.nonnegative(path / "generation", meta.get("generation"))
    yield from validate_labels(meta.get("labels"), path / "labels")
    yield from validate_annotations(meta.get("annotations"), path / "annotations")
    yield from validate_owner_references(meta.get("ownerReferences"), path / "ownerReferences")
    yield from validate_finalizers(meta.get("finalizers"), path / "finalizers")
    yield from validate_managed_fields(meta.get("managedFields"), path / "managedFields")


def validate_object_meta_update(
    new: Mapping[str, Any], old: Mapping[str, Any], path: Path = METADATA
) -> FieldErrors:
    """Check how metadata changed; what the server sets itself may not change at all."""
    if old.get("deletionTimestamp"):
        known = set(old.get("finalizers") or ())
        extra = sorted(set(new.get("finalizers") or ()) - known)
        if extra:
            shown = "[]string{" + ", ".join(map(show, extra)) + "}"
            yield forbidden(
                path / "finalizers",
                "no new finalizers can be added if the object is being deleted, "
                f"found new finalizers {shown}",
            )
    if not new.get("resourceVersion"):
        yield invalid(path / "resourceVersion", "", "must be specified for an update")
    if (new.get("generation") or 0) < (old.get("generation") or 0):
        yield invalid(path / "generation", new.get("generation") or 0, "must not be decremented")
    for field in _IMMUTABLE:
        yield from values.immutable(path / field, new.get(field), old.get(field))
    yield from validate_labels(new.get("labels"), path / "labels")
    yield from validate_annotations(new.get("annotations"), path / "annotations")
    yield from validate_owner_references(new.get("ownerReferences"), path / "ownerReferences")
    yield from validate_managed_fields(new.get("managedFields"), path / "managedFields")


def _mask_trailing_dash(prefix: str) -> str:
    # A generated name goes on after the prefix, so the prefix itself may end in a dash.
    return prefix[:-2] + "a" if len(prefix) > 1 and prefix.endswith("-") else prefix


def _namespace(namespace: str, path: Path, *, namespaced: bool) -> FieldErrors:
    if not namespaced:
        if namespace:
            yield forbidden(path, "not allowed on this type")
    elif not namespace:
        yield required(path)
    else:
        yield from values.matches(path, namespace, names.is_dns1123_label)


def validate_labels(labels: Mapping[str, str] | None, path: Path) -> FieldErrors:
    for key, value in (labels or {}).items():
        yield from values.matches(path, key, names.is_qualified_name)
        yield from values.matches(path, value, names.is_label_value)


def validate_annotations(annotations: Mapping[str, str] | None, path: Path) -> FieldErrors:
    """Check keys (whose case does not matter) and the size of all annotations together."""
    if not annotations:
        return
    size = 0
    for key, value in annotations.items():
        for message in names.is_qualified_name(key.lower()):
            yield invalid(path, key, message)
        size += len(key.encode()) + len(value.encode())
    if size > ANNOTATIONS_LIMIT:
        yield too_long(path, "", ANNOTATIONS_LIMIT)


def validate_owner_references(owners: Sequence[Obj] | None, path: Path) -> FieldErrors:
    controller = ""
    for owner in owners or ():
        yield from _owner_reference(owner, path)
        if not owner.get("controller"):
            continue
        name = f"{owner.get('kind', '')}/{owner.get('name', '')}"
        if controller:
            yield invalid(
                path,
                owners,
                "Only one reference can have Controller set to true. "
                f'Found "true" in references for {controller} and {name}',
            )
        else:
            controller = name


def _owner_reference(owner: Obj, path: Path) -> FieldErrors:
    api_version = owner.get("apiVersion") or ""
    version = GroupVersion.parse(api_version) if api_version.count("/") < 2 else None
    if version is None or not version.version:
        yield invalid(path / "apiVersion", api_version, "version must not be empty")
    for field in ("kind", "name", "uid"):
        if not owner.get(field):
            yield invalid(path / field, "", "must not be empty")
    if (api_version, owner.get("kind")) == ("v1", "Event"):
        yield invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner")


def validate_finalizers(finalizers: Sequence[str] | None, path: Path) -> FieldErrors:
    if not finalizers:
        return
    for finalizer in finalizers:
        yield from values.matches(path, finalizer, names.is_qualified_name)
    if _DELETE_DEPENDENTS in finalizers and _ORPHAN_DEPENDENTS in finalizers:
        both = f"finalizer {_ORPHAN_DEPENDENTS} and {_DELETE_DEPENDENTS} cannot be both set"
        yield invalid(path, list(finalizers), both)


def validate_managed_fields(entries: Sequence[Obj] | None, path: Path) -> FieldErrors:
    for index, entry in enumerate(entries or ()):
        at = path[index]
        operation = entry.get("operation") or ""
        if operation not in ("Apply", "Update"):
            yield invalid(at / "operation", operation, "must be `Apply` or `Update`")
        kind = entry.get("fieldsType") or ""
        if kind and kind != "FieldsV1":
            yield invalid(at / "fieldsType", kind, "must be `FieldsV1`")
        yield from validate_field_manager(entry.get("manager") or "", at / "manager")
        if len((entry.get("subresource") or "").encode()) > SUBRESOURCE_LIMIT:
            yield too_long(at / "subresource", "", SUBRESOURCE_LIMIT)


def validate_field_manager(manager: str, path: Path) -> FieldErrors:
    if len(manager.encode()) > FIELD_MANAGER_LIMIT:
        yield too_long(path, manager, FIELD_MANAGER_LIMIT)
    if manager.isprintable():
        return
    at = 0
    for char in manager:
        if not char.isprintable():
            detail = f"invalid character U+{ord(char):04X} (at position {at})"
            yield invalid(path, manager, detail)
        at += len(char.encode())


def validate_write_options(options: Mapping[str, Any], *, patch: str = "") -> FieldErrors:
    """Check the query of a write; `patch` is the media type where it is a PATCH."""
    manager = options.get("fieldManager") or ""
    if patch == "application/apply-patch+yaml":
        if not manager:
            yield required(Path("fieldManager"), "is required for apply patch")
    elif patch and options.get("force") is not None:
        yield forbidden(Path("force"), "may not be specified for non-apply patch")
    yield from validate_field_manager(manager, Path("fieldManager"))
    dry_run = list(options.get("dryRun") or ())
    if any(value != "All" for value in dry_run):
        yield not_supported(Path("dryRun"), dry_run, ["All"])
    validation = options.get("fieldValidation") or ""
    yield from values.one_of(Path("fieldValidation"), validation, ("", "Ignore", "Strict", "Warn"))
