"""What the status of a Job may say, alone and after what it said before.

A rule about two fields counts only when one of them has changed, so that statuses written under
older rules can go on.
"""

from __future__ import annotations

from apimachinery.clock import parse_time
from apimachinery.meta import Obj
from apimachinery.validation.field import (
    OMITTED,
    ErrorType,
    FieldError,
    FieldErrors,
    Path,
    duplicate,
    invalid,
    required,
)
from apiserver.registry.batch import indexes
from apiserver.registry.batch.jobspec import INDEXED
from apiserver.registry.podspec.checks import nonnegative_fields

_STATUS = Path("status")
_COUNTS = ("active", "succeeded", "failed", "ready", "terminating")
_TERMINAL = ("Failed", "Complete", "FailureTarget")


def has_condition(job: Obj, kind: str) -> bool:
    """Tell whether a condition of a kind is true."""
    return any(
        one.get("type") == kind and one.get("status") == "True"
        for one in (job.get("status") or {}).get("conditions") or ()
    )


def is_finished(job: Obj) -> bool:
    return has_condition(job, "Complete") or has_condition(job, "Failed")


def job_status_errors(job: Obj, old: Obj) -> FieldErrors:
    """Yield what is wrong with a new status, given the old one."""
    status = job.get("status") or {}
    yield from nonnegative_fields(status, _COUNTS, _STATUS)
    yield from _uncounted_errors(status)
    yield from _condition_errors(job, old)
    yield from _time_errors(job, old)
    yield from _finished_errors(job, old)
    yield from _index_errors(job, old)
    yield from _ready_errors(job, old)
    yield from _criteria_errors(job)
    yield from _past_errors(job, old)


def _conditions(why: str) -> FieldError:
    return FieldError(ErrorType.INVALID, str(_STATUS / "conditions"), OMITTED, why)


def _turned(job: Obj, old: Obj, *kinds: str) -> bool:
    """Tell whether one of some conditions has changed."""
    return any(has_condition(job, kind) != has_condition(old, kind) for kind in kinds)


def _changed(job: Obj, old: Obj, *names: str) -> bool:
    status, before = job.get("status") or {}, old.get("status") or {}
    return any((status.get(name) or None) != (before.get(name) or None) for name in names)


def _uncounted_errors(status: Obj) -> FieldErrors:
    uncounted = status.get("uncountedTerminatedPods") or {}
    seen: set[str] = set()
    for name in ("succeeded", "failed"):
        for at, uid in enumerate(uncounted.get(name) or ()):
            path = (_STATUS / "uncountedTerminatedPods" / name)[at]
            if not uid:
                yield invalid(path, uid, "must not be empty")
            elif uid in seen:
                yield duplicate(path, uid)
            seen.add(uid)


def _condition_errors(job: Obj, old: Obj) -> FieldErrors:
    complete = has_condition(job, "Complete")
    if complete and has_condition(job, "Failed") and _turned(job, old, "Complete", "Failed"):
        yield _conditions("cannot set Complete=True and Failed=true conditions")
    turned = _turned(job, old, "Complete", "FailureTarget")
    if complete and has_condition(job, "FailureTarget") and turned:
        yield _conditions("cannot set Complete=True and FailureTarget=true conditions")


def _time_errors(job: Obj, old: Obj) -> FieldErrors:
    status, path = job.get("status") or {}, _STATUS / "completionTime"
    start, end = status.get("startTime"), status.get("completionTime")
    complete = has_condition(job, "Complete")
    if _turned(job, old, "Complete") or _changed(job, old, "completionTime"):
        if end and not complete:
            why = "cannot set completionTime when there is no Complete=True condition"
            yield invalid(path, end, why)
        if not end and complete:
            yield required(path, "completionTime is required for Complete jobs")
    changed = _changed(job, old, "startTime", "completionTime")
    if start and end and changed and parse_time(end) < parse_time(start):
        yield invalid(path, end, "completionTime cannot be set before startTime")


def _finished_errors(job: Obj, old: Obj) -> FieldErrors:
    for end, first in (("Failed", "FailureTarget"), ("Complete", "SuccessCriteriaMet")):
        lacks = has_condition(job, end) and not has_condition(job, first)
        if lacks and _turned(job, old, end, first):
            yield _conditions(f"cannot set {end}=True condition without the {first}=true condition")
    if is_finished(job):
        yield from _leftover_errors(job, old)


def _leftover_errors(job: Obj, old: Obj) -> FieldErrors:
    """A Job that is over has started once, and has no pods left."""
    status, turned = job.get("status") or {}, is_finished(old) != is_finished(job)
    if (status.get("active") or 0) > 0 and (turned or _changed(job, old, "active")):
        why = "active>0 is invalid for finished job"
        yield invalid(_STATUS / "active", status["active"], why)
    if not status.get("startTime") and (turned or _changed(job, old, "startTime")):
        spec = job.get("spec") or {}
        if not (spec.get("suspend") and spec.get("completions") == 0):
            yield required(_STATUS / "startTime", "startTime is required for finished job")
    uncounted = status.get("uncountedTerminatedPods") or {}
    left = uncounted.get("failed") or uncounted.get("succeeded")
    if left and (turned or _changed(job, old, "uncountedTerminatedPods")):
        why = "uncountedTerminatedPods needs to be empty for finished job"
        yield invalid(_STATUS / "uncountedTerminatedPods", uncounted, why)


def _index_errors(job: Obj, old: Obj) -> FieldErrors:
    status, spec = job.get("status") or {}, job.get("spec") or {}
    completed, failed = status.get("completedIndexes") or "", status.get("failedIndexes")
    completions = spec.get("completions")
    new_completed = _changed(job, old, "completedIndexes")
    new_failed = _changed(job, old, "failedIndexes")
    per_index = spec.get("backoffLimitPerIndex") is not None
    if new_completed and completions is not None:
        yield from _format_errors("completedIndexes", completed, completions)
    if new_failed and completions is not None and per_index and failed is not None:
        yield from _format_errors("failedIndexes", failed, completions)
    if new_completed and completed and spec.get("completionMode") != INDEXED:
        why = "cannot set non-empty completedIndexes when non-indexed completion mode"
        yield invalid(_STATUS / "completedIndexes", completed, why)
    if new_failed and failed is not None and not per_index:
        why = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
        yield invalid(_STATUS / "failedIndexes", failed, why)
    if completions is not None and failed and (new_completed or new_failed):
        both = indexes.overlap(completed, failed, completions)
        if both is not None:
            why = f"failedIndexes and completedIndexes overlap at index: {both}"
            yield invalid(_STATUS / "failedIndexes", failed, why)


def _format_errors(name: str, text: str, completions: int) -> FieldErrors:
    try:
        indexes.total(text, completions)
    except indexes.IndexesError as error:
        yield invalid(_STATUS / name, text, f"error parsing {name}: {error}")


def _ready_errors(job: Obj, old: Obj) -> FieldErrors:
    status = job.get("status") or {}
    terminating, ready = status.get("terminating") or 0, status.get("ready") or 0
    new = not is_finished(old) or _changed(job, old, "terminating")
    if terminating > 0 and is_finished(job) and new:
        why = "terminating>0 is invalid for finished job"
        yield invalid(_STATUS / "terminating", terminating, why)
    if ready > (status.get("active") or 0) and _changed(job, old, "ready", "active"):
        yield invalid(_STATUS / "ready", ready, "cannot set more ready pods than active")


def _criteria_errors(job: Obj) -> FieldErrors:
    met = has_condition(job, "SuccessCriteriaMet")
    if met and has_condition(job, "Failed"):
        yield _conditions("cannot set SuccessCriteriaMet=True and Failed=true conditions")
    if met and has_condition(job, "FailureTarget"):
        yield _conditions("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions")
    policy = (job.get("spec") or {}).get("successPolicy") is not None
    if policy and not met and has_condition(job, "Complete"):
        yield _conditions(
            "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"
        )


def _past_errors(job: Obj, old: Obj) -> FieldErrors:
    """What has happened stays so."""
    status, before = job.get("status") or {}, old.get("status") or {}
    for kind in _TERMINAL:
        if has_condition(old, kind) and not has_condition(job, kind):
            yield _conditions(f"cannot disable the terminal {kind}=True condition")
    for name in ("failed", "succeeded"):
        count = status.get(name) or 0
        if count < (before.get(name) or 0) and (name == "failed" or not _is_elastic(job)):
            yield invalid(_STATUS / name, count, f"cannot decrease the {name} counter")
    end = status.get("completionTime")
    if end and before.get("completionTime") and end != before["completionTime"]:
        yield invalid(_STATUS / "completionTime", end, "completionTime cannot be mutated")
    moved = before.get("startTime") and before["startTime"] != status.get("startTime")
    if moved and not (job.get("spec") or {}).get("suspend"):
        yield required(_STATUS / "startTime", "startTime cannot be removed for unsuspended job")
    met = has_condition(job, "SuccessCriteriaMet")
    if has_condition(old, "SuccessCriteriaMet") and not met:
        yield _conditions("cannot disable the SuccessCriteriaMet=True condition")
    if has_condition(old, "Complete") and not has_condition(old, "SuccessCriteriaMet") and met:
        yield _conditions(
            "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"
        )


def _is_elastic(job: Obj) -> bool:
    """Tell whether indexes may be taken away again: then successes are forgotten as well."""
    spec = job.get("spec") or {}
    same = spec.get("completions") == spec.get("parallelism")
    return spec.get("completionMode") == INDEXED and same
