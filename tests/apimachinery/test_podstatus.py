"""READY, STATUS and RESTARTS, for each way that a pod can be."""

import pytest

from apimachinery import pods

NOW = 1_767_225_600.0  # 2026-01-01T00:00:00Z
READY = {"type": "Ready", "status": "True"}
INITIALIZED = {"type": "Initialized", "status": "True"}
RUNNING = {"running": {}}


def waiting(reason):
    return {"waiting": {"reason": reason}}


def ended(code=0, reason="", **more):
    found = {"exitCode": code, **more}
    return {"terminated": found | ({"reason": reason} if reason else {})}


def status(name, state, *, ready=False, restarts=0, **more):
    return {"name": name, "state": state, "ready": ready, "restartCount": restarts, **more}


def pod(*main, init=(), phase="Running", conditions=(), sidecars=(), **more):
    names = [one["name"] for one in init]
    return {
        "metadata": {"deletionTimestamp": "x"} if more.pop("deleting", False) else {},
        "spec": {
            "containers": [{"name": one["name"]} for one in main] or [{"name": "c"}],
            "initContainers": [
                {"name": n, **({"restartPolicy": "Always"} if n in sidecars else {})} for n in names
            ],
        },
        "status": {
            "phase": phase,
            "conditions": list(conditions),
            "containerStatuses": list(main),
            "initContainerStatuses": list(init),
            **more,
        },
    }


UP = status("c", RUNNING, ready=True)
DONE = status("i", ended(0, "Completed"), ready=True)
GATED = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (pod(phase="Pending"), ("0/1", "Pending", "0")),
        (pod(phase="Pending", conditions=[GATED]), ("0/1", "SchedulingGated", "0")),
        (
            pod(status("c", waiting("ContainerCreating")), phase="Pending"),
            ("0/1", "ContainerCreating", "0"),
        ),
        (pod(UP), ("1/1", "Running", "0")),
        (
            pod(UP, status("d", waiting("CrashLoopBackOff"), restarts=4)),
            ("1/2", "CrashLoopBackOff", "4"),
        ),
        (pod(status("c", ended(0, "Completed")), phase="Succeeded"), ("0/1", "Completed", "0")),
        (pod(status("c", ended(1, "Error")), phase="Failed"), ("0/1", "Error", "0")),
        (pod(status("c", ended(3)), phase="Failed"), ("0/1", "ExitCode:3", "0")),
        (pod(status("c", ended(137, signal=9)), phase="Failed"), ("0/1", "Signal:9", "0")),
        (pod(status("c", ended(0, "Completed")), UP, conditions=[READY]), ("1/2", "Running", "0")),
        (pod(status("c", ended(0, "Completed")), UP), ("1/2", "NotReady", "0")),
        (pod(phase="Failed", reason="Evicted"), ("0/1", "Evicted", "0")),
        (pod(UP, deleting=True), ("1/1", "Terminating", "0")),
        (pod(UP, deleting=True, phase="Succeeded"), ("1/1", "Succeeded", "0")),
        (pod(UP, deleting=True, reason="NodeLost"), ("1/1", "Unknown", "0")),
        (
            pod(
                init=[status("i", RUNNING), status("j", waiting("PodInitializing"))],
                phase="Pending",
            ),
            ("0/1", "Init:0/2", "0"),
        ),
        (
            pod(init=[DONE, status("j", waiting("PodInitializing"))], phase="Pending"),
            ("0/1", "Init:1/2", "0"),
        ),
        (
            pod(init=[status("i", waiting("CrashLoopBackOff"), restarts=2)], phase="Pending"),
            ("0/1", "Init:CrashLoopBackOff", "2"),
        ),
        (pod(init=[status("i", ended(1, "Error"))], phase="Pending"), ("0/1", "Init:Error", "0")),
        (pod(init=[status("i", ended(2))], phase="Pending"), ("0/1", "Init:ExitCode:2", "0")),
        (
            pod(init=[status("i", ended(2, signal=6))], phase="Pending"),
            ("0/1", "Init:Signal:6", "0"),
        ),
        (pod(UP, init=[DONE | {"restartCount": 5}]), ("1/1", "Running", "0")),
        (
            pod(
                UP,
                init=[status("s", RUNNING, ready=True, restarts=1, started=True)],
                sidecars=("s",),
            ),
            ("2/2", "Running", "1"),
        ),
        (
            pod(init=[status("s", RUNNING, started=False)], sidecars=("s",), phase="Pending"),
            ("0/2", "Init:0/1", "0"),
        ),
        (
            pod(UP, init=[status("i", RUNNING)], conditions=[INITIALIZED]),
            ("1/1", "Init:0/1", "0"),
        ),
    ],
)
def test_columns(given, shown):
    assert pods.cells(given, NOW) == shown
    assert (pods.ready_ratio(given), pods.display_status(given)) == shown[:2]
    assert pods.restart_count(given, NOW) == shown[2]


def test_the_last_restart_is_told():
    last = {"terminated": {"finishedAt": "2025-12-31T23:58:00Z"}}
    older = {"terminated": {"finishedAt": "2025-12-31T20:00:00Z"}}
    given = pod(
        status("c", RUNNING, ready=True, restarts=2, lastState=last),
        status("d", RUNNING, ready=True, restarts=1, lastState=older),
    )
    assert pods.restart_count(given, NOW) == "3 (2m ago)"


def test_ended_pods_are_marked_in_tables():
    assert pods.row_conditions(pod(UP)) == ()
    (condition,) = pods.row_conditions(pod(phase="Succeeded"))
    assert condition["reason"] == "Succeeded"
    assert pods.row_conditions(pod(phase="Failed"))[0]["message"] == "The pod failed."


def test_readiness_gates():
    assert pods.readiness_gates(pod(UP)) == "<none>"
    given = pod(UP, conditions=[{"type": "a/b", "status": "True"}])
    given["spec"]["readinessGates"] = [{"conditionType": "a/b"}, {"conditionType": "c/d"}]
    assert pods.readiness_gates(given) == "1/2"
