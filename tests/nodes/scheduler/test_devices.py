"""Structured allocation: which devices claims are given, and which nodes have none for them."""

import pytest

from nodes.scheduler.devices.allocator import Allocator
from nodes.scheduler.devices.inflight import in_flight
from nodes.scheduler.devices.pools import gathered
from nodes.scheduler.devices.requests import AllocationError
from nodes.scheduler.framework import Code
from nodes.scheduler.plugins.dynamic_resources import DynamicResources
from nodes.scheduler.podinfo import PodInfo
from tests.nodes.scheduler.test_plugins import refused, state
from tests.support.builders import node, obj, pod

DRIVER, API = "gpu.example.com", "resource.k8s.io/v1"
UNRESOLVABLE = Code.UNRESOLVABLE


def device(name, *, capacity=None, **attributes):
    values = {
        key: {"bool" if isinstance(v, bool) else "int" if isinstance(v, int) else "string": v}
        for key, v in attributes.items()
    }
    found = {"name": name, "attributes": values}
    return found | (
        {"capacity": {k: {"value": v} for k, v in capacity.items()}} if capacity else {}
    )


def slices(*devices, on="n1", pool="p", generation=1, count=1, name="s", **spec):
    where = {"nodeName": on} if on else {}
    about = {"name": pool, "generation": generation, "resourceSliceCount": count}
    given = {"driver": DRIVER, "pool": about, "devices": list(devices), **where, **spec}
    return obj("ResourceSlice", name, "", API, spec=given)


def device_class(name="gpu", *selectors, **spec):
    cel = [{"cel": {"expression": one}} for one in selectors]
    return obj("DeviceClass", name, "", API, spec={"selectors": cel, **spec})


def asking(name="r", cls="gpu", *selectors, **exactly):
    cel = [{"cel": {"expression": one}} for one in selectors]
    asked = {"deviceClassName": cls, "allocationMode": "ExactCount", "selectors": cel, **exactly}
    if asked["allocationMode"] == "ExactCount":
        asked.setdefault("count", 1)
    return {"name": name, "exactly": asked}


def first_of(name, **alternatives):
    several = [
        {**asking(sub, **asked)["exactly"], "name": sub} for sub, asked in alternatives.items()
    ]
    return {"name": name, "firstAvailable": several}


def claim(*requests, name="c", allocation=None, users=(), **devices):
    built = obj(
        "ResourceClaim",
        name,
        "default",
        API,
        spec={"devices": {"requests": list(requests), **devices}},
    )
    built.meta(uid=f"claim-{name}", resourceVersion="1")
    status = {"allocation": allocation} if allocation else {}
    status |= (
        {"reservedFor": [{"resource": "pods", "name": u, "uid": u} for u in users]} if users else {}
    )
    return built.status(**status) if status else built


def allocated(*claims, given=(), classes=(), taken=(), on="n1", **labels):
    """Return what each claim gets, (request, device) by turns; None where one gets nothing."""
    known = {one["metadata"]["name"]: one for one in classes or (device_class(),)}
    theirs = [one for name in taken for one in result(name)["devices"]["results"]]
    allocator = Allocator(claims, known, gathered(given), theirs)
    found = allocator.allocate(node(on).labels(**labels))
    if found is None:
        return None
    return [
        [(one["request"], one["device"]) for one in each["devices"]["results"]] for each in found
    ]


TWO = slices(device("a", model="x", memory=8), device("b", model="y", memory=16))


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (asking(), ["a"]),
        (asking("r", "gpu", 'device.attributes["gpu.example.com"].model == "y"'), ["b"]),
        (asking("r", "gpu", 'device.attributes["gpu.example.com"].memory > 10'), ["b"]),
        (asking("r", "gpu", 'device.driver == "other"'), None),
        (asking("r", "gpu", '"more" in device.attributes["gpu.example.com"]'), None),
        (asking("r", "gpu", 'has(device.attributes["other.example.com"].more)'), None),
        (asking(count=2), ["a", "b"]),
        (asking(count=3), None),
        (asking(allocationMode="All"), ["a", "b"]),
    ],
)
def test_what_a_request_gets(request_, expected):
    found = allocated(claim(request_), given=[TWO])
    assert found == ([[("r", name) for name in expected]] if expected else None)


def test_classes_select_too():
    fast = device_class("fast", 'device.attributes["gpu.example.com"].model == "y"')
    found = allocated(claim(asking(cls="fast")), given=[TWO], classes=[fast])
    assert found == [[("r", "b")]]


def test_capacities_are_quantities():
    given = [
        slices(device("a", capacity={"memory": "4Gi"}), device("b", capacity={"memory": "1Ti"}))
    ]
    large = 'device.capacity["gpu.example.com"].memory.isGreaterThan(quantity("10Gi"))'
    text = 'device.capacity["gpu.example.com"].memory.compareTo(quantity("10Gi")) > 0'
    for expression in (large, text):
        assert allocated(claim(asking("r", "gpu", expression)), given=given) == [[("r", "b")]]


def test_what_is_taken_is_not_given_again_but_may_be_looked_at():
    assert allocated(claim(asking()), given=[TWO], taken=["a"]) == [[("r", "b")]]
    assert allocated(claim(asking()), given=[TWO], taken=["a", "b"]) is None
    assert allocated(claim(asking(allocationMode="All")), given=[TWO], taken=["a"]) is None
    admin = claim(asking(allocationMode="All", adminAccess=True))
    assert allocated(admin, given=[TWO], taken=["a"]) == [[("r", "a"), ("r", "b")]]
    # What an administrator looks at, others may still have.
    both = [claim(asking(adminAccess=True)), claim(asking(), name="d")]
    assert allocated(*both, given=[TWO]) == [[("r", "a")], [("r", "a")]]


def test_an_earlier_request_makes_way_for_a_later_one():
    only_a = asking("s", "gpu", 'device.attributes["gpu.example.com"].model == "x"')
    assert allocated(claim(asking(), only_a), given=[TWO]) == [[("r", "b"), ("s", "a")]]
    found = allocated(claim(asking()), claim(only_a, name="d"), given=[TWO])
    assert found == [[("r", "b")], [("s", "a")]]


def test_the_first_alternative_that_there_is():
    wanted = first_of("r", large={"count": 3}, small={"count": 2})
    assert allocated(claim(wanted), given=[TWO]) == [[("r/small", "a"), ("r/small", "b")]]
    assert allocated(claim(wanted), given=[TWO], taken=["a"]) is None


def test_devices_that_have_to_agree_or_to_differ():
    given = [
        slices(
            device("a", rack=1), device("b", rack=2), device("c", rack=2), device("plain"), count=1
        )
    ]
    rack = f"{DRIVER}/rack"
    together = claim(asking(count=2), constraints=[{"matchAttribute": rack}])
    assert allocated(together, given=given) == [[("r", "b"), ("r", "c")]]
    apart = claim(asking(count=2), constraints=[{"distinctAttribute": rack}])
    assert allocated(apart, given=given) == [[("r", "a"), ("r", "b")]]
    some = claim(
        asking("r"),
        asking("s"),
        asking("t"),
        constraints=[{"matchAttribute": rack, "requests": ["s", "t"]}],
    )
    assert allocated(some, given=given) == [[("r", "a"), ("s", "b"), ("t", "c")]]


def test_taints_of_devices():
    bad = device("a") | {"taints": [{"key": "broken", "effect": "NoSchedule"}]}
    given = [slices(bad)]
    assert allocated(claim(asking()), given=given) is None
    tolerant = asking(tolerations=[{"key": "broken", "operator": "Exists"}])
    assert allocated(claim(tolerant), given=given) == [[("r", "a")]]


def test_parts_of_a_device_share_its_counters():
    def part(name, amount):
        counters = {"memory": {"value": amount}}
        return device(name) | {"consumesCounters": [{"counterSet": "whole", "counters": counters}]}

    shared = [{"name": "whole", "counters": {"memory": {"value": "10Gi"}}}]
    given = [slices(part("a", "6Gi"), part("b", "6Gi"), part("c", "4Gi"), sharedCounters=shared)]
    assert allocated(claim(asking(count=2)), given=given) == [[("r", "a"), ("r", "c")]]
    assert allocated(claim(asking()), given=given, taken=["a"]) == [[("r", "c")]]


def test_the_newest_generation_counts_once_it_is_whole():
    old, new = slices(device("a")), slices(device("b"), generation=2, name="t")
    assert allocated(claim(asking()), given=[old, new]) == [[("r", "b")]]
    half = slices(device("b"), generation=2, count=2, name="t")
    assert allocated(claim(asking()), given=[old, half]) is None
    with pytest.raises(AllocationError) as error:
        allocated(claim(asking(allocationMode="All")), given=[half])
    assert str(error.value) == (
        "claim default/c, request r: asks for all devices, but resource pool gpu.example.com/p is "
        "currently being updated"
    )


@pytest.mark.parametrize(
    ("where", "fits", "selector"),
    [
        (
            {"on": "n1"},
            True,
            {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]},
        ),
        ({"on": "n2"}, False, None),
        ({"on": "", "allNodes": True}, True, None),
        (
            {
                "on": "",
                "nodeSelector": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["z"]}]}
                    ]
                },
            },
            True,
            {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["z"]}]},
        ),
    ],
)
def test_where_devices_are(where, fits, selector):
    given = [slices(device("a"), **where)]
    allocator = Allocator([claim(asking())], {"gpu": device_class()}, gathered(given), ())
    found = allocator.allocate(node("n1").labels(zone="z"))
    assert bool(found) is fits
    if fits:
        expected = {"nodeSelectorTerms": [selector]} if selector else None
        assert found[0].get("nodeSelector") == expected


def test_what_drivers_are_told():
    opaque = {"opaque": {"driver": DRIVER, "parameters": {"kind": "Of"}}}
    cls = device_class(config=[opaque])
    asked = claim(asking(), config=[{"requests": ["r"], **opaque}])
    (found,) = Allocator([asked], {"gpu": cls}, gathered([TWO]), ()).allocate(node("n1"))
    assert found["devices"]["config"] == [
        {"source": "FromClass", "requests": ["r"], **opaque},
        {"source": "FromClaim", "requests": ["r"], **opaque},
    ]


# The plugin.

NEEDS = {"resourceClaims": [{"name": "x", "resourceClaimName": "c"}]}


def needing(name="p"):
    return pod(name).spec(**NEEDS).meta(uid=name)


def placed(built, **given):
    given = {"deviceclasses": [device_class()], "resourceslices": [TWO], **given}
    return refused(DynamicResources(), built, [node("n1"), node("n2")], **given)


def result(*names, on="n1"):
    results = [{"request": "r", "driver": DRIVER, "pool": "p", "device": name} for name in names]
    match = {"key": "metadata.name", "operator": "In", "values": [on]}
    terms = [{"matchFields": [match]}]
    return {"devices": {"results": results}, "nodeSelector": {"nodeSelectorTerms": terms}}


def test_a_node_without_devices_is_refused():
    why = (UNRESOLVABLE, ("cannot allocate all claims",))
    assert placed(needing(), resourceclaims=[claim(asking())]) == {"n2": why}
    other = claim(asking(), name="d", allocation=result("a", "b"))
    assert placed(needing(), resourceclaims=[claim(asking()), other]) == {"n1": why, "n2": why}


def test_a_claim_with_devices_is_used_where_they_are():
    why = (UNRESOLVABLE, ("resourceclaim not available on the node",))
    here = claim(asking(), allocation=result("a"))
    assert placed(needing(), resourceclaims=[here]) == {"n2": why}
    full = claim(asking(), allocation=result("a"), users=[f"u{i}" for i in range(256)])
    found = placed(needing(), resourceclaims=[full])
    assert found == {"*": (UNRESOLVABLE, ("resourceclaim in use",))}


def test_what_must_be_there_first():
    found = placed(needing(), resourceclaims=[claim(asking(cls="no"))])
    assert found == {"*": (UNRESOLVABLE, ("request r: device class no does not exist",))}
    plugin = DynamicResources()
    waiting = PodInfo.of(
        pod("p").spec(resourceClaims=[{"name": "x", "resourceClaimTemplateName": "t"}])
    )
    readers = state([]).readers
    assert plugin.pre_enqueue(waiting, readers).reasons == (
        'pod "default/p": ResourceClaim not created yet',
    )
    assert not plugin.pre_enqueue(PodInfo.of(needing()), readers).ok
    assert plugin.pre_enqueue(PodInfo.of(pod("p")), readers).ok


def test_a_claim_of_the_template_that_is_anothers():
    made = PodInfo.of(
        pod("p")
        .spec(resourceClaims=[{"name": "x", "resourceClaimTemplateName": "t"}])
        .status(resourceClaimStatuses=[{"name": "x", "resourceClaimName": "c"}])
    )
    readers = state([], resourceclaims=[claim(asking())]).readers
    assert DynamicResources().pre_enqueue(made, readers).reasons == (
        "ResourceClaim default/c was not created for Pod default/p (Pod is not owner)",
    )


def test_where_the_better_alternative_is_left_is_better():
    wanted = first_of("r", large={"count": 2}, small={"count": 1})
    given = {
        "deviceclasses": [device_class()],
        "resourceslices": [TWO, slices(device("c"), on="n2", pool="q", name="t")],
    }
    nodes = [node("n1"), node("n2")]
    for request, expected in ((wanted, [100, 87]), (asking(), None)):
        cycle = state(nodes, resourceclaims=[claim(request)], **given)
        plugin, info = DynamicResources(), PodInfo.of(needing())
        assert plugin.pre_filter(cycle, info).ok
        assert all(plugin.filter(cycle, info, one).ok for one in cycle.nodes)
        if expected is None:
            assert plugin.pre_score(cycle, info, cycle.nodes).code is Code.SKIP
            continue
        assert plugin.pre_score(cycle, info, cycle.nodes).ok
        raw = plugin.scores(cycle, info, cycle.nodes)
        assert raw == [8, 7]
        assert plugin.normalize(cycle, info, raw) == expected


def test_a_broken_selector_is_told_of():
    found = placed(
        needing(), resourceclaims=[claim(asking("r", "gpu", "device.attributes.no.more"))]
    )
    (code, (why,)) = found["n1"]
    assert code is UNRESOLVABLE
    assert why.startswith(
        "claim default/c, request r: selector: CEL runtime error: no such key: more"
    )


def test_devices_that_nobody_reaches_are_taken_back():
    plugin, info = DynamicResources(), PodInfo.of(needing())
    far = claim(asking(), allocation=result("a", on="gone"), users=["p"])
    cycle = state([node("n1")], resourceclaims=[far], deviceclasses=[device_class()])
    assert plugin.pre_filter(cycle, info).ok
    assert not plugin.filter(cycle, info, cycle.nodes[0]).ok
    words, (write,) = plugin.post_filter(cycle, info)
    assert words == "deallocation of ResourceClaim completed"
    assert write.patch == {"status": dict.fromkeys(("allocation", "reservedFor", "devices"), None)}


def test_what_is_being_given_is_not_given_to_others():
    plugin = DynamicResources()
    one = slices(device("a"))
    given = {"deviceclasses": [device_class()], "resourceslices": [one]}
    claims = [claim(asking()), claim(asking(), name="d")]
    cycle = state([node("n1")], resourceclaims=claims, **given)
    first = PodInfo.of(needing())
    assert plugin.pre_filter(cycle, first).ok
    assert plugin.filter(cycle, first, cycle.nodes[0]).ok
    assert plugin.reserve(cycle, first, cycle.nodes[0]).ok
    again = state([node("n1")], resourceclaims=claims, **given)
    again.kept = cycle.kept
    same = plugin.pre_filter(again, PodInfo.of(needing("q")))
    assert same.reasons == ("resource claim default/c is in the process of being allocated",)
    other = pod("o").spec(resourceClaims=[{"name": "x", "resourceClaimName": "d"}])
    assert plugin.pre_filter(again, PodInfo.of(other)).ok
    assert not plugin.filter(again, PodInfo.of(other), again.nodes[0]).ok
    plugin.unreserve(cycle, first, "n1")
    later = state([node("n1")], resourceclaims=claims, **given)
    later.kept = cycle.kept
    assert plugin.pre_filter(later, PodInfo.of(other)).ok
    assert plugin.filter(later, PodInfo.of(other), later.nodes[0]).ok


def test_what_was_given_and_taken_back_meanwhile_is_free():
    plugin = DynamicResources()
    given = {"deviceclasses": [device_class()], "resourceslices": [slices(device("a"))]}
    waiting = claim(asking())
    cycle = state([node("n1")], resourceclaims=[waiting], **given)
    pod_ = PodInfo.of(needing())
    assert plugin.pre_filter(cycle, pod_).ok
    assert plugin.filter(cycle, pod_, cycle.nodes[0]).ok
    assert plugin.reserve(cycle, pod_, cycle.nodes[0]).ok
    flight = in_flight(cycle)["claim-c"]
    flight.written = 2
    # Until the cache shows what was written it counts; then what the cache shows does.
    assert in_flight(cycle)
    again = state([node("n1")], resourceclaims=[waiting.meta(resourceVersion="3")], **given)
    again.kept = cycle.kept
    assert plugin.pre_filter(again, pod_).ok
    assert plugin.filter(again, pod_, again.nodes[0]).ok
