"""Storage classes, drivers and attachments: storage.k8s.io/v1."""

from __future__ import annotations

from apiserver.registry.resource import Resource
from apiserver.registry.storage.csidrivers import CSIDRIVERS
from apiserver.registry.storage.csinodes import CSINODES
from apiserver.registry.storage.csistoragecapacities import CSISTORAGECAPACITIES
from apiserver.registry.storage.storageclasses import STORAGECLASSES
from apiserver.registry.storage.volumeattachments import VOLUMEATTACHMENTS
from apiserver.registry.storage.volumeattributesclasses import VOLUMEATTRIBUTESCLASSES

RESOURCES: tuple[Resource, ...] = (
    CSIDRIVERS,
    CSINODES,
    CSISTORAGECAPACITIES,
    STORAGECLASSES,
    VOLUMEATTACHMENTS,
    VOLUMEATTRIBUTESCLASSES,
)
