"""How an object is, in one word: what the overview counts. Pure functions on objects.

A word is the API's or kubectl's own where there is one ("Bound", "CrashLoopBackOff",
"Ready,SchedulingDisabled"). A level says what it means to whoever looks:

    good    as it should be
    busy    on its way, or less than was wanted
    bad     somebody has to look at it
    over    done, or wished to stand still
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from apimachinery.services import leads_somewhere
from playground.topology import podstatus

Obj: TypeAlias = Mapping[str, Any]
GOOD, BUSY, BAD, OVER = "good", "busy", "bad", "over"
# The worst first, as lists of what is in trouble have them.
LEVELS = (BAD, BUSY, OVER, GOOD)

_POD_LEVELS = {
    "Running": GOOD,
    "Succeeded": OVER,
    "Completed": OVER,
    "Pending": BUSY,
    "SchedulingGated": BUSY,
    "ContainerCreating": BUSY,
    "PodInitializing": BUSY,
    "NotReady": BUSY,
    "Terminating": BUSY,
}


class Health(NamedTuple):
    """How one object is. `note` says more in a few characters: "2/3"."""

    word: str
    level: str
    note: str = ""


def health(resource: str, obj: Obj) -> Health | None:
    """Return how an object is, None where nothing can be said of its kind."""
    judge = _JUDGES.get(resource)
    if judge is None:
        return None
    if (obj.get("metadata") or {}).get("deletionTimestamp") and resource != "pods":
        return Health("Terminating", BUSY)
    return judge(obj)


def is_judged(resource: str) -> bool:
    """Tell whether something can be said of objects of a kind."""
    return resource in _JUDGES


def backed(slice_: Obj) -> tuple[str, int]:
    """Return the Service that an EndpointSlice is of, and how many of its endpoints are ready."""
    labels = (slice_.get("metadata") or {}).get("labels") or {}
    endpoints = (slice_.get("endpoints") or ()) if leads_somewhere(slice_) else ()
    ready = sum((one.get("conditions") or {}).get("ready") is not False for one in endpoints)
    return str(labels.get("kubernetes.io/service-name") or ""), ready


def of_service(service: Obj, ready: int) -> Health:
    """Return how a Service is that has so many ready endpoints."""
    if (service.get("metadata") or {}).get("deletionTimestamp"):
        return Health("Terminating", BUSY)
    if not _spec(service).get("selector") or _spec(service).get("type") == "ExternalName":
        return Health("Ready", GOOD)
    return Health("Ready", GOOD) if ready else Health("NoEndpoints", BAD)


def _pod(pod: Obj) -> Health:
    word = podstatus.display_status(pod)
    level = _POD_LEVELS.get(word)
    if level is None:
        level = BUSY if word.startswith("Init:") and word[5:6].isdigit() else BAD
    ready, _ = podstatus.readiness(pod)
    if level == GOOD and ready.partition("/")[0] != ready.partition("/")[2]:
        return Health("NotReady", BUSY, ready)
    return Health(word, level)


def _node(node: Obj) -> Health:
    ready = _condition(node, "Ready") == "True"
    word = "Ready" if ready else "NotReady"
    if _spec(node).get("unschedulable"):
        return Health(f"{word},SchedulingDisabled", BUSY if ready else BAD)
    return Health(word, GOOD if ready else BAD)


def _deployment(item: Obj) -> Health:
    spec, status = _spec(item), _status(item)
    wanted = _number(spec.get("replicas", 1))
    updated, total = _number(status.get("updatedReplicas")), _number(status.get("replicas"))
    available = _number(status.get("availableReplicas"))
    note = f"{available}/{wanted}"
    progress = _found(item, "Progressing")
    if progress.get("reason") == "ProgressDeadlineExceeded":
        return Health("Stuck", BAD, note)
    if not wanted and not total:
        return Health("ScaledToZero", OVER)
    if _unseen(item) or updated < wanted or total > updated:
        return Health("RollingOut", BUSY, note)
    if available < wanted:
        bad = _condition(item, "Available") == "False"
        return Health("Unavailable" if bad else "PartlyAvailable", BAD if bad else BUSY, note)
    return Health("Available", GOOD, note)


def _replicated(item: Obj) -> Health:
    """Judge what wants a number of pods: a StatefulSet."""
    spec, status = _spec(item), _status(item)
    wanted, ready = _number(spec.get("replicas", 1)), _number(status.get("readyReplicas"))
    note = f"{ready}/{wanted}"
    if not wanted and not _number(status.get("replicas")):
        return Health("ScaledToZero", OVER)
    updating = (
        status.get("updateRevision") and status.get("currentRevision") != (status["updateRevision"])
    )
    if _unseen(item) or updating:
        return Health("RollingOut", BUSY, note)
    return Health("Ready", GOOD, note) if ready >= wanted else Health("NotReady", BUSY, note)


def _daemonset(item: Obj) -> Health:
    status = _status(item)
    wanted = _number(status.get("desiredNumberScheduled"))
    ready = _number(status.get("numberReady"))
    note = f"{ready}/{wanted}"
    if _unseen(item) or _number(status.get("updatedNumberScheduled")) < wanted:
        return Health("RollingOut", BUSY, note)
    return Health("Ready", GOOD, note) if ready >= wanted else Health("NotReady", BUSY, note)


def _job(job: Obj) -> Health:
    if _condition(job, "Failed") == "True":
        return Health("Failed", BAD)
    if _condition(job, "Complete") == "True":
        return Health("Complete", OVER)
    if _condition(job, "Suspended") == "True":
        return Health("Suspended", OVER)
    return Health("Running", GOOD)


def _cronjob(item: Obj) -> Health:
    return Health("Suspended", OVER) if _spec(item).get("suspend") else Health("Active", GOOD)


_PHASES = {
    "Bound": GOOD,
    "Active": GOOD,
    "Available": GOOD,
    "Released": OVER,
    "Pending": BUSY,
    "Terminating": BUSY,
}


def _phase(item: Obj) -> Health:
    phase = str(_status(item).get("phase") or "Pending")
    return Health(phase, _PHASES.get(phase, BAD))


def _claim(item: Obj) -> Health:
    found = _phase(item)
    return found if found.word != "Available" else Health("Available", BUSY)


def _definition(item: Obj) -> Health:
    good = _condition(item, "Established") == "True"
    return Health("Established", GOOD) if good else Health("NotEstablished", BUSY)


def _apiservice(item: Obj) -> Health:
    good = _condition(item, "Available") == "True"
    return Health("Available", GOOD) if good else Health("Unavailable", BAD)


_JUDGES: dict[str, Callable[[Obj], Health]] = {
    "pods": _pod,
    "nodes": _node,
    "deployments.apps": _deployment,
    "statefulsets.apps": _replicated,
    "daemonsets.apps": _daemonset,
    "jobs.batch": _job,
    "cronjobs.batch": _cronjob,
    "persistentvolumeclaims": _claim,
    "persistentvolumes": _phase,
    "namespaces": _phase,
    "customresourcedefinitions.apiextensions.k8s.io": _definition,
    "apiservices.apiregistration.k8s.io": _apiservice,
}


def _spec(obj: Obj) -> Obj:
    return obj.get("spec") or {}


def _status(obj: Obj) -> Obj:
    return obj.get("status") or {}


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _unseen(obj: Obj) -> bool:
    """Tell whether the controller has not seen the last change yet."""
    generation = _number((obj.get("metadata") or {}).get("generation"))
    return _number(_status(obj).get("observedGeneration")) < generation


def _found(obj: Obj, type_: str) -> Obj:
    for condition in _status(obj).get("conditions") or ():
        if condition.get("type") == type_:
            return dict(condition)
    return {}


def _condition(obj: Obj, type_: str) -> str:
    return str(_found(obj, type_).get("status") or "")
