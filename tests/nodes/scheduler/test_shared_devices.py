"""Devices that several claims have at a time, each a part of their capacities."""

import pytest

from nodes.scheduler.devices.allocator import Allocator
from nodes.scheduler.devices.capacities import needed
from nodes.scheduler.devices.pools import gathered
from tests.nodes.scheduler.test_devices import (
    DRIVER,
    asking,
    claim,
    device,
    device_class,
    first_of,
    slices,
)
from tests.support.builders import node


def shared(name="a", value="10", policy=None, **more):
    capacity = {"value": value} | ({"requestPolicy": policy} if policy else {})
    given = {"allowMultipleAllocations": True, "capacity": {"memory": capacity}}
    return device(name, rack=name) | given | more


def wanting(amount=None, name="r", **exactly):
    if amount is not None:
        exactly["capacity"] = {"requests": {"memory": amount}}
    return asking(name, **exactly)


STEPS = {"default": "2", "validRange": {"min": "2", "max": "8", "step": "3"}}
VALUES = {"default": "1Gi", "validValues": ["1Gi", "4Gi"]}
HALVES = {"default": "1", "validRange": {"min": "500m"}}


@pytest.mark.parametrize(
    ("amount", "value", "policy", "used"),
    [
        (None, "10", None, "10"),
        ("3", "10", None, "3"),
        ("11", "10", None, None),
        (None, "10", STEPS, "2"),
        ("1", "10", STEPS, "2"),
        ("3", "10", STEPS, "5"),
        ("5", "10", STEPS, "5"),
        ("6", "10", STEPS, "8"),
        ("9", "20", STEPS, None),  # 11, more than one may have
        (None, "8Gi", VALUES, "1Gi"),
        ("1025Mi", "8Gi", VALUES, "4Gi"),
        ("5Gi", "8Gi", VALUES, None),
        ("100m", "2", HALVES, "500m"),
        ("700m", "2", HALVES, "700m"),
    ],
)
def test_how_much_a_request_uses(amount, value, policy, used):
    found = needed(wanting(amount)["exactly"], shared(value=value, policy=policy))
    assert (found and {name: str(one) for name, one in found.items()}) == (
        used and {"memory": used}
    )


def test_a_device_for_one_claim_has_to_be_large_enough():
    own = device("a", capacity={"memory": "10"})
    assert needed(wanting("10")["exactly"], own) == {}
    assert needed(wanting("11")["exactly"], own) is None
    assert needed({"capacity": {"requests": {"other": "1"}}}, own) is None


def given_to(*claims, given, others=()):
    """Return (device, memory) by turns; None where one claim gets nothing."""
    kept = [
        {"driver": DRIVER, "pool": "p", "device": name, "shareID": f"id-{at}"}
        | {"consumedCapacity": {"memory": amount}}
        for at, (name, amount) in enumerate(others)
    ]
    found = Allocator(claims, {"gpu": device_class()}, gathered([given]), kept).allocate(node("n1"))
    if found is None:
        return None
    results = [one for each in found for one in each["devices"]["results"]]
    ids = [one["shareID"] for one in results]
    assert len(set(ids)) == len(ids)
    return [(one["device"], (one.get("consumedCapacity") or {}).get("memory")) for one in results]


def test_claims_have_a_device_together_until_it_is_used_up():
    two = slices(shared("a"), shared("b"))
    first, second, third = (claim(wanting("6"), name=name) for name in "xyz")
    assert given_to(first, second, given=two) == [("a", "6"), ("b", "6")]
    assert given_to(first, second, third, given=two) is None
    assert given_to(first, given=two, others=[("a", "3"), ("a", "1")]) == [("a", "6")]
    assert given_to(first, given=two, others=[("a", "3"), ("a", "2")]) == [("b", "6")]
    small = [claim(wanting("2"), name=f"s{i}") for i in range(3)]
    assert given_to(*small, given=two) == [("a", "2")] * 3


def test_requests_of_one_claim_share_a_device_unless_they_have_to_differ():
    two = slices(shared("a"), shared("b"))
    both = [wanting("2", "r"), wanting("2", "s")]
    assert given_to(claim(*both), given=two) == [("a", "2"), ("a", "2")]
    apart = claim(*both, constraints=[{"distinctAttribute": f"{DRIVER}/rack"}])
    assert given_to(apart, given=two) == [("a", "2"), ("b", "2")]
    # One request that asks for several never gets the same one twice.
    assert given_to(claim(wanting("2", count=2)), given=two) == [("a", "2"), ("b", "2")]
    assert given_to(claim(wanting("2", count=3)), given=two) is None


def test_a_claim_makes_room_for_another_by_its_next_choice():
    two = slices(shared("a", "10"), shared("b", "4"))
    small, large = claim(wanting("4"), name="x"), claim(wanting("8"), name="y")
    assert given_to(small, large, given=two) == [("b", "4"), ("a", "8")]


def test_the_alternative_for_which_there_is_room():
    def part(amount):
        return {"capacity": {"requests": {"memory": amount}}}

    wanted = claim(first_of("r", large=part("8"), small=part("2")))
    assert given_to(wanted, given=slices(shared()), others=[("a", "7")]) == [("a", "2")]


def test_all_devices_are_those_with_room():
    two = slices(shared("a"), shared("b"))
    every = claim(wanting("4", allocationMode="All"))
    assert given_to(every, given=two) == [("a", "4"), ("b", "4")]
    assert given_to(every, given=two, others=[("a", "8")]) == [("b", "4")]


def test_a_device_that_is_shared_uses_its_counters_once():
    uses = [{"counterSet": "whole", "counters": {"x": {"value": "6"}}}]
    counters = [{"name": "whole", "counters": {"x": {"value": "10"}}}]
    both = [shared(name, consumesCounters=uses) for name in "ab"]
    given = slices(*both, sharedCounters=counters)
    claims = [claim(wanting("4"), name=name) for name in "xyz"]
    assert given_to(*claims[:2], given=given) == [("a", "4"), ("a", "4")]
    assert given_to(*claims, given=given) is None
    assert given_to(claims[0], given=given, others=[("b", "1")]) == [("b", "4")]


def test_a_selector_may_ask_whether_a_device_is_shared():
    own = device("a", capacity={"memory": "10"})
    given = slices(own, shared("b"))
    only = asking("r", "gpu", "device.allowMultipleAllocations")
    assert given_to(claim(only), given=given) == [("b", "10")]
