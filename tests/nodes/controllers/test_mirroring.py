"""Endpoints that someone writes by hand, as slices."""

import pytest

from apimachinery.meta import labels_of
from nodes.client.resources import ENDPOINTS, SERVICES
from tests.support.builders import obj, service

pytestmark = pytest.mark.looptime

MC = "endpointslice-mirroring-controller"
PORTS = [{"name": "http", "port": 80, "protocol": "TCP"}]


def endpoints(*addresses, not_ready=()):
    subset = {"addresses": [{"ip": one} for one in addresses], "ports": PORTS}
    subset |= {"notReadyAddresses": [{"ip": one} for one in not_ready]}
    return obj("Endpoints", "s", subsets=[subset]).labels(team="a")


def slices(rig):
    return sorted(rig.api.all("endpointslices"), key=lambda one: one["addressType"])


async def test_endpoints_of_a_service_without_selector_are_mirrored(rig):
    await rig.run(MC)
    await rig.create(service("s"), endpoints("10.0.0.1", "fd00::1", not_ready=["10.0.0.2"]))
    await rig.settle(0.5)
    four, six = slices(rig)
    assert four["endpoints"] == [
        {"addresses": ["10.0.0.1"], "conditions": {"ready": True}},
        {"addresses": ["10.0.0.2"], "conditions": {"ready": False}},
    ]
    assert [one["addresses"] for one in six["endpoints"]] == [["fd00::1"]]
    assert four["ports"] == PORTS
    assert labels_of(four) == {
        "team": "a",
        "kubernetes.io/service-name": "s",
        "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
    }
    assert four["metadata"]["ownerReferences"][0]["kind"] == "Endpoints"


async def test_of_a_subset_the_first_thousand_addresses_are_mirrored(rig):
    await rig.run(MC)
    many = [f"10.0.{one // 250}.{one % 250}" for one in range(1001)]
    await rig.create(service("s"), endpoints("fd00::1", *many, not_ready=["10.9.0.1"]))
    await rig.settle(1)
    assert sum(len(one["endpoints"]) for one in slices(rig)) == 1000
    (event,) = rig.events()
    assert event == (
        "Warning TooManyAddressesToMirror A max of 1000 addresses can be mirrored to EndpointSlices"
        " per Endpoints subset. 3 addresses were skipped"
    )


async def test_a_change_is_taken_over(rig):
    await rig.run(MC)
    await rig.create(service("s"), endpoints("10.0.0.1"))
    await rig.settle(0.5)
    [before] = slices(rig)
    body = {"subsets": endpoints("10.0.0.9")["subsets"]}
    await rig.client.patch(ENDPOINTS, "default", "s", body)
    await rig.settle(0.5)
    [after] = slices(rig)
    assert after["metadata"]["name"] == before["metadata"]["name"]
    assert [one["addresses"] for one in after["endpoints"]] == [["10.0.0.9"]]


@pytest.mark.parametrize("what", ["selector", "label", "leader"])
async def test_what_is_not_mirrored(rig, what):
    await rig.run(MC)
    made = endpoints("10.0.0.1")
    if what == "label":
        made.labels(**{"endpointslice.kubernetes.io/skip-mirror": "true"})
    if what == "leader":
        made.annotations({"control-plane.alpha.kubernetes.io/leader": "x"})
    selector = {"app": "x"} if what == "selector" else {}
    await rig.create(service("s", **selector), made)
    await rig.settle(0.5)
    assert slices(rig) == []


async def test_slices_go_with_the_service(rig):
    await rig.run(MC)
    await rig.create(service("s"), endpoints("10.0.0.1"))
    await rig.settle(0.5)
    await rig.client.delete(SERVICES, "default", "s")
    await rig.settle(0.5)
    assert slices(rig) == []
