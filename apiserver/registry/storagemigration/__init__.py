"""Storage migration: storagemigration.k8s.io/v1beta1, if wanted."""

from __future__ import annotations

from apiserver.registry.resource import Resource
from apiserver.registry.storagemigration.migrations import STORAGEVERSIONMIGRATIONS

# Served where the feature StorageVersionMigrator is on.
BETA: tuple[Resource, ...] = (STORAGEVERSIONMIGRATIONS,)
