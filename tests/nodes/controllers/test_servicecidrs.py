"""Ranges of service addresses: ready, protected, and gone once nobody needs them."""

import asyncio

import pytest

from nodes.client.resources import IPADDRESSES, SERVICECIDRS
from nodes.controllers.servicecidr import FINALIZER

pytestmark = pytest.mark.looptime

LABELS = {"ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"}


def servicecidr(name, cidr):
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "ServiceCIDR",
        "metadata": {"name": name},
        "spec": {"cidrs": [cidr]},
    }


def address(name, labels=LABELS):
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IPAddress",
        "metadata": {"name": name, "labels": labels},
        "spec": {"parentRef": {"resource": "services", "namespace": "default", "name": "s"}},
    }


def ready(obj):
    conditions = (obj.get("status") or {}).get("conditions") or ()
    found = [one for one in conditions if one["type"] == "Ready"]
    return (found[0]["status"], found[0]["reason"]) if found else None


async def protected(rig, name):
    def check():
        found = rig.get("servicecidrs", name, "")
        return FINALIZER in (found["metadata"].get("finalizers") or ()) and ready(found)

    assert await rig.until(check) == ("True", "")


async def test_a_range_is_ready_and_goes_when_no_address_needs_it(rig):
    await rig.run("service-cidr-controller")
    await rig.create(servicecidr("more", "10.200.0.0/24"))
    await rig.create(address("10.200.0.7"))
    await protected(rig, "more")
    await rig.client.delete(SERVICECIDRS, "", "more")

    def blocked():
        return ready(rig.get("servicecidrs", "more", "")) == ("False", "Terminating")

    await rig.until(blocked)
    await asyncio.sleep(60)
    assert blocked()
    await rig.client.delete(IPADDRESSES, "", "10.200.0.7")
    await rig.until(lambda: gone(rig, "more"))


def gone(rig, name):
    return rig.get("servicecidrs", name, "") is None


async def test_a_range_stays_a_while_for_requests_under_way(rig):
    await rig.run("service-cidr-controller")
    await rig.create(servicecidr("more", "10.200.0.0/24"))
    await protected(rig, "more")
    await rig.client.delete(SERVICECIDRS, "", "more")
    await asyncio.sleep(8)
    assert rig.get("servicecidrs", "more", "") is not None
    await rig.until(lambda: gone(rig, "more"))


async def test_addresses_that_a_wider_range_has_or_nobody_manages_hold_nothing_up(rig):
    await rig.run("service-cidr-controller")
    cidrs = {"wide": "10.200.0.0/16", "narrow": "10.200.0.0/24", "own": "10.9.0.0/24"}
    for name, cidr in cidrs.items():
        await rig.create(servicecidr(name, cidr))
        await protected(rig, name)
    await rig.create(address("10.200.0.7"))
    await rig.create(address("10.9.0.7", labels={}))
    for name in ("narrow", "own"):
        await rig.client.delete(SERVICECIDRS, "", name)
        await rig.until(lambda name=name: gone(rig, name))
