"""A group in one rack: which one, and that those who come later come there too."""

import pytest

from nodes.client.resources import PODGROUPS, PODS
from nodes.scheduler.config.reading import Configuration, ProfileConfig
from nodes.scheduler.podgroup import GroupFeatures
from tests.nodes.scheduler.test_gangs import attempts, group, member, word
from tests.nodes.scheduler.test_loop import Rig
from tests.support.builders import node, pod
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


@pytest.fixture
async def rig():
    made = Rig(groups=GroupFeatures(topology=True))
    yield made
    made.scheduler.stop()
    await made.tasks.close()


async def form(rig, minimum=None, key="rack"):
    made = group(minimum)
    if key:
        made["spec"]["schedulingConstraints"] = {"topology": [{"key": key}]}
    await rig.client.create(made, PODGROUPS)


def racks(**nodes):
    return [node(name).labels(rack=rack) for name, rack in nodes.items()]


def where(rig, names):
    return {rig.node_of(name) for name in names}


async def test_all_stand_in_the_rack_that_takes_enough(rig):
    await form(rig, 3)
    await rig.create(*racks(a1="a", b1="b", b2="b"), node("none"))
    await rig.create(*(member(name, cpu="2") for name in "xyz"))
    await eventually(lambda: where(rig, "xyz") == {"b1", "b2"})
    await eventually(lambda: word(rig) == ("True", "Scheduled", ""))
    last = attempts(rig, "x")[-1]
    assert last.evaluated == 2, "the nodes of the rack alone"


async def test_the_rack_is_better_that_takes_more_and_is_fuller(rig):
    await rig.create(*racks(a1="a", b1="b", b2="b"))
    await rig.create(pod("there").requests(cpu="1").on("b1"))
    await eventually(lambda: rig.scheduler.cache.node("b1").pods)
    # Two of three have room in rack a, all three in b. They are tried once their group is there.
    await rig.create(*(member(name, cpu="2") for name in "xyz"))
    await eventually(lambda: rig.scheduler.queue.depths()["gated"] == 3)
    await form(rig, 1)
    await eventually(lambda: all(rig.node_of(name) for name in "xyz"))
    assert where(rig, "xyz") == {"b1", "b2"}


async def test_who_comes_later_comes_there_or_waits(rig):
    await form(rig, 1)
    await rig.create(*racks(a1="a"), member("x", cpu="3"))
    await eventually(lambda: rig.node_of("x") == "a1")
    await rig.create(*racks(b1="b"), member("y", cpu="3"))
    await eventually(lambda: rig.condition("y").get("message"))
    words = rig.condition("y")["message"]
    assert words.startswith("0/1 nodes are available: 1 Insufficient cpu.")
    assert words.endswith("not eligible due to placement-based pod group scheduling limitation")
    await rig.create(*racks(a2="a"))
    await eventually(lambda: rig.node_of("y") == "a2")


async def test_where_no_rack_takes_enough_nobody_goes(rig):
    await form(rig, 3)
    await rig.create(*racks(a1="a", b1="b"))
    await rig.create(*(member(name, cpu="2") for name in "xyz"))
    await eventually(lambda: word(rig)[0] == "False")
    words = "0/2 placements are available, first placement status: pod group is unschedulable"
    assert word(rig) == ("False", "Unschedulable", words)
    await eventually(lambda: all(rig.condition(name).get("message") for name in "xyz"))
    assert where(rig, "xyz") == {None}
    assert rig.scheduler.cache.node("a1").pods == {}
    await rig.create(*racks(a2="a"))
    await eventually(lambda: where(rig, "xyz") == {"a1", "a2"})


async def test_without_any_rack_it_waits_for_one(rig):
    await form(rig, 2)
    await rig.create(node("n1"), member("x"), member("y"))
    await eventually(lambda: word(rig)[2] == "0/0 placements are available")
    await eventually(lambda: rig.condition("x").get("reason") == "Unschedulable")
    await rig.create(*racks(a1="a"))
    await eventually(lambda: where(rig, "xy") == {"a1"})


async def test_pods_of_the_group_in_two_racks_are_an_error(rig):
    await form(rig, 1)
    await rig.create(*racks(a1="a", b1="b"), member("x").on("a1"), member("y").on("b1"))
    await eventually(lambda: rig.scheduler.cache.node("b1").pods)
    await rig.create(member("z"))
    await eventually(lambda: word(rig)[1] == "SchedulerError")
    assert word(rig)[2] == (
        "cannot determine domain for already scheduled pods: "
        "more than 1 domain found for pod group: a, b"
    )


async def test_groups_that_may_be_anywhere_are(rig):
    await form(rig, 2, key="")
    await rig.create(*racks(a1="a", b1="b"), member("x", cpu="3"), member("y", cpu="3"))
    await eventually(lambda: where(rig, "xy") == {"a1", "b1"})
    await rig.client.delete(PODS, "default", "x", grace=0)


def test_its_plugins_stand_in_their_own_points(rig):
    (profile,) = rig.scheduler.profiles
    points = profile.points()
    assert points["placementGenerate"] == [{"name": "TopologyPlacement"}]
    assert points["placementScore"] == [
        {"name": "NodeResourcesFit", "weight": 1},
        {"name": "PodGroupPodsCount", "weight": 1},
    ]
    enabled = [{"name": "PodGroupPodsCount", "weight": 5}]
    sets = {"placementScore": {"enabled": enabled}}
    rig.scheduler.configure(Configuration((ProfileConfig(plugins=sets),)))
    (profile,) = rig.scheduler.profiles
    assert {"name": "PodGroupPodsCount", "weight": 5} in profile.points()["placementScore"]
