"""CronJobs: a Job at each moment of a schedule, unless it is too late or one still runs.

Of the moments that were missed only the last is made up for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from apimachinery.clock import format_time, parse_time
from apimachinery.cron import CronError, Schedule, load_zone, parse_schedule
from apimachinery.errors import AlreadyExists, ApiError
from apimachinery.meta import (
    Obj,
    annotations_of,
    controller_of,
    is_deleting,
    name_of,
    namespace_of,
    owner_reference,
    uid_of,
)
from nodes.client.controller import DONE, Owned, Result
from nodes.client.events import NORMAL, WARNING, reference
from nodes.client.lister import Key
from nodes.client.resources import CRONJOBS, JOBS
from nodes.controllers.common.base import ManagedController
from nodes.controllers.common.refusals import is_terminating
from nodes.controllers.job.facts import COMPLETE, FAILED, end_of

SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"
# Clocks differ a little: better a moment late than a moment early.
_PADDING = 0.1
_MANY = 100


class Due(NamedTuple):
    """since: from where moments count. at: the last that is due, if any. missed: how many are."""

    since: datetime
    at: datetime | None = None
    missed: int = 0


class _Never(Exception):
    """A schedule whose moments do not come, such as the 31st of February."""


def due(cronjob: Obj, schedule: Schedule, now: datetime, *, deadline: bool) -> Due:
    """Return the last moment that is due. Raises _Never.

    With `deadline` what is past its startingDeadlineSeconds is not looked at.
    """
    spec, status = cronjob["spec"], cronjob.get("status") or {}
    since = parse_time(status.get("lastScheduleTime") or cronjob["metadata"]["creationTimestamp"])
    seconds = spec.get("startingDeadlineSeconds")
    if deadline and seconds is not None:
        since = max(since, now - timedelta(seconds=seconds))
    first = schedule.next(since)
    if first is None:
        raise _Never
    if now < first:
        return Due(since)
    second = schedule.next(first)
    if second is None or now < second:
        return Due(since, first)
    step = round((second - first).total_seconds())
    missed = int((now - first).total_seconds()) // step + 1
    # An estimate by equal steps is near enough to go on from: the last few are looked at singly.
    moment = schedule.next(first + timedelta(seconds=(missed - 2) * step))
    last = None
    while moment is not None and moment <= now:
        last, moment = moment, schedule.next(moment)
    return Due(since, last, missed)


def next_in(cronjob: Obj, schedule: Schedule, now: datetime) -> float | None:
    """Return in how many seconds to look again."""
    try:
        found = due(cronjob, schedule, now, deadline=False)
    except _Never:
        after: datetime = now
    else:
        after = found.at or (now if found.missed else found.since)
    moment = schedule.next(after)
    return (moment - now).total_seconds() + _PADDING if moment is not None else None


@dataclass(slots=True)
class _Run:
    """A CronJob as one reconcile sees it; `status` is ours, to be written in the end."""

    cronjob: Obj
    jobs: list[Obj]
    status: Obj
    active: list[Obj] = field(default_factory=list)

    @property
    def spec(self) -> Obj:
        spec: Obj = self.cronjob["spec"]
        return spec

    def is_active(self, uid: str) -> bool:
        return any(one.get("uid") == uid for one in self.active)

    def drop(self, uid: str) -> None:
        self.active = [one for one in self.active if one.get("uid") != uid]

    def succeeded_at(self, time: str) -> None:
        last = self.status.get("lastSuccessfulTime")
        if not last or parse_time(time) > parse_time(last):
            self.status["lastSuccessfulTime"] = time


class CronJobController(ManagedController):
    """Keys are CronJobs."""

    name = "cronjob-controller"
    service_account = "cronjob-controller"
    component = "cronjob-controller"
    reconciles = CRONJOBS
    watches = (Owned(JOBS),)

    async def reconcile(self, key: Key) -> Result:
        cronjob = self.informer(CRONJOBS).get(*key)
        if cronjob is None:
            return DONE
        status = dict(cronjob.get("status") or {})
        jobs = self.informer(JOBS).owned_by(cronjob)
        run = _Run(cronjob, jobs, status, list(status.get("active") or ()))
        await self._clean_up(run)
        await self._look_at_jobs(run)
        error: ApiError | None = None
        again: float | None = None
        try:
            if not is_deleting(cronjob):
                again = await self._schedule(run)
        except ApiError as refused:
            error = refused
        await self._write(run)
        if error is not None and not is_terminating(error):
            raise error
        return Result(requeue_after=again)

    async def _write(self, run: _Run) -> None:
        run.status.pop("active", None)
        status = ({"active": run.active} if run.active else {}) | run.status
        if status != (run.cronjob.get("status") or {}):
            await self.client.update_status({**run.cronjob, "status": status}, CRONJOBS)

    def _say(self, run: _Run, reason: str, message: str, type_: str = NORMAL) -> None:
        self.recorder.event(run.cronjob, type_, reason, message)

    # The Jobs that there are.

    async def _clean_up(self, run: _Run) -> None:
        """Delete the oldest of the Jobs that are over, beyond the limits."""
        limits = ((COMPLETE, "successfulJobsHistoryLimit"), (FAILED, "failedJobsHistoryLimit"))
        for end, limit in limits:
            most = run.spec.get(limit)
            if most is None:
                continue
            over = (job for job in run.jobs if end_of(job) == end and self._may_go(run, job))
            ended = sorted(over, key=_start_key)
            for job in ended[: max(len(ended) - most, 0)]:
                await self._delete(run, job)

    def _may_go(self, run: _Run, job: Obj) -> bool:
        """Tell whether nothing is begun once more without a Job that has ended.

        Until the status has come to its moment, the Job alone says that it was begun.
        """
        moment = annotations_of(job).get(SCHEDULED_AT, "")
        last = (run.cronjob.get("status") or {}).get("lastScheduleTime")
        try:
            begun = datetime.fromisoformat(moment)
        except ValueError:
            return True  # made by somebody else, or changed
        return bool(last and begun <= parse_time(last)) or begun != self._due_now(run)

    def _due_now(self, run: _Run) -> datetime | None:
        """Return the moment that a Job would be made for, None if there is none."""
        if run.spec.get("suspend"):
            return None
        try:
            zone = load_zone(run.spec.get("timeZone") or "")
            schedule = parse_schedule(run.spec["schedule"], zone)
            return due(run.cronjob, schedule, self.clock.now(), deadline=True).at
        except (KeyError, CronError, _Never):
            return None

    async def _delete(self, run: _Run, job: Obj) -> bool:
        try:
            await self.client.delete(
                JOBS, namespace_of(job), name_of(job), propagation="Background"
            )
        except ApiError as error:
            self._say(run, "FailedDelete", f"Deleted job: {error.message}", WARNING)
            return False
        run.drop(uid_of(job))
        self._say(run, "SuccessfulDelete", f"Deleted job {name_of(job)}")
        return True

    async def _look_at_jobs(self, run: _Run) -> None:
        for job in run.jobs:
            await self._look_at(run, job)
        known = {uid_of(job) for job in run.jobs}
        for active in list(run.active):
            if active.get("uid") in known:
                continue
            # The cache may be behind.
            found = await self.client.find(JOBS, active.get("namespace", ""), active["name"])
            if found is None:
                self._say(run, "MissingJob", f"Active job went missing: {active['name']}")
                run.drop(active.get("uid", ""))

    async def _look_at(self, run: _Run, job: Obj) -> None:
        end, uid = end_of(job), uid_of(job)
        if end and run.is_active(uid):
            run.drop(uid)
            self._say(
                run, "SawCompletedJob", f"Saw completed job: {name_of(job)}, condition: {end}"
            )
        elif not end and not run.is_active(uid):
            key = (namespace_of(run.cronjob), name_of(run.cronjob))
            fresh = await self.client.find(CRONJOBS, *key)
            listed = ((fresh or {}).get("status") or {}).get("active") or ()
            if not any(one.get("uid") == uid for one in listed):
                message = "Saw a job that the controller did not create or forgot: "
                self._say(run, "UnexpectedJob", message + name_of(job), WARNING)
        if end == COMPLETE and (time := (job.get("status") or {}).get("completionTime")):
            run.succeeded_at(time)

    # The next Job.

    async def _schedule(self, run: _Run) -> float | None:
        """Make the Job that is due; return in how many seconds the next one is."""
        schedule = self._read(run)
        if schedule is None:
            return None
        now = self.clock.now()
        try:
            found = due(run.cronjob, schedule, now, deadline=True)
        except _Never:
            # As Go has it: a schedule without moments has no distance between two of them.
            why = "time difference between two schedules is less than 1 second"
            message = f"invalid schedule: {run.spec['schedule']} : {why}"
            self._say(run, "InvalidSchedule", message, WARNING)
            return None
        if found.at is not None:
            if found.missed > _MANY:
                message = (
                    "too many missed start times. Set or decrease .spec.startingDeadlineSeconds"
                    " or check clock skew"
                )
                self._say(run, "TooManyMissedTimes", message, WARNING)
            if self._may_start(run, found.at, now):
                await self._start(run, found.at)
        current = {**run.cronjob, "status": run.status}
        return next_in(current, schedule, now)

    def _read(self, run: _Run) -> Schedule | None:
        """Return the schedule, None if none is to be kept now."""
        zone, text = run.spec.get("timeZone") or "", run.spec["schedule"]
        try:
            where = load_zone(zone)
        except KeyError:
            message = f'invalid timeZone: "{zone}": unknown time zone {zone}'
            self._say(run, "UnknownTimeZone", message, WARNING)
            return None
        if run.spec.get("suspend"):
            return None
        if "TZ" in text:
            message = (
                f'CRON_TZ or TZ used in schedule "{text}" is not officially supported, see'
                " https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more"
                " details"
            )
            self._say(run, "UnsupportedSchedule", message, WARNING)
        try:
            return parse_schedule(text, where)
        except CronError as error:
            message = f'unparseable schedule: "{text}" : {error}'
            self._say(run, "UnparseableSchedule", message, WARNING)
            return None

    def _may_start(self, run: _Run, at: datetime, now: datetime) -> bool:
        seconds = run.spec.get("startingDeadlineSeconds")
        if seconds is not None and at + timedelta(seconds=seconds) < now:
            when = at.strftime("%a, %d %b %Y %H:%M:%S +0000")
            message = f"Missed scheduled time to start a job: {when}"
            self._say(run, "MissSchedule", message, WARNING)
            return False
        last = run.status.get("lastScheduleTime")
        if last and parse_time(last) == at:
            return False
        if any(one.get("name") == _job_name(run.cronjob, at) for one in run.active):
            return False
        if run.spec.get("concurrencyPolicy") == "Forbid" and run.active:
            message = (
                "Not starting job because prior execution is running and concurrency policy"
                " is Forbid"
            )
            self._say(run, "JobAlreadyActive", message)
            return False
        return True

    async def _start(self, run: _Run, at: datetime) -> None:
        if run.spec.get("concurrencyPolicy") == "Replace":
            await self._replace(run)
        wanted = build_job(run.cronjob, at)
        try:
            job = await self.client.create(wanted, JOBS)
        except AlreadyExists:
            job = await self.client.get(JOBS, namespace_of(wanted), name_of(wanted))
            owner = controller_of(job)
            if owner is None or owner.get("uid") != uid_of(run.cronjob):
                return  # somebody else's: they see to it
        except ApiError as error:
            if not is_terminating(error):
                message = f"Error creating job: {error.message}"
                self._say(run, "FailedCreate", message, WARNING)
            raise
        else:
            late = parse_time(job["metadata"]["creationTimestamp"]) - at
            skew = "cronjob_controller_job_creation_skew_duration_seconds"
            self.measure(skew, late.total_seconds())
            self._say(run, "SuccessfulCreate", f"Created job {name_of(job)}")
        run.active = [*run.active, reference({"apiVersion": "batch/v1", "kind": "Job", **job}, "")]
        run.status["lastScheduleTime"] = format_time(at)

    async def _replace(self, run: _Run) -> None:
        """Delete the Jobs that still run. Raises ApiError."""
        for active in list(run.active):
            key = (active.get("namespace", ""), active["name"])
            try:
                job = await self.client.get(JOBS, *key)
            except ApiError as error:
                self._say(run, "FailedGet", f"Get job: {error.message}", WARNING)
                raise
            if not await self._delete(run, job):
                raise ApiError(f"could not replace job {key[0]}/{key[1]}", code=500)


def _start_key(job: Obj) -> tuple[bool, str, str]:
    started = (job.get("status") or {}).get("startTime") or ""
    return not started, started, name_of(job)


def _job_name(cronjob: Obj, at: datetime) -> str:
    return f"{name_of(cronjob)}-{int(at.timestamp()) // 60}"


def build_job(cronjob: Obj, at: datetime) -> Obj:
    """Build the Job of one moment; the same moment gives the same name."""
    template = cronjob["spec"]["jobTemplate"]
    given = template.get("metadata") or {}
    wall = at.astimezone(load_zone(cronjob["spec"].get("timeZone") or ""))
    stamp = wall.isoformat(timespec="seconds").replace("+00:00", "Z")
    metadata: Obj = {
        "name": _job_name(cronjob, at),
        "namespace": namespace_of(cronjob),
        "annotations": {**(given.get("annotations") or {}), SCHEDULED_AT: stamp},
        "ownerReferences": [owner_reference(cronjob)],
    }
    if given.get("labels"):
        metadata["labels"] = given["labels"]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": template.get("spec") or {},
    }
