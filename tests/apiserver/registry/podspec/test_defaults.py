"""Defaults of pod specs: once, and the same again the second time."""

# Tables of messages read best unwrapped.
# ruff: noqa: E501

from __future__ import annotations

import copy

import pytest

from apiserver.registry.core.pods import PODS
from apiserver.registry.core.podtemplates import PODTEMPLATES
from apiserver.registry.podspec.defaults import pull_policy
from tests.apiserver.registry.podspec.support import read

C = {"name": "c", "image": "nginx"}


def pod(**spec):
    return read(PODS, {"spec": {"containers": [dict(C)], **spec}})["spec"]


def container(**fields):
    return pod(containers=[{**C, **fields}])["containers"][0]


def test_a_bare_pod_gets_what_every_pod_has():
    assert pod() == {
        "containers": [
            {
                "name": "c",
                "image": "nginx",
                "imagePullPolicy": "Always",
                "resources": {},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
            }
        ],
        "dnsPolicy": "ClusterFirst",
        "enableServiceLinks": True,
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
    }


def test_a_template_is_not_given_what_is_a_pods_alone():
    body = {"template": {"spec": {"hostNetwork": True, "containers": [
        {**C, "ports": [{"containerPort": 80}], "resources": {"limits": {"cpu": "1"}}}
    ]}}}  # fmt: skip
    spec = read(PODTEMPLATES, body)["template"]["spec"]
    assert "enableServiceLinks" not in spec
    assert spec["containers"][0]["resources"] == {"limits": {"cpu": "1"}}
    assert spec["containers"][0]["ports"] == [{"containerPort": 80, "protocol": "TCP"}]


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.27", "IfNotPresent"),
        ("reg.example.com:5000/a/b", "Always"),
        ("reg.example.com:5000/a/b:1", "IfNotPresent"),
        ("reg.example.com:5000/a@sha256:0123", "IfNotPresent"),
    ],
)
def test_the_pull_policy_follows_the_tag(image, policy):
    assert pull_policy(image) == policy


def test_limits_without_requests_are_requests():
    resources = {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}
    assert container(resources=resources)["resources"]["requests"] == {
        "cpu": "500m",
        "memory": "1Gi",
    }


def test_probes_and_hooks():
    found = container(
        livenessProbe={"httpGet": {"port": 80}},
        startupProbe={"grpc": {"port": 1}, "periodSeconds": 2},
        lifecycle={"preStop": {"httpGet": {"port": "http"}}},
    )
    numbers = {"failureThreshold": 3, "successThreshold": 1, "timeoutSeconds": 1}
    assert found["livenessProbe"] == {
        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}, "periodSeconds": 10, **numbers
    }  # fmt: skip
    assert found["startupProbe"] == {
        "grpc": {"port": 1, "service": ""}, "periodSeconds": 2, **numbers
    }  # fmt: skip
    assert found["lifecycle"]["preStop"]["httpGet"]["path"] == "/"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"name": "v"}, {"emptyDir": {}}),
        ({"name": "v", "configMap": {"name": "m"}}, {"configMap": {"name": "m", "defaultMode": 420}}),
        ({"name": "v", "hostPath": {"path": "/x"}}, {"hostPath": {"path": "/x", "type": ""}}),
        (
            {"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
            {"projected": {"defaultMode": 420, "sources": [
                {"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}]}},
        ),
        (
            {"name": "v", "downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "a"}}]}},
            {"downwardAPI": {"defaultMode": 420, "items": [
                {"path": "l", "fieldRef": {"fieldPath": "a", "apiVersion": "v1"}}]}},
        ),
        ({"name": "v", "image": {"reference": "a:1"}},
         {"image": {"reference": "a:1", "pullPolicy": "IfNotPresent"}}),
    ],
)  # fmt: skip
def test_volumes(given, expected):
    assert pod(volumes=[given])["volumes"] == [{"name": "v", **expected}]


def test_the_old_name_of_the_service_account_follows_the_new_one():
    assert pod(serviceAccount="a")["serviceAccountName"] == "a"
    found = pod(serviceAccount="a", serviceAccountName="b")
    assert (found["serviceAccount"], found["serviceAccountName"]) == ("b", "b")


def test_on_the_hosts_network_ports_are_the_hosts():
    spec = pod(hostNetwork=True, containers=[{**C, "ports": [{"containerPort": 80}]}])
    assert spec["containers"][0]["ports"][0]["hostPort"] == 80


def test_requests_of_the_whole_pod_come_from_containers_then_from_its_limits():
    spec = pod(
        resources={"limits": {"cpu": "4", "memory": "1Gi"}},
        containers=[{**C, "resources": {"requests": {"cpu": "1"}}},
                    {"name": "d", "image": "d", "resources": {"requests": {"cpu": "1"}}}],
    )  # fmt: skip
    assert spec["resources"]["requests"] == {"cpu": "2", "memory": "1Gi"}


def test_twice_is_once():
    body = {"spec": {"containers": [{**C, "livenessProbe": {"exec": {"command": ["a"]}}}],
                     "volumes": [{"name": "v"}], "resources": {"limits": {"cpu": "1"}}}}  # fmt: skip
    obj = read(PODS, body)
    again = copy.deepcopy(obj)
    PODS.strategy.default(again)
    assert again == obj


def test_amounts_are_rounded_up_to_thousandths():
    given = {"limits": {"cpu": "1500u", "memory": "1Gi"}, "requests": {"cpu": "1n"}}
    found = pod(containers=[{**C, "resources": given}])["containers"][0]["resources"]
    assert found["limits"] == {"cpu": "2m", "memory": "1Gi"}
    assert found["requests"] == {"cpu": "1m", "memory": "1Gi"}
