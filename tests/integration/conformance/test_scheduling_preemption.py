"""Preemption: whom a more important pod takes the place of."""

import asyncio

import pytest

from tests.integration.conformance.workloads import (
    APPS,
    PAUSE,
    PODS,
    STRATEGIC,
    condition,
    pod,
    pods_of,
    ready,
    running,
    workload,
)
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

GROUP = "[sig-scheduling] SchedulerPreemption [Serial] "
CLASSES = "/apis/scheduling.k8s.io/v1/priorityclasses"
# Something that nodes have so much of as the test says: nothing else uses it.
SCARCE = "example.com/scarce"


async def priorities(world, **values):
    for name, value in values.items():
        await world.create(CLASSES, {"metadata": {"name": name}, "value": value})


async def stock(world, node, amount):
    """Have a node tell of so much of what is scarce."""
    told = {SCARCE: str(amount)}
    body = {"status": {"capacity": told, "allocatable": told}}
    await world.patch(f"/api/v1/nodes/{node}/status", body, STRATEGIC)


def resources(amount):
    return {"resources": {"requests": {SCARCE: str(amount)}, "limits": {SCARCE: str(amount)}}}


def taking(name, priority, amount, node=None, **spec):
    """Return a pod that takes so much; on a node of this name, if one is given."""
    if node:
        term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
        required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
        spec["affinity"] = {"nodeAffinity": required}
    made = pod(name, container=resources(amount), priorityClassName=priority, **spec)
    made["spec"]["terminationGracePeriodSeconds"] = 1
    return made


@pytest.mark.parametrize(
    ("namespace", "priority"),
    [
        pytest.param(
            "conformance",
            "high",
            marks=pytest.mark.conformance(GROUP + "validates basic preemption works"),
        ),
        pytest.param(
            "kube-system",
            "system-cluster-critical",
            marks=pytest.mark.conformance(
                GROUP + "validates lower priority pod preemption by critical pod"
            ),
        ),
    ],
)
async def test_the_least_important_pod_goes(world, namespace, priority):
    await priorities(world, low=1, medium=100, high=1000)
    uids = {}
    for node, given in (("node-1", "low"), ("node-2", "medium"), ("node-3", "medium")):
        await stock(world, node, 3)
        await world.create(PODS, taking(f"on-{node}", given, 2, node))
        uids[node] = (await running(world, f"on-{node}"))["metadata"]["uid"]
    account = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
    await world.until(account, lambda found: found["metadata"]["name"] == "default")
    path = f"/api/v1/namespaces/{namespace}/pods"
    await world.create(path, taking("preemptor", priority, 2))
    found = await world.until(
        f"{path}/preemptor", lambda one: one["status"].get("phase") == "Running"
    )
    assert found["spec"]["nodeName"] == "node-1"
    await world.get(f"{PODS}/on-node-1", expect=404)
    for node in ("node-2", "node-3"):
        left = (await world.get(f"{PODS}/on-{node}"))["metadata"]
        assert left["uid"] == uids[node]
        assert "deletionTimestamp" not in left


@pytest.mark.conformance(GROUP + "validates pod disruption condition is added to the preempted pod")
async def test_the_victim_says_why(world):
    await priorities(world, low=1, high=1000)
    await stock(world, "node-1", 1)
    victim = taking("victim", "low", 1, "node-1")
    victim["metadata"]["finalizers"] = ["example.com/stays"]
    await world.create(PODS, victim)
    await running(world, "victim")
    await world.create(PODS, taking("preemptor", "high", 1, "node-1"))
    found = await world.until(
        f"{PODS}/victim", lambda one: one["metadata"].get("deletionTimestamp")
    )
    said = condition(found, "DisruptionTarget")
    assert (said["status"], said["reason"]) == ("True", "PreemptionByScheduler")
    assert said["message"] == "default-scheduler: preempting to accommodate a higher priority pod"
    await world.patch(f"{PODS}/victim", {"metadata": {"finalizers": None}})
    await running(world, "preemptor")


@pytest.mark.conformance(
    GROUP + "PreemptionExecutionPath runs ReplicaSets to verify preemption running path"
)
async def test_no_more_go_than_need_to(world):
    await priorities(world, p1=1, p2=2, p3=3, p4=4)
    await stock(world, "node-1", 1000)
    watch = world.watch(f"{PODS}?watch=true")
    for number, amount in ((1, 200), (2, 300), (3, 450)):
        name = f"rs-{number}"
        made = workload(name, 1, image=PAUSE, container=resources(amount))
        made["spec"]["template"]["spec"] |= {
            "priorityClassName": f"p{number}",
            "nodeSelector": {"kubernetes.io/hostname": "node-1"},
        }
        await world.create(f"{APPS}/replicasets", made)
        await ready(world, f"{APPS}/replicasets/{name}", 1)
    await world.create(PODS, taking("preemptor", "p4", 500, "node-1"))
    await running(world, "preemptor")
    await asyncio.sleep(10)  # virtual: more would go meanwhile
    made = [name for kind, name in watch.seen if kind == "ADDED"]
    counts = [sum(name.startswith(f"rs-{number}-") for name in made) for number in (1, 2, 3)]
    assert counts == [2, 2, 1]  # the pods of the first two were made again
    assert len(await pods_of(world, {"app": "rs-3"})) == 1


@pytest.mark.conformance(
    GROUP + "PriorityClass endpoints verify PriorityClass endpoints can be operated with different"
    " HTTP methods"
)
async def test_priority_classes(world):
    await priorities(world, p1=1, p2=2)
    body = {"value": 10}
    await world.patch(f"{CLASSES}/p1", body, STRATEGIC, expect=422)
    found = await world.get(f"{CLASSES}/p2")
    await world.call("PUT", f"{CLASSES}/p2", {**found, "value": 20}, expect=422)

    await world.patch(f"{CLASSES}/p1", {"description": "updated"}, STRATEGIC)

    def describe(one):
        one["description"] = "updated"

    await world.update(f"{CLASSES}/p2", describe)
    items = (await world.get(CLASSES))["items"]
    kept = {o["metadata"]["name"]: (o["value"], o.get("description")) for o in items}
    assert (kept["p1"], kept["p2"]) == ((1, "updated"), (2, "updated"))
