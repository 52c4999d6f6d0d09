"""Priority and fairness of requests: flowcontrol.apiserver.k8s.io/v1."""

from __future__ import annotations

from apiserver.registry.flowcontrol.flowschemas import FLOWSCHEMAS
from apiserver.registry.flowcontrol.prioritylevelconfigurations import PRIORITYLEVELCONFIGURATIONS
from apiserver.registry.resource import Resource

RESOURCES: tuple[Resource, ...] = (
    FLOWSCHEMAS,
    PRIORITYLEVELCONFIGURATIONS,
)
