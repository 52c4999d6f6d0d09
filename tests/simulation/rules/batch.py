"""What Jobs and CronJobs must not do: run twice what is done, or more at once than they may."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from apimachinery.meta import annotations_of, controller_of, is_deleting, name_of, uid_of
from apimachinery.pods import is_active, phase_of
from tests.simulation.rules.workloads import Wanted
from tests.simulation.states import Change, Obj, Rule, State

_INDEX = "batch.kubernetes.io/job-completion-index"
_ENDS = ("succeeded", "failed")
# What is true of a Job that has ended, or is going to.
_OVER = {"Complete", "Failed", "SuccessCriteriaMet", "FailureTarget"}
# For which moment a CronJob has made a Job.
_MOMENT = "batch.kubernetes.io/cronjob-scheduled-timestamp"


class Parallelism(Rule):
    """A Job has no more pods at work than it may."""

    def __init__(self) -> None:
        self._wanted = Wanted()

    def look(self, state: State, change: Change) -> Iterator[str]:
        if change.resource == "jobs.batch" and change.new is not None:
            self._wanted.note(change.new, change.new["spec"]["parallelism"])
        if change.resource != "pods" or (pod := change.made) is None:
            return
        if (job := state.owner(pod, "Job", "jobs.batch")) is None:
            return
        there = sum(map(is_active, state.owned("pods", job))) + 1
        most = self._wanted.most(uid_of(job))
        if there > most:
            yield f"is pod {there} at a parallelism of {most}"


class OnceDone(Rule):
    """What a Job has counted stays counted, and once; what is done is not begun again."""

    def __init__(self) -> None:
        # By the Job's uid: the pods that it has had, and those of them that have succeeded.
        self._had: dict[str, set[str]] = defaultdict(set)
        self._succeeded: dict[str, set[str]] = defaultdict(set)

    def look(self, state: State, change: Change) -> Iterator[str]:
        if change.resource == "jobs.batch" and change.old is not None and change.new is not None:
            yield from self._counts(change.old.get("status") or {}, change.new.get("status") or {})
            yield from self._twice(change.new)
        if change.resource == "pods" and change.new is not None:
            self._note(change.new)
        if change.resource != "pods" or (pod := change.made) is None:
            return
        if (job := state.owner(pod, "Job", "jobs.batch")) is None:
            return
        if over := _true(job.get("status") or {}) & _OVER:
            yield f"is made for {name_of(job)}, which is over: {min(over)}"
        index = annotations_of(pod).get(_INDEX)
        done = (job.get("status") or {}).get("completedIndexes", "")
        if index is not None and int(index) in _indexes(done):
            yield f"is made for index {index} of {done} that are done"

    def _note(self, pod: Obj) -> None:
        if (owner := controller_of(pod)) is not None and owner["kind"] == "Job":
            self._had[owner["uid"]].add(uid_of(pod))
            if phase_of(pod) == "Succeeded":
                self._succeeded[owner["uid"]].add(uid_of(pod))

    def _twice(self, job: Obj) -> Iterator[str]:
        status = job.get("status") or {}
        waiting = status.get("uncountedTerminatedPods") or {}
        done, lost = (status.get(one, 0) + len(waiting.get(one) or ()) for one in _ENDS)
        if done > (most := len(self._succeeded[uid_of(job)])):
            yield f"counts {done} that succeeded of {most}"
        if done + lost > (most := len(self._had[uid_of(job)])):
            yield f"counts {done + lost} that ended of {most}"

    def _counts(self, old: Obj, new: Obj) -> Iterator[str]:
        for field in _ENDS:
            if old.get(field, 0) > new.get(field, 0):
                yield f"had {old[field]} that {field}, and has {new.get(field, 0)}"
        for field in ("completedIndexes", "failedIndexes"):
            if lost := _indexes(old.get(field, "")) - _indexes(new.get(field, "")):
                yield f"forgets {sorted(lost)} of its {field}"
        before, now = _true(old), _true(new)
        if lost := (before & {"Complete", "Failed"}) - now:
            yield f"is {sorted(lost)} no more"
        if {"Complete", "Failed"} <= now:
            yield "is complete and failed"


def ended(job: Obj) -> str:
    """Return how a Job has ended; "" if it has not."""
    return min(_true(job.get("status") or {}) & {"Complete", "Failed"}, default="")


def _true(status: Obj) -> set[str]:
    return {one["type"] for one in status.get("conditions") or () if one["status"] == "True"}


def _indexes(text: str) -> set[int]:
    """Return the numbers of a list as "0,2-4"."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


class Forbidden(Rule):
    """A CronJob that forbids it has no two Jobs at work; one that replaces them ends the first."""

    def look(self, state: State, change: Change) -> Iterator[str]:
        if change.resource != "jobs.batch" or (job := change.made) is None:
            return
        cron = state.owner(job, "CronJob", "cronjobs.batch")
        if cron is None or (policy := cron["spec"]["concurrencyPolicy"]) == "Allow":
            return
        for other in state.owned("jobs.batch", cron):
            if not ended(other) and not (policy == "Replace" and is_deleting(other)):
                yield f"is begun while {name_of(other)} is at work"


class OncePerMoment(Rule):
    """A CronJob begins no two Jobs for one moment."""

    def __init__(self) -> None:
        self._begun: dict[str, set[str]] = defaultdict(set)

    def look(self, state: State, change: Change) -> Iterator[str]:
        if change.resource != "jobs.batch" or (job := change.made) is None:
            return
        cron = state.owner(job, "CronJob", "cronjobs.batch")
        moment = annotations_of(job).get(_MOMENT)
        if cron is None or moment is None:
            return
        begun = self._begun[uid_of(cron)]
        if moment in begun:
            yield f"is begun once more for {moment}"
        begun.add(moment)
