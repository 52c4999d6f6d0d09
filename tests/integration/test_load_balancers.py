"""Services of type LoadBalancer: their address, that it serves, and that it is given back."""

import pytest

from nodes.client.resources import CONFIGMAPS, INGRESSES, SERVICES
from nodes.controllers.gateway.controller import CLASSES, CONTROLLER, GATEWAYS
from tests.integration.conftest import Lab, deployment, service
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

FINALIZER = "service.kubernetes.io/load-balancer-cleanup"
DELETED = "Deleted load balancer"
POOL = "load-balancer-addresses"


@pytest.fixture
async def lab(fleet):
    cluster = await fleet.create("lab", nodes=2, template="bare", features=("loadbalancer",))
    return await Lab(cluster).ready()


def balanced(name="web", **spec):
    made = service(name)
    made["spec"] |= {"type": "LoadBalancer", **spec}
    return made


def ingress(lab, name="web"):
    return lab.get("services", name)["status"].get("loadBalancer", {}).get("ingress")


async def address(lab, name="web"):
    (given,) = await eventually(lambda: ingress(lab, name))
    return given["ip"]


def told(lab, name="web"):
    about = {"kind": "Service", "name": name}
    events = [e for e in lab.all("events") if about.items() <= e["involvedObject"].items()]
    return [(e["type"], e["reason"], e["message"]) for e in events]


async def test_a_service_gets_an_address_that_serves(lab):
    await lab.client.create(deployment(replicas=2))
    await lab.available(replicas=2)
    await lab.client.create(balanced())
    given = await address(lab)
    assert ingress(lab) == [{"ip": "172.18.255.1", "ipMode": "VIP"}]
    assert lab.get("services", "web")["metadata"]["finalizers"] == [FINALIZER]
    pod = lab.pods()[0]["metadata"]["name"]

    # kube-proxy hears of the address a moment later.
    await lab.cluster.clock.sleep(2)
    assert "Welcome to nginx" in await lab.exec(pod, "curl", "-s", f"http://{given}/")
    await eventually(lambda: len(told(lab)) == 2)
    assert told(lab) == [
        ("Normal", "EnsuringLoadBalancer", "Ensuring load balancer"),
        ("Normal", "EnsuredLoadBalancer", "Ensured load balancer"),
    ]


async def test_each_has_its_own_and_gives_it_back(lab):
    for name in ("one", "two"):
        await lab.client.create(balanced(name))
    first, second = await address(lab, "one"), await address(lab, "two")
    assert {first, second} == {"172.18.255.1", "172.18.255.2"}
    await lab.client.delete(SERVICES, "default", "one")
    await eventually(lambda: lab.get("services", "one") is None)
    assert ("Normal", "DeletedLoadBalancer", DELETED) in told(lab, "one")
    await lab.client.create(balanced("three"))
    assert await address(lab, "three") == first


async def test_another_type_gives_it_back_too(lab):
    await lab.client.create(balanced())
    await address(lab)
    change = {"spec": {"type": "ClusterIP"}}
    await lab.client.patch(SERVICES, "default", "web", change)
    await eventually(lambda: not ingress(lab))
    await eventually(
        lambda: FINALIZER not in lab.get("services", "web")["metadata"].get("finalizers", ())
    )
    await eventually(lambda: told(lab)[-1] == ("Normal", "DeletedLoadBalancer", DELETED))
    await lab.client.patch(SERVICES, "default", "web", {"spec": {"type": "LoadBalancer"}})
    await address(lab)


async def test_an_address_that_is_asked_for(lab):
    await lab.client.create(balanced("one", loadBalancerIP="172.18.255.77"))
    assert await address(lab, "one") == "172.18.255.77"
    await lab.client.create(balanced("two", loadBalancerIP="172.18.255.77"))
    await lab.client.create(balanced("far", loadBalancerIP="203.0.113.1"))
    failed = "Error syncing load balancer: failed to ensure load balancer: "
    await eventually(
        lambda: (
            ("Warning", "SyncLoadBalancerFailed", f"{failed}172.18.255.77 is in use")
            in told(lab, "two")
        )
    )
    why = "203.0.113.1 is not among the addresses of the load balancer"
    await eventually(
        lambda: ("Warning", "SyncLoadBalancerFailed", f"{failed}{why}") in told(lab, "far")
    )
    await lab.client.delete(SERVICES, "default", "one")
    assert await address(lab, "two") == "172.18.255.77"


async def test_what_is_for_somebody_else_is_left_alone(lab):
    await lab.client.create(balanced("other", loadBalancerClass="example.com/own"))
    await lab.client.create(balanced("mine"))
    await address(lab, "mine")
    assert ingress(lab, "other") is None
    assert not told(lab, "other")


async def test_the_addresses_may_be_others(lab):
    body = {"data": {"addresses": "nonsense, 192.0.2.7, 192.0.2.9-192.0.2.10"}}
    await lab.client.patch(CONFIGMAPS, "kube-system", POOL, body)
    names = ("one", "two", "three", "four")
    for name in names:
        await lab.client.create(balanced(name))
    await eventually(lambda: sum(1 for name in names if ingress(lab, name)) == 3)
    given = {ingress(lab, name)[0]["ip"] for name in names if ingress(lab, name)}
    assert given == {"192.0.2.7", "192.0.2.9", "192.0.2.10"}
    (left,) = [name for name in names if not ingress(lab, name)]
    await eventually(
        lambda: any("no address is left" in message for *_, message in told(lab, left))
    )


async def test_without_a_cloud_services_wait(fleet):
    lab = await Lab(await fleet.create("plain", nodes=1, template="bare")).ready()
    await lab.client.create(balanced())
    await lab.quiet()
    assert ingress(lab) is None
    assert "finalizers" not in lab.get("services", "web")["metadata"]
    pool = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"addresses": "192.0.2.7"}}
    await lab.client.create({**pool, "metadata": {"name": POOL, "namespace": "kube-system"}})
    assert await address(lab) == "192.0.2.7"


async def test_ingresses_of_the_class_share_an_address_that_no_service_gets(fleet):
    made = await fleet.create(
        "doors", nodes=1, template="bare", features=("loadbalancer", "ingress")
    )
    lab = await Lab(made).ready()

    def door(name, **spec):
        backend = {"service": {"name": "web", "port": {"number": 80}}}
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"defaultBackend": backend, **spec},
        }

    def given(name):
        status = lab.get("ingresses.networking.k8s.io", name)["status"]
        return status["loadBalancer"].get("ingress")

    await lab.client.create(door("one"))
    await lab.client.create(door("two"))
    await lab.client.create(door("other", ingressClassName="somebody-elses"))
    last = "172.18.255.250"
    await eventually(lambda: given("one") == given("two") == [{"ip": last}])
    assert given("other") is None
    words = "Scheduled for sync"
    await eventually(lambda: words in {e["message"] for e in lab.all("events")})
    await lab.client.create(balanced(loadBalancerIP=last))
    await eventually(lambda: f"{last} is in use" in str(told(lab)))
    # Another class has its own address, if any.
    body = {"spec": {"ingressClassName": "somebody-elses"}}
    await lab.client.patch(INGRESSES, "default", "two", body)
    await eventually(lambda: given("two") is None)


async def test_a_gateway_is_programmed_where_its_kinds_are_installed(fleet):
    made = await fleet.create("gates", nodes=1, template="bare", features=("ingress",))
    lab = await Lab(made).ready()
    for res in (CLASSES, GATEWAYS):
        free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        version = {
            "name": "v1",
            "served": True,
            "storage": True,
            "schema": {"openAPIV3Schema": free},
            "subresources": {"status": {}},
        }
        definition = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {
                "name": f"{res.plural}.{res.group}",
                "annotations": {"api-approved.kubernetes.io": "https://example.com"},
            },
            "spec": {
                "group": res.group,
                "names": {"plural": res.plural, "kind": res.kind},
                "scope": "Namespaced" if res.namespaced else "Cluster",
                "versions": [version],
            },
        }
        await lab.client.create(definition)

    def form(res, name, **spec):
        namespace = {"namespace": "default"} if res.namespaced else {}
        return {
            "apiVersion": res.api_version,
            "kind": res.kind,
            "metadata": {"name": name} | namespace,
            "spec": spec,
        }

    await lab.client.create(form(CLASSES, "ours", controllerName=CONTROLLER), CLASSES)
    listener = {"name": "http", "protocol": "HTTP", "port": 80}
    door = form(GATEWAYS, "door", gatewayClassName="ours", listeners=[listener])
    await lab.client.create(door, GATEWAYS)

    async def programmed():
        status = (await lab.client.get(GATEWAYS, "default", "door")).get("status") or {}
        return {(c["type"], c["status"]) for c in status.get("conditions") or ()}

    for _ in range(50):
        if await programmed():
            break
        await lab.cluster.clock.sleep(0.2)
    assert await programmed() == {("Accepted", "True"), ("Programmed", "True")}
