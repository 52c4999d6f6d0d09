"""Storage classes, drivers and attachments: storage.k8s.io/v1."""

from __future__ import annotations

from apimachinery.gvk import GroupVersion
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import StatusStrategy, Strategy
from apiserver.registry.table import AGE, NAME, count, field, joined

_GROUP = GroupVersion("storage.k8s.io", "v1")


class CSIDriverStrategy(Strategy):
    """The structure of a CSIDriver alone is checked."""

    returns_deleted = True


CSIDRIVERS = Resource(
    kind=_GROUP.kind("CSIDriver"),
    plural="csidrivers",
    singular="csidriver",
    namespaced=False,
    strategy=CSIDriverStrategy(),
    columns=(
        NAME,
        Column("AttachRequired", field("spec.attachRequired", True), type="boolean"),
        Column("PodInfoOnMount", field("spec.podInfoOnMount", False), type="boolean"),
        Column("StorageCapacity", field("spec.storageCapacity", False), type="boolean"),
        Column("RequiresRepublish", field("spec.requiresRepublish", False), type="boolean"),
        Column("Modes", joined("spec.volumeLifecycleModes")),
        AGE,
    ),
)


class CSINodeStrategy(Strategy):
    """The structure of a CSINode alone is checked."""

    returns_deleted = True


CSINODES = Resource(
    kind=_GROUP.kind("CSINode"),
    plural="csinodes",
    singular="csinode",
    namespaced=False,
    strategy=CSINodeStrategy(),
    columns=(
        NAME,
        Column("Drivers", count("spec.drivers"), type="integer"),
        AGE,
    ),
)


class CSIStorageCapacityStrategy(Strategy):
    """The structure of a CSIStorageCapacity alone is checked."""

    returns_deleted = True


CSISTORAGECAPACITIES = Resource(
    kind=_GROUP.kind("CSIStorageCapacity"),
    plural="csistoragecapacities",
    singular="csistoragecapacity",
    strategy=CSIStorageCapacityStrategy(),
)


class StorageClassStrategy(Strategy):
    """The structure of a StorageClass alone is checked."""

    returns_deleted = True


STORAGECLASSES = Resource(
    kind=_GROUP.kind("StorageClass"),
    plural="storageclasses",
    singular="storageclass",
    namespaced=False,
    short=("sc",),
    strategy=StorageClassStrategy(),
    columns=(
        NAME,
        Column("Provisioner", field("provisioner")),
        Column("ReclaimPolicy", field("reclaimPolicy", "Delete")),
        Column("VolumeBindingMode", field("volumeBindingMode", "Immediate")),
        Column("AllowVolumeExpansion", field("allowVolumeExpansion", False)),
        AGE,
    ),
)


class VolumeAttachmentStrategy(Strategy):
    """The structure of a VolumeAttachment alone is checked."""

    returns_deleted = True


_VOLUMEATTACHMENTS = VolumeAttachmentStrategy()
VOLUMEATTACHMENTS = Resource(
    kind=_GROUP.kind("VolumeAttachment"),
    plural="volumeattachments",
    singular="volumeattachment",
    namespaced=False,
    strategy=_VOLUMEATTACHMENTS,
    subresources={"status": Subresource(strategy=StatusStrategy(_VOLUMEATTACHMENTS))},
    columns=(
        NAME,
        Column("Attacher", field("spec.attacher"), format="name"),
        Column("PV", field("spec.source.persistentVolumeName")),
        Column("Node", field("spec.nodeName")),
        Column("Attached", field("status.attached", False), type="boolean"),
        AGE,
    ),
)


class VolumeAttributesClassStrategy(Strategy):
    """The structure of a VolumeAttributesClass alone is checked."""

    returns_deleted = True


VOLUMEATTRIBUTESCLASSES = Resource(
    kind=_GROUP.kind("VolumeAttributesClass"),
    plural="volumeattributesclasses",
    singular="volumeattributesclass",
    namespaced=False,
    short=("vac",),
    strategy=VolumeAttributesClassStrategy(),
    columns=(
        NAME,
        Column("DriverName", field("driverName")),
        AGE,
    ),
)

RESOURCES: tuple[Resource, ...] = (
    CSIDRIVERS,
    CSINODES,
    CSISTORAGECAPACITIES,
    STORAGECLASSES,
    VOLUMEATTACHMENTS,
    VOLUMEATTRIBUTESCLASSES,
)
