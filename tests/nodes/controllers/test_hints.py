"""For which zone or node an endpoint is: the sums by themselves."""

import pytest

from nodes.controllers.endpointslice.hints import (
    CannotHint,
    allocate,
    allocations,
    is_overloaded,
    prefer_near,
    shares_of,
)
from tests.support.builders import node, service


def end(zone="", *, ready=True, hint="", on=""):
    made = {"addresses": ["10.0.0.1"], "conditions": {"ready": ready}}
    if zone:
        made["zone"] = zone
    if on:
        made["nodeName"] = on
    if hint:
        made["hints"] = {"forZones": [{"name": hint}]}
    return made


def zones(endpoints):
    return "".join(
        (one.get("hints") or {}).get("forZones", [{}])[0].get("name", "-") for one in endpoints
    )


@pytest.mark.parametrize(
    ("wish", "endpoint", "hints"),
    [
        ("PreferSameZone", end("a", on="n"), {"forZones": [{"name": "a"}]}),
        ("PreferClose", end("a", on="n"), {"forZones": [{"name": "a"}]}),
        ("PreferSameZone", end(on="n"), None),
        ("PreferSameNode", end(on="n"), {"forNodes": [{"name": "n"}]}),
        (
            "PreferSameNode",
            end("a", on="n"),
            {"forZones": [{"name": "a"}], "forNodes": [{"name": "n"}]},
        ),
        ("PreferSameZone", end("a", ready=False), None),
        (None, end("a"), None),
    ],
)
def test_each_endpoint_is_for_what_is_near(wish, endpoint, hints):
    prefer_near(service("s").spec(trafficDistribution=wish), [endpoint, end()])
    assert endpoint.get("hints") == hints


def zoned(name, zone, cpu, ready="True", **labels):
    made = node(name)
    made["metadata"]["labels"] |= {"topology.kubernetes.io/zone": zone, **labels}
    made["status"] = {
        "conditions": [{"type": "Ready", "status": ready}],
        "allocatable": {"cpu": cpu},
    }
    return made


CONTROL = {"node-role.kubernetes.io/control-plane": ""}


@pytest.mark.parametrize(
    ("nodes", "shares"),
    [
        ([zoned("1", "a", "2"), zoned("2", "b", "6")], {"a": 0.25, "b": 0.75}),
        ([zoned("1", "a", "2"), zoned("2", "a", "6")], None),
        ([zoned("1", "a", "2"), zoned("2", "b", "6"), zoned("3", "", "1")], None),
        (
            [zoned("1", "a", "2"), zoned("2", "b", "2"), zoned("3", "", "1", **CONTROL)],
            {"a": 0.5, "b": 0.5},
        ),
        (
            [zoned("1", "a", "2"), zoned("2", "b", "2"), zoned("3", "c", "1", "False")],
            {"a": 0.5, "b": 0.5},
        ),
    ],
)
def test_a_zones_share_is_that_of_its_nodes_cpus(nodes, shares):
    assert shares_of(nodes) == shares


@pytest.mark.parametrize(
    ("shares", "count", "why"),
    [
        (None, 4, "Insufficient Node information: allocatable CPU or zone not specified on one or"),
        ({"a": 0.5, "b": 0.5}, 1, r"Insufficient number of endpoints \(1 endpoints, 2 zones\)"),
        ({"a": 0.5, "b": 0.5}, 3, r"Unable to allocate minimum .* \(3 endpoints, 2 zones\)"),
    ],
)
def test_what_cannot_be_divided(shares, count, why):
    with pytest.raises(CannotHint, match=why):
        allocations(shares, count)


HALVES = {"a": 0.5, "b": 0.5}


@pytest.mark.parametrize(
    ("written", "left", "given", "touched"),
    [
        # One of four in zone a goes to b, so that both have their share.
        ([end("a"), end("a"), end("a"), end("b")], [], "baab", []),
        ([end("a"), end("b"), end("b", ready=False)], [], "ab-", []),
        # What is well stays, and what is not is written too.
        ([end("a"), end("b")], [end("a", hint="a"), end("a", hint="b")], "abab", []),
        ([end("a"), end("b")], [end("a"), end("b", hint="b")], "abab", [0]),
        ([end("a"), end("b")], [end("a", hint="x"), end("b", hint="b")], "abab", [0]),
    ],
)
def test_zones_are_served_by_their_share(written, left, given, touched):
    _, found = allocate([written], [left] if left else [], HALVES)
    assert (zones([*written, *left]), found) == (given, touched)


def test_an_endpoint_without_a_zone_ends_it():
    with pytest.raises(CannotHint, match="do not have a zone"):
        allocate([[end("a"), end(), end("b"), end("b")]], [], HALVES)


@pytest.mark.parametrize(
    ("counts", "shares", "overloaded"),
    [
        ({"a": 2, "b": 2}, HALVES, False),
        ({"a": 3, "b": 1}, HALVES, True),
        ({"a": 4}, HALVES, True),
        ({"a": 4}, None, True),
        ({}, HALVES, False),
    ],
)
def test_a_zone_with_too_few_is_overloaded(counts, shares, overloaded):
    assert is_overloaded(counts, shares) is overloaded
