"""Preemption: who has to go, where, and who may ask for it."""

import pytest

from nodes.client.resources import PODS
from nodes.scheduler.cache import Cache
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.preemption import Preemption
from nodes.scheduler.profile import Profile
from tests.nodes.scheduler.test_loop import Rig
from tests.nodes.scheduler.test_plugins import Objects
from tests.support.builders import node, obj, pod
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME


def budget(allowed, **labels):
    return obj(
        "PodDisruptionBudget",
        "b",
        api_version="policy/v1",
        spec={"selector": {"matchLabels": labels}},
        status={"disruptionsAllowed": allowed},
    )


def worker(name, priority, cpu="1", since="2026-01-02T03:00:00Z", **labels):
    built = pod(name).meta(uid=name).requests(cpu=cpu).spec(priority=priority).labels(**labels)
    return built.status(startTime=since)


def choose(nodes, placed, wanted, budgets=(), **others):
    cache = Cache()
    for one in nodes:
        cache.set_node(one)
    for built, on in placed:
        cache.place(PodInfo.of(built), on)
    names = ("services", "replicationcontrollers", "replicasets", "statefulsets", "namespaces")
    names += ("persistentvolumeclaims", "persistentvolumes", "storageclasses")
    names += ("csinodes", "volumeattachments", "resourceclaims", "resourceslices", "deviceclasses")
    readers = {name: Objects() for name in names} | {n: Objects(*o) for n, o in others.items()}

    class Budgets(Objects):
        def list(self, namespace="", selector=None):
            return list(self.objects)

    preemption = Preemption(Profile(), readers, Budgets(*budgets))
    info = PodInfo.of(wanted)
    found = preemption.find(info, cache.nodes, cache.counts, lambda name: False)
    return (found[0].node, sorted(v.name for v in found[0].victims)) if found else None


ONE_NODE = [node("n1")]  # four CPUs


def test_only_as_many_go_as_have_to_and_the_least_important_first():
    placed = [(worker(f"p{i}", priority=i), "n1") for i in range(1, 5)]
    assert choose(ONE_NODE, placed, worker("new", 10, cpu="2")) == ("n1", ["p1", "p2"])


def test_equals_and_betters_stay():
    placed = [(worker("same", 10, cpu="4"), "n1")]
    assert choose(ONE_NODE, placed, worker("new", 10)) is None


def test_nothing_is_gained_where_the_pod_would_not_fit_anyway():
    placed = [(worker("small", 1), "n1"), (worker("big", 20, cpu="3"), "n1")]
    assert choose(ONE_NODE, placed, worker("new", 10, cpu="2")) is None


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        # The node whose most important victim matters least.
        ([("a", 5)], [("b", 3)], "n2"),
        # Then the smaller sum, then the smaller number.
        ([("a", 3), ("b", 3)], [("c", 3), ("d", 1)], "n2"),
        ([("a", 0), ("b", 0)], [("c", 0)], "n2"),
    ],
)
def test_the_node_with_the_least_loss(first, second, expected):
    placed = [
        (worker(name, priority, cpu=str(4 / len(group))), on)
        for on, group in (("n1", first), ("n2", second))
        for name, priority in group
    ]
    found = choose([node("n1"), node("n2")], placed, worker("new", 10, cpu="4"))
    assert found is not None
    assert found[0] == expected


def test_of_equal_nodes_the_one_with_the_younger_victim():
    placed = [
        (worker("old", 1, cpu="4", since="2026-01-01T00:00:00Z"), "n1"),
        (worker("young", 1, cpu="4", since="2026-01-02T00:00:00Z"), "n2"),
    ]
    found = choose([node("n1"), node("n2")], placed, worker("new", 10))
    assert found == ("n2", ["young"])


def test_budgets_are_broken_last():
    placed = [
        (worker("guarded", 1, cpu="4", app="db"), "n1"),
        (worker("free", 5, cpu="4", app="web"), "n2"),
    ]
    nodes = [node("n1"), node("n2")]
    assert choose(nodes, placed, worker("new", 10)) == ("n1", ["guarded"])
    assert choose(nodes, placed, worker("new", 10), [budget(0, app="db")]) == ("n2", ["free"])
    assert choose(nodes, placed, worker("new", 10), [budget(1, app="db")]) == ("n1", ["guarded"])


def test_anti_affinity_is_seen_without_the_victims():
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "x"}}}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    placed = [(worker("there", 1, app="x"), "n1")]
    wanted = worker("new", 10, app="x").spec(affinity=apart)
    assert choose(ONE_NODE, placed, wanted) == ("n1", ["there"])


@pytest.fixture
async def rig():
    made = Rig()
    yield made
    made.scheduler.stop()
    await made.tasks.close()


@VIRTUAL_TIME
async def test_a_more_important_pod_takes_the_room(rig):
    await rig.create(node("n1"), pod("low").requests(cpu="3").spec(priority=1))
    await eventually(lambda: rig.node_of("low"))
    await rig.create(pod("high").requests(cpu="3").spec(priority=100))
    await eventually(lambda: rig.api.need("pods", "low")["metadata"].get("deletionTimestamp"))
    assert rig.api.need("pods", "high")["status"]["nominatedNodeName"] == "n1"
    assert rig.condition("high")["message"] == "0/1 nodes are available: 1 Insufficient cpu."
    target = next(
        c
        for c in rig.api.need("pods", "low")["status"]["conditions"]
        if c["type"] == "DisruptionTarget"
    )
    assert target["reason"] == "PreemptionByScheduler"
    # What comes later and matters less does not get the room that is being made.
    await rig.create(pod("late").requests(cpu="3").spec(priority=50))
    await rig.client.delete(PODS, "default", "low", grace=0)
    await eventually(lambda: rig.node_of("high") == "n1")
    assert rig.node_of("late") is None
    uid = rig.api.need("pods", "high")["metadata"]["uid"]
    assert rig.events("Preempted") == [f"Preempted by pod {uid} on node n1"]


@VIRTUAL_TIME
async def test_a_pod_that_may_not_preempt_waits(rig):
    await rig.create(node("n1"), pod("low").requests(cpu="3").spec(priority=1))
    await eventually(lambda: rig.node_of("low"))
    polite = pod("polite").requests(cpu="3").spec(priority=100, preemptionPolicy="Never")
    await rig.create(polite)
    await eventually(lambda: rig.condition("polite").get("message"))
    assert rig.condition("polite")["message"].endswith(
        "preemption: not eligible due to preemptionPolicy=Never."
    )
    assert "deletionTimestamp" not in rig.api.need("pods", "low")["metadata"]


def test_the_pod_that_has_a_claim_for_itself_can_be_sent_away():
    bound = {"accessModes": ["ReadWriteOncePod"], "volumeName": "v"}
    claim = obj("PersistentVolumeClaim", "c", spec=bound)
    mounts = {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]}
    there = pod("user").spec(priority=1, **mounts).meta(uid="user")
    there.status(startTime="2026-01-02T03:00:00Z")
    new = pod("new").spec(priority=5, **mounts).meta(uid="new")
    nodes = [node("n1"), node("n2")]
    others = {"persistentvolumeclaims": [claim]}
    others["persistentvolumes"] = [obj("PersistentVolume", "v", "", spec={})]
    found = choose(nodes, [(there, "n2")], new, **others)
    assert found == ("n2", ["user"])
