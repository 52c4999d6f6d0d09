"""Preemption: who has to go, where, and who may ask for it."""

import asyncio
import random

import pytest

from apimachinery.errors import InternalError
from nodes.client.resources import PODS
from nodes.scheduler.cache import Cache
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.preemption import Preemption
from nodes.scheduler.profile import Profile
from nodes.scheduler.sentences import no_victims
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


def preemption_of(nodes, placed, budgets=(), **others):
    cache = Cache()
    for one in nodes:
        cache.set_node(one)
    for built, on in placed:
        cache.place(PodInfo.of(built), on)
    names = ("services", "replicationcontrollers", "replicasets", "statefulsets", "namespaces")
    names += ("persistentvolumeclaims", "persistentvolumes", "storageclasses")
    names += (
        "csidrivers",
        "csistoragecapacities",
        "csinodes",
        "volumeattachments",
        "resourceclaims",
        "resourceslices",
        "deviceclasses",
    )
    readers = {name: Objects() for name in (*names, "pods")}
    readers |= {n: Objects(*o) for n, o in others.items()}

    class Budgets(Objects):
        def list(self, namespace="", selector=None):
            return list(self.objects)

    readers["poddisruptionbudgets"] = Budgets(*budgets)
    return Preemption(Profile(), cache, readers, random.Random(0)), cache


def choose(nodes, placed, wanted, budgets=(), **others):
    preemption, cache = preemption_of(nodes, placed, budgets, **others)
    found = preemption.find(PodInfo.of(wanted), cache.nodes, lambda name: False)
    best = next(iter(found.candidates), None)
    return (best.node, sorted(v.name for v in best.victims)) if best else None


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


def test_of_victims_with_negative_priorities_fewer_are_better():
    placed = [(worker(name, -5, cpu="2"), "n1") for name in "ab"]
    placed.append((worker("c", -5, cpu="4"), "n2"))
    found = choose([node("n1"), node("n2")], placed, worker("new", 10, cpu="4"))
    assert found == ("n2", ["c"])


@pytest.mark.parametrize(
    ("selector", "labels", "guards"),
    [
        ({"matchLabels": {"app": "db"}}, {"app": "db"}, True),
        ({}, {"app": "db"}, False),
        ({"matchLabels": {}}, {"app": "db"}, False),
        ({"matchExpressions": [{"key": "x", "operator": "DoesNotExist"}]}, {}, False),
    ],
)
def test_budgets_of_all_pods_and_pods_without_labels_count_for_nothing(selector, labels, guards):
    placed = [(worker("a", 1, cpu="4", **labels), "n1"), (worker("b", 5, cpu="4"), "n2")]
    guard = budget(0)
    guard["spec"]["selector"] = selector
    found = choose([node("n1"), node("n2")], placed, worker("new", 10), [guard])
    assert found == (("n2", ["b"]) if guards else ("n1", ["a"]))


def test_where_somebody_could_go_in_vain_it_is_said_what_is_in_the_way_then():
    placed = [(worker("low", 1), "n1"), (worker("big", 20, cpu="3"), "n1")]
    preemption, cache = preemption_of([node("n1"), node("n2")], placed)
    found = preemption.find(PodInfo.of(worker("new", 10, cpu="5")), cache.nodes, "n2".__eq__)
    assert found.refused == {"n1": ("Insufficient cpu",)}
    assert no_victims(2, found.refused) == (
        "preemption: 0/2 nodes are available: "
        "1 Insufficient cpu, 1 Preemption is not helpful for scheduling."
    )


def test_of_many_nodes_some_are_looked_at_until_one_breaks_no_budget():
    nodes = [node(f"n{i}") for i in range(150)]
    placed = [(worker(f"p{i}", 1, cpu="4", app="db"), f"n{i}") for i in range(149)]
    placed.append((worker("free", 5, cpu="4"), "n149"))
    preemption, cache = preemption_of(nodes, placed, [budget(0, app="db")])
    looked = []
    real = preemption._on
    preemption._on = lambda pod, at, all_: looked.append(at.name) or real(pod, at, all_)
    found = preemption.find(PodInfo.of(worker("new", 10)), cache.nodes, lambda name: False)
    assert found.candidates[0].node == "n149"
    assert len(looked) == max(100, looked.index("n149") + 1)
    assert looked[0] != "n0", "the search starts anywhere"


def hold_deletes(rig):
    """Let no victim be deleted before the event is set."""
    gate = asyncio.Event()
    real = rig.scheduler._evictions._client.delete

    async def held(*where, **more):
        await gate.wait()
        return await real(*where, **more)

    rig.scheduler._evictions._client.delete = held
    return gate


async def crowded(rig):
    low = [pod(name).requests(cpu="2").spec(priority=1) for name in "ab"]
    await rig.create(node("n1"), *low)
    await eventually(lambda: all(rig.node_of(name) for name in "ab"))


@VIRTUAL_TIME
async def test_who_room_is_made_for_is_kept_out_until_all_victims_are_on_their_way(rig):
    await crowded(rig)
    gate = hold_deletes(rig)
    await rig.create(pod("high").requests(cpu="4").spec(priority=100))
    await eventually(lambda: rig.condition("high").get("message"))
    waiting = next(one for one in rig.scheduler.queue if one.pod.name == "high")
    assert not waiting.gated
    # One goes by itself meanwhile: that would have it tried again.
    await rig.client.delete(PODS, "default", "a", grace=0)
    await eventually(lambda: waiting.gated)
    words = "waiting for the preemption for this pod to be finished"
    assert rig.scheduler.kept_out(waiting.pod) == ("DefaultPreemption", words)
    gate.set()
    await eventually(lambda: rig.api.need("pods", "b")["metadata"].get("deletionTimestamp"))
    await rig.client.delete(PODS, "default", "b", grace=0)
    await eventually(lambda: rig.node_of("high") == "n1")


@VIRTUAL_TIME
async def test_where_a_victim_cannot_be_sent_away_the_pod_is_tried_again(rig):
    await crowded(rig)
    failures = iter([True])
    real = rig.scheduler._evictions._client.delete

    async def fails(*where, **more):
        if next(failures, False):
            raise InternalError("not now")
        return await real(*where, **more)

    rig.scheduler._evictions._client.delete = fails
    await rig.create(pod("high").requests(cpu="4").spec(priority=100))
    uid = rig.api.need("pods", "high")["metadata"]["uid"]
    await eventually(lambda: len(rig.scheduler.decisions.of(uid)) == 2)
    assert rig.scheduler.decisions.of(uid)[-1].because.event == "ForceActivate"

    def leaves(name):
        return "deletionTimestamp" in rig.api.need("pods", name)["metadata"]

    await eventually(lambda: leaves("a") and leaves("b"))


@VIRTUAL_TIME
async def test_the_node_that_room_was_made_on_is_tried_first_and_left_if_it_does_not_fit(rig):
    await rig.create(node("n1"), node("n2"))
    wanted = pod("p").requests(cpu="1").status(nominatedNodeName="n2")
    await rig.create(wanted)
    await eventually(lambda: rig.node_of("p") == "n2")
    attempt = rig.scheduler.decisions.of(rig.api.need("pods", "p")["metadata"]["uid"])[-1]
    assert attempt.fitting == 1
    assert attempt.table == []
    await rig.create(pod("q").requests(cpu="4").status(nominatedNodeName="n2"))
    await eventually(lambda: rig.node_of("q") == "n1")


@VIRTUAL_TIME
async def test_room_that_a_pod_says_is_its_own_is_kept_for_it(rig):
    await rig.create(
        pod("first").requests(cpu="3").spec(priority=5, schedulingGates=[{"name": "x"}])
    )
    status = {"status": {"nominatedNodeName": "n1"}}
    await rig.client.patch(PODS, "default", "first", status, subresource="status")
    await rig.create(node("n1"), pod("other").requests(cpu="3"))
    await eventually(lambda: rig.condition("other").get("message"))
    assert "Insufficient cpu" in rig.condition("other")["message"]
    status = {"status": {"nominatedNodeName": None}}
    await rig.client.patch(PODS, "default", "first", status, subresource="status")
    await rig.create(pod("third").requests(cpu="3"))
    await eventually(lambda: rig.node_of("third") or rig.node_of("other"))


@VIRTUAL_TIME
async def test_a_more_important_pod_takes_the_node_that_another_was_to_have(rig):
    await crowded(rig)
    gate = hold_deletes(rig)
    await rig.create(pod("middle").requests(cpu="4").spec(priority=50))

    def nominated(name):
        return rig.api.need("pods", name).get("status", {}).get("nominatedNodeName")

    await eventually(lambda: nominated("middle") == "n1")
    await rig.create(pod("high").requests(cpu="4").spec(priority=100))
    await eventually(lambda: nominated("high") == "n1")
    await eventually(lambda: not nominated("middle"))
    gate.set()


@VIRTUAL_TIME
async def test_a_pod_that_fits_nowhere_any_more_has_no_node_nominated(rig):
    await rig.create(node("n1").tainted("gone", "NoSchedule"))
    await rig.create(pod("p").requests(cpu="1").status(nominatedNodeName="n1"))
    await eventually(lambda: rig.condition("p").get("message"))
    assert not rig.api.need("pods", "p")["status"].get("nominatedNodeName")
