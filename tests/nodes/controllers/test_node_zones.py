"""Zones of nodes that are not ready: how many are emptied, and how fast."""

import asyncio

import pytest

from apimachinery.nodes import ZONE_LABEL, taints_of
from nodes.client import leases
from nodes.client.resources import NODES
from nodes.controllers.nodelifecycle import zones
from tests.support.builders import node

LIFE = "node-lifecycle-controller"


@pytest.mark.parametrize(
    ("ready", "unready", "state", "rate"),
    [
        (3, 0, zones.State.NORMAL, 0.1),
        (1, 2, zones.State.NORMAL, 0.1),
        (0, 1, zones.State.FULL, 0.1),
        (0, 3, zones.State.FULL, 0.1),
        (2, 3, zones.State.PARTIAL, 0.0),
        (3, 3, zones.State.NORMAL, 0.1),
        (22, 28, zones.State.PARTIAL, 0.0),
        (22, 29, zones.State.PARTIAL, 0.01),
        (0, 0, zones.State.NORMAL, 0.1),
    ],
)
def test_a_zone_stands_as_its_nodes_do(ready, unready, state, rate):
    assert zones.state_of(ready, unready) is state
    assert zones.rate_of(state, ready + unready) == rate


def one(index, zone="a"):
    made = node(f"{zone}{index}")
    made["metadata"]["labels"] = {ZONE_LABEL: zone}
    return made


async def live(rig, *nodes):
    """Create nodes that never fall silent, and the controller."""
    for made in await rig.create(*nodes):
        await rig.create(leases.node_lease(made, rig.clock, simulated=True))
    await rig.run(LIFE)


async def say(rig, name, status):
    conditions = [{"type": "Ready", "status": status, "lastTransitionTime": rig.clock.timestamp()}]
    body = {"status": {"conditions": conditions}}
    await rig.client.patch(NODES, "", name, body, subresource="status")


def driven(rig):
    return sorted(
        found["metadata"]["name"]
        for found in rig.api.all("nodes")
        if any(taint["effect"] == "NoExecute" for taint in taints_of(found))
    )


async def zone_of(rig, count, ill, zone="a"):
    await live(rig, *(one(index, zone) for index in range(count)))
    for index in range(ill):
        await say(rig, f"{zone}{index}", "False")
        await rig.settle()


@pytest.mark.looptime
async def test_a_zone_is_emptied_a_node_in_ten_seconds(rig):
    await zone_of(rig, 7, 3)
    await asyncio.sleep(1)
    assert driven(rig) == ["a0"]
    await asyncio.sleep(10)
    assert driven(rig) == ["a0", "a1"]
    # Who is well again before their turn is passed over; whoever comes later queues.
    await say(rig, "a2", "True")
    await say(rig, "a3", "False")
    await asyncio.sleep(10)
    assert driven(rig) == ["a0", "a1", "a3"]
    assert len(rig.tasks) == 0


@pytest.mark.looptime
async def test_zones_do_not_wait_for_each_other(rig):
    await live(rig, *(one(index, zone) for index in range(3) for zone in "ab"))
    for name in ("a0", "a1", "b0", "b1"):
        await say(rig, name, "False")
    await asyncio.sleep(1)
    assert driven(rig) == ["a0", "b0"]


@pytest.mark.looptime
async def test_a_small_zone_that_is_mostly_ill_is_left_alone(rig):
    await zone_of(rig, 5, 3)
    await asyncio.sleep(1000)
    assert driven(rig) == ["a0"]  # the first was ill before it was the network's fault
    assert len(rig.tasks) == 0
    await say(rig, "a0", "True")
    await asyncio.sleep(11)
    assert driven(rig) == ["a1"]


@pytest.mark.looptime
async def test_a_large_zone_that_is_mostly_ill_goes_on_slowly(rig):
    await live(rig, *(one(index) for index in range(51)))
    for index in range(40):
        await say(rig, f"a{index}", "False")
        await rig.settle(0.1)
    await asyncio.sleep(90)
    assert len(driven(rig)) == 1
    await asyncio.sleep(100)
    assert len(driven(rig)) == 2


@pytest.mark.looptime
async def test_when_no_node_is_left_nobody_is_driven_away(rig):
    await live(rig, one(0), one(1), one(0, "b"))
    await say(rig, "a0", "False")
    await say(rig, "b0", "False")
    await asyncio.sleep(1)
    # One zone is lost and the other is not: its node goes, as usual.
    assert driven(rig) == ["a0", "b0"]
    await say(rig, "a1", "False")
    await asyncio.sleep(1000)
    assert driven(rig) == []
    assert [one["effect"] for one in taints_of(rig.need("nodes", "a0"))] == ["NoSchedule"]
    await say(rig, "a1", "True")
    await asyncio.sleep(11)
    assert driven(rig) == ["a0", "b0"]


@pytest.mark.looptime
async def test_nodes_that_are_not_to_be_counted_are_not(rig):
    excluded = one(0)
    excluded["metadata"]["labels"][zones.EXCLUDED] = ""
    await live(rig, excluded, one(1))
    await say(rig, "a1", "False")
    await asyncio.sleep(100)
    assert driven(rig) == []
