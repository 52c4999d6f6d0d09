"""PersistentVolumeClaimSpec: of claims, of templates in StatefulSets, of ephemeral volumes."""

from __future__ import annotations

from apimachinery.meta import Obj
from apimachinery.quantity import ZERO, parse
from apimachinery.validation.field import FieldErrors, Path, forbidden, invalid, required
from apimachinery.validation.names import is_dns1123_label, is_dns1123_subdomain
from apiserver.registry.podspec.annotations import annotation_errors
from apiserver.registry.podspec.checks import NOT_POSITIVE, obey, one_of
from apiserver.registry.podspec.selectors import label_errors, selector_errors

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")


def claim_template_errors(template: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with a template for claims: only labels and annotations are metadata."""
    metadata = template.get("metadata") or {}
    yield from annotation_errors(
        metadata.get("annotations") or {}, path / "metadata" / "annotations"
    )
    yield from label_errors(metadata.get("labels") or {}, path / "metadata" / "labels")
    for name, value in metadata.items():
        if value and name not in ("annotations", "labels"):
            yield forbidden(path / "metadata" / name, "cannot be set")
    yield from claim_spec_errors(template.get("spec") or {}, path / "spec")


def access_mode_errors(modes: list[str], path: Path) -> FieldErrors:
    """Yield which access modes do not exist, or do not go together."""
    for mode in modes:
        yield from one_of(mode, ACCESS_MODES, path)
    if "ReadWriteOncePod" in modes and any(
        mode in ACCESS_MODES and mode != "ReadWriteOncePod" for mode in modes
    ):
        yield forbidden(path, "may not use ReadWriteOncePod with other access modes")


def claim_spec_errors(spec: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with what a claim asks for."""
    modes = spec.get("accessModes") or []
    if not modes:
        yield required(path / "accessModes", "at least 1 access mode is required")
    yield from selector_errors(spec.get("selector"), path / "selector")
    yield from access_mode_errors(modes, path / "accessModes")
    amount = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    size = (path / "resources").key("storage")
    if amount is None:
        yield required(size)
    elif parse(amount) <= ZERO:
        yield invalid(size, str(amount), NOT_POSITIVE)
    if spec.get("storageClassName"):
        yield from obey(is_dns1123_subdomain, spec["storageClassName"], path / "storageClassName")
    if spec.get("volumeMode") is not None:
        yield from one_of(spec["volumeMode"], VOLUME_MODES, path / "volumeMode")
    yield from _source_errors(spec, path)
    if name := spec.get("volumeAttributesClassName"):
        yield from obey(is_dns1123_subdomain, name, path / "volumeAttributesClassName")


def claim_warnings(spec: Obj, path: Path) -> list[str]:
    """Return what people should know about what a claim asks for."""
    amount = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if amount is None or not parse(amount).milli_value() % 1000:
        return []
    where = (path / "resources" / "requests").key("storage")
    return [f'{where}: fractional byte value "{amount}" is invalid, must be an integer']


def _source_errors(spec: Obj, path: Path) -> FieldErrors:
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source is not None:
        yield from _data_source_errors(source, path / "dataSource")
    if reference is None:
        return
    yield from _data_source_errors(reference, path / "dataSourceRef")
    namespace = reference.get("namespace")
    if namespace:
        where = path / "dataSourceRef" / "namespace"
        yield from obey(is_dns1123_label, namespace, where)
        if source is not None:
            yield invalid(
                path,
                str(path / "dataSource"),
                "may not be specified when dataSourceRef.namespace is specified",
            )
    elif source is not None and any(
        source.get(key) != reference.get(key) for key in ("apiGroup", "kind", "name")
    ):
        yield invalid(path, str(path / "dataSource"), "must match dataSourceRef")


def _data_source_errors(source: Obj, path: Path) -> FieldErrors:
    kind, group = source.get("kind") or "", source.get("apiGroup") or ""
    if not source.get("name"):
        yield required(path / "name")
    if not kind:
        yield required(path / "kind")
    if not group and kind != "PersistentVolumeClaim":
        yield invalid(
            path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        )
    if group:
        yield from obey(is_dns1123_subdomain, group, path / "apiGroup")
