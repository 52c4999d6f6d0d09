"""Services and their IPAddresses: made together, gone together, and nobody else's."""

from __future__ import annotations

import pytest

from apiserver.registry.core.serviceaddresses import missing
from apiserver.registry.core.serviceallocation import open_allocators
from tests.apiserver.endpoints.support import Client, make_api

SERVICES = "/api/v1/namespaces/default/services"
ADDRESSES = "/apis/networking.k8s.io/v1/ipaddresses"
RANGES = "/apis/networking.k8s.io/v1/servicecidrs"


@pytest.fixture
async def client():
    return Client(await make_api())


def service(name="s", **spec):
    ports = [{"port": 80}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"ports": ports, **spec},
    }


async def made(client, body, query=""):
    answer = await client.post(SERVICES + query, body)
    assert answer.status == 201, answer.body
    return answer.json()


async def names(client):
    items = (await client.get(ADDRESSES)).json()["items"]
    return {one["metadata"]["name"] for one in items} - {"10.96.0.1"}


async def test_an_address_comes_and_goes_with_its_service(client):
    address = (await made(client, service()))["spec"]["clusterIP"]
    found = (await client.get(f"{ADDRESSES}/{address}")).json()
    assert found["metadata"]["labels"] == {
        "ipaddress.kubernetes.io/ip-family": "IPv4",
        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
    }
    assert found["spec"]["parentRef"] == {
        "group": "",
        "name": "s",
        "namespace": "default",
        "resource": "services",
    }
    assert found["metadata"]["uid"]
    await client.request("DELETE", f"{SERVICES}/s")
    assert await names(client) == set()


async def test_an_external_name_lets_its_address_go_and_takes_another_one_later(client):
    await made(client, service(clusterIP="10.96.0.9"))
    change = {"spec": {"type": "ExternalName", "externalName": "a.example.com"}}
    patch = {"content-type": "application/merge-patch+json"}
    await client.request("PATCH", f"{SERVICES}/s", change, patch)
    assert await names(client) == set()
    await made(client, service("other", clusterIP="10.96.0.9"))
    change = {"spec": {"type": "ClusterIP", "clusterIP": "10.96.0.9"}}
    answer = await client.request("PATCH", f"{SERVICES}/s", change, patch)
    assert "provided IP is already allocated" in answer.message
    change = {"spec": {"type": "ClusterIP"}}
    answer = await client.request("PATCH", f"{SERVICES}/s", change, patch)
    assert await names(client) == {"10.96.0.9", answer.json()["spec"]["clusterIP"]}


@pytest.mark.parametrize(
    ("body", "query"),
    [
        (service(clusterIP="None"), ""),
        (service(type="ExternalName", externalName="a.example.com"), ""),
        (service(), "?dryRun=All"),
        (service(clusterIP="10.96.0.9"), "?dryRun=All"),
    ],
)
async def test_services_without_an_address_leave_none(client, body, query):
    await made(client, body, query)
    assert await names(client) == set()


async def test_an_address_of_somebody_else_is_taken(client):
    body = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IPAddress",
        "metadata": {"name": "10.96.0.9"},
        "spec": {"parentRef": {"group": "example.com", "resource": "things", "name": "t"}},
    }
    assert (await client.post(ADDRESSES, body)).status == 201
    refused = await client.post(SERVICES, service(clusterIP="10.96.0.9"))
    assert refused.status == 422
    assert "failed to allocate IP 10.96.0.9: provided IP is already allocated" in refused.message
    assert (await client.post(SERVICES, service(clusterIP="10.96.0.10"))).status == 201


async def test_a_node_port_is_free_as_soon_as_its_service_gives_it_up():
    api = await make_api()
    api.registry.allocators = open_allocators([])
    client = Client(api)
    ports = [{"port": 80, "nodePort": 30080}]
    await made(client, service("one", type="NodePort", ports=ports))
    taken = await client.post(SERVICES, service("two", type="NodePort", ports=ports))
    assert taken.message.endswith("provided port is already allocated")
    again = await client.post(SERVICES, service("one", type="NodePort", ports=ports))
    assert again.status == 409
    taken = await client.post(SERVICES, service("two", type="NodePort", ports=ports))
    assert taken.status == 422
    patch = {"content-type": "application/merge-patch+json"}
    change = {"spec": {"type": "ClusterIP"}}
    assert (await client.request("PATCH", f"{SERVICES}/one", change, patch)).status == 200
    await made(client, service("two", type="NodePort", ports=ports))


async def test_a_refused_service_holds_nothing(client):
    await made(client, service("one"))
    taken = (await client.post(SERVICES, service("one", clusterIP="10.96.0.9"))).json()
    assert taken["reason"] == "AlreadyExists"
    await made(client, service("two", clusterIP="10.96.0.9"))


async def test_a_further_range_and_a_second_family(client):
    more = {"kind": "ServiceCIDR", "apiVersion": "networking.k8s.io/v1"}
    more |= {"metadata": {"name": "more"}, "spec": {"cidrs": ["10.200.0.0/24"]}}
    await client.post(RANGES, more)
    await made(client, service("a", clusterIP="10.200.0.9"))
    patch = {"content-type": "application/merge-patch+json"}
    dual = {"spec": {"cidrs": ["10.96.0.0/16", "fd00:10:96::/112"]}}
    assert (await client.request("PATCH", f"{RANGES}/kubernetes", dual, patch)).status == 200
    body = service("b", ipFamilyPolicy="RequireDualStack", ipFamilies=["IPv6", "IPv4"])
    addresses = (await made(client, body))["spec"]["clusterIPs"]
    assert [":" in text for text in addresses] == [True, False]
    assert await names(client) == {"10.200.0.9", *addresses}


async def test_services_from_before_there_were_such_objects_get_them(client):
    await made(client, service(clusterIP="10.96.0.9"))
    await client.request("DELETE", f"{ADDRESSES}/10.96.0.9")
    objects = client.api.objects
    await client.api.registry.restore(missing(objects.list("services"), objects), "me")
    assert await names(client) == {"10.96.0.9"}
    assert missing(objects.list("services"), objects) == []
