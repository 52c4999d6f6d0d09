"""Names: Services, headless endpoints, SRV, aliases, pods, and the search path."""

from __future__ import annotations

import pytest

from nodes.network.dns import ClusterDNS, Rcode, ResolvConf

SEARCH = ("default.svc.cluster.local", "svc.cluster.local", "cluster.local")
POD = ResolvConf(("10.96.0.10",), SEARCH, 5)


def service(name, ip="10.96.0.5", namespace="default", **spec):
    ports = [{"name": "http", "port": 80, "protocol": "TCP"}]
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterIP": ip, "ports": ports, **spec},
    }


def endpointslice(name, owner, *endpoints, namespace="default"):
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"kubernetes.io/service-name": owner},
        },
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "endpoints": [
            {"addresses": [ip], "hostname": hostname, "conditions": {"ready": ready}}
            for ip, hostname, ready in endpoints
        ],
    }


@pytest.fixture
def dns():
    zone = ClusterDNS()
    zone.update_service(service("web"))
    zone.update_service(service("db", "None"))
    zone.update_endpointslice(
        endpointslice("db-1", "db", ("10.244.1.2", "db-0", True), ("10.244.2.2", "db-1", False))
    )
    zone.update_service(service("kubernetes", "10.96.0.1"))
    zone.update_service(service("out", "", type="ExternalName", externalName="www.example.com"))
    zone.update_service(
        service("alias", "", type="ExternalName", externalName="web.default.svc.cluster.local")
    )
    return zone


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("web", ["10.96.0.5"]),
        ("web.default", ["10.96.0.5"]),
        ("web.default.svc", ["10.96.0.5"]),
        ("web.default.svc.cluster.local", ["10.96.0.5"]),
        ("web.default.svc.cluster.local.", ["10.96.0.5"]),
        ("WEB.default", ["10.96.0.5"]),
        ("web.other", []),
        ("web.default.", []),
        ("nobody", []),
        ("db", ["10.244.1.2"]),
        ("db-0.db", ["10.244.1.2"]),
        ("db-1.db", []),
        ("db-0.web", []),
        ("10-244-1-2.default.pod.cluster.local", ["10.244.1.2"]),
        ("10-244-1.default.pod.cluster.local", []),
        ("alias", ["10.96.0.5"]),
        ("www.example.com", []),
    ],
)
def test_addresses_of_a_name(dns, name, addresses):
    _, answer = dns.resolve(name, POD)
    assert answer.addresses() == addresses
    if not addresses:
        assert answer.rcode is Rcode.NXDOMAIN


def test_an_external_name_is_an_alias(dns):
    answer = dns.lookup("out.default.svc.cluster.local")
    assert [(record.type, record.data) for record in answer.records] == [
        ("CNAME", "www.example.com.")
    ]


def test_srv_of_a_headless_service_names_each_ready_pod(dns):
    answer = dns.lookup("_http._tcp.db.default.svc.cluster.local", "SRV")
    assert [record.data for record in answer.records] == [
        "0 100 8080 db-0.db.default.svc.cluster.local."
    ]


def test_srv_of_a_cluster_ip_names_the_service(dns):
    answer = dns.lookup("_http._tcp.web.default.svc.cluster.local", "SRV")
    assert answer.records[0].data == "0 100 80 web.default.svc.cluster.local."
    assert dns.lookup("_grpc._tcp.web.default.svc.cluster.local", "SRV").rcode is Rcode.NXDOMAIN


def test_reverse_lookup(dns):
    answer = dns.lookup("5.0.96.10.in-addr.arpa", "PTR")
    assert answer.records[0].data == "web.default.svc.cluster.local."


def test_publish_not_ready_addresses(dns):
    dns.update_service(service("db", "None", publishNotReadyAddresses=True))
    assert dns.resolve("db", POD)[1].addresses() == ["10.244.1.2", "10.244.2.2"]


def test_what_is_deleted_is_gone(dns):
    dns.delete_service(service("web"))
    dns.delete_endpointslice(endpointslice("db-1", "db"))
    assert dns.resolve("web", POD)[1].rcode is Rcode.NXDOMAIN
    assert dns.resolve("db", POD)[1].rcode is Rcode.NXDOMAIN
    assert dns.lookup("5.0.96.10.in-addr.arpa", "PTR").rcode is Rcode.NXDOMAIN


def test_aaaa_of_an_ipv4_service_is_empty_but_exists(dns):
    answer = dns.lookup("web.default.svc.cluster.local", "AAAA")
    assert (answer.rcode, answer.records) == (Rcode.NOERROR, ())


def test_ndots_decides_what_is_asked_first():
    conf = ResolvConf.of(["10.96.0.10"], ["a.b", "c"], ["ndots:2", "timeout:1"])
    assert conf.candidates("x.y") == ["x.y.a.b", "x.y.c", "x.y"]
    assert conf.candidates("x.y.z") == ["x.y.z", "x.y.z.a.b", "x.y.z.c"]
    assert conf.candidates("x.") == ["x"]
