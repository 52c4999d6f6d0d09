"""VolumeAttachments: that a volume is to be attached to a node, and whether it is."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    forbidden,
    invalid,
    required,
    too_long,
)
from apimachinery.validation.names import inclusive_range, is_dns1123_subdomain
from apiserver.registry.core.persistentvolumes import volume_spec_errors
from apiserver.registry.podspec.checks import INT32_MAX, immutable, obey
from apiserver.registry.podspec.workload import keep_status
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.storage.parameters import driver_name_errors
from apiserver.registry.strategy import StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, field

_SPEC, _STATUS = Path("spec"), Path("status")
_ONE = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
_LARGEST = 256 * 1024
_LONGEST_MESSAGE = 1024


class VolumeAttachmentStrategy(Strategy):
    """What is attached where is for good; the driver writes status."""

    returns_deleted = True
    allow_unconditional_update = False

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {"attached": False}

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from _spec_errors(obj.get("spec") or {})
        spec = obj.get("spec") or {}
        if spec.get("attacher"):
            yield from driver_name_errors(spec["attacher"], _SPEC / "attacher")
        if name := (spec.get("source") or {}).get("persistentVolumeName"):
            path = _SPEC / "source" / "persistentVolumeName"
            yield from obey(is_dns1123_subdomain, name, path)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from _spec_errors(new.get("spec") or {})
        yield from immutable(new.get("spec"), old.get("spec"), _SPEC)


def _spec_errors(spec: Obj) -> FieldErrors:
    if not spec.get("attacher"):
        yield required(_SPEC / "attacher")
    source, path = spec.get("source") or {}, _SPEC / "source"
    inline, name = source.get("inlineVolumeSpec"), source.get("persistentVolumeName")
    if inline is None and name is None:
        yield required(path, _ONE)
    elif inline is not None and name is not None:
        yield forbidden(path, _ONE)
    elif inline is not None:
        yield from volume_spec_errors(inline, path / "inlineVolumeSpec")
    elif not name:
        yield required(path / "persistentVolumeName", "must specify non empty persistentVolumeName")
    yield from obey(is_dns1123_subdomain, spec.get("nodeName") or "", _SPEC / "nodeName")


class VolumeAttachmentStatusStrategy(StatusStrategy):
    """What went wrong is told in short."""

    allow_unconditional_update = False

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        status = new.get("status") or {}
        told = status.get("attachmentMetadata") or {}
        if sum(len(key) + len(value) for key, value in told.items()) > _LARGEST:
            yield too_long(_STATUS / "attachmentMetadata", "", _LARGEST)
        for name in ("attachError", "detachError"):
            error, path = status.get(name) or {}, _STATUS / name
            if len(error.get("message") or "") > _LONGEST_MESSAGE:
                yield too_long(path / "message", "", _LARGEST)
            code = error.get("errorCode")
            if code is not None and code < 0:
                yield invalid(path / "errorCode", code, inclusive_range(0, INT32_MAX))


_STRATEGY = VolumeAttachmentStrategy()
VOLUMEATTACHMENTS = Resource(
    kind=GroupVersionKind("storage.k8s.io", "v1", "VolumeAttachment"),
    plural="volumeattachments",
    singular="volumeattachment",
    namespaced=False,
    strategy=_STRATEGY,
    subresources={
        "status": Subresource(
            strategy=VolumeAttachmentStatusStrategy(_STRATEGY, resets_metadata=True)
        )
    },
    columns=(
        NAME,
        Column("Attacher", field("spec.attacher"), format="name"),
        Column("PV", field("spec.source.persistentVolumeName")),
        Column("Node", field("spec.nodeName")),
        Column("Attached", field("status.attached", False), type="boolean"),
        AGE,
    ),
)
