"""A pod on each node that takes it, and updates a few at a time."""

import asyncio
from itertools import pairwise

import pytest

from apimachinery import pods as facts
from apimachinery.meta import is_deleting, labels_of
from nodes.client.expectations import EXPIRES
from nodes.client.lister import Key
from nodes.client.resources import DAEMONSETS, NODES, PODS
from nodes.controllers.daemonset import rollout
from nodes.controllers.daemonset.placement import Fit
from tests.nodes.controllers.conftest import Pods, pinned_node
from tests.support.builders import node, workload

pytestmark = pytest.mark.looptime

DS = "daemonset-controller"


@pytest.fixture
async def pods(rig):
    return Pods(rig)


def daemonset():
    return workload("DaemonSet", "d", None).spec(
        updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}
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


async def test_a_generation_is_observed_once_it_is_acted_on(rig, pods):
    await three(rig)
    await rig.create(daemonset())
    await rig.settle(3)
    # A pod that it has asked for, and that its cache does not show yet.
    rig.manager.controllers[DS].expectations.expect_creations(Key("default", "d"), 1)
    await set_image(rig, "busybox:1.37")
    await rig.settle(3)
    assert status(rig)["observedGeneration"] == 1
    assert "updatedNumberScheduled" not in status(rig)
    await rig.settle(EXPIRES)
    await set_image(rig, "busybox:1.38")
    await rig.until(lambda: status(rig)["observedGeneration"] == 3)


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


SURGE = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


async def test_with_surge_a_new_one_is_there_before_the_old_one_goes(rig, pods):
    await three(rig)
    await rig.create(daemonset().spec(updateStrategy=SURGE))
    await rig.settle(3)
    serving, together = [], []

    def watch(old, new):
        alive = [one for one in rig.api.all("pods") if not is_deleting(one)]
        together.append(len(alive))
        serving.append({pinned_node(one) for one in alive if facts.is_ready(one)})

    rig.manager.informers.get(PODS).on_change(watch)
    serving.clear()
    await set_image(rig, "busybox:1.37")
    await rig.until(
        lambda: (
            status(rig)["observedGeneration"] == 2
            and status(rig).get("updatedNumberScheduled") == 3
            and status(rig).get("numberAvailable") == 3
        )
    )
    assert all(nodes == {"n1", "n2", "n3"} for nodes in serving)
    assert max(together) == 4


async def test_a_broken_surge_takes_nothing_away(rig, pods):
    pods.broken.add("broken")
    await three(rig)
    await rig.create(daemonset().spec(updateStrategy=SURGE))
    await rig.settle(3)
    await set_image(rig, "broken")
    await asyncio.sleep(60)
    assert len(rig.names("pods")) == 4
    assert status(rig)["numberAvailable"] == 3
    await set_image(rig, "busybox:1.36")
    await rig.until(lambda: len(rig.names("pods")) == 3)


def one_pod(name, hashed, *, ready=True, node="n1", born="2026-01-02T03:00:00Z"):
    condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": born}
    return {
        "metadata": {
            "name": name,
            "creationTimestamp": born,
            "labels": {"controller-revision-hash": hashed},
        },
        "spec": {"nodeName": node},
        "status": {"phase": "Running", "conditions": [condition]},
    }


@pytest.mark.parametrize(
    ("surge", "unavailable", "by_node", "delete", "create"),
    [
        # Old ones that work go as far as may be missing; those that do not, at once.
        (0, 1, {"n1": ["old"], "n2": ["old"]}, ["n1-old"], []),
        (0, "100%", {"n1": ["old"], "n2": ["old"]}, ["n1-old", "n2-old"], []),
        (0, 1, {"n1": ["!old"], "n2": ["old"]}, ["n1-old"], []),
        (0, 1, {"n1": ["!new"], "n2": ["old"]}, [], []),
        (0, 2, {"n1": ["!new"], "n2": ["old"]}, ["n2-old"], []),
        # New ones come beside old ones, and old ones go when the new ones are available.
        (1, 0, {"n1": ["old"], "n2": ["old"]}, [], ["n1"]),
        ("51%", 0, {"n1": ["old"], "n2": ["old"]}, [], ["n1", "n2"]),
        (1, 0, {"n1": ["old", "!new"], "n2": ["old"]}, [], []),
        (1, 0, {"n1": ["old", "new"], "n2": ["old"]}, ["n1-old"], ["n2"]),
        (1, 0, {"n1": ["!old"], "n2": ["!old"]}, [], ["n1", "n2"]),
        # Neither is as one missing.
        (0, 0, {"n1": ["old"], "n2": ["old"]}, ["n1-old"], []),
    ],
)
def test_the_next_step_of_an_update(surge, unavailable, by_node, delete, create):
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
    whole = daemonset().spec(updateStrategy=strategy)
    pods = {
        node: [
            one_pod(f"{node}-{kind.lstrip('!')}", kind.lstrip("!"), ready="!" not in kind)
            for kind in kinds
        ]
        for node, kinds in by_node.items()
    }
    fits = {node: Fit(run=True, stay=True) for node in by_node}
    found = rollout.plan(rollout.Seen(whole, "new", fits, pods, 1_767_323_045.0))
    assert ([one["metadata"]["name"] for one in found.delete], found.create) == (delete, create)


async def test_a_daemon_that_fails_again_and_again_is_left_alone_for_longer(rig, pods):
    await rig.create(node("n1"))
    await rig.run(DS)
    await rig.create(daemonset())
    failures = []
    for _ in range(6):
        await rig.until(lambda: status(rig).get("numberReady") == 1, within=60)
        (name,) = rig.names("pods")
        failures.append(rig.clock.seconds())
        failed = {"status": {"phase": "Failed", "conditions": []}}
        await rig.client.patch(PODS, "default", name, failed, subresource="status")
        await rig.until(lambda old=name: old not in rig.names("pods"), within=60)
    # The next one fails as soon as it is ready: two seconds, unless the wait is longer.
    waits = [after - before for before, after in pairwise(failures)]
    assert waits == sorted(waits)
    assert waits[0] < 4
    assert 8 <= waits[-1] < 12
