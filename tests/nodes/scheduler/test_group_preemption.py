"""Room for whole groups: who goes, as one or one by one, and what is said meanwhile."""

import asyncio

import pytest

from apimachinery.meta import uid_of
from nodes.client.resources import PODGROUPS, PODS
from nodes.scheduler.podgroup import GroupFeatures
from tests.nodes.scheduler.test_gangs import attempts, gate, group, member, word
from tests.nodes.scheduler.test_loop import Rig
from tests.nodes.scheduler.test_preemption import budget, hold_deletes
from tests.support.builders import node, pod
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


@pytest.fixture
async def rig():
    made = Rig(groups=GroupFeatures(preemption=True))
    yield made
    made.scheduler.stop()
    await made.tasks.close()


async def form(rig, minimum=None, name="g", **spec):
    made = group(minimum, name)
    made["spec"].update(spec)
    await rig.client.create(made, PODGROUPS)


async def place(rig, *pods):
    """Create pods on their nodes, and wait until the scheduler knows them there."""
    await rig.create(*pods)
    cache = rig.scheduler.cache
    uids = [uid_of(rig.api.need("pods", one["metadata"]["name"])) for one in pods]
    await eventually(lambda: all(cache.place_of(uid) for uid in uids))


def low(name, on, cpu="4", priority=1, **labels):
    made = pod(name).requests(cpu=cpu).on(on).labels(**labels)
    return made.spec(priority=priority).status(startTime="2026-01-02T03:00:00Z")


def leaves(rig, name):
    return "deletionTimestamp" in rig.api.need("pods", name)["metadata"]


async def test_all_go_that_have_to_and_no_more_on_whatever_node(rig):
    await form(rig, 2, priority=100)
    await rig.create(node("n1"), node("n2"), node("n3"))
    await place(rig, low("a", "n1"), low("b", "n2", priority=2), low("c", "n3", priority=3))
    await rig.create(member("x", cpu="4"), member("y", cpu="4"))
    await eventually(lambda: len(rig.events("Preempted")) == 2)
    assert [leaves(rig, name) for name in "abc"] == [True, True, False]
    uid = uid_of(rig.api.need("podgroups", "g"))
    assert set(rig.events("Preempted")) == {f"Preempted by podgroup {uid} on node cluster"}
    assert word(rig) == ("False", "Unschedulable", "pod group is unschedulable")
    said = rig.condition("x")["message"]
    assert said.endswith("preemption: not eligible due to workload aware preemption enabled")
    choice = attempts(rig, "x")[-1].candidates[0]
    assert (choice.node, choice.going) == ("cluster", 2)
    target = rig.api.need("pods", "a")["status"]["conditions"][0]
    words = "default-scheduler: preempting to accommodate a higher priority podgroup"
    assert (target["type"], target["message"]) == ("DisruptionTarget", words)
    for name in "ab":
        await rig.client.delete(PODS, "default", name, grace=0)
    await eventually(lambda: {rig.node_of("x"), rig.node_of("y")} == {"n1", "n2"})
    await eventually(lambda: word(rig)[0] == "True")


async def test_nobody_goes_where_the_group_would_not_fit_all_the_same(rig):
    await form(rig, 3, priority=100)
    await rig.create(node("n1"), node("n2"))
    await place(rig, low("a", "n1"), low("b", "n2"))
    await rig.create(*(member(name, cpu="4") for name in "xyz"))
    await eventually(lambda: word(rig)[0] == "False")
    words = "pod group is unschedulable, pod group is unschedulable"
    assert word(rig) == ("False", "Unschedulable", words)
    assert rig.events("Preempted") == []


async def test_it_is_the_priority_of_the_group_that_counts(rig):
    await form(rig, 1, priority=1)
    await rig.create(node("n1"))
    await place(rig, low("a", "n1", priority=1))
    await rig.create(member("x", cpu="4", priority=1000))
    await eventually(lambda: word(rig)[0] == "False")
    words = "pod group is unschedulable, No preemption victims found for incoming preemptor"
    assert word(rig)[2] == words


async def test_a_group_that_goes_as_one_goes_wholly_and_late(rig):
    await form(rig, 2, "whole", priority=1, disruptionMode="PodGroup")
    await form(rig, 1, priority=100)
    await rig.create(node("n1"), node("n2"), node("n3"))
    whole = {"schedulingGroup": {"podGroupName": "whole"}}
    await place(rig, low("a", "n1").spec(**whole), low("b", "n2").spec(**whole), low("c", "n3"))
    await rig.create(member("x", cpu="4"))
    await eventually(lambda: rig.events("Preempted"))
    assert [leaves(rig, name) for name in "abc"] == [False, False, True]
    await rig.client.delete(PODS, "default", "c", grace=0)
    await eventually(lambda: rig.node_of("x") == "n3")
    await form(rig, 1, "more", priority=100)
    await rig.create(member("y", cpu="4", group="more"))
    await eventually(lambda: leaves(rig, "a") and leaves(rig, "b"))


async def test_budgets_are_broken_last(rig):
    await form(rig, 1, priority=100)
    await rig.create(node("n1"), node("n2"), budget(0, app="db"))
    await place(rig, low("guarded", "n1", app="db"), low("free", "n2", priority=5))
    await rig.create(member("x", cpu="4"))
    await eventually(lambda: leaves(rig, "free"))
    assert not leaves(rig, "guarded")


async def test_the_group_is_kept_out_until_all_are_on_their_way(rig):
    await form(rig, 1, priority=100)
    await rig.create(node("n1"))
    await place(rig, low("a", "n1", cpu="2"), low("b", "n1", cpu="2"))
    release = hold_deletes(rig)
    await rig.create(member("x", cpu="4"))
    await eventually(lambda: rig.condition("x").get("message"))
    await rig.client.delete(PODS, "default", "a", grace=0)
    words = "waiting for the preemption for this pod group to be finished"
    await eventually(lambda: gate(rig, "x") == ("DefaultPreemption", words))
    release.set()
    await eventually(lambda: leaves(rig, "b"))
    await rig.client.delete(PODS, "default", "b", grace=0)
    await eventually(lambda: rig.node_of("x") == "n1")


@pytest.mark.parametrize(
    ("spec", "more", "words"),
    [
        ({}, {"preemptionPolicy": "Never"}, "not eligible due to preemptionPolicy=Never."),
        (
            {"schedulingConstraints": {"topology": [{"key": "rack"}]}},
            {},
            "workload aware preemption is not supported for pod groups with scheduling constraints",
        ),
    ],
)
async def test_not_every_group_has_room_made(rig, spec, more, words):
    await form(rig, 1, priority=100, **spec)
    await rig.create(node("n1"))
    await place(rig, low("a", "n1"))
    await rig.create(member("x", cpu="4", **more))
    await eventually(lambda: word(rig)[0] == "False")
    assert word(rig)[2] == f"pod group is unschedulable, {words}"
    await asyncio.sleep(5)
    assert not leaves(rig, "a")
