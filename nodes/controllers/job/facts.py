"""Facts read off a Job and its pods."""

from __future__ import annotations

from apimachinery.clock import parse_time
from apimachinery.meta import Obj, annotations_of, is_deleting
from apimachinery.nodes import condition
from apimachinery.pods import phase_of
from nodes.controllers.common.conditions import is_true

FINALIZER = "batch.kubernetes.io/job-tracking"
INDEX = "batch.kubernetes.io/job-completion-index"
FAILURES = "batch.kubernetes.io/job-index-failure-count"
IGNORED_FAILURES = "batch.kubernetes.io/job-index-ignored-failure-count"
CONTROLLER = "kubernetes.io/job-controller"

SUSPENDED, COMPLETE, FAILED = "Suspended", "Complete", "Failed"
SUCCESS_CRITERIA_MET, FAILURE_TARGET = "SuccessCriteriaMet", "FailureTarget"


def end_of(job: Obj) -> str:
    """Return "Complete" or "Failed" once a Job is over, "" before."""
    found = (job.get("status") or {}).get("conditions")
    return next((end for end in (COMPLETE, FAILED) if is_true(found, end)), "")


def is_finished(job: Obj) -> bool:
    return bool(end_of(job))


def finish_time(job: Obj) -> float | None:
    """Return when a Job was over."""
    for one in (job.get("status") or {}).get("conditions") or ():
        if one.get("type") in (COMPLETE, FAILED) and one.get("status") == "True":
            at = one.get("lastTransitionTime")
            return parse_time(at).timestamp() if at else None
    return None


def is_indexed(job: Obj) -> bool:
    return bool(job["spec"].get("completionMode") == "Indexed")


def is_suspended(job: Obj) -> bool:
    return bool(job["spec"].get("suspend"))


def is_others(job: Obj) -> bool:
    """Tell whether another controller than this one is to see to the Job."""
    return job["spec"].get("managedBy") not in (None, "", CONTROLLER)


def replaces_failed_only(job: Obj) -> bool:
    """Tell whether a pod that is stopping still holds its place."""
    spec = job["spec"]
    return spec.get("podReplacementPolicy") == "Failed" or spec.get("podFailurePolicy") is not None


def has_finalizer(pod: Obj) -> bool:
    """Tell whether the pod has not been counted yet."""
    return FINALIZER in (pod["metadata"].get("finalizers") or ())


def index_of(pod: Obj) -> int:
    """Return the pod's completion index, -1 where there is none."""
    text = annotations_of(pod).get(INDEX, "")
    return int(text) if text.isascii() and text.isdecimal() else -1


def has_failed(pod: Obj, job: Obj) -> bool:
    """Tell whether the pod has failed; one that is being deleted counts as such by default."""
    if phase_of(pod) == "Failed":
        return True
    if replaces_failed_only(job):
        return False
    return is_deleting(pod) and phase_of(pod) != "Succeeded"


def counted_failures(pod: Obj) -> int:
    """Return how many pods of this index failed before, without those that a rule ignores."""
    return _number(annotations_of(pod).get(FAILURES))


def all_failures(pod: Obj) -> int:
    return counted_failures(pod) + _number(annotations_of(pod).get(IGNORED_FAILURES))


def _number(text: str | None) -> int:
    number = int(text) if text and text.isascii() and text.isdecimal() else 0
    return number if number < 2**31 else 0


def finished_at(pod: Obj) -> float:
    """Return when a pod came to its end, as well as that can be told."""
    status, metadata = pod.get("status") or {}, pod["metadata"]
    ends = [
        str(((one.get("state") or {}).get("terminated") or {}).get("finishedAt") or "")
        for one in status.get("containerStatuses") or ()
    ]
    if ends and all(ends):
        return max(parse_time(end).timestamp() for end in ends)
    ready = condition(pod, "Ready")
    if ready is not None and ready.get("status") == "False" and ready.get("lastTransitionTime"):
        return parse_time(ready["lastTransitionTime"]).timestamp()
    if deleted := metadata.get("deletionTimestamp"):
        grace = float(metadata.get("deletionGracePeriodSeconds") or 0)
        return parse_time(deleted).timestamp() - grace
    return parse_time(metadata["creationTimestamp"]).timestamp()
