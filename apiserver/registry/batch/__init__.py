"""Jobs and cron jobs: batch/v1."""

from __future__ import annotations

from apiserver.registry.batch.cronjobs import CRONJOBS
from apiserver.registry.batch.jobs import JOBS
from apiserver.registry.resource import Resource

RESOURCES: tuple[Resource, ...] = (
    CRONJOBS,
    JOBS,
)
