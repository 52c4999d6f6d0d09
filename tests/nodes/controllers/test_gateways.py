"""Gateways and routes: their conditions, where their kinds are installed."""

import pytest

from nodes.controllers.gateway import routes
from nodes.controllers.gateway.controller import CLASSES, CONTROLLER, GATEWAYS, GROUP, ROUTES
from tests.support.builders import node, obj, service

GATEWAY = "simulated-gateway-controller"
V1 = f"{GROUP}/v1"


def listener(name="http", **more):
    return {"name": name, "protocol": "HTTP", "port": 80, **more}


def gateway(*listeners, cls="ours"):
    spec = {"gatewayClassName": cls, "listeners": list(listeners) or [listener()]}
    return obj("Gateway", "door", api_version=V1, spec=spec)


def route(name="r", namespace="default", backend="web", hosts=(), **parent):
    spec = {
        "parentRefs": [{"name": "door", **parent}],
        "hostnames": list(hosts),
        "rules": [{"backendRefs": [{"name": backend, "port": 80}]}],
    }
    return obj("HTTPRoute", name, namespace, V1, spec=spec)


@pytest.mark.parametrize(
    ("listeners", "made", "reason"),
    [
        ([listener()], route(), "Accepted"),
        ([listener()], route(sectionName="http"), "Accepted"),
        ([listener()], route(sectionName="https"), "NoMatchingParent"),
        ([listener()], route(port=81), "NoMatchingParent"),
        ([listener()], route(namespace="far"), "NotAllowedByListeners"),
        (
            [listener(allowedRoutes={"namespaces": {"from": "All"}})],
            route(namespace="far"),
            "Accepted",
        ),
        ([listener(hostname="*.example.com")], route(hosts=["a.example.com"]), "Accepted"),
        ([listener(hostname="a.example.com")], route(hosts=["*.example.com"]), "Accepted"),
        (
            [listener(hostname="*.example.com")],
            route(hosts=["example.org"]),
            "NoMatchingListenerHostname",
        ),
    ],
)
def test_which_listener_takes_a_route(listeners, made, reason):
    fact = routes.accepted(made, made["spec"]["parentRefs"][0], gateway(*listeners))
    assert (fact.reason, fact.holds) == (reason, reason == "Accepted")


async def install(rig):
    rig.resources += [CLASSES, GATEWAYS, ROUTES]
    for one in (CLASSES, GATEWAYS, ROUTES):
        definition = obj(
            "CustomResourceDefinition", f"{one.plural}.{GROUP}", "", "apiextensions.k8s.io/v1"
        )
        await rig.create(definition)
    ours = obj("GatewayClass", "ours", "", V1, spec={"controllerName": CONTROLLER})
    others = obj("GatewayClass", "other", "", V1, spec={"controllerName": "example.com/other"})
    await rig.client.create(ours, CLASSES)
    await rig.client.create(others, CLASSES)


def said(status):
    return {one["type"]: (one["status"], one["reason"]) for one in status["conditions"]}


@pytest.mark.looptime
async def test_what_is_installed_later_is_followed(rig):
    machine = node("n1").status(addresses=[{"type": "InternalIP", "address": "172.18.0.2"}])
    await rig.create(machine)
    await rig.run(GATEWAY)
    await install(rig)
    await rig.client.create(gateway(), GATEWAYS)
    await rig.client.create(route(), ROUTES)
    await rig.settle(1)
    assert said(rig.need("gatewayclasses", "ours")["status"]) == {"Accepted": ("True", "Accepted")}
    assert "status" not in rig.need("gatewayclasses", "other")
    status = rig.need("gateways", "door")["status"]
    assert status["addresses"] == [{"type": "IPAddress", "value": "172.18.0.2"}]
    assert said(status) == {"Accepted": ("True", "Accepted"), "Programmed": ("True", "Programmed")}
    (heard,) = status["listeners"]
    assert heard["attachedRoutes"] == 1
    assert heard["supportedKinds"] == [{"group": GROUP, "kind": "HTTPRoute"}]
    (parent,) = rig.need("httproutes", "r")["status"]["parents"]
    assert parent["controllerName"] == CONTROLLER
    assert said(parent) == {
        "Accepted": ("True", "Accepted"),
        "ResolvedRefs": ("False", "BackendNotFound"),
    }
    await rig.create(service("web", app="x"))
    await rig.settle(1)
    (parent,) = rig.need("httproutes", "r")["status"]["parents"]
    assert said(parent)["ResolvedRefs"] == ("True", "ResolvedRefs")
    # Nothing is said again.
    before = len(rig.api.written())
    await rig.settle(60)
    assert len(rig.api.written()) == before


@pytest.mark.looptime
async def test_what_others_say_stays(rig):
    await install(rig)
    await rig.run(GATEWAY)
    await rig.client.create(gateway(cls="other"), GATEWAYS)
    theirs = {"parentRef": {"name": "door"}, "controllerName": "example.com/other"}
    await rig.client.create(route().status(parents=[theirs]), ROUTES)
    await rig.settle(1)
    assert "status" not in rig.need("gateways", "door")
    assert rig.need("httproutes", "r")["status"]["parents"] == [theirs]


@pytest.mark.looptime
async def test_without_the_kinds_there_is_nothing_to_follow(rig):
    await rig.run(GATEWAY)
    await rig.settle(1)
    listed = {call.resource for _, call in rig.api.calls if call.verb == "list"}
    assert "gateways" not in listed
