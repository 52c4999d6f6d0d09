"""What is read off a Deployment and its ReplicaSets: pure functions over their dicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from apimachinery import workloads
from apimachinery.clock import parse_time
from apimachinery.meta import Obj, annotations_of, name_of
from apimachinery.workloads import (
    DESIRED_REPLICAS,
    MAX_REPLICAS,
    REVISION,
    REVISION_HISTORY,
    desired_replicas,
    is_rolling_update,
    max_surge,
    max_unavailable,
    revision,
    status_of,
)
from nodes.controllers.common.conditions import find

# What belongs to one object alone and is not handed from the Deployment to its ReplicaSets.
_OWN = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        REVISION_HISTORY,
        DESIRED_REPLICAS,
        MAX_REPLICAS,
        "deprecated.deployment.rollback.to",
    }
)
# Older revisions are dropped from the history so that an annotation stays small.
_HISTORY_LENGTH = 2000
# What "no limit" and "no deadline" look like in int32.
_NONE = 2**31 - 1


def total(replicasets: Iterable[Obj]) -> int:
    return sum(desired_replicas(one) for one in replicasets)


def active(replicasets: Iterable[Obj]) -> list[Obj]:
    return [one for one in replicasets if desired_replicas(one) > 0]


def oldest_first(replicasets: Iterable[Obj]) -> list[Obj]:
    return sorted(replicasets, key=_birth)


def _birth(obj: Obj) -> tuple[str, str]:
    return (obj["metadata"].get("creationTimestamp") or "", name_of(obj))


def surge_and_unavailable(deployment: Obj) -> tuple[int, int]:
    """Return how many pods may be there above, and missing below, the wanted number."""
    return max_surge(deployment), max_unavailable(deployment)


def progress_deadline(deployment: Obj) -> int | None:
    seconds = deployment["spec"].get("progressDeadlineSeconds")
    return None if seconds is None or seconds == _NONE else int(seconds)


def history_limit(deployment: Obj) -> int | None:
    limit = deployment["spec"].get("revisionHistoryLimit")
    return None if limit is None or limit == _NONE else int(limit)


def replicas_annotations(deployment: Obj) -> dict[str, str]:
    surge, _ = surge_and_unavailable(deployment)
    wanted = desired_replicas(deployment)
    return {DESIRED_REPLICAS: str(wanted), MAX_REPLICAS: str(wanted + surge)}


def annotated_count(replicaset: Obj, annotation: str) -> int | None:
    text = annotations_of(replicaset).get(annotation, "")
    return int(text) if text.isdigit() else None


def is_scaling(deployment: Obj, replicasets: Sequence[Obj]) -> bool:
    """Tell whether the wanted number has changed since the ReplicaSets were last sized."""
    wanted = desired_replicas(deployment)
    return any(
        annotated_count(one, DESIRED_REPLICAS) not in (None, wanted) for one in active(replicasets)
    )


def is_saturated(deployment: Obj, replicaset: Obj | None) -> bool:
    """Tell whether the ReplicaSet alone has all that is wanted, and it works."""
    wanted = desired_replicas(deployment)
    return (
        replicaset is not None
        and desired_replicas(replicaset) == wanted
        and annotated_count(replicaset, DESIRED_REPLICAS) == wanted
        and status_of(replicaset, "availableReplicas") == wanted
    )


def new_size(deployment: Obj, every: Sequence[Obj], replicaset: Obj) -> int:
    """Return how large the new ReplicaSet may be now, within the surge."""
    wanted, present = desired_replicas(deployment), desired_replicas(replicaset)
    if not is_rolling_update(deployment):
        return wanted
    surge, _ = surge_and_unavailable(deployment)
    room = wanted + surge - total(every)
    if room <= 0:
        return present
    return present + min(room, wanted - present)


def inherited_annotations(deployment: Obj) -> dict[str, str]:
    return {k: v for k, v in annotations_of(deployment).items() if k not in _OWN}


def revised_annotations(deployment: Obj, replicaset: Obj, number: int) -> dict[str, str]:
    """Return the annotations of the new ReplicaSet as revision `number`.

    If it was an earlier revision already, this is a rollback, and the history says so.
    """
    old = annotations_of(replicaset)
    result = {**old, **inherited_annotations(deployment)}
    before = revision(replicaset)
    if before >= number:
        return result
    result[REVISION] = str(number)
    if REVISION in old:
        history = [one for one in old.get(REVISION_HISTORY, "").split(",") if one]
        history.append(old[REVISION])
        while len(",".join(history)) > _HISTORY_LENGTH:
            history.pop(0)
        result[REVISION_HISTORY] = ",".join(history)
    return result


def is_complete(deployment: Obj, status: Obj) -> bool:
    """Tell whether a status says that the rollout is done."""
    return workloads.is_complete({**deployment, "status": status})


def has_progressed(old: Obj, new: Obj) -> bool:
    """Tell whether a status is nearer to the goal than the one before."""

    def count(status: Obj, field: str) -> int:
        return int(status.get(field) or 0)

    def outdated(status: Obj) -> int:
        return count(status, "replicas") - count(status, "updatedReplicas")

    grown = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return outdated(new) < outdated(old) or any(count(new, f) > count(old, f) for f in grown)


def deadline_left(deployment: Obj, status: Obj, now: float) -> float | None:
    """Return the seconds until progress is overdue; None if nobody is waiting for any."""
    seconds = progress_deadline(deployment)
    progressing = find(status.get("conditions"), "Progressing")
    if seconds is None or progressing is None:
        return None
    if progressing.get("reason") in ("NewReplicaSetAvailable", "ProgressDeadlineExceeded"):
        return None
    since = progressing.get("lastUpdateTime") or progressing.get("lastTransitionTime")
    return parse_time(since).timestamp() + seconds - now if since else None
