"""Dynamic resource allocation: resource.k8s.io/v1; DeviceTaintRules of v1beta2, if wanted."""

from __future__ import annotations

from apiserver.registry.dra.deviceclasses import DEVICECLASSES
from apiserver.registry.dra.devicetaintrules import DEVICETAINTRULES
from apiserver.registry.dra.resourceclaims import RESOURCECLAIMS
from apiserver.registry.dra.resourceclaimtemplates import RESOURCECLAIMTEMPLATES
from apiserver.registry.dra.resourceslices import RESOURCESLICES
from apiserver.registry.resource import Resource

RESOURCES: tuple[Resource, ...] = (
    DEVICECLASSES,
    RESOURCECLAIMS,
    RESOURCECLAIMTEMPLATES,
    RESOURCESLICES,
)
# Served where the feature DRADeviceTaintRules is on.
BETA: tuple[Resource, ...] = (DEVICETAINTRULES,)
