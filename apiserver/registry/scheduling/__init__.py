"""Priority classes: scheduling.k8s.io/v1; Workloads and PodGroups of v1alpha2, if wanted."""

from __future__ import annotations

from apiserver.registry.resource import Resource
from apiserver.registry.scheduling.podgroups import PODGROUPS
from apiserver.registry.scheduling.priorityclasses import PRIORITYCLASSES
from apiserver.registry.scheduling.workloads import WORKLOADS

RESOURCES: tuple[Resource, ...] = (PRIORITYCLASSES,)
# Served where the feature GenericWorkload is on.
ALPHA: tuple[Resource, ...] = (PODGROUPS, WORKLOADS)
