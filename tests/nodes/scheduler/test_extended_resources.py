"""Extended resources that devices of a class stand for."""

import pytest

from nodes.scheduler.devices.extended import EXTENDED_CLAIM, class_of, requests_of
from nodes.scheduler.framework import Code
from nodes.scheduler.plugins.balanced_allocation import NodeResourcesBalancedAllocation
from nodes.scheduler.plugins.dynamic_resources import DynamicResources
from nodes.scheduler.plugins.node_resources_fit import NodeResourcesFit
from nodes.scheduler.podinfo import PodInfo
from tests.nodes.scheduler.test_devices import asking, claim, device, device_class, slices
from tests.nodes.scheduler.test_loop import Rig
from tests.nodes.scheduler.test_plugins import Objects, refused, scores, state
from tests.support.builders import node, pod
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

GPU = "example.com/gpu"
IMPLICIT = "deviceclass.resource.kubernetes.io/gpu"
CLASS = device_class(extendedResourceName=GPU)
SLICE = slices(device("a"), device("b"))


def container(name, always=False, **requests):
    asked = {"resources": {"requests": {"cpu": "1", **requests}}} if requests else {}
    return {"name": name, "image": "i", **asked} | ({"restartPolicy": "Always"} if always else {})


def wanting(name="p", count="1", resource=GPU):
    return pod(name).spec(containers=[container("c", **{resource: count})]).meta(uid=name)


def test_the_class_that_stands_for_a_resource():
    older, newer, equal = (
        device_class(name, extendedResourceName=GPU).meta(creationTimestamp=f"2026-01-0{day}")
        for name, day in (("older", 1), ("newer", 2), ("newer-too", 2))
    )
    classes = Objects(older, equal, newer, device_class("gpu"))
    assert class_of(GPU, classes) == "newer"
    assert class_of(IMPLICIT, classes) == "gpu"
    assert class_of("example.com/other", classes) == ""
    assert class_of("deviceclass.resource.kubernetes.io/no", classes) == ""


@pytest.mark.parametrize(
    ("init", "containers", "requests", "mappings"),
    [
        ([], [2], {"container-0-request-1": 2}, ["c0 container-0-request-1"]),
        (
            [],
            [1, 2],
            {"container-0-request-1": 1, "container-1-request-1": 2},
            ["c0 container-0-request-1", "c1 container-1-request-1"],
        ),
        # An init container uses what those after it have.
        (
            [2],
            [1, 0, 2],
            {"container-1-request-1": 1, "container-3-request-1": 2},
            [
                "c1 container-1-request-1",
                "c3 container-3-request-1",
                "c0 container-1-request-1",
                "c0 container-3-request-1",
            ],
        ),
        # What it lacks is asked for besides, once for all of them.
        (
            [2, 4],
            [1],
            {"container-1-request-1": 3, "container-2-request-1": 1},
            [
                "c2 container-2-request-1",
                "c0 container-2-request-1",
                "c0 container-1-request-1",
                "c1 container-2-request-1",
                "c1 container-1-request-1",
            ],
        ),
        # Those before a sidecar may use its devices, those after it may not.
        (
            [1, "sidecar", 1],
            [],
            {"container-1-request-1": 1, "container-2-request-1": 1},
            [
                "c1 container-1-request-1",
                "c0 container-1-request-1",
                "c2 container-2-request-1",
            ],
        ),
    ],
)
def test_which_devices_containers_ask_for(init, containers, requests, mappings):
    def built(at, amount):
        if amount == "sidecar":
            return container(f"c{at}", always=True, **{GPU: "1"})
        return container(f"c{at}", **({GPU: str(amount)} if amount else {}))

    every = [built(at, amount) for at, amount in enumerate([*init, *containers])]
    spec = {"initContainers": every[: len(init)], "containers": every[len(init) :]}
    asked, mapped = requests_of(spec, {GPU: "gpu"})
    assert {one["name"]: one["exactly"]["count"] for one in asked} == requests
    assert {one["exactly"]["deviceClassName"] for one in asked} == {"gpu"}
    assert [f"{one['containerName']} {one['requestName']}" for one in mapped] == mappings


def test_who_judges_a_node():
    nodes = [node("n1"), node("n2"), node("n3").extended(GPU, 1)]
    given = {"deviceclasses": [CLASS], "resourceslices": [SLICE]}
    devices = refused(DynamicResources(), wanting(), nodes, **given)
    assert devices == {"n2": (Code.UNRESOLVABLE, ("cannot allocate all claims",))}
    assert refused(NodeResourcesFit(), wanting(), nodes, **given) == {}
    # A node that has some of its own has to have enough.
    why = (Code.UNRESOLVABLE, (f"Insufficient {GPU}",))
    assert refused(NodeResourcesFit(), wanting(count="2"), nodes, **given) == {"n3": why}
    # Without the class it is a resource like others.
    assert refused(NodeResourcesFit(), wanting(), nodes) == {"n1": why, "n2": why}
    assert refused(DynamicResources(), wanting(), nodes) == {}


def test_nothing_is_made_for_a_node_that_has_the_resource_itself():
    own = node("n3").extended(GPU, 1)
    cycle = state([own], deviceclasses=[CLASS], resourceslices=[SLICE])
    plugin, info = DynamicResources(), PodInfo.of(wanting())
    assert plugin.pre_filter(cycle, info).ok
    assert plugin.filter(cycle, info, cycle.nodes[0]).ok
    assert plugin.reserve(cycle, info, cycle.nodes[0]).ok
    assert cycle.data[plugin.name].chosen == {}


def weighed(plugin, strategy):
    plugin.configure(
        {"scoringStrategy": {"type": strategy, "resources": [{"name": GPU, "weight": 1}]}}
    )
    return plugin


def with_devices(*given):
    """Four devices on n1, two on n2, none on n3, and claims that have some of them."""
    there = slices(*map(device, "abcd")), slices(*map(device, "ab"), on="n2", pool="q", name="t")
    return {"deviceclasses": [CLASS], "resourceslices": list(there), "resourceclaims": list(given)}


def holding(pool, name, **more):
    result = {"driver": "gpu.example.com", "pool": pool, "device": name, "request": "r", **more}
    return claim(asking(), name=f"{pool}-{name}", allocation={"devices": {"results": [result]}})


NODES = [node("n1"), node("n2"), node("n3"), node("own").extended(GPU, 2)]


@pytest.mark.parametrize(
    ("strategy", "given", "expected"),
    [
        ("LeastAllocated", (), {"n1": 75, "n2": 50, "n3": 0, "own": 50}),
        ("MostAllocated", (), {"n1": 25, "n2": 50, "n3": 0, "own": 50}),
        ("LeastAllocated", [("p", "a"), ("q", "b")], {"n1": 50, "n2": 0, "n3": 0, "own": 50}),
        # A device of which somebody has a part; one that an administrator looks at is free.
        ("LeastAllocated", [("p", "a", "shareID")], {"n1": 50, "n2": 50, "n3": 0, "own": 50}),
        ("LeastAllocated", [("p", "a", "adminAccess")], {"n1": 75, "n2": 50, "n3": 0, "own": 50}),
    ],
)
def test_devices_count_where_a_profile_scores_by_their_resource(strategy, given, expected):
    held = [holding(pool, name, **dict.fromkeys(more, True)) for pool, name, *more in given]
    plugin = weighed(NodeResourcesFit(), strategy)
    assert scores(plugin, wanting(), NODES, **with_devices(*held)) == expected


def test_devices_that_are_not_of_the_class_or_not_to_be_judged_count_nothing():
    plugin = weighed(NodeResourcesFit(), "LeastAllocated")
    for expression, expected in (
        ("device.attributes['gpu.example.com'].fast", {"n1": 50, "n2": 0}),
        ("device.attributes['gpu.example.com'].slow", {"n1": 0, "n2": 0}),
    ):
        some = slices(device("a", fast=True), device("b", fast=True), device("c", fast=False))
        chosen = device_class("gpu", expression, extendedResourceName=GPU)
        given = {"deviceclasses": [chosen], "resourceslices": [some]}
        assert scores(plugin, wanting(), NODES[:2], **given) == expected


def test_devices_have_a_share_in_how_evenly_a_node_is_used():
    plugin = NodeResourcesBalancedAllocation()
    plugin.configure({"resources": [{"name": "cpu", "weight": 1}, {"name": GPU, "weight": 1}]})
    even = [node("n1").cpu("4"), node("n2").cpu("4")]
    # One of four CPUs goes together with one of four devices, not with one of two.
    assert scores(plugin, wanting(), even, **with_devices()) == {"n1": 75, "n2": 68}
    held = [holding("p", name) for name in "abc"]
    assert scores(plugin, wanting(), even[:1], **with_devices(*held)) == {"n1": 75}
    assert scores(plugin, wanting(), even, deviceclasses=[]) == {"n1": 75, "n2": 75}


@pytest.fixture
async def rig():
    made = Rig()
    await made.create(node("n1"), SLICE)
    yield made
    made.scheduler.stop()
    await made.tasks.close()


def claims(rig):
    return rig.api.all("resourceclaims")


@VIRTUAL_TIME
@pytest.mark.parametrize("resource", [GPU, IMPLICIT])
async def test_a_pod_gets_a_claim_for_what_it_asks_for(rig, resource):
    await rig.create(wanting(count="2", resource=resource))
    await eventually(lambda: rig.condition("p"))
    assert rig.condition("p")["message"].startswith(
        f"0/1 nodes are available: 1 Insufficient {resource}."
    )
    # A class comes, and what was said of the node holds no longer.
    await rig.create(CLASS)
    await eventually(lambda: rig.node_of("p") == "n1", within=60)
    (made,) = claims(rig)
    assert made["metadata"]["annotations"] == {EXTENDED_CLAIM: "true"}
    assert made["metadata"]["generateName"] == "p-extended-resources-"
    results = made["status"]["allocation"]["devices"]["results"]
    assert [one["device"] for one in results] == ["a", "b"]
    assert [one["uid"] for one in made["status"]["reservedFor"]] == ["p"]
    told = rig.api.need("pods", "p")["status"]["extendedResourceClaimStatus"]
    mapping = {
        "containerName": "c",
        "resourceName": resource,
        "requestName": "container-0-request-1",
    }
    assert told == {"resourceClaimName": made["metadata"]["name"], "requestMappings": [mapping]}


@VIRTUAL_TIME
async def test_devices_are_not_given_twice(rig):
    await rig.create(CLASS, *(wanting(name) for name in ("p", "q", "r")))
    await eventually(lambda: sum(bool(rig.node_of(name)) for name in "pqr") == 2, within=60)
    given = [one["status"]["allocation"]["devices"]["results"] for one in claims(rig)]
    assert sorted(one["device"] for results in given for one in results) == ["a", "b"]


@VIRTUAL_TIME
async def test_a_claim_of_an_attempt_that_failed_makes_way(rig):
    await rig.create(CLASS)
    left = wanting("p")
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "p", "controller": True}
    stale = claim(asking(), name="stale").annotations({EXTENDED_CLAIM: "true"})
    stale["metadata"]["ownerReferences"] = [owner]
    await rig.create(stale, left)
    await eventually(lambda: rig.node_of("p") == "n1", within=60)
    (made,) = claims(rig)
    assert made["metadata"]["name"] != "stale"
