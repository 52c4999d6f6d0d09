"""A Job and its pods as one reconcile sees them, and what follows from that: pure functions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from apimachinery.clock import parse_time
from apimachinery.meta import Obj, uid_of
from apimachinery.pods import is_active, is_ready, phase_of
from nodes.controllers.common.conditions import find, is_true
from nodes.controllers.common.podfacts import is_terminating
from nodes.controllers.job import facts, policies
from nodes.controllers.job.backoff import Backoff
from nodes.controllers.job.indexes import Indexes


@dataclass(slots=True)
class State:
    """What is known of a Job. `status` is the one to be written; nothing else is changed by it.

    awaiting: pods whose finalizer is gone already, though the cache still shows it.
    held: failed pods by index that stay until their replacement has taken over their count.
    settled: the cache shows all pods that were asked for, so that more may be done.
    outcome: the condition by which the Job ends, or None while it goes on.
    group: the name of the PodGroup that new pods are scheduled with, "" for none.
    """

    job: Obj
    status: Obj
    pods: list[Obj]
    awaiting: Collection[str]
    backoff: Backoff
    active_pods: list[Obj] = field(default_factory=list)
    active: int = 0
    ready: int = 0
    terminating: int = 0
    succeeded: int = 0
    failed: int = 0
    succeeded_before: Indexes = field(default_factory=Indexes)
    succeeded_indexes: Indexes = field(default_factory=Indexes)
    failed_indexes: Indexes | None = None
    held: dict[int, Obj] = field(default_factory=dict)
    settled: bool = True
    outcome: Obj | None = None
    group: str = ""

    @property
    def spec(self) -> Obj:
        spec: Obj = self.job["spec"]
        return spec

    @property
    def completions(self) -> int:
        return int(self.spec.get("completions") or 0)

    @property
    def per_index(self) -> bool:
        return self.spec.get("backoffLimitPerIndex") is not None

    @property
    def conditions(self) -> list[Obj]:
        return self.status.get("conditions") or []

    def uncounted(self, kind: str) -> list[str]:
        return list((self.status.get("uncountedTerminatedPods") or {}).get(kind) or ())

    def in_range(self, index: int) -> bool:
        return 0 <= index < self.completions

    def is_uncounted(self, pod: Obj) -> bool:
        """Tell whether the pod has still to be seen to: its finalizer is there."""
        return facts.has_finalizer(pod) and uid_of(pod) not in self.awaiting


def observe(job: Obj, pods: list[Obj], awaiting: Collection[str], backoff: Backoff) -> State:
    """Count what there is, including what has ended and is not in the status yet."""
    status = dict(job.get("status") or {})
    status.setdefault("uncountedTerminatedPods", {})
    state = State(job, status, pods, awaiting, backoff)
    state.active_pods = [pod for pod in pods if is_active(pod)]
    state.active = len(state.active_pods)
    state.ready = sum(map(is_ready, state.active_pods))
    state.terminating = sum(map(is_terminating, pods))
    succeeded = _fresh(state, "succeeded", lambda pod: phase_of(pod) == "Succeeded")
    failed = _fresh(state, "failed", lambda pod: facts.has_failed(pod, job))
    counted = sum(policies.judge(job, pod).counts for pod in failed)
    waiting = len(state.uncounted("succeeded"))
    state.succeeded = int(status.get("succeeded") or 0) + len(succeeded) + waiting
    state.failed = int(status.get("failed") or 0) + counted + len(state.uncounted("failed"))
    state.backoff = backoff.after(succeeded, failed)
    if facts.is_indexed(job):
        _observe_indexes(state)
    return state


def _fresh(state: State, kind: str, test: Callable[[Obj], bool]) -> list[Obj]:
    """Return the pods that have ended so and that the status does not know of."""
    known = set(state.uncounted(kind))
    indexed = facts.is_indexed(state.job)
    return [
        pod
        for pod in state.pods
        if state.is_uncounted(pod)
        and uid_of(pod) not in known
        and (not indexed or state.in_range(facts.index_of(pod)))
        and test(pod)
    ]


# Indexes.


def _observe_indexes(state: State) -> None:
    text = state.status.get("completedIndexes") or ""
    state.succeeded_before = Indexes.parse(text, state.completions)
    fresh = [
        facts.index_of(pod)
        for pod in _tracked(state)
        if phase_of(pod) == "Succeeded" and state.in_range(facts.index_of(pod))
    ]
    state.succeeded_indexes = state.succeeded_before.with_all(fresh)
    state.succeeded = len(state.succeeded_indexes)
    if state.per_index:
        known = Indexes.parse(state.status.get("failedIndexes") or "", state.completions)
        lost = [facts.index_of(pod) for pod in _tracked(state) if _index_failed(state, pod)]
        state.failed_indexes = known.with_all(lost)
        state.held = _held(state)


def _tracked(state: State) -> Iterable[Obj]:
    return (pod for pod in state.pods if facts.has_finalizer(pod))


def _index_failed(state: State, pod: Obj) -> bool:
    """Tell whether a pod's failure is its index's."""
    if not state.in_range(facts.index_of(pod)) or not facts.has_failed(pod, state.job):
        return False
    verdict = policies.judge(state.job, pod)
    if verdict.action == policies.FAIL_INDEX:
        return True
    limit = int(state.spec["backoffLimitPerIndex"])
    return verdict.counts and facts.counted_failures(pod) >= limit


def _held(state: State) -> dict[int, Obj]:
    """Return the last failed pod of each index that is to be tried again."""
    running = {facts.index_of(pod) for pod in state.active_pods}
    held: dict[int, Obj] = {}
    for pod in state.pods:
        index = facts.index_of(pod)
        if not state.is_uncounted(pod) or not state.in_range(index):
            continue
        if not facts.has_failed(pod, state.job) or index in running:
            continue
        if index in state.succeeded_indexes or index in (state.failed_indexes or Indexes()):
            continue
        if index not in held or _order(held[index]) <= _order(pod):
            held[index] = pod
    return held


def _order(pod: Obj) -> tuple[int, float]:
    return facts.all_failures(pod), facts.finished_at(pod)


# How it ends.


def decide(state: State, now: float, stamp: str) -> None:
    """Set the outcome, if the Job has come to its end one way or the other."""
    met = find(state.conditions, facts.SUCCESS_CRITERIA_MET)
    if met is not None and met.get("status") == "True":
        state.outcome = met
        return
    state.outcome = _failure(state, now, stamp)
    if state.outcome is None and facts.is_indexed(state.job):
        why = policies.success_message(state.job, state.succeeded_indexes)
        if why:
            kind = facts.SUCCESS_CRITERIA_MET
            state.outcome = job_condition(kind, "True", "SuccessPolicy", why, stamp)


def _failure(state: State, now: float, stamp: str) -> Obj | None:
    target = find(state.conditions, facts.FAILURE_TARGET)
    if target is not None and target.get("status") == "True":
        return job_condition(facts.FAILED, "True", target["reason"], target["message"], stamp)
    why = _failing_rule(state) or _limit(state, now) or _failing_indexes(state)
    return job_condition(facts.FAILURE_TARGET, "True", *why, stamp) if why else None


def _failing_rule(state: State) -> tuple[str, str] | None:
    if state.spec.get("podFailurePolicy") is None:
        return None
    for pod in state.pods:
        if facts.has_failed(pod, state.job) and (why := policies.judge(state.job, pod).message):
            return "PodFailurePolicy", why
    return None


def _limit(state: State, now: float) -> tuple[str, str] | None:
    limit = state.spec.get("backoffLimit")
    most = 6 if limit is None else int(limit)
    if state.failed > most or _restarts_exceed(state, most):
        return "BackoffLimitExceeded", "Job has reached the specified backoff limit"
    left = deadline_in(state, now)
    if left is not None and left <= 0:
        return "DeadlineExceeded", "Job was active longer than specified deadline"
    return None


def deadline_in(state: State, now: float) -> float | None:
    """Return in how many seconds the Job has been active for too long."""
    seconds, since = state.spec.get("activeDeadlineSeconds"), state.status.get("startTime")
    if seconds is None or since is None or facts.is_suspended(state.job):
        return None
    return parse_time(since).timestamp() + float(seconds) - now


def _restarts_exceed(state: State, most: int) -> bool:
    """Tell whether containers were started again too often, where pods stay and start anew."""
    if (state.spec["template"].get("spec") or {}).get("restartPolicy") != "OnFailure":
        return False
    restarts = sum(
        int(one.get("restartCount") or 0)
        for pod in state.pods
        if phase_of(pod) in ("Running", "Pending")
        for field_ in ("initContainerStatuses", "containerStatuses")
        for one in (pod.get("status") or {}).get(field_) or ()
    )
    return restarts > 0 if most == 0 else restarts >= most


def _failing_indexes(state: State) -> tuple[str, str] | None:
    lost = len(state.failed_indexes or ())
    if not lost:
        return None
    most = state.spec.get("maxFailedIndexes")
    if most is not None and lost > most:
        return (
            "MaxFailedIndexesExceeded",
            "Job has exceeded the specified maximal number of failed indexes",
        )
    if lost + len(state.succeeded_indexes) >= state.completions:
        return "FailedIndexes", "Job has failed indexes"
    return None


def is_complete(state: State) -> bool:
    """Tell whether enough pods have succeeded and none is left."""
    if state.active:
        return False
    completions = state.spec.get("completions")
    return state.succeeded > 0 if completions is None else state.succeeded >= completions


def success(stamp: str) -> Obj:
    why = "Reached expected number of succeeded pods"
    return job_condition(facts.SUCCESS_CRITERIA_MET, "True", "CompletionsReached", why, stamp)


# Conditions.


def job_condition(type_: str, status: str, reason: str, message: str, at: str) -> Obj:
    return {
        "type": type_,
        "status": status,
        "lastProbeTime": at,
        "lastTransitionTime": at,
        "reason": reason,
        "message": message,
    }


def set_condition(conditions: Sequence[Obj], new: Obj) -> list[Obj] | None:
    """Return the conditions with a new one in its place, None if that says nothing new."""
    same = ("status", "reason", "message")
    result = list(conditions)
    for at, old in enumerate(result):
        if old.get("type") == new["type"]:
            if all(old.get(name) == new[name] for name in same):
                return None
            result[at] = new
            return result
    # From nothing to false is no news.
    return None if new["status"] == "False" else [*result, new]


def has_met_criteria(state: State) -> bool:
    return is_true(state.conditions, facts.SUCCESS_CRITERIA_MET)
