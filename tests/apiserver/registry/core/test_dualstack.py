"""Services on a cluster of both IP families: what they get, and how they grow and shrink."""

from __future__ import annotations

import pytest

from apimachinery.errors import Invalid
from apiserver.registry.core.serviceaddresses import SERVICECIDRS, Addresses, range_of
from apiserver.registry.core.services import SERVICES
from tests.apiserver.registry.podspec.support import (
    Objects,
    changed,
    context,
    made,
    updated,
)

V4, V6 = "10.96.0.0/12", "fd00:10:96::/112"


def servicecidr(name, *cidrs, ready="True", **metadata):
    conditions = [{"type": "Ready", "status": ready}] if ready else []
    return {
        "metadata": {"name": name, **metadata},
        "spec": {"cidrs": list(cidrs)},
        "status": {"conditions": conditions},
    }


def cluster(*servicecidrs):
    objects = Objects()
    for one in servicecidrs or (servicecidr("kubernetes", V4, V6),):
        objects.put(SERVICECIDRS, one)
    return context(objects=objects)


def service(**spec):
    return {"spec": {"ports": [{"port": 80}], **spec}}


def families_of(obj):
    spec = obj["spec"]
    found = ["IPv6" if ":" in text else "IPv4" for text in spec["clusterIPs"]]
    assert spec["clusterIP"] == spec["clusterIPs"][0]
    assert spec["ipFamilies"] == found
    return spec["ipFamilyPolicy"], found


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, ("SingleStack", ["IPv4"])),
        ({"ipFamilies": ["IPv6"]}, ("SingleStack", ["IPv6"])),
        ({"clusterIP": "fd00:10:96::9"}, ("SingleStack", ["IPv6"])),
        ({"ipFamilyPolicy": "PreferDualStack"}, ("PreferDualStack", ["IPv4", "IPv6"])),
        ({"ipFamilyPolicy": "RequireDualStack", "ipFamilies": ["IPv6"]},
         ("RequireDualStack", ["IPv6", "IPv4"])),
        ({"ipFamilyPolicy": "RequireDualStack", "clusterIPs": ["10.96.0.9", "fd00:10:96::9"],
          "clusterIP": "10.96.0.9"}, ("RequireDualStack", ["IPv4", "IPv6"])),
    ],
)  # fmt: skip
def test_families(spec, expected):
    assert families_of(made(SERVICES, service(**spec), cluster())) == expected


@pytest.mark.parametrize(
    ("spec", "path", "message"),
    [
        ({"ipFamilies": ["IPv4", "IPv6"]}, "spec.ipFamilyPolicy",
         ('Invalid value: "SingleStack": must be \'RequireDualStack\' or \'PreferDualStack\' when '
         "multiple IP families are specified")),
        ({"ipFamilies": ["IPv6"], "clusterIP": "10.96.0.9"}, "spec.clusterIPs[0]",
         'Invalid value: "10.96.0.9": expected an IPv6 value as indicated by `ipFamilies[0]`'),
        ({"clusterIP": "fd01::1"}, "spec.clusterIPs",
         ('Invalid value: ["fd01::1"]: failed to allocate IP fd01::1: '
         "the provided network does not match the current range")),
    ],
)  # fmt: skip
def test_refused(spec, path, message):
    with pytest.raises(Invalid) as caught:
        made(SERVICES, service(**spec), cluster())
    assert caught.value.details is not None
    assert [(c["field"], c["message"]) for c in caught.value.details["causes"]] == [(path, message)]


def test_a_service_grows_and_shrinks_by_its_policy():
    ctx = cluster()
    old = made(SERVICES, service(), ctx)
    body = changed(old, "spec.ipFamilyPolicy", "RequireDualStack")
    both, errors = updated(SERVICES, old, body, ctx=ctx)
    assert errors == []
    assert families_of(both) == ("RequireDualStack", ["IPv4", "IPv6"])
    assert both["spec"]["clusterIPs"][0] == old["spec"]["clusterIP"]
    single, errors = updated(
        SERVICES, both, changed(both, "spec.ipFamilyPolicy", "SingleStack"), ctx=ctx
    )
    assert errors == []
    assert single["spec"] == old["spec"]


def test_the_second_address_is_given_up_by_policy_alone():
    ctx = cluster()
    old = made(SERVICES, service(ipFamilyPolicy="PreferDualStack"), ctx)
    body = changed(old, "spec.clusterIPs", old["spec"]["clusterIPs"][:1])
    with pytest.raises(Invalid, match="must be 'SingleStack' to release the secondary cluster IP"):
        updated(SERVICES, old, body, ctx=ctx)


def test_a_preference_alone_changes_nothing_when_the_cluster_does():
    old = made(SERVICES, service(ipFamilyPolicy="PreferDualStack"), cluster(
        servicecidr("kubernetes", V4)))  # fmt: skip
    assert families_of(old) == ("PreferDualStack", ["IPv4"])
    new, errors = updated(SERVICES, old, changed(old, "spec.selector", {"a": "b"}), ctx=cluster())
    assert errors == []
    assert families_of(new) == ("PreferDualStack", ["IPv4"])


def test_further_ranges_add_addresses_and_no_family():
    more = [servicecidr("more", "10.200.0.0/24"), servicecidr("six", V6, ready="")]
    ctx = cluster(servicecidr("kubernetes", V4), *more)
    made(SERVICES, service(clusterIP="10.200.0.7"), ctx)
    with pytest.raises(Invalid, match="not configured on this cluster"):
        made(SERVICES, service(ipFamilies=["IPv6"]), ctx)


def test_ranges_that_are_not_ready_or_going_give_nothing():
    ctx = cluster(
        servicecidr("kubernetes", V4),
        servicecidr("a", "10.200.0.0/24", ready="False"),
        servicecidr("b", "10.201.0.0/24", deletionTimestamp="2026-01-01T00:00:00Z"),
        servicecidr("c", "10.202.0.0/24", ready=""),
    )
    assert [str(one.network) for one in Addresses().ranges(ctx.objects)] == [V4, "10.202.0.0/24"]


@pytest.mark.parametrize(
    ("cidr", "first", "split", "last"),
    [
        ("10.0.0.0/28", "10.0.0.1", 0, "10.0.0.14"),
        ("10.0.0.0/24", "10.0.0.1", 16, "10.0.0.254"),
        ("10.0.0.0/12", "10.0.0.1", 256, "10.15.255.254"),
        ("fd00::/112", "fd00::1", 256, "fd00::ffff"),
    ],
)
def test_the_parts_of_a_range(cidr, first, split, last):
    found = range_of(cidr)
    assert found is not None
    network = found.network
    ends = [network[number - int(network.network_address)] for number in (found.first, found.last)]
    assert [str(end) for end in ends] == [first, last]
    assert found.split - found.first == split


def test_wide_ranges_of_ipv6_give_nothing():
    assert range_of("fd00::/63") is None


def test_a_range_runs_out():
    ctx = cluster(servicecidr("kubernetes", "10.0.0.0/30"))
    given = {made(SERVICES, {"metadata": {"name": name, "namespace": "default"}, **service()}, ctx)
             ["spec"]["clusterIP"] for name in ("a", "b")}  # fmt: skip
    assert given == {"10.0.0.1", "10.0.0.2"}
    with pytest.raises(Exception, match="failed to allocate a serviceIP: range is full"):
        made(SERVICES, service(), ctx)


def test_a_port_that_is_asked_for_later_in_the_list_is_shared():
    ports = [
        {"name": "a", "port": 53, "protocol": "UDP"},
        {"name": "b", "port": 53, "nodePort": 30053},
    ]
    found = made(SERVICES, service(type="NodePort", ports=ports), cluster())["spec"]["ports"]
    assert [port["nodePort"] for port in found] == [30053, 30053]


def test_one_node_port_is_not_for_two_ports():
    ports = [
        {"name": "a", "port": 1, "nodePort": 30001},
        {"name": "b", "port": 2, "nodePort": 30001, "protocol": "UDP"},
    ]
    with pytest.raises(Invalid, match=r"ports\[1\].nodePort.*already allocated"):
        made(SERVICES, service(type="NodePort", ports=ports), cluster())


def test_a_balancer_without_node_ports_may_still_ask_for_one():
    ports = [{"name": "a", "port": 1, "nodePort": 30001}, {"name": "b", "port": 2}]
    spec = {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False, "ports": ports}
    found = made(SERVICES, service(**spec), cluster())["spec"]["ports"]
    assert [port.get("nodePort") for port in found] == [30001, None]
