"""Services and IPAddresses have each other, whatever somebody takes away."""

import pytest

from apimachinery.services import ALLOCATOR, FAMILY, MANAGED_BY
from nodes.client.resources import IPADDRESSES, SERVICES

pytestmark = pytest.mark.looptime

LABELS = {FAMILY: "IPv4", MANAGED_BY: ALLOCATOR}
WRONG = "the ClusterIP [IPv4]: 10.96.0.7 for Service default/s has a wrong reference; repairing"
MODIFIED = "appears to have been modified, not referencing a Service"
OTHER = "&ParentReference{Group:x.io,Resource:gateways,Namespace:default,Name:s,}"


def service(name="s", *addresses):
    spec = {"clusterIP": addresses[0], "clusterIPs": list(addresses)} if addresses else {}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"type": "ClusterIP", **spec},
    }


def address(name, of="s", labels=LABELS, **parent):
    parent = {"resource": "services", "namespace": "default", "name": of, **parent}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IPAddress",
        "metadata": {"name": name, "labels": labels},
        "spec": {"parentRef": parent},
    }


@pytest.fixture
async def begun(rig):
    await rig.create(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "ServiceCIDR",
            "metadata": {"name": "kubernetes"},
            "spec": {"cidrs": ["10.96.0.0/16", "fd00::/108"]},
        }
    )
    await rig.run("ipallocator-repair-controller")
    return rig


def told(rig):
    return [(one["reason"], one["message"], one["action"]) for one in rig.api.all("events")]


def held(rig):
    return {
        one["metadata"]["name"]: (one["spec"]["parentRef"]["name"], one["metadata"]["labels"])
        for one in rig.api.all("ipaddresses")
    }


async def test_what_is_right_stays_and_nothing_is_told(begun):
    await begun.create(address("10.96.0.7"), service("s", "10.96.0.7"))
    await begun.create(address("10.97.0.1", "other", labels={}), service("none", "None"))
    await begun.settle(100)
    assert held(begun) == {"10.96.0.7": ("s", LABELS), "10.97.0.1": ("other", {})}
    assert told(begun) == []


async def test_an_address_that_is_deleted_comes_again(begun):
    await begun.create(address("10.96.0.7"), address("fd00::7", labels={**LABELS, FAMILY: "IPv6"}))
    await begun.create(service("s", "10.96.0.7", "fd00::7"))
    await begun.settle(1)
    for name in ("10.96.0.7", "fd00::7"):
        await begun.client.delete(IPADDRESSES, "", name)
    await begun.settle(1)
    assert held(begun) == {
        "10.96.0.7": ("s", LABELS),
        "fd00::7": ("s", {**LABELS, FAMILY: "IPv6"}),
    }
    # What is told of the other one is the same event once more.
    words = "Cluster IP [IPv4]: 10.96.0.7 is not allocated; repairing"
    assert told(begun) == [("ClusterIPNotAllocated", words, "ClusterIPAllocation")]


async def test_a_service_and_its_address_go_together(begun):
    await begun.create(address("10.96.0.7"), service("s", "10.96.0.7"))
    await begun.settle(1)
    await begun.client.delete(IPADDRESSES, "", "10.96.0.7")
    await begun.client.delete(SERVICES, "default", "s")
    await begun.settle(100)
    assert (held(begun), told(begun)) == ({}, [])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (address("10.96.0.7", "gone"), WRONG),
        (address("10.96.0.7", resource="gateways", group="x.io", labels={}), WRONG),
        (address("10.96.0.7", labels={MANAGED_BY: ALLOCATOR}), None),
    ],
)
async def test_a_wrong_reference_is_made_right(begun, wrong, words):
    await begun.create(wrong, service("s", "10.96.0.7"))
    await begun.settle(1)
    assert held(begun) == {"10.96.0.7": ("s", LABELS)}
    said = ("ClusterIPNotAllocated", words, "ClusterIPAllocation")
    assert told(begun) == ([said] if words else [])


async def test_two_services_of_one_address_are_told(begun):
    await begun.create(address("10.96.0.7"), service("s", "10.96.0.7"), service("t", "10.96.0.7"))
    await begun.settle(1)
    assert held(begun) == {"10.96.0.7": ("s", LABELS)}
    words = "Cluster IP [IPv4]:10.96.0.7 was assigned to multiple services; please recreate service"
    assert told(begun) == [("ClusterIPAlreadyAllocated", words, "ClusterIPAllocation")]


@pytest.mark.parametrize("outside", ["10.1.0.7", "10.96.0.0", "10.96.255.255"])
async def test_an_address_of_no_range_is_told(begun, outside):
    await begun.create(service("s", outside))
    await begun.settle(1)
    words = f"Cluster IP [IPv4]: {outside} is not within any configured Service CIDR; "
    said = ("ClusterIPOutOfRange", f"{words}please recreate service", "ClusterIPAllocation")
    assert (held(begun), told(begun)) == ({}, [said])


async def test_what_belongs_to_nobody_goes_after_a_minute(begun):
    await begun.create(address("10.96.0.7", "gone"), address("10.96.0.8", "gone", labels={}))
    await begun.settle(50)
    assert set(held(begun)) == {"10.96.0.7", "10.96.0.8"}
    await begun.settle(15)
    assert set(held(begun)) == {"10.96.0.8"}
    words = "IPAddress: 10.96.0.7 for Service default/gone appears to have leaked: cleaning up"
    assert told(begun) == [("IPAddressNotAllocated", words, "IPAddressAllocation")]


@pytest.mark.parametrize(
    ("wrong", "reason", "words"),
    [
        (
            address("10.96.0.7"),
            "IPAddressWrongReference",
            "IPAddress: 10.96.0.7 for Service default/s has a wrong reference; cleaning up",
        ),
        (
            address("10.96.0.7", resource="gateways", group="x.io"),
            "IPAddressNotAllocated",
            f"IPAddress 10.96.0.7 {MODIFIED} {OTHER}: cleaning up",
        ),
    ],
)
async def test_an_address_with_a_wrong_reference_goes(begun, wrong, reason, words):
    await begun.create(service("s", "10.96.0.9"), address("10.96.0.9"), wrong)
    await begun.settle(1)
    assert set(held(begun)) == {"10.96.0.9"}
    assert (reason, words, "IPAddressAllocation") in told(begun)
