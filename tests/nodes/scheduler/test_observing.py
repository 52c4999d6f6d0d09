"""What is logged and counted of attempts, in kube-scheduler's words."""

import pytest

from nodes.client.klog import Klog
from nodes.scheduler.attempt import Attempt
from nodes.scheduler.binding import Failure, refused
from nodes.scheduler.config.reading import Configuration, ProfileConfig
from nodes.scheduler.observing import ERROR, UNSCHEDULABLE, Observer
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.queue import LEFT_OVER
from nodes.scheduler.waiting import Waiting
from tests.nodes.scheduler.test_loop import Rig
from tests.support.builders import node, obj, pod
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


@pytest.fixture
async def rig():
    made = Rig()
    made.lines = []
    keep = lambda _, record: made.lines.append((record.severity, record.message, record.pairs))  # noqa: E731
    made.scheduler.observer = Observer(made.clock, Klog(made.clock, keep))
    yield made
    made.scheduler.stop()
    await made.tasks.close()


async def test_lines_say_at_how_many_nodes_was_looked(rig):
    tainted = [node(f"t{n}").tainted("gpu", "NoSchedule") for n in range(2)]
    await rig.create(node("n1"), *tainted)
    at_n1 = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [at_n1]}}
    await rig.create(pod("daemon").spec(affinity={"nodeAffinity": required}), pod("p"))
    await eventually(lambda: len(rig.lines) == 2)
    assert rig.lines == [
        (
            "I",
            "Successfully bound pod to node",
            ("pod", f"default/{name}", "node", "n1", "evaluatedNodes", looked, "feasibleNodes", 1),
        )
        for name, looked in (("daemon", 1), ("p", 3))
    ]


async def test_where_nothing_scores_the_first_node_that_fits_will_do(rig):
    plain = {"score": {"disabled": [{"name": "*"}]}}
    rig.scheduler.configure(Configuration([ProfileConfig("default-scheduler", plugins=plain)]))
    await rig.create(*(node(f"n{n}") for n in range(5)), pod("p"))
    await eventually(lambda: rig.lines)
    assert rig.lines[0][2][-4:] == ("evaluatedNodes", 1, "feasibleNodes", 1)


async def test_a_pod_that_no_node_could_help(rig):
    await rig.create(node("n1"), node("n2"))
    mounts = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
    await rig.create(pod("p").spec(volumes=mounts))
    await eventually(lambda: rig.condition("p"))
    # What DynamicResources looks for after it was never asked before is not there.
    missing = '0/2 nodes are available: persistentvolumeclaim "data" not found. not found'
    assert rig.condition("p")["message"] == missing
    assert rig.lines == [
        ("I", "Unable to schedule pod; no fit; waiting", ("pod", "default/p", "err", missing))
    ]
    wants = [{"name": "r", "exactly": {"deviceClassName": "gpu"}}]
    claim = obj("ResourceClaim", "c", "default", "resource.k8s.io/v1")
    await rig.create(claim | {"spec": {"devices": {"requests": wants}}})
    await rig.create(pod("q").spec(resourceClaims=[{"name": "r", "resourceClaimName": "c"}]))
    await eventually(lambda: rig.condition("q"))
    in_vain = "No preemption candidate is found; preemption is not helpful for scheduling"
    assert rig.lines[1:2] == [("I", in_vain, ("pod", "default/q"))]
    assert rig.condition("q")["message"].endswith(
        " does not exist. no new claims to deallocate, preemption: 0/2 nodes are available: "
        "2 Preemption is not helpful for scheduling."
    )
    refusers = ("DynamicResources", "VolumeRestrictions")
    assert rig.scheduler.queue.refused() == {(one, "default-scheduler"): 1 for one in refusers}
    came = rig.scheduler.queue.came
    assert came["active", "UnscheduledPod/Add"] == 2
    assert came["unschedulable", "ScheduleAttemptFailure"] == 2


async def test_room_that_is_made(rig):
    await rig.create(node("n1"), pod("low").requests(cpu="3").on("n1"))
    await rig.create(pod("high").requests(cpu="3").spec(priority=5))
    await eventually(lambda: rig.scheduler.observer.evictions)
    names = ("preemptor", "default/high")
    assert [(what, pairs) for _, what, pairs in rig.lines if "err" not in pairs] == [
        (
            "the target node for the preemption is determined",
            ("node", "n1", "pod", "default/high"),
        ),
        (
            "Start the preemption asynchronously",
            (*names, "node", "n1", "numVictims", 1, "numVictimsToDelete", 1),
        ),
        ("Preemptor Pod preempted victim Pod", (*names, "victim", "default/low", "node", "n1")),
        ("Async Preemption finished completely", (*names, "node", "n1", "result", "success")),
    ]
    assert sum(rig.scheduler.observer.evictions["success"].counts) == 1


async def test_who_is_refused_at_last_is_told_from_what_went_wrong(rig):
    seen = rig.scheduler.observer
    info = PodInfo.of(pod("p"))
    waited = Attempt("default/p", "u", 1, "", seconds={"permit": 3.0})
    seen.lost(info, waited, refused("GangScheduling", ["rejected"]))
    seen.lost(info, Attempt("default/p", "u", 2, ""), Failure("broken", "", rejected=False))
    assert [(severity, what) for severity, what, _ in rig.lines] == [
        ("I", "Unable to schedule pod; no fit; waiting"),
        ("E", "Error scheduling pod; retrying"),
    ]
    assert seen.attempts == {
        ("default-scheduler", UNSCHEDULABLE): 1,
        ("default-scheduler", ERROR): 1,
    }
    assert seen.permits["Unschedulable"].total == 3.0
    seen.bound(Waiting(info, 0.0, 15, because=LEFT_OVER), "n1", waited)
    assert (seen.after_flush, list(seen.slis)) == (1, ["15+"])
