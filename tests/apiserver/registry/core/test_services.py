"""Services: what they are given, what they may say, and what they let go."""

# Tables of messages read best unwrapped.
# ruff: noqa: ISC004

from __future__ import annotations

import pytest

from apimachinery.clock import ManualClock
from apimachinery.errors import Invalid
from apiserver.registry.core.allocators import NODE_PORTS, SERVICE_IPS, Exhausted, Ledger
from apiserver.registry.core.serviceaddresses import IPADDRESSES, companions
from apiserver.registry.core.serviceallocation import open_allocators
from apiserver.registry.core.services import SERVICES
from apiserver.registry.strategy import Companion
from tests.apiserver.registry.podspec.support import (
    Objects,
    changed,
    context,
    create_errors,
    made,
    updated,
)

PORTS = [{"port": 80}]


def service(name="it", **spec):
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"ports": PORTS, **spec}}


def refusal(body, ctx=None):
    with pytest.raises(Invalid) as caught:
        made(SERVICES, body, ctx)
    return [(cause["field"], cause["message"]) for cause in caught.value.details["causes"]]


def test_a_plain_service():
    spec = made(SERVICES, service(selector={"a": "b"}))["spec"]
    address = spec.pop("clusterIP")
    assert address.startswith(("10.9", "10.10", "10.11"))
    assert spec == {
        "clusterIPs": [address],
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
        "selector": {"a": "b"},
        "sessionAffinity": "None",
        "type": "ClusterIP",
    }


def test_headless_without_selector_is_of_both_families():
    spec = made(SERVICES, service(clusterIP="None"))["spec"]
    assert (spec["clusterIPs"], spec["ipFamilies"]) == (["None"], ["IPv4", "IPv6"])
    assert spec["ipFamilyPolicy"] == "RequireDualStack"


def test_external_names_have_no_address():
    spec = made(SERVICES, service(type="ExternalName", externalName="a.example.com"))["spec"]
    assert not {"clusterIP", "ipFamilies", "internalTrafficPolicy"} & spec.keys()


def test_load_balancers_get_node_ports_unless_they_decline():
    spec = made(SERVICES, service(type="LoadBalancer"))["spec"]
    assert 30000 <= spec["ports"][0]["nodePort"] <= 32767
    assert spec["externalTrafficPolicy"] == "Cluster"
    spec = made(SERVICES, service(type="LoadBalancer", allocateLoadBalancerNodePorts=False))["spec"]
    assert "nodePort" not in spec["ports"][0]


def test_local_balancers_get_a_port_for_health_checks():
    spec = made(SERVICES, service(type="LoadBalancer", externalTrafficPolicy="Local"))["spec"]
    assert spec["healthCheckNodePort"] != spec["ports"][0]["nodePort"]


def test_udp_and_tcp_of_one_port_share_a_node_port():
    ports = [{"name": "t", "port": 53}, {"name": "u", "port": 53, "protocol": "UDP"}]
    found = made(SERVICES, service(type="NodePort", ports=ports))["spec"]["ports"]
    assert found[0]["nodePort"] == found[1]["nodePort"]


def test_a_value_that_is_taken():
    ctx = context()
    made(SERVICES, service("one", clusterIP="10.96.0.9"), ctx)
    made(SERVICES, service("two", type="NodePort", ports=[{"port": 1, "nodePort": 31999}]), ctx)
    assert refusal(service("three", clusterIP="10.96.0.9"), ctx) == [
        ("spec.clusterIPs", 'Invalid value: ["10.96.0.9"]: failed to allocate IP 10.96.0.9: '
         "provided IP is already allocated")
    ]  # fmt: skip
    body = service("four", type="NodePort", ports=[{"port": 1, "nodePort": 31999}])
    assert refusal(body, ctx) == [
        ("spec.ports[0].nodePort", "Invalid value: 31999: provided port is already allocated")
    ]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"clusterIP": "192.168.0.1"},
         ("spec.clusterIPs", 'Invalid value: ["192.168.0.1"]: failed to allocate IP 192.168.0.1: '
          "the provided network does not match the current range")),
        ({"clusterIP": "10.96.0.0"},
         ("spec.clusterIPs", 'Invalid value: ["10.96.0.0"]: failed to allocate IP 10.96.0.0: '
          "the provided network does not match the current range")),
        ({"type": "NodePort", "ports": [{"port": 1, "nodePort": 80}]},
         ("spec.ports[0].nodePort", "Invalid value: 80: provided port is not in the valid range. "
          "The range of valid ports is 30000-32767")),
        ({"ipFamilyPolicy": "RequireDualStack"},
         ("spec.ipFamilyPolicy", 'Invalid value: "RequireDualStack": this cluster is not '
          "configured for dual-stack services")),
        ({"ipFamilies": ["IPv6"]},
         ("spec.ipFamilies[0]", 'Invalid value: "IPv6": not configured on this cluster')),
    ],
)  # fmt: skip
def test_what_this_cluster_does_not_have(spec, expected):
    assert refusal(service(**spec)) == [expected]


def test_nothing_is_taken_for_a_dry_run_or_a_service_that_is_wrong():
    ctx = context(dry_run=True)
    made(SERVICES, service(type="NodePort"), ctx)
    wrong = context()
    made(SERVICES, service(type="NodePort", sessionAffinity="Odd"), wrong)
    for each in (ctx, wrong):
        assert len(each.allocators[SERVICE_IPS]) == 0
        assert len(each.allocators[NODE_PORTS].ledger) == 0


def test_what_a_failed_creation_took_is_free_again_at_once_for_it_and_soon_for_others():
    clock = ManualClock()
    ctx = context(clock=clock)
    made(SERVICES, service("one", clusterIP="10.96.0.9"), ctx)
    made(SERVICES, service("one", clusterIP="10.96.0.9"), ctx)
    clock.advance(29)
    assert refusal(service("two", clusterIP="10.96.0.9"), ctx)
    clock.advance(1)
    made(SERVICES, service("two", clusterIP="10.96.0.9"), ctx)


def test_what_a_stored_service_holds_stays_its_own_until_it_is_deleted():
    objects, clock = Objects(), ManualClock()
    stored = objects.put("services", made(SERVICES, service("one", clusterIP="10.96.0.9")))
    (address,) = companions(stored, None)
    assert address.obj
    objects.put(IPADDRESSES, address.obj)
    ctx = context(objects=objects, clock=clock, allocators=open_allocators([stored]))
    clock.advance(3600)
    assert refusal(service("two", clusterIP="10.96.0.9"), ctx)
    assert companions(None, stored) == [Companion(IPADDRESSES, "10.96.0.9")]
    objects.stored.pop((IPADDRESSES, "", "10.96.0.9"))
    made(SERVICES, service("two", clusterIP="10.96.0.9"), ctx)


def test_a_ledger_runs_out_and_finds_what_is_stale():
    ledger = Ledger(1, 3, 1)
    for value in (1, 2, 3):
        ledger.record(value, ("ns", str(value)), now=0)
    with pytest.raises(Exhausted):
        ledger.any_free(("ns", "new"), 100, lambda owner, value: True)
    assert ledger.any_free(("ns", "new"), 100, lambda owner, value: value != 2) == 2


def test_an_update_keeps_what_was_given():
    old = made(SERVICES, service(type="NodePort"))
    new, errors = updated(SERVICES, old, service(type="NodePort"))
    assert errors == []
    assert new == old


def test_a_type_that_needs_less_gives_it_back():
    old = made(SERVICES, service(type="NodePort"))
    new, errors = updated(SERVICES, old, changed(old, "spec.type", "ClusterIP"))
    assert errors == []
    assert "nodePort" not in new["spec"]["ports"][0]
    assert "externalTrafficPolicy" not in new["spec"]
    body = changed(changed(new, "spec.type", "ExternalName"), "spec.externalName", "a.example.com")
    named, errors = updated(SERVICES, new, body)
    assert errors == []
    assert named["spec"].keys() == {"externalName", "ports", "sessionAffinity", "type"}


def test_addresses_do_not_change():
    old = made(SERVICES, service())
    _, errors = updated(SERVICES, old, changed(old, "spec.clusterIP", "10.96.3.3"))
    assert errors == [
        ("spec.clusterIPs[0]", 'Invalid value: ["10.96.3.3"]: may not change once set')
    ]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"ports": []}, [("ports", "Required value")]),
        ({"ports": [{"port": 1}, {"port": 1}]}, [
            ("ports[0].name", "Required value"),
            ("ports[1].name", "Required value"),
            ("ports[1]", 'Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,'
             '"Port":1,"TargetPort":0,"NodePort":0}')]),
        ({"ports": [{"port": 0}]}, [
            ("ports[0].port", "Invalid value: 0: must be between 1 and 65535, inclusive"),
            ("ports[0].targetPort", "Invalid value: 0: must be between 1 and 65535, inclusive")]),
        ({"type": "Odd"}, [("type", 'Unsupported value: "Odd": supported values: "ClusterIP", '
                            '"ExternalName", "LoadBalancer", "NodePort"')]),
        ({"type": "ExternalName"}, [("externalName", "Required value")]),
        ({"sessionAffinity": "Sticky"}, [("sessionAffinity",
            'Unsupported value: "Sticky": supported values: "ClientIP", "None"')]),
        ({"sessionAffinity": "ClientIP", "sessionAffinityConfig":
            {"clientIP": {"timeoutSeconds": 90000}}},
         [("sessionAffinityConfig.clientIP.timeoutSeconds",
           "Invalid value: 90000: must be greater than 0 and less than 86400")]),
        ({"externalIPs": ["127.0.0.1"]}, [("externalIPs[0]", 'Invalid value: "127.0.0.1": may not '
            "be in the loopback range (127.0.0.0/8, ::1/128)")]),
        ({"externalTrafficPolicy": "Local"}, [("externalTrafficPolicy",
            'Invalid value: "Local": may only be set for externally-accessible services')]),
        ({"ports": [{"port": 1, "nodePort": 30001}]}, [("ports[0].nodePort",
            "Forbidden: may not be used when `type` is 'ClusterIP'")]),
        ({"loadBalancerClass": "a/b"}, [("loadBalancerClass",
            "Forbidden: may only be used when `type` is 'LoadBalancer'")]),
        ({"type": "NodePort", "clusterIP": "None"}, [("clusterIPs[0]",
            "Invalid value: \"None\": may not be set to 'None' for NodePort services")]),
    ],
)  # fmt: skip
def test_wrong(spec, expected):
    found = create_errors(SERVICES, service(**spec))
    assert found == [(f"spec.{path}", message) for path, message in expected]


@pytest.mark.parametrize(
    ("spec", "status", "cells"),
    [
        ({}, {}, ["ClusterIP", "10.96.0.9", "<none>", "80/TCP", "<none>"]),
        ({"type": "NodePort", "ports": [{"port": 80, "nodePort": 30001}]}, {},
         ["NodePort", "10.96.0.9", "<none>", "80:30001/TCP", "<none>"]),
        ({"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False}, {},
         ["LoadBalancer", "10.96.0.9", "<pending>", "80/TCP", "<none>"]),
        ({"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False},
         {"ingress": [{"ip": "192.0.2.1"}]},
         ["LoadBalancer", "10.96.0.9", "192.0.2.1", "80/TCP", "<none>"]),
        ({"selector": {"b": "2", "a": "1"}}, {},
         ["ClusterIP", "10.96.0.9", "<none>", "80/TCP", "a=1,b=2"]),
    ],
)  # fmt: skip
def test_columns(spec, status, cells):
    obj = made(SERVICES, service(clusterIP="10.96.0.9", **spec))
    obj["status"] = {"loadBalancer": status}
    shown = {column.name: column for column in SERVICES.columns}
    names = ("Type", "Cluster-IP", "External-IP", "Port(s)", "Selector")
    assert [shown[name].value(obj, 0.0) for name in names] == cells


def test_load_balancer_status_is_for_load_balancers():
    strategy = SERVICES.subresources["status"].strategy
    old = made(SERVICES, service())
    body = {**old, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    _, errors = updated(SERVICES, old, body, strategy)
    assert errors == [
        ("status.loadBalancer.ingress",
         "Forbidden: may only be used when `spec.type` is 'LoadBalancer'")
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "wrong"), [("1a", []), ("a.b", ["must not contain dots"])])
def test_names_may_begin_with_a_digit(name, wrong):
    assert SERVICES.strategy.name_rule(name) == wrong
