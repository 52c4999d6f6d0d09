"""Nodes that fall silent or go, and what becomes of their pods."""

import asyncio

import pytest

from apimachinery.meta import is_deleting
from apimachinery.nodes import taints_of
from nodes.client import leases
from nodes.client.resources import LEASES, NODES, PODS
from tests.support.builders import node, pod

pytestmark = pytest.mark.looptime

LIFE, TAINTS, PODGC = (
    "node-lifecycle-controller",
    "taint-eviction-controller",
    "pod-garbage-collector-controller",
)


async def add_node(rig, name="n1", *, simulated=True, lease=True):
    made = await rig.create(node(name))
    if lease:
        await rig.create(leases.node_lease(made, rig.clock, simulated=simulated))
    return made


async def switch_off(rig, name="n1"):
    metadata = {"annotations": {leases.RENEWED_WHEN_READ: None}}
    spec = {"renewTime": rig.clock.micro_timestamp()}
    body = {"metadata": metadata, "spec": spec}
    await rig.client.patch(LEASES, leases.NAMESPACE, name, body)


async def renew(rig, name="n1"):
    spec = {"renewTime": rig.clock.micro_timestamp()}
    await rig.client.patch(LEASES, leases.NAMESPACE, name, {"spec": spec})


def ready(rig, name="n1"):
    conditions = rig.need("nodes", name)["status"]["conditions"]
    return next((one["status"], one.get("reason")) for one in conditions if one["type"] == "Ready")


def taints(rig, name="n1"):
    return [(one["key"].split("/")[1], one["effect"]) for one in taints_of(rig.need("nodes", name))]


async def test_a_simulated_node_lives_without_a_write(rig):
    await add_node(rig)
    await rig.run(LIFE)
    await asyncio.sleep(100_000)
    assert ready(rig) == ("True", None)
    assert [
        one for one in rig.api.written(rig.account("node-controller")) if "event" not in one
    ] == []
    assert len(rig.tasks) == 0


async def test_a_node_that_is_switched_off_becomes_unknown_and_is_tainted(rig):
    await add_node(rig)
    await add_node(rig, "n2")
    await rig.create(pod("p").on("n1").ready())
    await rig.run(LIFE)
    await asyncio.sleep(1000)
    await switch_off(rig)
    await asyncio.sleep(49)
    assert ready(rig) == ("True", None)
    await asyncio.sleep(2)
    assert ready(rig) == ("Unknown", "NodeStatusUnknown")
    assert taints(rig) == [("unreachable", "NoSchedule")]
    assert rig.need("pods", "p")["status"]["conditions"][0]["status"] == "False"
    await asyncio.sleep(5)
    assert taints(rig) == [("unreachable", "NoSchedule"), ("unreachable", "NoExecute")]
    assert rig.events() == [
        "Normal RegisteredNode Node n1 event: Registered Node n1 in Controller",
        "Normal RegisteredNode Node n2 event: Registered Node n2 in Controller",
        "Normal NodeNotReady Node n1 status is now: NodeNotReady",
        "Warning NodeNotReady Node is not ready",
    ]


async def test_a_node_elsewhere_lives_while_it_renews_its_lease(rig):
    await add_node(rig, simulated=False)
    await rig.run(LIFE)
    for _ in range(20):
        await asyncio.sleep(10)
        await renew(rig)
    assert ready(rig) == ("True", None)
    await asyncio.sleep(51)
    assert ready(rig) == ("Unknown", "NodeStatusUnknown")


async def test_a_node_that_never_said_anything(rig):
    made = node("n1")
    made["status"]["conditions"] = []
    await rig.create(made)
    await rig.run(LIFE)
    await asyncio.sleep(59)
    assert rig.need("nodes", "n1")["status"]["conditions"] == []
    await asyncio.sleep(2)
    assert ready(rig) == ("Unknown", "NodeStatusNeverUpdated")
    assert len(rig.need("nodes", "n1")["status"]["conditions"]) == 4


async def test_a_node_that_is_back_loses_its_taints(rig):
    await add_node(rig)
    await rig.run(LIFE)
    await switch_off(rig)
    await asyncio.sleep(60)
    annotations = {leases.RENEWED_WHEN_READ: "true"}
    await rig.client.patch(
        LEASES, leases.NAMESPACE, "n1", {"metadata": {"annotations": annotations}}
    )
    await rig.client.patch(NODES, "", "n1", {"status": node("n1")["status"]}, subresource="status")
    await rig.settle()
    assert ready(rig) == ("True", None)
    assert taints(rig) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda n: n.spec(unschedulable=True), [("unschedulable", "NoSchedule")]),
        (lambda n: n.condition("MemoryPressure", "True"), [("memory-pressure", "NoSchedule")]),
        (
            lambda n: n.condition("Ready", "False"),
            [("not-ready", "NoSchedule"), ("not-ready", "NoExecute")],
        ),
        (lambda n: n.tainted("node.kubernetes.io/not-ready", "NoSchedule"), []),
        (
            lambda n: n.tainted("example.com/mine", "NoSchedule").spec(unschedulable=True),
            [("mine", "NoSchedule"), ("unschedulable", "NoSchedule")],
        ),
    ],
)
async def test_taints_follow_the_node(rig, change, expected):
    await rig.create(change(node("n1")), node("n2"))
    await rig.run(LIFE)
    await rig.settle()
    assert taints(rig) == expected


async def test_old_names_of_labels_have_the_new_ones_values(rig):
    named = node("n1")
    named["metadata"]["labels"] |= {"kubernetes.io/os": "linux", "beta.kubernetes.io/os": "plan9"}
    await rig.create(named)
    await rig.run(LIFE)
    await rig.settle()
    labels = rig.need("nodes", "n1")["metadata"]["labels"]
    assert labels["beta.kubernetes.io/os"] == "linux"
    assert "beta.kubernetes.io/arch" not in labels


NO_EXECUTE = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}


async def set_taints(rig, *added):
    stamped = [{**one, "timeAdded": rig.clock.timestamp()} for one in added]
    await rig.client.patch(NODES, "", "n1", {"spec": {"taints": stamped or None}})


async def test_a_pod_that_does_not_tolerate_a_taint_leaves_at_once(rig):
    await add_node(rig)
    await rig.create(pod("p").on("n1").ready(), pod("elsewhere").on("n2").ready())
    await rig.run(TAINTS)
    await set_taints(rig, NO_EXECUTE)
    await rig.settle()
    gone = rig.need("pods", "p")
    assert is_deleting(gone)
    assert gone["status"]["conditions"][-1]["reason"] == "DeletionByTaintManager"
    assert not is_deleting(rig.need("pods", "elsewhere"))
    assert rig.events() == ["Normal TaintManagerEviction Marking for deletion Pod default/p"]
    (event,) = rig.api.all("events")
    assert event["count"] == 1


@pytest.mark.parametrize("seconds", [None, 300])
async def test_toleration_is_for_ever_or_for_a_while(rig, seconds):
    await add_node(rig)
    toleration = {"key": NO_EXECUTE["key"], "operator": "Exists", "effect": "NoExecute"}
    if seconds is not None:
        toleration["tolerationSeconds"] = seconds
    await rig.create(pod("p").on("n1").tolerates(**toleration).ready())
    await rig.run(TAINTS)
    await set_taints(rig, NO_EXECUTE)
    await asyncio.sleep(299)
    assert not is_deleting(rig.need("pods", "p"))
    await asyncio.sleep(10)
    assert is_deleting(rig.need("pods", "p")) == (seconds is not None)


async def test_a_taint_that_goes_in_time_spares_the_pod(rig):
    await add_node(rig)
    await rig.create(pod("p").on("n1").tolerates(operator="Exists", tolerationSeconds=60).ready())
    await rig.run(TAINTS)
    await set_taints(rig, NO_EXECUTE)
    await asyncio.sleep(30)
    await set_taints(rig)
    await asyncio.sleep(300)
    assert not is_deleting(rig.need("pods", "p"))
    assert rig.events() == ["Normal TaintManagerEviction Cancelling deletion of Pod default/p"]


async def test_pods_of_a_node_that_is_gone_fail_and_go(rig):
    await add_node(rig)
    await rig.create(pod("p").on("n1").ready().finalizers("x.io/hold"))
    await rig.run(PODGC)
    await rig.client.delete(NODES, "", "n1")
    await asyncio.sleep(39)
    assert not is_deleting(rig.need("pods", "p"))
    await asyncio.sleep(2)
    gone = rig.need("pods", "p")
    assert is_deleting(gone)
    assert gone["status"]["phase"] == "Failed"
    assert gone["status"]["conditions"][-1]["message"] == "PodGC: node no longer exists"


async def test_a_node_that_comes_back_in_time_keeps_its_pods(rig):
    await add_node(rig)
    await rig.create(pod("p").on("n1").ready())
    await rig.run(PODGC)
    await rig.client.delete(NODES, "", "n1")
    await asyncio.sleep(20)
    await rig.create(node("n1"))
    await asyncio.sleep(60)
    assert not is_deleting(rig.need("pods", "p"))


async def test_a_pod_that_nobody_stops_goes_as_failed(rig):
    await rig.create(node("n1").condition("Ready", "False"))
    await rig.create(pod("p").on("n1").ready().finalizers("x.io/hold"))
    await rig.run(PODGC)
    await rig.client.delete(PODS, "default", "p")
    await rig.settle()
    assert rig.need("pods", "p")["status"]["phase"] == "Running"
    await set_taints(rig, {"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"})
    await rig.settle()
    assert rig.need("pods", "p")["status"]["phase"] == "Failed"


async def test_a_pod_that_is_deleted_before_it_had_a_node_goes(rig):
    await rig.run(PODGC)
    await rig.create(pod("p").finalizers("x.io/hold"))
    await rig.client.delete(PODS, "default", "p")
    await rig.client.patch(PODS, "default", "p", {"metadata": {"finalizers": None}})
    await rig.settle()
    assert rig.names("pods") == []
