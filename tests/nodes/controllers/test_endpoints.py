"""The pods behind a service, as Endpoints and as EndpointSlices."""

import pytest

from apimachinery.errors import InternalError
from apimachinery.meta import name_of
from nodes.client.resources import ENDPOINTS, ENDPOINTSLICES, NODES, PODS, SERVICES
from nodes.controllers.endpoints import subsets_of, truncated
from nodes.controllers.endpointslice.slices import changes, ports_key
from tests.support.builders import START, node, obj, pod, service

pytestmark = pytest.mark.looptime

EP, EPS, GC = "endpoints-controller", "endpointslice-controller", "garbage-collector-controller"


@pytest.fixture
async def rig(rig):
    """Have the node that the pods are on before the controllers run."""
    run = rig.run

    async def run_with_node(*names):
        await rig.create(node("n1"))
        return await run(*names)

    rig.run = run_with_node
    return rig


def backend(name, ip, **labels):
    return pod(name).labels(**(labels or {"app": "x"})).on("n1").ip(ip)


def running(name, ip, **labels):
    return backend(name, ip, **labels).ready()


def slices(rig):
    return rig.api.all("endpointslices")


def addresses(rig):
    return sorted(
        address
        for one in slices(rig)
        for endpoint in one["endpoints"]
        for address in endpoint["addresses"]
    )


async def put_into_zone(rig, name, zone):
    labels = {"metadata": {"labels": {"topology.kubernetes.io/zone": zone}}}
    await rig.client.patch(NODES, "", name, labels)


async def set_status(rig, name, **status):
    await rig.client.patch(PODS, "default", name, {"status": status}, subresource="status")


async def test_a_slice_says_all_of_its_service_and_pods(rig):
    await rig.create(running("a", "10.0.0.1"), backend("b", "10.0.0.2").phase("Running"))
    await rig.run(EPS)
    await put_into_zone(rig, "n1", "a")
    made = await rig.create(service("s", app="x").labels(team="blue"))
    await rig.settle()
    (only,) = slices(rig)
    metadata = only["metadata"]
    assert metadata["name"].startswith("s-")
    assert metadata["labels"] == {
        "team": "blue",
        "kubernetes.io/service-name": "s",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    assert metadata["ownerReferences"] == [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "name": "s",
            "uid": made["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert metadata["annotations"] == {"endpoints.kubernetes.io/last-change-trigger-time": START}
    assert only["addressType"] == "IPv4"
    assert only["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    first, second = only["endpoints"]
    assert first == {
        "addresses": ["10.0.0.1"],
        "conditions": {"ready": True, "serving": True, "terminating": False},
        "targetRef": {
            "kind": "Pod",
            "namespace": "default",
            "name": "a",
            "uid": rig.need("pods", "a")["metadata"]["uid"],
        },
        "nodeName": "n1",
        "zone": "a",
    }
    assert second["conditions"] == {"ready": False, "serving": False, "terminating": False}


async def test_endpoints_say_the_same_in_one_object(rig):
    await rig.create(running("a", "10.0.0.9"), running("b", "10.0.0.10"))
    await rig.create(backend("c", "10.0.0.3").phase("Running"))
    await rig.run(EP)
    await rig.create(service("s", app="x").labels(team="blue"))
    await rig.settle()
    found = rig.need("endpoints", "s")
    assert found["metadata"]["labels"] == {
        "team": "blue",
        "endpoints.kubernetes.io/managed-by": "endpoint-controller",
    }
    (subset,) = found["subsets"]
    assert [one["ip"] for one in subset["addresses"]] == ["10.0.0.9", "10.0.0.10"]
    assert subset["addresses"][0] == {
        "ip": "10.0.0.9",
        "nodeName": "n1",
        "targetRef": {
            "kind": "Pod",
            "namespace": "default",
            "name": "a",
            "uid": rig.need("pods", "a")["metadata"]["uid"],
        },
    }
    assert [one["ip"] for one in subset["notReadyAddresses"]] == ["10.0.0.3"]
    assert subset["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]


async def test_a_headless_service_is_labelled_so(rig):
    await rig.run(EP, EPS)
    await rig.create(running("a", "10.0.0.1"))
    await rig.create(service("s", app="x").spec(clusterIP="None"))
    await rig.settle()
    (only,) = slices(rig)
    assert only["metadata"]["labels"]["service.kubernetes.io/headless"] == ""
    labels = rig.need("endpoints", "s")["metadata"]["labels"]
    assert labels == {
        "endpoints.kubernetes.io/managed-by": "endpoint-controller",
        "service.kubernetes.io/headless": "",
    }


@pytest.mark.parametrize("spec", [{}, {"type": "ExternalName", "externalName": "x.org"}])
async def test_a_service_without_selected_pods_of_its_own_is_left_alone(rig, spec):
    await rig.run(EP, EPS)
    made = service("s", **({"app": "x"} if spec else {})).spec(**spec)
    await rig.create(running("a", "10.0.0.1"), made)
    await rig.settle()
    assert slices(rig) == []
    assert rig.names("endpoints") == []


async def test_without_pods_there_is_one_empty_slice(rig):
    await rig.run(EP, EPS)
    await rig.create(service("s", app="x"))
    await rig.settle(60)
    (only,) = slices(rig)
    assert (only["endpoints"], only["ports"]) == ([], [])
    assert rig.need("endpoints", "s")["subsets"] == []
    await rig.create(running("a", "10.0.0.1"))
    await rig.settle()
    assert addresses(rig) == ["10.0.0.1"]
    assert [name_of(one) for one in slices(rig)] == [name_of(only)]


async def test_what_changes_of_a_pod_shows(rig):
    await rig.run(EP, EPS)
    await rig.create(running("a", "10.0.0.1"), running("b", "10.0.0.2"), service("s", app="x"))
    await rig.settle()
    await rig.client.patch(PODS, "default", "a", {"metadata": {"labels": {"app": "y"}}})
    await rig.settle()
    assert addresses(rig) == ["10.0.0.2"]
    await set_status(rig, "b", conditions=[{"type": "Ready", "status": "False"}])
    await rig.settle()
    assert slices(rig)[0]["endpoints"][0]["conditions"]["ready"] is False
    assert "addresses" not in rig.need("endpoints", "s")["subsets"][0]
    await set_status(rig, "b", phase="Succeeded")
    await rig.settle()
    assert addresses(rig) == []


async def test_a_terminating_pod_serves_in_slices_and_is_gone_from_endpoints(rig):
    await rig.run(EP, EPS)
    await rig.create(running("a", "10.0.0.1"), service("s", app="x"))
    await rig.settle()
    await rig.client.delete(PODS, "default", "a")
    await rig.settle()
    (endpoint,) = slices(rig)[0]["endpoints"]
    assert endpoint["conditions"] == {"ready": False, "serving": True, "terminating": True}
    assert rig.need("endpoints", "s")["subsets"] == []


async def test_a_service_that_publishes_all_calls_all_ready(rig):
    await rig.run(EP, EPS)
    unready = backend("a", "10.0.0.1").phase("Running")
    await rig.create(unready, service("s", app="x").spec(publishNotReadyAddresses=True))
    await rig.settle()
    assert slices(rig)[0]["endpoints"][0]["conditions"]["ready"] is True
    assert [one["ip"] for one in rig.need("endpoints", "s")["subsets"][0]["addresses"]] == [
        "10.0.0.1"
    ]


async def test_a_change_that_does_not_show_writes_nothing(rig):
    await rig.run(EP, EPS)
    await rig.create(running("a", "10.0.0.1"), service("s", app="x"))
    await rig.settle()
    before = len(rig.api.written())
    await rig.client.patch(PODS, "default", "a", {"metadata": {"annotations": {"x": "y"}}})
    await rig.settle(60)
    assert len(rig.api.written()) == before + 1


async def test_named_ports_part_the_pods(rig):
    await rig.run(EP, EPS)
    named = service("s", app="x")
    named["spec"]["ports"][0]["targetPort"] = "web"
    for name, ip, port in (("a", "10.0.0.1", 80), ("b", "10.0.0.2", 81), ("c", "10.0.0.3", 80)):
        ports = [{"name": "web", "containerPort": port, "protocol": "TCP"}]
        await rig.create(running(name, ip).image("i", ports=ports))
    await rig.create(running("none", "10.0.0.4"), named)
    await rig.settle()
    assert sorted(
        ([port["port"] for port in one["ports"]], len(one["endpoints"])) for one in slices(rig)
    ) == [([], 1), ([80], 2), ([81], 1)]
    subsets = rig.need("endpoints", "s")["subsets"]
    assert [(one["ports"][0]["port"], len(one["addresses"])) for one in subsets] == [
        (80, 2),
        (81, 1),
    ]


async def test_two_families_have_slices_each(rig):
    await rig.run(EPS)
    both = running("a", "10.0.0.1").status(podIPs=[{"ip": "10.0.0.1"}, {"ip": "fd00::1"}])
    await rig.create(both, service("s", app="x").spec(ipFamilies=["IPv4", "IPv6"]))
    await rig.settle()
    found = {one["addressType"]: one["endpoints"][0]["addresses"] for one in slices(rig)}
    assert found == {"IPv4": ["10.0.0.1"], "IPv6": ["fd00::1"]}


async def test_a_thousand_pods_fill_slices_of_a_hundred(rig):
    for index in range(250):
        await rig.create(running(f"p{index}", f"10.0.{index // 200}.{index % 200}"))
    await rig.run(EPS)
    await rig.create(service("s", app="x"))
    await rig.settle()
    assert sorted(len(one["endpoints"]) for one in slices(rig)) == [50, 100, 100]


async def test_the_kind_of_a_subdomain_is_said(rig):
    await rig.run(EP, EPS)
    named = running("a", "10.0.0.1").spec(hostname="db-0", subdomain="s")
    await rig.create(named, service("s", app="x").spec(clusterIP="None"))
    await rig.settle()
    assert slices(rig)[0]["endpoints"][0]["hostname"] == "db-0"
    assert rig.need("endpoints", "s")["subsets"][0]["addresses"][0]["hostname"] == "db-0"


async def test_a_deleted_service_takes_both_with_it(rig):
    await rig.run(EP, EPS, GC)
    await rig.create(running("a", "10.0.0.1"), service("s", app="x"))
    await rig.settle()
    await rig.client.delete(SERVICES, "default", "s")
    await rig.until(lambda: slices(rig) == [] and rig.names("endpoints") == [])


async def test_what_somebody_deletes_comes_back(rig):
    await rig.run(EP, EPS)
    await rig.create(running("a", "10.0.0.1"), service("s", app="x"))
    await rig.settle()
    await rig.client.delete(ENDPOINTSLICES, "default", name_of(slices(rig)[0]))
    await rig.client.delete(ENDPOINTS, "default", "s")
    await rig.settle()
    assert addresses(rig) == ["10.0.0.1"]
    assert rig.names("endpoints") == ["s"]


async def test_a_failure_is_said_and_tried_again(rig):
    await rig.run(EP, EPS)
    for account, resource in (
        ("endpoint-controller", "endpoints"),
        ("endpointslice-controller", "endpointslices"),
    ):
        rig.transport_for(rig.account(account)).fail("create", resource, InternalError("broken"))
    await rig.create(running("a", "10.0.0.1"), service("s", app="x"))
    await rig.settle(1)
    assert addresses(rig) == ["10.0.0.1"]
    assert sorted(event.partition("default/s: ")[0] for event in rig.events()) == [
        "Warning FailedToCreateEndpoint Failed to create endpoint for service ",
        "Warning FailedToUpdateEndpointSlices Error updating Endpoint Slices for Service ",
    ]


async def test_a_nodes_zone_and_a_services_labels_follow(rig):
    await rig.create(running("a", "10.0.0.1"))
    await rig.run(EPS)
    await rig.create(service("s", app="x").spec(trafficDistribution="PreferClose"))
    await rig.settle()
    assert "hints" not in slices(rig)[0]["endpoints"][0]
    await put_into_zone(rig, "n1", "b")
    await rig.client.patch(SERVICES, "default", "s", {"metadata": {"labels": {"team": "red"}}})
    await rig.settle()
    (only,) = slices(rig)
    assert only["endpoints"][0]["zone"] == "b"
    assert only["endpoints"][0]["hints"] == {"forZones": [{"name": "b"}]}
    assert only["metadata"]["labels"]["team"] == "red"


async def test_a_pod_whose_node_is_gone_is_left_out_and_said(rig):
    await rig.create(running("a", "10.0.0.1"), running("b", "10.0.0.2").on("n2"))
    await rig.run(EPS)
    await rig.create(
        service("s", app="x"), service("all", app="x").spec(publishNotReadyAddresses=True)
    )
    await rig.settle(1)
    assert addresses(rig) == ["10.0.0.1", "10.0.0.1", "10.0.0.2"]
    (event,) = set(rig.events())
    assert event == (
        "Warning FailedToUpdateEndpointSlices Error updating Endpoint Slices for Service default/s:"
        " skipping Pod b for Service default/s: Node n2 Not Found"
    )


async def test_slices_of_an_earlier_service_go(rig):
    await rig.create(running("a", "10.0.0.1"))
    await rig.run(EPS)
    await rig.create(service("s", app="x"))
    await rig.settle()
    (before,) = slices(rig)
    await rig.client.delete(SERVICES, "default", "s")
    await rig.create(service("s", app="x"))
    await rig.settle()
    (after,) = slices(rig)
    assert name_of(after) != name_of(before)
    assert (
        after["metadata"]["ownerReferences"][0]["uid"]
        == rig.need("services", "s")["metadata"]["uid"]
    )


async def test_zones_get_endpoints_by_the_cpus_of_their_nodes(rig):
    await rig.run(EPS)
    for name, zone, cpu in (("n1", "a", "4"), ("n2", "b", "4")):
        if name != "n1":
            await rig.create(node(name))
        await put_into_zone(rig, name, zone)
        capacity = {"status": {"allocatable": {"cpu": cpu}}}
        await rig.client.patch(NODES, "", name, capacity, subresource="status")
    wish = {"service.kubernetes.io/topology-mode": "Auto"}
    auto = service("s", app="x")
    auto["metadata"]["annotations"] = wish
    await rig.create(running("a", "10.0.0.1"), auto)
    await rig.settle()
    assert hinted(rig) == [None]
    for name, ip in (("b", "10.0.0.2"), ("c", "10.0.0.3"), ("d", "10.0.0.4")):
        await rig.create(running(name, ip))
    await rig.settle(1)
    assert hinted(rig) == ["a", "a", "b", "b"]
    await rig.client.patch(
        SERVICES, "default", "s", {"metadata": {"annotations": dict.fromkeys(wish)}}
    )
    await rig.settle(1)
    assert hinted(rig) == [None] * 4
    said = [event.split(maxsplit=2)[1:] for event in rig.events()]
    assert said[0] == [
        "TopologyAwareHintsDisabled",
        "Insufficient number of endpoints (1 endpoints, 2 zones), addressType: IPv4",
    ]
    assert said[-2:] == [
        ["TopologyAwareHintsEnabled", "Topology Aware Hints has been enabled, addressType: IPv4"],
        ["TopologyAwareHintsDisabled", "Topology Aware Hints has been disabled, addressType: IPv4"],
    ]


def hinted(rig):
    """Return for which zone each endpoint is, None for those that are for all."""
    found = [
        (one.get("hints") or {}).get("forZones", [{}])[0].get("name")
        for slice_ in slices(rig)
        for one in slice_["endpoints"]
    ]
    return sorted(found, key=str)


# The plan of slices, by itself.


PORTS = [{"name": "http", "port": 80, "protocol": "TCP"}]
KEY = ports_key(PORTS)


def ep(index, ready=True):
    return {"addresses": [f"10.0.0.{index}"], "conditions": {"ready": ready}}


def existing(name, endpoints, ports=PORTS):
    built = obj("EndpointSlice", name, api_version="discovery.k8s.io/v1")
    return {**built, "addressType": "IPv4", "ports": ports, "endpoints": endpoints}


def outline(planned):
    return (
        [len(endpoints) for _, endpoints in planned.create],
        [(name_of(one), len(endpoints)) for one, _, endpoints in planned.update],
        [name_of(one) for one in planned.delete],
    )


@pytest.mark.parametrize(
    ("present", "wanted", "expected"),
    [
        pytest.param([], range(3), ([3], [], []), id="the first slice"),
        pytest.param([range(3)], range(3), ([], [], []), id="nothing to do"),
        pytest.param([range(3)], range(4), ([], [("s0", 4)], []), id="room in the one there is"),
        pytest.param([range(100)], range(101), ([1], [], []), id="no room"),
        pytest.param([range(99)], range(102), ([3], [], []), id="never split to fill a gap"),
        pytest.param(
            [range(50), range(50, 140)], range(145), ([], [("s1", 95)], []), id="the fullest"
        ),
        pytest.param(
            [range(100), range(100, 110)],
            [*range(90), *range(100, 120)],
            ([], [("s0", 100)], []),
            id="where something changes anyway",
        ),
        pytest.param([range(3), range(3, 6)], range(3), ([], [], ["s1"]), id="an empty one goes"),
        pytest.param([range(3)], [], ([], [("s0", 0)], []), id="the last one stays, empty"),
        pytest.param([], range(250), ([100, 100, 50], [], []), id="several at once"),
    ],
)
def test_plan(present, wanted, expected):
    slices_ = [existing(f"s{i}", [ep(n) for n in part]) for i, part in enumerate(present)]
    endpoints = [ep(n) for n in wanted]
    planned = changes(slices_, {KEY: (PORTS, endpoints)} if endpoints else {})
    assert outline(planned) == expected


def test_a_changed_endpoint_changes_its_slice_alone():
    slices_ = [existing("s0", [ep(0)]), existing("s1", [ep(1)])]
    planned = changes(slices_, {KEY: (PORTS, [ep(0), ep(1, ready=False)])})
    assert outline(planned) == ([], [("s1", 1)], [])


def test_new_ports_take_over_the_old_slice():
    ports = [{**PORTS[0], "port": 81}]
    planned = changes([existing("s0", [ep(0)])], {ports_key(ports): (ports, [ep(0)])})
    assert outline(planned) == ([], [("s0", 1)], [])
    assert planned.update[0][1] == ports


def test_beyond_a_thousand_endpoints_are_cut_ready_ones_last():
    def subset(ready, unready):
        return {
            "addresses": [{"ip": str(n)} for n in range(ready)],
            "notReadyAddresses": [{"ip": str(n)} for n in range(unready)],
        }

    def sizes(subsets):
        return [
            (len(one.get("addresses", ())), len(one.get("notReadyAddresses", ())))
            for one in subsets
        ]

    assert sizes(truncated([subset(900, 300)])) == [(900, 100)]
    assert sizes(truncated([subset(1200, 5)])) == [(1000, 0)]
    assert sizes(truncated([subset(900, 10), subset(300, 10)])) == [(750, 0), (250, 0)]


def test_pods_of_the_other_family_are_no_endpoints():
    assert subsets_of(service("s", app="x"), [running("a", "fd00::1").meta(uid="u")]) == []
