"""As many pods as wanted, no more while the cache lags, the cheapest go first."""

import asyncio

import pytest

from apimachinery.errors import Forbidden, InternalError
from apimachinery.gvk import GroupResource
from apimachinery.meta import controller_of, is_deleting, name_of
from apimachinery.pods import DELETION_COST
from nodes.client.resources import NAMESPACES, PODS, REPLICASETS, REPLICATIONCONTROLLERS
from nodes.controllers.common import podfacts
from tests.support.builders import START, namespace, obj, pod, replicaset, template

pytestmark = pytest.mark.looptime

RS = "replicaset-controller"
ACCOUNT = f"system:serviceaccount:kube-system:{RS}"
NOW = 1_767_323_045.0


async def scale(rig, replicas, name="r"):
    await rig.client.patch(REPLICASETS, "default", name, {"spec": {"replicas": replicas}})


async def make_ready(rig, *names):
    for name in names or rig.names("pods"):
        status = {"phase": "Running", "conditions": ready(rig.clock.timestamp())}
        await rig.client.patch(PODS, "default", name, {"status": status}, subresource="status")


def ready(since=START):
    return [{"type": "Ready", "status": "True", "lastTransitionTime": since}]


def status(rig, name="r"):
    return rig.need("replicasets", name).get("status")


async def test_pods_are_created_counted_and_told_of(rig):
    await rig.run(RS)
    await rig.create(replicaset("r", 2))
    await rig.settle()
    assert status(rig) == {
        "replicas": 2,
        "fullyLabeledReplicas": 2,
        "terminatingReplicas": 0,
        "observedGeneration": 1,
    }
    await make_ready(rig)
    await rig.settle()
    assert status(rig) == {
        "replicas": 2,
        "fullyLabeledReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
        "terminatingReplicas": 0,
        "observedGeneration": 1,
    }
    first, second = rig.names("pods")
    assert rig.events() == [
        f"Normal SuccessfulCreate Created pod: {first}",
        f"Normal SuccessfulCreate Created pod: {second}",
    ]
    made = rig.need("pods", first)
    assert made["metadata"]["generateName"] == "r-"
    assert made["metadata"]["labels"] == {"app": "x"}
    assert controller_of(made)["name"] == "r"


async def test_scaling_to_nothing(rig):
    await rig.run(RS)
    await rig.create(replicaset("r", 2))
    await rig.settle()
    await scale(rig, 0)
    await rig.settle()
    assert status(rig) == {"replicas": 0, "terminatingReplicas": 0, "observedGeneration": 2}
    assert [event.split(":")[0] for event in rig.events()] == [
        "Normal SuccessfulCreate Created pod",
        "Normal SuccessfulCreate Created pod",
        "Normal SuccessfulDelete Deleted pod",
        "Normal SuccessfulDelete Deleted pod",
    ]


async def test_a_pod_that_is_going_is_replaced_and_counted_as_terminating(rig):
    await rig.run(RS)
    await rig.create(replicaset("r", 1))
    await rig.settle()
    (name,) = rig.names("pods")
    await rig.client.patch(PODS, "default", name, {"spec": {"nodeName": "n1"}})
    await rig.client.delete(PODS, "default", name)
    await rig.settle()
    assert len(rig.names("pods")) == 2
    assert status(rig)["replicas"] == 1
    assert status(rig)["terminatingReplicas"] == 1


async def test_ended_pods_do_not_count(rig):
    await rig.run(RS)
    await rig.create(replicaset("r", 1))
    await rig.settle()
    (name,) = rig.names("pods")
    await rig.client.patch(
        PODS, "default", name, {"status": {"phase": "Failed"}}, subresource="status"
    )
    await rig.settle()
    assert len(rig.names("pods")) == 2


async def test_a_lagging_cache_creates_no_more_than_wanted(rig):
    await rig.create(replicaset("r", 3))
    await rig.run(RS)
    # The pods are made, but nobody hears of it; other news keep waking the controller.
    for watch in rig.api._watches:
        if watch.resource.resource == "pods":
            watch.offer = lambda event: None
    await rig.settle()
    assert len(rig.names("pods")) == 3
    for label in "abc":
        await rig.client.patch(REPLICASETS, "default", "r", {"metadata": {"labels": {"x": label}}})
        await rig.settle()
    assert len(rig.names("pods")) == 3


async def test_a_thousand_pods_in_growing_batches(rig):
    await rig.run(RS)
    await rig.create(replicaset("r", 1000))
    await rig.until(lambda: len(rig.names("pods")) == 1000)
    await rig.settle()
    assert status(rig)["replicas"] == 1000
    # Two rounds of at most 500: a status write for each, not one for each pod.
    writes = [one for one in rig.api.written(ACCOUNT) if one == "update replicasets/status r"]
    assert len(writes) <= 6


async def test_a_pod_that_changes_costs_no_look_at_the_others(rig, monkeypatch):
    await rig.run(RS)
    await rig.create(replicaset("r", 50))
    await rig.until(lambda: (status(rig) or {}).get("replicas") == 50)
    looks = []
    cache = rig.manager.informers.get(PODS)
    owned_by = cache.owned_by
    monkeypatch.setattr(cache, "owned_by", lambda owner: looks.append(owner) or owned_by(owner))
    first, second, *others = rig.names("pods")
    await make_ready(rig, first, second)
    await rig.settle()
    assert status(rig)["readyReplicas"] == 2
    await rig.client.delete(PODS, "default", others[0], grace=0)
    await rig.settle()
    assert len(rig.names("pods")) == 50
    assert not looks
    await scale(rig, 49)
    await rig.settle()
    assert len(looks) == 2  # those that may go, and those that crowd their nodes


async def test_a_refusal_stops_the_rest_and_is_said(rig):
    await rig.run(RS)
    faults = rig.transport_for(ACCOUNT)
    refusal = Forbidden(GroupResource("", "pods"), "r-x", "exceeded quota: q")
    faults.fail("create", "pods", refusal, times=2)
    await rig.create(replicaset("r", 10))
    await rig.settle(0.004)
    assert rig.names("pods") == []
    (condition,) = status(rig)["conditions"]
    assert condition == {
        "type": "ReplicaFailure",
        "status": "True",
        "lastTransitionTime": START,
        "reason": "FailedCreate",
        "message": 'pods "r-x" is forbidden: exceeded quota: q',
    }
    await rig.settle(1)
    assert len(rig.names("pods")) == 10
    assert "conditions" not in status(rig)
    told = [event for event in rig.events() if "Failed" in event]
    assert told == [
        'Warning FailedCreate Error creating: pods "r-x" is forbidden: exceeded quota: q'
    ]


async def test_a_failed_deletion_is_said_and_tried_again(rig):
    await rig.run(RS)
    await rig.create(replicaset("r", 1))
    await rig.settle()
    rig.transport_for(ACCOUNT).fail("delete", "pods", InternalError("broken"), times=2)
    await scale(rig, 0)
    await rig.settle(0.004)
    assert status(rig)["conditions"][0]["reason"] == "FailedDelete"
    await rig.settle(1)
    assert rig.names("pods") == []
    assert "Warning FailedDelete Error deleting: Internal error occurred: broken" in rig.events()


async def test_a_terminating_namespace_is_no_news(rig):
    await rig.create(namespace("default"))
    await rig.create(replicaset("r", 2))
    await rig.client.delete(NAMESPACES, "", "default")
    await rig.run(RS)
    await rig.settle(5)
    assert rig.names("pods") == []
    assert rig.events() == []


async def test_a_deleted_replicaset_makes_no_pods(rig):
    await rig.create(replicaset("r", 2).finalizers("x.io/hold"))
    await rig.client.delete(REPLICASETS, "default", "r")
    await rig.run(RS)
    await rig.settle()
    assert rig.names("pods") == []


async def test_orphans_that_match_are_adopted(rig):
    await rig.create(pod("mine").labels(app="x").phase("Running"))
    await rig.create(pod("other").labels(app="y"))
    await rig.run(RS)
    await rig.create(replicaset("r", 2))
    await rig.settle()
    assert len(rig.names("pods")) == 3
    assert rig.need("pods", "mine")["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": "r",
            "uid": rig.need("replicasets", "r")["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert controller_of(rig.need("pods", "other")) is None


async def test_an_orphan_that_comes_later_is_adopted_and_one_too_many_goes(rig):
    await rig.run(RS)
    await rig.create(replicaset("r", 1))
    await rig.settle()
    await rig.create(pod("late").labels(app="x"))
    await rig.settle()
    assert len(rig.names("pods")) == 1


async def test_a_pod_that_no_longer_matches_is_released_and_replaced(rig):
    await rig.run(RS)
    await rig.create(replicaset("r", 2))
    await rig.settle()
    name = rig.names("pods")[0]
    await rig.client.patch(PODS, "default", name, {"metadata": {"labels": {"app": "other"}}})
    await rig.settle()
    assert len(rig.names("pods")) == 3
    assert controller_of(rig.need("pods", name)) is None


async def test_another_controllers_pod_is_left_alone(rig):
    other = await rig.create(obj("StatefulSet", "s", api_version="apps/v1"))
    await rig.create(pod("theirs").labels(app="x").owned_by(other))
    await rig.run(RS)
    await rig.create(replicaset("r", 1))
    await rig.settle()
    assert len(rig.names("pods")) == 2
    assert controller_of(rig.need("pods", "theirs"))["kind"] == "StatefulSet"


async def test_availability_comes_min_ready_seconds_after_readiness(rig):
    await rig.run(RS)
    await rig.create(replicaset("r", 1).spec(minReadySeconds=30))
    await rig.settle()
    await make_ready(rig)
    await rig.settle()
    assert status(rig)["readyReplicas"] == 1
    assert "availableReplicas" not in status(rig)
    await asyncio.sleep(31)
    assert status(rig)["availableReplicas"] == 1


async def test_a_replication_controller_is_the_same_with_an_older_selector(rig):
    await rig.run("replicationcontroller-controller")
    spec = {"replicas": 2, "selector": {"app": "x"}, "template": template()}
    await rig.create(obj("ReplicationController", "rc", spec=spec))
    await rig.settle()
    await make_ready(rig)
    await rig.settle()
    found = await rig.client.get(REPLICATIONCONTROLLERS, "default", "rc")
    assert found["status"] == {
        "replicas": 2,
        "fullyLabeledReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
        "observedGeneration": 1,
    }
    event = rig.api.all("events")[0]
    assert event["source"] == {"component": "replication-controller"}
    assert event["involvedObject"]["kind"] == "ReplicationController"


def running(name, uid="u"):
    return pod(name).meta(uid=uid, creationTimestamp=START).on("n1").phase("Running")


@pytest.mark.parametrize(
    ("goes", "stays"),
    [
        pytest.param(pod("goes"), running("stays"), id="unassigned before assigned"),
        pytest.param(running("goes").phase("Pending"), running("stays"), id="pending first"),
        pytest.param(running("goes").phase("Unknown"), running("stays"), id="unknown first"),
        pytest.param(running("goes"), running("stays").ready(), id="not ready first"),
        pytest.param(
            running("goes").ready().annotations({DELETION_COST: "-1"}),
            running("stays").ready(),
            id="cheap before dear",
        ),
        pytest.param(
            running("goes").ready("2026-01-02T03:04:00Z"),
            running("stays").ready("2026-01-02T01:04:00Z"),
            id="ready for a shorter time first",
        ),
        pytest.param(
            running("goes").status(containerStatuses=[{"restartCount": 3}]),
            running("stays").status(containerStatuses=[{"restartCount": 1}]),
            id="restarted more often first",
        ),
        pytest.param(
            running("goes").meta(creationTimestamp="2026-01-02T03:00:00Z"),
            running("stays").meta(creationTimestamp="2026-01-01T03:00:00Z"),
            id="newer first",
        ),
        pytest.param(
            running("goes", "u1").meta(creationTimestamp="2026-01-02T03:00:00Z"),
            running("stays", "u2").meta(creationTimestamp="2026-01-02T03:00:10Z"),
            id="of about one age the uid decides",
        ),
    ],
)
def test_which_pod_goes_first(goes, stays):
    assert podfacts.deletion_order([stays, goes], [], NOW) == [goes, stays]
    assert podfacts.deletion_order([goes, stays], [], NOW) == [goes, stays]


def test_the_crowded_node_gives_a_pod_first():
    crowded, alone = running("crowded", "u2"), running("alone", "u1").on("n2")
    order = podfacts.deletion_order([alone, crowded], [crowded, alone, running("third")], NOW)
    assert [name_of(one) for one in order] == ["crowded", "alone"]


async def test_a_pod_being_deleted_is_never_chosen(rig):
    await rig.run(RS)
    await rig.create(replicaset("r", 3))
    await rig.settle()
    first, *_ = rig.names("pods")
    await rig.client.patch(PODS, "default", first, {"spec": {"nodeName": "n1"}})
    await rig.client.delete(PODS, "default", first)
    await scale(rig, 2)
    await rig.settle()
    left = [one for one in rig.api.all("pods") if not is_deleting(one)]
    assert len(left) == 2
