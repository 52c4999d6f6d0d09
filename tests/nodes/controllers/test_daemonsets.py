"""A pod on each node that takes it, and updates a few at a time."""

import asyncio

import pytest

from apimachinery.meta import is_deleting, labels_of
from nodes.client.resources import DAEMONSETS, NODES, PODS
from tests.nodes.controllers.conftest import Pods, pinned_node
from tests.support.builders import node, workload

pytestmark = pytest.mark.looptime

DS = "daemonset-controller"


@pytest.fixture
async def pods(rig):
    return Pods(rig)


def daemonset(**spec):
    return workload("DaemonSet", "d", None).spec(
        updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}, **spec
    )


def status(rig):
    return rig.need("daemonsets", "d").get("status") or {}


def targets(rig):
    return sorted(pinned_node(one) for one in rig.api.all("pods"))


async def three(rig):
    await rig.create(node("n1"), node("n2"), node("n3"))
    await rig.run(DS)


async def set_image(rig, image):
    containers = [{"name": "c", "image": image}]
    body = {"spec": {"template": {"spec": {"containers": containers}}}}
    await rig.client.patch(DAEMONSETS, "default", "d", body)


async def test_one_for_each_node_and_for_each_that_comes(rig, pods):
    await three(rig)
    await rig.create(daemonset())
    await rig.settle(3)
    assert targets(rig) == ["n1", "n2", "n3"]
    assert status(rig) == {
        "currentNumberScheduled": 3,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 3,
        "numberReady": 3,
        "observedGeneration": 1,
        "updatedNumberScheduled": 3,
        "numberAvailable": 3,
    }
    await rig.create(node("n4"))
    await rig.settle()
    assert targets(rig) == ["n1", "n2", "n3", "n4"]
    assert rig.events()[0].startswith("Normal SuccessfulCreate Created pod: d-")


async def test_without_a_fitting_node_there_is_nothing(rig):
    await three(rig)
    made = daemonset()
    made["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "ssd"}
    await rig.create(made)
    await rig.settle()
    assert status(rig) == {
        "currentNumberScheduled": 0,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 0,
        "numberReady": 0,
        "observedGeneration": 1,
    }
    await rig.client.patch(NODES, "", "n2", {"metadata": {"labels": {"disk": "ssd"}}})
    await rig.settle()
    assert targets(rig) == ["n2"]
    await rig.client.patch(NODES, "", "n2", {"metadata": {"labels": {"disk": None}}})
    await rig.settle()
    assert targets(rig) == []


async def test_taints_keep_it_away_but_not_those_of_a_sick_node(rig):
    await rig.create(
        node("free"),
        node("reserved").tainted("example.com/gpu", "NoSchedule"),
        node("cordoned").tainted("node.kubernetes.io/unschedulable", "NoSchedule"),
        node("silent").tainted("node.kubernetes.io/unreachable", "NoExecute"),
        node("draining").tainted("example.com/out", "NoExecute"),
    )
    await rig.run(DS)
    await rig.create(daemonset())
    await rig.settle()
    # The taint that a silent node also bears for scheduling is not among them.
    assert targets(rig) == ["cordoned", "free", "silent"]


async def test_a_taint_that_comes_later_leaves_what_runs(rig, pods):
    await three(rig)
    await rig.create(daemonset())
    await rig.settle(3)
    taint = [{"key": "example.com/gpu", "effect": "NoSchedule"}]
    await rig.client.patch(NODES, "", "n1", {"spec": {"taints": taint}})
    await rig.settle()
    assert targets(rig) == ["n1", "n2", "n3"]
    assert (status(rig)["desiredNumberScheduled"], status(rig)["numberMisscheduled"]) == (2, 1)


async def test_an_update_replaces_one_at_a_time(rig, pods):
    await three(rig)
    await rig.create(daemonset())
    await rig.settle(3)
    before = {labels_of(one)["controller-revision-hash"] for one in rig.api.all("pods")}
    least = []

    def watch(old, new):
        least.append(sum(not is_deleting(one) for one in rig.api.all("pods")))

    rig.manager.informers.get(PODS).on_change(watch)
    await set_image(rig, "busybox:1.37")
    await rig.until(
        lambda: (
            status(rig)["observedGeneration"] == 2
            and status(rig).get("updatedNumberScheduled") == 3
            and status(rig).get("numberAvailable") == 3
        )
    )
    assert min(least) >= 2
    after = {labels_of(one)["controller-revision-hash"] for one in rig.api.all("pods")}
    assert len(after) == 1
    assert after.isdisjoint(before)
    assert len(rig.names("controllerrevisions")) == 2
    told = {event.split(":")[0] for event in rig.events()}
    assert told == {
        "Normal SuccessfulCreate Created pod",
        "Normal SuccessfulDelete Deleted pod",
    }


async def test_a_broken_update_goes_no_further_than_it_may(rig, pods):
    pods.broken.add("broken")
    await three(rig)
    await rig.create(daemonset())
    await rig.settle(3)
    await set_image(rig, "broken")
    await asyncio.sleep(60)
    assert status(rig)["numberAvailable"] == 2
    assert status(rig)["updatedNumberScheduled"] == 1
    await set_image(rig, "busybox:1.36")
    await rig.until(lambda: status(rig)["numberAvailable"] == 3)


async def test_on_delete_waits_for_somebody(rig, pods):
    await three(rig)
    await rig.create(daemonset().spec(updateStrategy={"type": "OnDelete"}))
    await rig.settle(3)
    await set_image(rig, "busybox:1.37")
    await rig.settle(10)
    assert "updatedNumberScheduled" not in status(rig)
    await rig.client.delete(PODS, "default", rig.names("pods")[0])
    await rig.settle(10)
    assert status(rig)["updatedNumberScheduled"] == 1


async def test_a_failed_daemon_is_said_and_replaced(rig, pods):
    await rig.create(node("n1"))
    await rig.run(DS)
    await rig.create(daemonset())
    await rig.settle(3)
    (name,) = rig.names("pods")
    failed = {"status": {"phase": "Failed"}}
    await rig.client.patch(PODS, "default", name, failed, subresource="status")
    await rig.settle(5)
    assert rig.names("pods") != [name]
    words = f"Found failed daemon pod default/{name} on node n1, will try to kill it"
    assert f"Warning FailedDaemonPod {words}" in rig.events()
