"""Objects in one word."""

from __future__ import annotations

import pytest

from playground.overview.health import Health, backed, health, is_judged, of_service


def conditions(**found):
    return {"conditions": [{"type": type_, "status": status} for type_, status in found.items()]}


def workload(wanted, seen=1, **status):
    return {
        "metadata": {"generation": 1},
        "spec": {"replicas": wanted},
        "status": {"observedGeneration": seen, **status},
    }


def deployment(wanted, updated, total, available, **more):
    counts = {"updatedReplicas": updated, "replicas": total, "availableReplicas": available}
    return workload(wanted, **counts, **more)


def pod(ready=True, waiting="", phase="Running", **meta):
    state = {"waiting": {"reason": waiting}} if waiting else {"running": {}}
    return {
        "metadata": meta,
        "spec": {"containers": [{"name": "c"}]},
        "status": {
            "phase": phase,
            "containerStatuses": [{"name": "c", "ready": ready, "state": state}],
            **conditions(Ready=str(ready)),
        },
    }


STUCK = {"conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]}
CASES = {
    "a pod that runs": ("pods", pod(), "Running", "good"),
    "one that is not ready": ("pods", pod(ready=False), "NotReady", "busy"),
    "one that crashes": ("pods", pod(False, "CrashLoopBackOff"), "CrashLoopBackOff", "bad"),
    "one without an image": ("pods", pod(False, "ErrImagePull"), "ErrImagePull", "bad"),
    "one that starts": ("pods", pod(False, "ContainerCreating"), "ContainerCreating", "busy"),
    "one that ends": ("pods", pod(deletionTimestamp="now"), "Terminating", "busy"),
    "a node": ("nodes", {"status": conditions(Ready="True")}, "Ready", "good"),
    "one that is lost": ("nodes", {"status": conditions(Ready="Unknown")}, "NotReady", "bad"),
    "one that is cordoned": (
        "nodes",
        {"spec": {"unschedulable": True}, "status": conditions(Ready="True")},
        "Ready,SchedulingDisabled",
        "busy",
    ),
    "a deployment": ("deployments.apps", deployment(3, 3, 3, 3), "Available", "good"),
    "a rollout": ("deployments.apps", deployment(3, 1, 4, 3), "RollingOut", "busy"),
    "one not seen yet": ("deployments.apps", deployment(3, 3, 3, 3, seen=0), "RollingOut", "busy"),
    "one with a part": ("deployments.apps", deployment(3, 3, 3, 2), "PartlyAvailable", "busy"),
    "one with too few": (
        "deployments.apps",
        deployment(3, 3, 3, 1, **conditions(Available="False")),
        "Unavailable",
        "bad",
    ),
    "a stuck one": ("deployments.apps", deployment(3, 1, 4, 3, **STUCK), "Stuck", "bad"),
    "one at zero": ("deployments.apps", deployment(0, 0, 0, 0), "ScaledToZero", "over"),
    "a set": ("statefulsets.apps", workload(2, readyReplicas=2, replicas=2), "Ready", "good"),
    "a set on its way": (
        "statefulsets.apps",
        workload(2, readyReplicas=1, replicas=2),
        "NotReady",
        "busy",
    ),
    "a daemon": (
        "daemonsets.apps",
        workload(0, desiredNumberScheduled=3, updatedNumberScheduled=3, numberReady=2),
        "NotReady",
        "busy",
    ),
    "a job": ("jobs.batch", {"status": {"active": 1}}, "Running", "good"),
    "a job that failed": ("jobs.batch", {"status": conditions(Failed="True")}, "Failed", "bad"),
    "a job that is done": (
        "jobs.batch",
        {"status": conditions(Complete="True")},
        "Complete",
        "over",
    ),
    "a cron job": ("cronjobs.batch", {"spec": {"suspend": True}}, "Suspended", "over"),
    "a claim": ("persistentvolumeclaims", {"status": {"phase": "Bound"}}, "Bound", "good"),
    "a lost claim": ("persistentvolumeclaims", {"status": {"phase": "Lost"}}, "Lost", "bad"),
    "a volume": ("persistentvolumes", {"status": {"phase": "Released"}}, "Released", "over"),
    "a namespace that ends": (
        "namespaces",
        {"metadata": {"deletionTimestamp": "now"}},
        "Terminating",
        "busy",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_object_has_a_word_and_a_level(case):
    resource, obj, word, level = case
    assert health(resource, obj)[:2] == (word, level)


def test_notes_say_how_many():
    assert health("deployments.apps", deployment(3, 3, 3, 2)).note == "2/3"
    assert health("pods", pod(ready=False)).note == "0/1"


def test_of_other_kinds_nothing_is_said():
    assert health("configmaps", {}) is None
    assert not is_judged("configmaps")


def test_a_service_needs_ready_endpoints():
    service = {"spec": {"selector": {"app": "web"}}}
    assert of_service(service, 2) == Health("Ready", "good")
    assert of_service(service, 0) == Health("NoEndpoints", "bad")
    assert of_service({"spec": {}}, 0).level == "good"
    assert of_service({"spec": {"type": "ExternalName", "selector": {}}}, 0).level == "good"


def test_a_slice_names_its_service_and_counts_what_is_ready():
    endpoints = [{"conditions": {"ready": True}}, {"conditions": {"ready": False}}, {}]
    labels = {"kubernetes.io/service-name": "web"}
    part = {"metadata": {"labels": labels}, "endpoints": endpoints, "ports": [{"port": 80}]}
    assert backed(part) == ("web", 2)
    # Pods that lack the port that the service names are behind it, and get nothing.
    assert backed({**part, "ports": []}) == ("web", 0)
    assert backed({}) == ("", 0)
