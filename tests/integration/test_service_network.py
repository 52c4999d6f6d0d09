"""Clusters whose Services get other addresses and ports than usual: what the operator says."""

import ipaddress

import pytest

from apimachinery.errors import InternalError, Invalid
from apiserver.registry.core.servicenetwork import ServiceNetwork
from apiserver.watch.hub import WatchHub
from nodes.client import resources
from nodes.client.loopclock import LoopClock
from playground.cluster import Surface
from playground.fleet import Fleet
from playground.secure_server import ClientTrust
from tests.integration.conftest import Lab
from tests.support.builders import obj
from tests.support.eventually import eventually
from tests.support.inline import InlineStorage
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

V4, V6 = "10.50.0.0/24", "fd00:50::/112"


@pytest.fixture
async def lab(sqlite, monkeypatch):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    network = ServiceNetwork((V4, V6), (31000, 31001))
    surface = Surface("https://127.0.0.1:6443", "CA", "admin-token", services=network)
    storage = InlineStorage(clock=LoopClock(), hub=WatchHub, alias=sqlite)
    fleet = Fleet(storage, surface, ClientTrust())
    yield await Lab(await fleet.create("lab", nodes=1, template="bare")).ready()
    await fleet.close()


def service(name, **spec):
    return dict(obj("Service", name, spec={"ports": [{"port": 80}], **spec}))


async def test_both_ranges_are_the_cluster_s_own(lab):
    cidr = await lab.client.get(resources.SERVICECIDRS, "", "kubernetes")
    assert cidr["spec"]["cidrs"] == [V4, V6]
    api = await lab.client.get(resources.SERVICES, "default", "kubernetes")
    assert api["spec"]["clusterIPs"] == ["10.50.0.1"]
    made = await lab.client.create(service("both", ipFamilyPolicy="RequireDualStack"))
    found = [ipaddress.ip_address(text) for text in made["spec"]["clusterIPs"]]
    assert [address in ipaddress.ip_network(V4) for address in found] == [True, False]
    assert found[1] in ipaddress.ip_network(V6)


async def test_node_ports_come_from_the_range_until_it_is_used_up(lab):
    with pytest.raises(Invalid, match="The range of valid ports is 31000-31001"):
        await lab.client.create(
            service("usual", type="NodePort", ports=[{"port": 80, "nodePort": 30000}])
        )
    made = [await lab.client.create(service(name, type="NodePort")) for name in ("a", "b")]
    assert {one["spec"]["ports"][0]["nodePort"] for one in made} == {31000, 31001}
    with pytest.raises(InternalError, match="range is full"):
        await lab.client.create(service("c", type="NodePort"))


async def test_a_service_keeps_its_address_and_gives_it_back(lab):
    made = await lab.client.create(service("s"))
    address = made["spec"]["clusterIP"]
    first = lab.get("ipaddresses.networking.k8s.io", address, "")

    def again():
        found = lab.get("ipaddresses.networking.k8s.io", address, "")
        return found is not None and found["metadata"]["uid"] != first["metadata"]["uid"]

    await lab.client.delete(resources.IPADDRESSES, "", address)
    await eventually(again)
    await eventually(lambda: any("not allocated" in one["message"] for one in lab.all("events")))
    await lab.client.delete(resources.SERVICES, "default", "s")
    await lab.cluster.clock.sleep(100)
    assert lab.get("ipaddresses.networking.k8s.io", address, "") is None
