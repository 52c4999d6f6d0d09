"""Why a node's devices do not do."""

import pytest

from nodes.scheduler.devices.allocator import Allocator
from nodes.scheduler.devices.pools import gathered
from nodes.scheduler.plugins.dynamic_resources import DynamicResources
from nodes.scheduler.podinfo import PodInfo
from tests.nodes.scheduler.test_devices import (
    asking,
    claim,
    device,
    device_class,
    needing,
    result,
    slices,
)
from tests.nodes.scheduler.test_plugins import state
from tests.nodes.scheduler.test_shared_devices import shared, wanting
from tests.support.builders import node

BROKEN = {"taints": [{"key": "broken", "effect": "NoSchedule"}]}
USES = {"consumesCounters": [{"counterSet": "no", "counters": {"x": {"value": "1"}}}]}
SEVERAL = [device("a"), device("b"), device("c") | BROKEN, device("d") | USES]


def lacks(*claims, given, taken=()):
    others = [one for name in taken for one in result(name)["devices"]["results"]]
    allocator = Allocator(claims, {"gpu": device_class()}, gathered(given), others)
    found = allocator.lacks(node("n1"))
    return [(one.claim, one.request, one.asked, one.free, one.why) for one in found]


def test_devices_are_counted_by_what_is_wrong_with_them():
    why = {"taken": 1, "tainted": 1, "counters": 1}
    found = lacks(claim(asking(count=2)), given=[slices(*SEVERAL)], taken=["a"])
    assert found == [("c", "r", 2, 1, why)]
    picky = asking("r", "gpu", 'device.driver == "other"')
    assert lacks(claim(picky), given=[slices(device("a"))]) == [("c", "r", 1, 0, {"unselected": 1})]
    assert lacks(claim(asking()), given=[]) == [("c", "r", 1, 0, {})]
    assert lacks(claim(asking()), given=[slices(device("a"), count=2)]) == [
        ("c", "r", 1, 0, {"unfinished": 1})
    ]


@pytest.mark.parametrize(("amount", "why"), [("11", "small"), ("9", "full")])
def test_capacities_that_are_too_small_or_used_up(amount, why):
    theirs = [{"driver": "gpu.example.com", "pool": "p", "device": "a", "shareID": "x"}]
    theirs[0]["consumedCapacity"] = {"memory": "2"}
    pools = gathered([slices(shared("a"))])
    allocator = Allocator([claim(wanting(amount))], {"gpu": device_class()}, pools, theirs)
    (found,) = allocator.lacks(node("n1"))
    assert found.why == {why: 1}


def test_requests_that_are_in_each_others_way():
    found = lacks(claim(asking("r"), asking("s")), given=[slices(device("a"))])
    assert found == [("", "", 0, 0, {})]


def test_it_is_told_of_some_nodes():
    nodes = [node(f"n{i}") for i in range(9)]
    cycle = state(nodes, resourceclaims=[claim(asking())], deviceclasses=[device_class()])
    plugin, info = DynamicResources(), PodInfo.of(needing())
    assert plugin.pre_filter(cycle, info).ok
    assert not any(plugin.filter(cycle, info, one).ok for one in cycle.nodes)
    assert len(cycle.lacks) == 3
