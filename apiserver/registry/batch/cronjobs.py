"""CronJobs: Jobs made by the clock."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apimachinery.cron import CronError, parse_schedule
from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, not_supported, required
from apiserver.registry.batch.jobspec import job_spec_errors, job_warnings
from apiserver.registry.podspec.checks import nonnegative, one_of_required
from apiserver.registry.podspec.defaults import default_template
from apiserver.registry.podspec.features import drop_disabled_in_template
from apiserver.registry.podspec.godiff import shown_selector
from apiserver.registry.podspec.template import name_warnings
from apiserver.registry.podspec.workload import (
    containers,
    format_selector,
    generation_changed,
    keep_status,
)
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, count, dig, field, since

_SPEC = Path("spec")
# A Job's name is that of its CronJob and eleven characters more.
_LONGEST_NAME = 52
_POLICIES = ("Allow", "Forbid", "Replace")
_TEMPLATE = ("spec", "jobTemplate", "spec")
_zone_part_re = re.compile(r"[A-Za-z.\-_0-9+]{1,14}")


class CronJobStrategy(Strategy):
    """Everything may change; Jobs that exist stay as they are."""

    has_generation = True

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        for name, value in (
            ("concurrencyPolicy", "Allow"),
            ("suspend", False),
            ("successfulJobsHistoryLimit", 3),
            ("failedJobsHistoryLimit", 1),
        ):
            if spec.get(name) in (None, ""):
                spec[name] = value
        job = spec.setdefault("jobTemplate", {}).setdefault("spec", {})
        default_template(job.setdefault("template", {}))

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {}

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from _spec_errors(obj["spec"], None)
        name = obj["metadata"].get("name") or ""
        if len(name) > _LONGEST_NAME:
            why = f"must be no more than {_LONGEST_NAME} characters"
            yield invalid(Path("metadata") / "name", name, why)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from _spec_errors(new["spec"], old["spec"])

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        return name_warnings(obj) + _job_warnings(obj)

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        warned = _job_warnings(new) if generation_changed(new, old) else []
        if "TZ" in (new["spec"].get("schedule") or ""):
            warned.append(_ZONE_WARNING)
        return warned

    def drop_disabled(self, obj: Obj, old: Obj | None) -> None:
        drop_disabled_in_template(dig(obj, _TEMPLATE) or {})


_ZONE_WARNING = (
    "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, "
    "see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
)


def _job_warnings(obj: Obj) -> list[str]:
    return job_warnings(dig(obj, _TEMPLATE) or {}, _SPEC / "jobTemplate" / "spec")


def _spec_errors(spec: Obj, old: Obj | None) -> FieldErrors:
    schedule, zone = spec.get("schedule") or "", spec.get("timeZone")
    if not schedule:
        yield required(_SPEC / "schedule")
    else:
        had_zone = old is not None and "TZ" in (old.get("schedule") or "")
        yield from _schedule_errors(schedule, zone, had_zone=had_zone)
    yield from nonnegative(spec.get("startingDeadlineSeconds"), _SPEC / "startingDeadlineSeconds")
    if old is None or zone != old.get("timeZone"):
        yield from _zone_errors(zone, _SPEC / "timeZone")
    policy = spec.get("concurrencyPolicy")
    yield from one_of_required(policy, _POLICIES, _SPEC / "concurrencyPolicy")
    yield from _job_errors(spec.get("jobTemplate") or {}, _SPEC / "jobTemplate" / "spec")
    for name in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        yield from nonnegative(spec.get(name), _SPEC / name)


def _schedule_errors(schedule: str, zone: str | None, *, had_zone: bool) -> FieldErrors:
    path = _SPEC / "schedule"
    try:
        parse_schedule(schedule)
    except CronError as error:
        yield invalid(path, schedule, str(error))
    if "TZ" not in schedule:
        return
    if not had_zone:
        why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        yield invalid(path, schedule, why)
    elif zone is not None:
        why = "cannot use both timeZone field and TZ or CRON_TZ in schedule"
        yield invalid(path, schedule, why)


def _zone_errors(zone: str | None, path: Path) -> FieldErrors:
    if zone is None:
        return
    if not zone:
        yield invalid(path, zone, "timeZone must be nil or non-empty string")
        return
    unknown = invalid(path, zone, f"unknown time zone {zone}")
    for part in zone.split("/"):
        if part in (".", "..") or part.startswith("-") or not _zone_part_re.fullmatch(part):
            yield unknown
            return
    if zone.lower() == "local":
        why = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        yield invalid(path, zone, why)
    if zone not in ("Local", "UTC"):
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield unknown


def _job_errors(template: Obj, path: Path) -> FieldErrors:
    spec = template.get("spec") or {}
    yield from job_spec_errors(spec, path)
    if spec.get("selector") is not None:
        shown = shown_selector(spec["selector"])
        yield invalid(path / "selector", shown, "`selector` will be auto-generated")
    if spec.get("manualSelector"):
        yield not_supported(path / "manualSelector", True, ("nil", "false"))


def _suspended(obj: Obj, now: float) -> str:
    return "True" if obj["spec"].get("suspend") else "False"


def _selector(obj: Obj, now: float) -> str:
    return format_selector(dig(obj, (*_TEMPLATE, "selector")))


_STRATEGY = CronJobStrategy()
CRONJOBS = Resource(
    kind=GroupVersionKind("batch", "v1", "CronJob"),
    plural="cronjobs",
    singular="cronjob",
    short=("cj",),
    categories=("all",),
    strategy=_STRATEGY,
    subresources={"status": Subresource(strategy=StatusStrategy(_STRATEGY))},
    columns=(
        NAME,
        Column("Schedule", field("spec.schedule")),
        Column("Timezone", field("spec.timeZone", "<none>")),
        Column("Suspend", _suspended, type="boolean"),
        Column("Active", count("status.active"), type="integer"),
        Column("Last Schedule", since("status.lastScheduleTime")),
        AGE,
        *containers("spec.jobTemplate.spec.template.spec.containers"),
        Column("Selector", _selector, priority=1),
    ),
)
