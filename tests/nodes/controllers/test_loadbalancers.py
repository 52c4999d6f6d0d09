"""Load balancers: ensured again as their Service changes, told of nodes that come and go."""

import asyncio
from itertools import pairwise

import pytest

from nodes.client.resources import NODES, SERVICES
from nodes.controllers.servicelb import FINALIZER

pytestmark = pytest.mark.looptime

EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
ENSURED = [
    "Normal EnsuringLoadBalancer Ensuring load balancer",
    "Normal EnsuredLoadBalancer Ensured load balancer",
]
UPDATED = ["Normal UpdatedLoadBalancer Updated load balancer with new hosts"]
NOWHERE = ["Warning UnAvailableLoadBalancer There are no available nodes for LoadBalancer"]


def node(name, **spec):
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": spec}


def service(name="web", **spec):
    port = {"name": "http", "protocol": "TCP", "port": 80, "targetPort": 80}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        # Real API servers let the controller set it by way of the status, the fake one does not.
        "metadata": {"name": name, "namespace": "default", "finalizers": [FINALIZER]},
        "spec": {"type": "LoadBalancer", "ports": [port], **spec},
    }


def pool(addresses):
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "load-balancer-addresses", "namespace": "kube-system"},
        "data": {"addresses": addresses},
    }


async def cloud(rig):
    """Let a Service have its load balancer, in a cluster of two nodes."""
    await rig.create(node("n1"), node("n2"), pool("192.0.2.1"), service())
    await rig.run("service-lb-controller")
    await rig.settle(5)
    assert rig.need("services", "web")["status"]["loadBalancer"]["ingress"][0]["ip"] == "192.0.2.1"
    assert rig.events() == ENSURED


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"spec": {"sessionAffinity": "ClientIP"}}, True),
        ({"spec": {"loadBalancerSourceRanges": ["10.0.0.0/8"]}}, True),
        ({"spec": {"externalTrafficPolicy": "Local"}}, True),
        ({"spec": {"ports": [{"name": "http", "protocol": "TCP", "port": 81}]}}, True),
        ({"spec": {"ipFamilies": ["IPv4", "IPv6"]}}, True),
        ({"metadata": {"annotations": {"example.com/kind": "nlb"}}}, True),
        ({"metadata": {"labels": {"app": "web"}}}, False),
        ({"spec": {"selector": {"app": "web"}}}, False),
        ({"spec": {"internalTrafficPolicy": "Local"}}, False),
    ],
)
async def test_what_concerns_the_load_balancer_ensures_it_again(rig, change, again):
    await cloud(rig)
    await rig.client.patch(SERVICES, "default", "web", change)
    await rig.settle(5)
    seen = rig.api.all("events")
    assert [e["reason"] for e in seen] == ["EnsuringLoadBalancer", "EnsuredLoadBalancer"]
    assert {e.get("count", 1) for e in seen} == {1 + again}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"spec": {"providerID": "cloud://1"}}, UPDATED),
        ({"metadata": {"labels": {EXCLUDED: ""}}}, UPDATED),
        ({"metadata": {"labels": {EXCLUDED: "true"}}}, UPDATED),
        ({"metadata": {"labels": {EXCLUDED: "false"}}}, []),
        ({"metadata": {"labels": {"zone": "z"}}}, []),
        ({"spec": {"unschedulable": True}}, []),
        # It counts once there is another reason to look.
        ({"spec": {"taints": [{"key": "ToBeDeletedByClusterAutoscaler"}]}}, []),
        ({"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}, []),
    ],
)
async def test_other_nodes_are_told(rig, change, told):
    await cloud(rig)
    await rig.client.patch(NODES, "", "n1", change)
    await rig.settle(5)
    assert rig.events() == [*ENSURED, *told]


async def test_nodes_that_come_and_go(rig):
    await cloud(rig)
    await rig.create(node("n3"))
    await rig.settle(5)
    assert rig.events() == ENSURED + UPDATED
    for name in ("n1", "n2", "n3"):
        await rig.client.delete(NODES, "", name)
    await rig.settle(5)
    assert rig.events() == ENSURED + UPDATED + NOWHERE


async def test_who_gets_no_address_asks_less_and_less_often(rig):
    await cloud(rig)
    await rig.create(service("other"))
    counted = {}
    for _ in range(700):
        await asyncio.sleep(1)
        for event in rig.api.all("events"):
            if event["reason"] == "SyncLoadBalancerFailed":
                counted.setdefault(event.get("count", 1), rig.clock.seconds())
    times = list(counted.values())
    waits = [round(b - a) for a, b in pairwise(times)]
    assert waits == [5, 10, 20, 40, 80, 160, 300]
