"""The Job controller: makes pods until enough have succeeded, or too many have failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from apimachinery.errors import ApiError
from apimachinery.features import WORKLOAD_WITH_JOB
from apimachinery.labels import Selector, from_label_selector
from apimachinery.meta import (
    Obj,
    controller_of,
    is_deleting,
    labels_of,
    namespace_of,
    revision_of,
    uid_of,
)
from apimachinery.pods import deletion_order, is_ready
from nodes.client.controller import DONE, Result
from nodes.client.events import NORMAL, WARNING
from nodes.client.expectations import Expectations
from nodes.client.lister import Key, key_of
from nodes.client.resources import JOBS, PODS
from nodes.controllers.common.base import ManagedController, ManagerContext
from nodes.controllers.common.claims import Claims, candidates, index_orphans
from nodes.controllers.common.podcontrol import PodControl, first, slow_start
from nodes.controllers.common.podfacts import is_terminating
from nodes.controllers.job import facts, tracking
from nodes.controllers.job.backoff import Backoff, remaining_for_index
from nodes.controllers.job.state import (
    State,
    deadline_in,
    decide,
    is_complete,
    job_condition,
    observe,
    set_condition,
    success,
)
from nodes.controllers.job.template import build_indexed_pod, build_pod, in_group
from nodes.controllers.job.workloads import Workloads

# No more at once than this, so that one Job does not hold all others up.
BURST = 500


class JobController(ManagedController):
    """Keys are Jobs."""

    name = "job-controller"
    service_account = "job-controller"
    component = "job-controller"
    reconciles = JOBS

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self.expectations = Expectations(context.clock)
        self._pods = PodControl(self.client, self.recorder)
        self._claims = Claims(self.client, JOBS, PODS, facts.FINALIZER)
        self._finalizers = tracking.Finalizers(self.client)
        self._backoffs: dict[Key, Backoff] = {}
        # The revision of our last write of each Job: an older one in the cache is not looked at.
        self._written: dict[Key, int] = {}
        self._workloads: Workloads | None = None
        self._orphans = self.also("job-controller orphans", self._free_orphan)

    # What wakes it.

    def start(self) -> None:
        super().start()
        if WORKLOAD_WITH_JOB in self.manager.served.features:
            self._workloads = Workloads(self.client, self.recorder, self.informer)
        index_orphans(self.informer(PODS))
        self.informer(PODS).on_change(self._on_pod)

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        super().on_object(old, new)
        job = new if new is not None else old
        if job is not None and (new is None or facts.is_finished(new)):
            for pod in self.informer(PODS).owned_by(job):
                self._free(pod)

    def _on_pod(self, old: Obj | None, new: Obj | None) -> None:
        pod = new if new is not None else old
        if pod is None:
            return
        if old is not None and controller_of(old) != controller_of(pod):
            self.on_owned(None, old)
        job = self.owner_of(pod)
        if controller_of(pod) is None:
            self._free(pod)
            if new is not None and not is_deleting(new):
                self._wake_matching(new)
        elif job is None or facts.is_finished(job):
            if self.owner_key(pod) is not None:
                self._free(pod)
        else:
            self._note(key_of(job), old, new, pod)
            self.queue.add(key_of(job))

    def _note(self, key: Key, old: Obj | None, new: Obj | None, pod: Obj) -> None:
        """Note what was expected of a pod."""
        if new is None or is_deleting(new):
            self.expectations.deletion_observed(key, uid_of(pod))
        elif old is None:
            self.expectations.creation_observed(key)
        if new is None or not facts.has_finalizer(new):
            self._finalizers.observed(key, uid_of(pod))

    def _free(self, pod: Obj) -> None:
        if facts.has_finalizer(pod):
            self._orphans.queue.add(key_of(pod))

    def _wake_matching(self, pod: Obj) -> None:
        labels = labels_of(pod)
        for job in self.informer(JOBS).list(namespace_of(pod)) if labels else ():
            if _selector(job).matches(labels):
                self.queue.add(key_of(job))

    async def _free_orphan(self, key: Key) -> Result:
        """Take the finalizer off a pod that no Job is going to count."""
        pod = self.informer(PODS).get(*key)
        if pod is None:
            return DONE
        if controller_of(pod) is not None:
            job = self.owner_of(pod)
            alive = job is not None and (not facts.is_finished(job) or facts.is_others(job))
            if alive or self.owner_key(pod) is None:
                return DONE
        await self._finalizers.remove(pod)
        return DONE

    # One look at a Job.

    async def reconcile(self, key: Key) -> Result:
        job = self.informer(JOBS).get(*key)
        if job is None:
            self._forget(key)
            self._written.pop(key, None)
            return DONE
        if facts.is_others(job):
            return DONE
        if facts.is_finished(job):
            self._forget(key)
            return DONE
        if revision_of(job) < self._written.get(key, 0):
            return DONE  # our own write is on its way, and wakes us
        settled, awaited = self.expectations.satisfied(key), self._finalizers.awaited(key)
        found = candidates(self.informer(PODS), job)
        pods = await self._claims.claim(job, _selector(job), found)
        state = observe(job, pods, awaited, self._backoffs.get(key, Backoff()))
        state.settled = settled
        if self._workloads is not None and not is_deleting(job):
            state.group = await self._workloads.group_of(job, pods)
        stamp, now = self.clock.timestamp(), self.clock.seconds()
        if not facts.is_suspended(job):
            state.status.setdefault("startTime", stamp)
        decide(state, now, stamp)
        wait, error = await self._act(key, state, stamp)
        await self._track(key, state, stamp)
        if error is not None:
            raise error
        waits = [one for one in (wait, self._deadline(state, now)) if one]
        return Result(requeue_after=min(waits, default=None))

    def _forget(self, key: Key) -> None:
        self.expectations.forget(key)
        self._finalizers.forget(key)
        self._backoffs.pop(key, None)

    def _deadline(self, state: State, now: float) -> float | None:
        return deadline_in(state, now) if state.outcome is None else None

    async def _act(
        self, key: Key, state: State, stamp: str
    ) -> tuple[float | None, ApiError | None]:
        """Bring the pods to the number wanted; return when to come again, and what was refused."""
        if state.outcome is not None:
            return None, await self._end(state)
        managed = state.settled and not is_deleting(state.job)
        wait, error = await self._manage(key, state) if managed else (None, None)
        if is_complete(state):
            state.outcome = success(stamp)
        elif managed:
            self._suspend_or_resume(state, stamp)
        return wait, error

    async def _end(self, state: State) -> ApiError | None:
        """Stop what still runs of a Job that has come to its end."""
        deleted, error = await self._delete(state, state.active_pods)
        if deleted != len(state.active_pods) or not state.settled:
            # There may be pods that the cache does not show yet.
            state.outcome = None
        return error

    def _suspend_or_resume(self, state: State, stamp: str) -> None:
        suspended = facts.is_suspended(state.job)
        word = "Suspended" if suspended else "Resumed"
        message = f"Job {word.lower()}"
        new = job_condition(facts.SUSPENDED, str(suspended), f"Job{word}", message, stamp)
        changed = set_condition(state.conditions, new)
        if changed is None:
            return
        state.status["conditions"] = changed
        self.recorder.event(state.job, NORMAL, word, message)
        # A Job's deadline counts from its last start.
        if suspended:
            state.status.pop("startTime", None)
        else:
            state.status["startTime"] = stamp

    # The number of pods.

    async def _manage(self, key: Key, state: State) -> tuple[float | None, ApiError | None]:
        suspended = facts.is_suspended(state.job)
        wanted = 0 if suspended else self._wanted(state)
        surplus = state.active if suspended else max(state.active - wanted, 0)
        going = _for_removal(state, surplus, self.clock.seconds())[:BURST]
        if going:
            return None, await self._take_away(key, state, going)
        held_back = state.terminating if facts.replaces_failed_only(state.job) else 0
        lacking = wanted - held_back - state.active
        if suspended or lacking <= 0:
            return None, None
        return await self._add(key, state, min(lacking, BURST))

    def _wanted(self, state: State) -> int:
        parallelism = state.spec.get("parallelism")
        most = 1 if parallelism is None else int(parallelism)
        if state.spec.get("completions") is None:
            # Once one has succeeded, those that run may end, and no other is started.
            return state.active if state.succeeded else most
        return max(min(state.completions - state.succeeded, most), 0)

    async def _take_away(self, key: Key, state: State, pods: Sequence[Obj]) -> ApiError | None:
        """Delete pods that have not ended and do not count."""
        self.expectations.expect_deletions(key, map(uid_of, pods))
        freed, error = await self._finalizers.remove_all(key, pods)
        for pod in pods:
            if uid_of(pod) not in freed:
                self.expectations.deletion_observed(key, uid_of(pod))
        chosen = [pod for pod in pods if uid_of(pod) in freed]
        _, refused = await self._delete(state, chosen, key)
        return error if error is not None else refused

    async def _delete(
        self, state: State, pods: Sequence[Obj], key: Key | None = None
    ) -> tuple[int, ApiError | None]:
        """Delete pods, and count them out; return how many, and the first refusal."""

        def unseen(pod: Obj) -> None:
            if key is not None:
                self.expectations.deletion_observed(key, uid_of(pod))

        errors = await self._pods.delete_all(pods, state.job, unseen)
        gone = [pod for pod, error in zip(pods, errors, strict=True) if error is None]
        state.active -= len(gone)
        state.terminating += len(gone)
        state.ready -= sum(map(is_ready, gone))
        return len(gone), first(errors)

    async def _add(
        self, key: Key, state: State, count: int
    ) -> tuple[float | None, ApiError | None]:
        now = self.clock.seconds()
        indexes: list[int] = []
        if facts.is_indexed(state.job):
            indexes = list(islice(_pending(state), count))
            count = len(indexes)
        if state.per_index:
            waits = {one: remaining_for_index(state.held.get(one), now) for one in indexes}
            indexes = [one for one in indexes if not waits[one]]
            count = len(indexes)
            wait = min((one for one in waits.values() if one), default=None)
        else:
            wait = state.backoff.remaining(now) or None
            count = 0 if wait else count
        if not count:
            return wait, None
        return wait, await self._create(key, state, count, indexes)

    async def _create(
        self, key: Key, state: State, count: int, indexes: Sequence[int]
    ) -> ApiError | None:
        self.expectations.expect_creations(key, count)
        waiting = iter(indexes)

        async def attempt() -> bool:
            if indexes:
                index = next(waiting)
                pod = build_indexed_pod(state.job, index, state.held.get(index))
            else:
                pod = build_pod(state.job)
            if state.group:
                pod = in_group(pod, state.group)
            return await self._pods.create(pod, state.job) is not None

        done, error = await slow_start(count, attempt)
        if done < count:
            # Neither refused nor skipped pods are going to be seen.
            self.expectations.creation_observed(key, count - done)
        state.active += done
        return error

    # The status.

    async def _track(self, key: Key, state: State, stamp: str) -> None:
        """Count what has ended; write the status before finalizers go, and after."""
        tracking.put(state.status, "active", state.active)
        state.status["ready"], state.status["terminating"] = state.ready, state.terminating
        with_finalizer = {uid_of(pod) for pod in state.pods if state.is_uncounted(pod)}
        free, all_counted = tracking.begin(state, stamp)
        known = state.job
        if state.status != (known.get("status") or {}):
            known = await self._write(key, known, state.status)
            self._backoffs[key] = state.backoff
        error: ApiError | None = None
        if free:
            done, error = await self._finalizers.remove_all(key, free)
            with_finalizer -= done
        tracking.settle(state, with_finalizer)
        finished = error is None and all_counted and tracking.enact(state)
        if state.status != (known.get("status") or {}):
            await self._write(key, known, state.status)
        if finished:
            self._announce(state)
        if error is not None:
            raise error

    async def _write(self, key: Key, job: Obj, status: Obj) -> Obj:
        # A copy, since the status goes on to change.
        written = await self.client.update_status({**job, "status": dict(status)}, JOBS)
        self._written[key] = revision_of(written)
        before = job.get("status") or {}
        for result in ("succeeded", "failed"):
            more = int(status.get(result) or 0) - int(before.get(result) or 0)
            if more > 0:
                mode = job["spec"].get("completionMode") or "NonIndexed"
                self.count("job_controller_job_pods_finished_total", mode, result, times=more)
        return written

    def _announce(self, state: State) -> None:
        if state.outcome is None:
            return
        failed, reason = state.outcome["type"] == facts.FAILED, state.outcome["reason"]
        mode = state.spec.get("completionMode") or "NonIndexed"
        result = "failed" if failed else "succeeded"
        self.count("job_controller_jobs_finished_total", mode, result, reason)
        if failed:
            message = state.outcome["message"]
            self.recorder.event(state.job, WARNING, reason, message)
            return
        completions = state.spec.get("completions")
        if completions is not None and int(state.status.get("succeeded") or 0) > completions:
            message = "Too many succeeded pods running after completion count reached"
            self.recorder.event(state.job, WARNING, "TooManySucceededPods", message)
        self.recorder.event(state.job, NORMAL, "Completed", "Job completed")


def _selector(job: Obj) -> Selector:
    return from_label_selector(job["spec"].get("selector"))


def _for_removal(state: State, least: int, now: float) -> list[Obj]:
    """Return pods to delete: indexes twice or out of range, then as many as there are too many."""
    going: list[Obj] = []
    left = state.active_pods
    if facts.is_indexed(state.job):
        by_index: dict[int, list[Obj]] = {}
        for pod in left:
            by_index.setdefault(facts.index_of(pod), []).append(pod)
        left = []
        for index, pods in sorted(by_index.items()):
            keep = 1 if state.in_range(index) else 0
            ordered = deletion_order(pods, now) if len(pods) > 1 else pods
            going += ordered[: len(ordered) - keep]
            left += ordered[len(ordered) - keep :]
    if len(going) < least:
        going += deletion_order(left, now)[: least - len(going)]
    return going


def _pending(state: State) -> Iterator[int]:
    """Return the indexes that lack a pod and have not ended, in order."""
    taken = [facts.index_of(pod) for pod in state.active_pods]
    if facts.replaces_failed_only(state.job):
        taken += [facts.index_of(pod) for pod in state.pods if is_terminating(pod)]
    ended = state.succeeded_indexes.with_all(one for one in taken if one >= 0)
    if state.failed_indexes is not None:
        ended |= state.failed_indexes
    return ended.missing(state.completions)
