"""Rows of objects: the words of kubectl's STATUS column, owners, requests."""

from __future__ import annotations

import pytest

from playground.topology import podstatus
from playground.topology.projection import (
    COLUMNS,
    KINDS,
    gateway_row,
    ingress_row,
    node_row,
    pod_row,
    route_row,
    slice_row,
    warning_row,
)
from tests.playground.fakecluster import Fake
from tests.playground.objects import node, pod, small

WAITING = {"waiting": {"reason": "ContainerCreating"}}
CRASHED = {"terminated": {"reason": "Error", "exitCode": 1}}
DONE = {"terminated": {"reason": "Completed", "exitCode": 0}}
RUNNING = {"running": {}}


def status_of(*states, init=(), init_specs=(), **more):
    def entries(some):
        return [
            {"name": f"c{i}", "state": state, "ready": "running" in state}
            for i, state in enumerate(some)
        ]

    return {
        "metadata": {"name": "p", **more.pop("meta", {})},
        "spec": {"containers": [{} for _ in states], "initContainers": list(init_specs)},
        "status": {
            "containerStatuses": entries(states),
            "initContainerStatuses": entries(init),
            **more,
        },
    }


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (status_of(RUNNING, phase="Running"), "Running"),
        (status_of(WAITING, phase="Pending"), "ContainerCreating"),
        (status_of(CRASHED, phase="Failed"), "Error"),
        (status_of(DONE, phase="Succeeded"), "Completed"),
        (status_of({"terminated": {"exitCode": 3}}, phase="Failed"), "ExitCode:3"),
        (status_of({"terminated": {"signal": 9, "exitCode": 137}}, phase="Failed"), "Signal:9"),
        (status_of(phase="Pending"), "Pending"),
        (status_of(phase="Failed", reason="Evicted"), "Evicted"),
        (status_of(WAITING, init=[RUNNING], init_specs=[{}, {}], phase="Pending"), "Init:0/2"),
        (
            status_of(WAITING, init=[DONE, CRASHED], init_specs=[{}, {}], phase="Pending"),
            "Init:Error",
        ),
        (
            status_of(
                WAITING,
                init=[{"waiting": {"reason": "ImagePullBackOff"}}],
                init_specs=[{}],
                phase="Pending",
            ),
            "Init:ImagePullBackOff",
        ),
        (status_of(RUNNING, phase="Running", meta={"deletionTimestamp": "now"}), "Terminating"),
        (
            status_of(
                DONE, RUNNING, phase="Running", conditions=[{"type": "Ready", "status": "True"}]
            ),
            "Running",
        ),
        (status_of(DONE, RUNNING, phase="Running"), "NotReady"),
    ],
)
def test_the_word_of_the_status_column(given, word):
    assert podstatus.display_status(given) == word


def test_a_gated_pod():
    given = {"metadata": {}, "spec": {"schedulingGates": [{"name": "g"}]}, "status": {}}
    assert podstatus.display_status(given) == "SchedulingGated"


def test_why_a_pod_waits_is_the_schedulers_sentence():
    assert (
        podstatus.why(pod("p", phase="Pending")) == "0/3 nodes are available: 3 Insufficient cpu."
    )


def test_why_a_pod_fails_names_the_container():
    given = status_of({"terminated": {"exitCode": 137, "reason": "OOMKilled"}})
    assert podstatus.why(given) == "c0: OOMKilled (exit code 137)"


def named(columns, row):
    return dict(zip(columns, row, strict=True))


def test_a_pods_row():
    item = pod("p", "n1", owner="rs-1", restarts=2)
    item["metadata"]["uid"] = "u"
    row = named(COLUMNS["pods"], pod_row(item))
    expected = {
        "uid": "u",
        "name": "p",
        "node": "n1",
        "status": "Running",
        "ready": "1/1",
        "restarts": 2,
        "owner": "rs-1",
        "cpu": 100,
        "labels": {"app": "web"},
    }
    assert {key: row[key] for key in expected} == expected


def test_a_nodes_row():
    item = node("n1", "zone-a", ready=False)
    item["metadata"]["uid"] = "u"
    item["metadata"]["labels"]["node-role.kubernetes.io/control-plane"] = ""
    item["spec"] = {"unschedulable": True, "taints": [{"key": "gpu", "effect": "NoSchedule"}]}
    row = named(COLUMNS["nodes"], node_row(item))
    assert (row["ready"], row["why"], row["cordoned"]) == ("NotReady", "kubelet stopped", True)
    assert (row["zone"], row["roles"], row["cpu"]) == ("zone-a", ["control-plane"], 4000)
    assert row["taints"] == ["gpu:NoSchedule"]


def test_a_quantity_that_makes_no_sense_counts_as_nothing():
    item = node("n1")
    item["metadata"]["uid"] = "u"
    item["status"]["allocatable"] = {"cpu": "a lot"}
    assert named(COLUMNS["nodes"], node_row(item))["cpu"] == 0


def test_an_event_of_the_new_kind_has_its_time_in_the_series():
    event = {
        "metadata": {"uid": "u", "name": "e", "creationTimestamp": "a"},
        "involvedObject": {"kind": "Pod", "uid": "p"},
        "series": {"count": 7, "lastObservedTime": "b"},
    }
    row = named(COLUMNS["warnings"], warning_row(event))
    assert (row["of"], row["count"], row["at"]) == ("p", 7, "b")


def test_every_kind_makes_rows_as_wide_as_its_columns():
    cluster = Fake().add("c")
    small(cluster)
    seen = set()
    for kind in KINDS:
        for item in cluster.objects[kind.resource].values():
            assert len(kind.row(item)) == len(COLUMNS[kind.table]), kind.resource
            seen.add(kind.table)
    # The small cluster has none of the kinds of traffic and storage.
    assert seen == {"nodes", "pods", "owners", "services", "warnings"}


def test_a_slice_counts_what_its_endpoints_are():
    part = {
        "metadata": {
            "uid": "s",
            "namespace": "default",
            "name": "web-a",
            "labels": {"kubernetes.io/service-name": "web"},
        },
        "ports": [{"port": 8080}],
        "endpoints": [
            {"addresses": ["10.0.0.1"]},
            {"addresses": ["10.0.0.2"], "conditions": {"ready": False, "serving": True}},
            {
                "addresses": ["10.0.0.3"],
                "conditions": {"ready": False, "serving": False, "terminating": True},
            },
        ],
    }
    row = named(COLUMNS["slices"], slice_row(part))
    assert (row["ready"], row["serving"], row["terminating"], row["endpoints"]) == (1, 2, 1, 3)
    assert (row["service"], row["ports"]) == ("web", ["8080"])


def test_a_gateway_says_what_it_listens_to_and_what_is_wrong():
    item = {
        "metadata": {"uid": "u", "namespace": "edge", "name": "public"},
        "spec": {
            "gatewayClassName": "sim",
            "listeners": [{"port": 80, "protocol": "HTTP"}, {"port": 443, "protocol": "HTTPS"}],
        },
        "status": {
            "addresses": [{"value": "10.0.0.9"}],
            "conditions": [
                {"type": "Accepted", "status": "True", "message": "fine"},
                {"type": "Programmed", "status": "False", "message": "no address is free"},
            ],
        },
    }
    row = named(COLUMNS["gateways"], gateway_row(item))
    assert row["listeners"] == ["80/HTTP", "443/HTTPS"]
    assert (row["addresses"], row["why"]) == (["10.0.0.9"], "no address is free")
    bare = {"metadata": item["metadata"], "spec": {}}
    assert named(COLUMNS["gateways"], gateway_row(bare))["why"] == ""


def test_an_http_route_leads_from_gateways_to_services():
    item = {
        "metadata": {"uid": "u", "namespace": "shop", "name": "cart"},
        "spec": {
            "parentRefs": [
                {"name": "public", "namespace": "edge"},
                {"name": "own"},
                {"kind": "Service", "name": "mesh"},
            ],
            "hostnames": ["a.example", "b.example"],
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": "/cart"}}, {}],
                    "backendRefs": [
                        {"name": "v1"},
                        {"name": "v1"},
                        {"kind": "Bucket", "name": "x"},
                    ],
                },
                {"backendRefs": [{"name": "rest", "namespace": "other"}]},
            ],
        },
        "status": {
            "parents": [
                {"conditions": [{"type": "Accepted", "status": "True"}]},
                {"conditions": [{"type": "ResolvedRefs", "status": "False", "reason": "Lost"}]},
            ]
        },
    }
    row = named(COLUMNS["routes"], route_row(item))
    assert row["gateways"] == ["edge/public", "shop/own"]
    assert row["why"] == "Lost"
    assert row["routes"] == [
        ["a.example", "/cart", "shop/v1"],
        ["b.example", "/cart", "shop/v1"],
        ["a.example", "/", "shop/v1"],
        ["b.example", "/", "shop/v1"],
        ["a.example", "/", "other/rest"],
        ["b.example", "/", "other/rest"],
    ]


def test_an_ingress_leads_to_services():
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    path = {"path": "/", "backend": backend}
    item = {
        "metadata": {"uid": "i", "namespace": "default", "name": "shop"},
        "spec": {
            "rules": [{"host": "shop.test", "http": {"paths": [path]}}],
            "defaultBackend": {"service": {"name": "other"}},
        },
    }
    row = named(COLUMNS["ingresses"], ingress_row(item))
    assert row["routes"] == [["shop.test", "/", "web"], ["", "*", "other"]]


def test_a_pod_names_its_claims():
    item = pod("db-0")
    item["metadata"] |= {"uid": "p"}
    item["spec"]["volumes"] = [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}},
        {"name": "scratch", "ephemeral": {}},
        {"name": "config", "configMap": {}},
    ]
    assert named(COLUMNS["pods"], pod_row(item))["claims"] == ["data-db-0", "db-0-scratch"]
