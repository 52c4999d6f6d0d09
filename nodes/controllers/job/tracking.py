"""Counting each pod that has ended exactly once, whatever fails in between.

A pod bears a finalizer until it is counted. First its uid goes into the status, then the
finalizer goes, and what has lost it moves from the status' lists into its counters.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from apimachinery.errors import ApiError, NotFound
from apimachinery.meta import Obj, is_deleting, name_of, namespace_of, uid_of
from apimachinery.pods import phase_of
from nodes.client.lister import Key
from nodes.client.resources import PODS
from nodes.client.rest import STRATEGIC_PATCH, Client
from nodes.controllers.common.podcontrol import first
from nodes.controllers.job import facts, policies
from nodes.controllers.job.state import State, has_met_criteria, job_condition, set_condition

# So that the status stays small and one Job does not hold up the others.
MOST_UNCOUNTED = 500

_REMOVAL = {"metadata": {"$deleteFromPrimitiveList/finalizers": [facts.FINALIZER]}}


class Finalizers:
    """Takes the finalizer off pods, and remembers which until the cache shows it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._awaited: dict[Key, set[str]] = {}

    def awaited(self, key: Key) -> frozenset[str]:
        return frozenset(self._awaited.get(key, ()))

    def observed(self, key: Key, uid: str) -> None:
        if (waiting := self._awaited.get(key)) is not None:
            waiting.discard(uid)
            if not waiting:
                del self._awaited[key]

    def forget(self, key: Key) -> None:
        self._awaited.pop(key, None)

    async def remove(self, pod: Obj) -> None:
        """Take it off one pod; gone is fine. Raises ApiError."""
        if not facts.has_finalizer(pod):
            return
        try:
            await self._client.patch(
                PODS, namespace_of(pod), name_of(pod), _REMOVAL, STRATEGIC_PATCH
            )
        except NotFound:
            return

    async def remove_all(self, key: Key, pods: Sequence[Obj]) -> tuple[set[str], ApiError | None]:
        """Take it off a Job's pods; return the uids of those that have none now."""
        self._awaited.setdefault(key, set()).update(map(uid_of, pods))

        async def attempt(pod: Obj) -> ApiError | None:
            try:
                await self.remove(pod)
            except ApiError as error:
                self.observed(key, uid_of(pod))
                return error
            return None

        errors = await asyncio.gather(*map(attempt, pods))
        done = {uid_of(pod) for pod, error in zip(pods, errors, strict=True) if error is None}
        return done, first(errors)


def begin(state: State, stamp: str) -> tuple[list[Obj], bool]:
    """Put what has ended into the status; return which pods may lose their finalizer.

    The second is whether that is all of them. The condition that foretells the end is set too,
    and the outcome becomes the end itself.
    """
    settle(state, {uid_of(pod) for pod in state.pods if state.is_uncounted(pod)})
    pods = sorted(state.pods, key=facts.index_of) if facts.is_indexed(state.job) else state.pods
    succeeded, failed = state.uncounted("succeeded"), state.uncounted("failed")
    known = {"succeeded": set(succeeded), "failed": set(failed)}
    done: list[int] = []
    free: list[Obj] = []
    for pod in pods:
        if not state.is_uncounted(pod) or not _may_go(state, pod):
            continue
        free.append(pod)
        if phase_of(pod) == "Succeeded" and uid_of(pod) not in known["failed"]:
            if facts.is_indexed(state.job):
                done.append(facts.index_of(pod))
            elif uid_of(pod) not in known["succeeded"]:
                succeeded.append(uid_of(pod))
        elif uid_of(pod) not in known["failed"] and _counts_as_failed(state, pod):
            failed.append(uid_of(pod))
        if len(done) + len(succeeded) + len(failed) >= MOST_UNCOUNTED:
            break
    lists = {"succeeded": succeeded, "failed": failed}
    state.status["uncountedTerminatedPods"] = {k: v for k, v in lists.items() if v}
    _write_indexes(state, done)
    _foretell(state, stamp)
    return free, len(done) + len(succeeded) + len(failed) < MOST_UNCOUNTED


def _may_go(state: State, pod: Obj) -> bool:
    """Tell whether a pod has ended, for the Job's purposes."""
    if is_deleting(state.job) or state.outcome is not None or phase_of(pod) == "Succeeded":
        return True
    if not facts.has_failed(pod, state.job):
        return False
    held = state.held.get(facts.index_of(pod))
    return held is None or uid_of(held) != uid_of(pod)


def _counts_as_failed(state: State, pod: Obj) -> bool:
    # When a Job has failed, so has each pod of it that had not ended.
    over = state.outcome is not None and state.outcome["type"] != facts.SUCCESS_CRITERIA_MET
    if not over and not facts.has_failed(pod, state.job):
        return False
    if facts.is_indexed(state.job) and not state.in_range(facts.index_of(pod)):
        return False
    return policies.judge(state.job, pod).counts


def _write_indexes(state: State, done: Sequence[int]) -> None:
    if not facts.is_indexed(state.job):
        return
    fresh = [one for one in done if state.in_range(one)]
    succeeded = state.succeeded_before.with_all(fresh)
    put(state.status, "completedIndexes", str(succeeded))
    put(state.status, "succeeded", len(succeeded))
    if state.failed_indexes is not None:
        state.status["failedIndexes"] = str(state.failed_indexes)
    else:
        state.status.pop("failedIndexes", None)


def _foretell(state: State, stamp: str) -> None:
    outcome = state.outcome
    if outcome is None:
        return
    kind, words = outcome["type"], (outcome["reason"], outcome["message"])
    if kind == facts.FAILURE_TARGET:
        state.status["conditions"] = [*state.conditions, outcome]
        state.outcome = job_condition(facts.FAILED, "True", *words, stamp)
    elif kind == facts.SUCCESS_CRITERIA_MET:
        if not has_met_criteria(state):
            state.status["conditions"] = [*state.conditions, outcome]
        state.outcome = job_condition(facts.COMPLETE, "True", *words, stamp)


def settle(state: State, with_finalizer: set[str]) -> None:
    """Move those that have lost their finalizer from the status' lists into its counters."""
    left: dict[str, list[str]] = {}
    for kind in ("succeeded", "failed"):
        waiting = state.uncounted(kind)
        still = [uid for uid in waiting if uid in with_finalizer]
        if len(still) < len(waiting):
            count = int(state.status.get(kind) or 0) + len(waiting) - len(still)
            put(state.status, kind, count)
        if still:
            left[kind] = still
    state.status["uncountedTerminatedPods"] = left


def enact(state: State) -> bool:
    """Set the condition by which the Job is over, once nothing is left to wait for."""
    if state.outcome is None or state.terminating or state.status["uncountedTerminatedPods"]:
        return False
    changed = set_condition(state.conditions, state.outcome)
    if changed is not None:
        state.status["conditions"] = changed
    if state.outcome["type"] == facts.COMPLETE:
        state.status["completionTime"] = state.outcome["lastTransitionTime"]
    return True


def put(status: Obj, name: str, value: int | str) -> None:
    """Set a field that is left out when it is nothing."""
    if value:
        status[name] = value
    else:
        status.pop(name, None)
