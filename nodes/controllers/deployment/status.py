"""A Deployment's status: its counts, whether it is available, whether it makes progress."""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.meta import Obj, name_of
from apimachinery.workloads import (
    desired_replicas,
    status_of,
)
from nodes.controllers.common import conditions
from nodes.controllers.deployment import facts

AVAILABLE, PROGRESSING, FAILURE = "Available", "Progressing", "ReplicaFailure"


def condition(type_: str, status: str, reason: str, message: str, at: str) -> Obj:
    return {**conditions.condition(type_, status, reason, message, at), "lastUpdateTime": at}


def calculate(deployment: Obj, every: Sequence[Obj], newest: Obj | None, at: str) -> Obj:
    """Count what the ReplicaSets report, and say whether that is enough."""
    old = deployment.get("status") or {}
    available = sum(status_of(one, "availableReplicas") for one in every)
    _, unavailable = facts.surge_and_unavailable(deployment)
    counts = {
        "replicas": sum(status_of(one, "replicas") for one in every),
        "updatedReplicas": status_of(newest, "replicas") if newest is not None else 0,
        "readyReplicas": sum(status_of(one, "readyReplicas") for one in every),
        "availableReplicas": available,
        "unavailableReplicas": max(facts.total(every) - available, 0),
    }
    status: Obj = {"observedGeneration": deployment["metadata"].get("generation") or 0}
    status |= {name: count for name, count in counts.items() if count}
    terminating = _terminating(every)
    if terminating is not None:
        status["terminatingReplicas"] = terminating
    if "collisionCount" in old:
        status["collisionCount"] = old["collisionCount"]
    enough = available >= desired_replicas(deployment) - unavailable
    status["conditions"] = conditions.put_last(
        old.get("conditions"), _availability(at, enough=enough)
    )
    return status


def _availability(at: str, *, enough: bool) -> Obj:
    if enough:
        words = "Deployment has minimum availability."
        return condition(AVAILABLE, "True", "MinimumReplicasAvailable", words, at)
    words = "Deployment does not have minimum availability."
    return condition(AVAILABLE, "False", "MinimumReplicasUnavailable", words, at)


def _terminating(every: Sequence[Obj]) -> int | None:
    """Sum what the ReplicaSets report; None if one that has reported does not say."""
    count = 0
    for one in every:
        status = one.get("status") or {}
        if "terminatingReplicas" in status:
            count += int(status["terminatingReplicas"])
        elif status.get("observedGeneration"):
            return None
    return count


def with_progress(
    deployment: Obj, status: Obj, every: Sequence[Obj], newest: Obj | None, at: str, now: float
) -> Obj:
    """Return the status of a roll: the counts, and what they say of its progress."""
    old = deployment.get("status") or {}
    present = status["conditions"]
    if facts.progress_deadline(deployment) is None:
        present = conditions.without(present, PROGRESSING)
    else:
        present = _progress(deployment, old, status, newest, at, now)
    failure = _failure(every, newest)
    if failure is not None:
        present = conditions.put_last(present, failure)
    else:
        present = conditions.without(present, FAILURE)
    return {**status, "conditions": present}


def _progress(
    deployment: Obj, old: Obj, status: Obj, newest: Obj | None, at: str, now: float
) -> list[Obj]:
    present: list[Obj] = status["conditions"]
    current = conditions.find(old.get("conditions"), PROGRESSING)
    settled = current is not None and current.get("reason") == "NewReplicaSetAvailable"
    if settled and (status.get("replicas") or 0) == (status.get("updatedReplicas") or 0):
        return present  # no roll is under way, so there is no progress to speak of
    about = f'ReplicaSet "{name_of(newest)}"' if newest else f'Deployment "{name_of(deployment)}"'
    if facts.is_complete(deployment, status):
        words = f"{about} has successfully progressed."
        done = condition(PROGRESSING, "True", "NewReplicaSetAvailable", words, at)
        return conditions.put_last(present, done)
    if facts.has_progressed(old, status):
        words = f"{about} is progressing."
        moving = condition(PROGRESSING, "True", "ReplicaSetUpdated", words, at)
        if current is not None and current.get("status") == "True":
            moving["lastTransitionTime"] = current.get("lastTransitionTime")
        return [*conditions.without(present, PROGRESSING), moving]
    left = facts.deadline_left(deployment, status, now)
    if left is not None and left < 0:
        words = f"{about} has timed out progressing."
        late = condition(PROGRESSING, "False", "ProgressDeadlineExceeded", words, at)
        return conditions.put_last(present, late)
    return present


def _failure(every: Sequence[Obj], newest: Obj | None) -> Obj | None:
    """Return why pods cannot be made or removed; the new ReplicaSet's reason comes first."""
    for one in [newest, *every]:
        if one is None:
            continue
        found = conditions.find((one.get("status") or {}).get("conditions"), FAILURE)
        if found is not None:
            return {**found, "lastUpdateTime": found.get("lastTransitionTime")}
    return None
