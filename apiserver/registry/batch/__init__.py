"""Jobs and cron jobs: batch/v1."""

from __future__ import annotations

from apimachinery.gvk import GroupVersion
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import StatusStrategy, Strategy
from apiserver.registry.table import AGE, NAME, count, field

_GROUP = GroupVersion("batch", "v1")


class CronJobStrategy(Strategy):
    """The structure of a CronJob alone is checked."""

    has_generation = True


_CRONJOBS = CronJobStrategy()
CRONJOBS = Resource(
    kind=_GROUP.kind("CronJob"),
    plural="cronjobs",
    singular="cronjob",
    short=("cj",),
    categories=("all",),
    strategy=_CRONJOBS,
    subresources={"status": Subresource(strategy=StatusStrategy(_CRONJOBS))},
    columns=(
        NAME,
        Column("Schedule", field("spec.schedule")),
        Column("Timezone", field("spec.timeZone", "<none>")),
        Column("Suspend", field("spec.suspend", False), type="boolean"),
        Column("Active", count("status.active"), type="integer"),
        AGE,
    ),
)


class JobStrategy(Strategy):
    """The structure of a Job alone is checked."""

    has_generation = True
    default_propagation = "Orphan"


_JOBS = JobStrategy()
JOBS = Resource(
    kind=_GROUP.kind("Job"),
    plural="jobs",
    singular="job",
    categories=("all",),
    strategy=_JOBS,
    subresources={"status": Subresource(strategy=StatusStrategy(_JOBS))},
    columns=(
        NAME,
        AGE,
    ),
)

RESOURCES: tuple[Resource, ...] = (
    CRONJOBS,
    JOBS,
)
