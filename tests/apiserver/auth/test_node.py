"""The Node authorizer: a node reaches what runs on it, and no further."""

from __future__ import annotations

import pytest

from apimachinery.fields import parse_fields
from apiserver.auth.attributes import Attributes
from apiserver.auth.user import User
from tests.apiserver.auth.fakes import FakeCluster, new_auth, plain

N1 = User("system:node:n1", ("system:nodes", "system:authenticated"))


def cluster():
    made = FakeCluster()
    made.put(
        plain(
            "Pod",
            "ns",
            "mine",
            spec={
                "nodeName": "n1",
                "serviceAccountName": "robot",
                "containers": [
                    {"name": "c", "envFrom": [{"secretRef": {"name": "env-secret"}}]},
                ],
                "volumes": [
                    {"name": "a", "secret": {"secretName": "volume-secret"}},
                    {"name": "b", "projected": {"sources": [{"configMap": {"name": "conf"}}]}},
                    {"name": "c", "persistentVolumeClaim": {"claimName": "claim"}},
                ],
            },
        )
    )
    spec = {"nodeName": "n2", "volumes": [{"name": "a", "secret": {"secretName": "far"}}]}
    made.put(plain("Pod", "ns", "other", spec=spec))
    mirror = plain("Pod", "ns", "mirror", spec={**spec, "nodeName": "n1"})
    mirror["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    made.put(mirror)
    made.put(plain("PersistentVolumeClaim", "ns", "claim", spec={"volumeName": "disk"}))
    csi = {"nodePublishSecretRef": {"name": "csi-secret", "namespace": "ns"}}
    claim = {"namespace": "ns", "name": "claim"}
    csi["controllerPublishSecretRef"] = {"name": "controller-secret", "namespace": "ns"}
    csi["nodeStageSecretRef"] = {"name": "stage-secret", "namespace": "kube-system"}
    made.put(plain("PersistentVolume", "", "disk", spec={"csi": csi, "claimRef": claim}))
    made.put(plain("PersistentVolume", "", "unbound", spec={"csi": csi}))
    return made


AUTH = new_auth(cluster())


def decide(verb, resource, name="", namespace="ns", group="", user=N1, selector=""):
    resource, _, subresource = resource.partition("/")
    fields = parse_fields(selector).requirements
    asked = Attributes(
        user, verb, group, "v1", resource, subresource, namespace, name, fields=fields
    )
    return AUTH.authorize(asked)


@pytest.mark.parametrize(
    ("verb", "resource", "name", "allowed"),
    [
        ("get", "secrets", "volume-secret", True),
        ("get", "secrets", "env-secret", True),
        ("watch", "secrets", "volume-secret", True),
        ("get", "secrets", "csi-secret", True),
        ("get", "secrets", "far", False),
        ("list", "secrets", "", False),
        ("update", "secrets", "volume-secret", False),
        ("get", "configmaps", "conf", True),
        ("get", "configmaps", "other", False),
        ("get", "persistentvolumeclaims", "claim", True),
        ("list", "persistentvolumeclaims", "claim", False),
        ("patch", "persistentvolumeclaims/status", "claim", True),
        ("create", "serviceaccounts/token", "robot", True),
        ("create", "serviceaccounts/token", "default", False),
        ("delete", "serviceaccounts", "robot", False),
        ("get", "pods", "mine", True),
        ("get", "pods", "other", False),
        ("list", "pods", "", False),
        ("get", "secrets", "controller-secret", False),
        ("watch", "pods", "mine", True),
        ("get", "pods", "gone", False),
        ("patch", "pods/status", "mine", True),
        ("create", "pods/eviction", "mine", True),
        ("create", "events", "", True),
        ("create", "deployments", "", False),
    ],
)
def test_namespaced(verb, resource, name, allowed):
    assert decide(verb, resource, name).allowed is allowed


@pytest.mark.parametrize(
    ("verb", "resource", "name", "group", "allowed"),
    [
        ("get", "nodes", "n1", "", True),
        ("get", "nodes", "n2", "", False),
        ("create", "nodes", "", "", True),
        ("patch", "nodes/status", "n1", "", True),
        ("delete", "nodes", "n1", "", False),
        ("get", "persistentvolumes", "disk", "", True),
        ("get", "persistentvolumes", "elsewhere", "", False),
        ("update", "csinodes", "n1", "storage.k8s.io", True),
        ("update", "csinodes", "n2", "storage.k8s.io", False),
        ("list", "services", "", "", True),
    ],
)
def test_cluster_scoped(verb, resource, name, group, allowed):
    assert decide(verb, resource, name, "", group).allowed is allowed


@pytest.mark.parametrize(
    ("name", "namespace", "allowed"),
    [("n1", "kube-node-lease", True), ("n2", "kube-node-lease", False), ("n1", "ns", False)],
)
def test_lease(name, namespace, allowed):
    assert decide("update", "leases", name, namespace, "coordination.k8s.io").allowed is allowed


def test_refusal_says_why():
    decision = decide("get", "secrets", "far")

    assert decision.by == "Node"
    assert decision.reason == "no relationship found between node 'n1' and this object"


def test_name_alone_makes_no_node():
    stranger = User("system:node:n1", ("system:authenticated",))

    assert not decide("get", "nodes", "n1", "", user=stranger).allowed


def test_the_secrets_of_a_volume_may_be_in_any_namespace():
    assert decide("get", "secrets", "stage-secret", "kube-system").allowed
    assert not decide("get", "secrets", "stage-secret", "ns").allowed
    assert not decide("get", "persistentvolumes", "unbound", "").allowed


@pytest.mark.parametrize(
    ("verb", "resource", "group", "field", "refused"),
    [
        ("list", "pods", "", "spec.nodeName", "can only list/watch pods with spec.nodeName"),
        ("watch", "pods", "", "spec.nodeName", "can only list/watch pods with spec.nodeName"),
        (
            "deletecollection",
            "resourceslices",
            "resource.k8s.io",
            "nodeName",
            "can only list/watch/deletecollection resourceslices with nodeName",
        ),
    ],
)
def test_nodes_read_many_only_by_selecting_their_own(verb, resource, group, field, refused):
    def ask(selector):
        return decide(verb, resource, "", "", group, selector=selector)

    assert ask(f"{field}=n1").allowed
    assert ask(f"status.phase=Running,{field}=n1").allowed or group
    for selector in ("", f"{field}=n2", f"{field}!=n1"):
        assert ask(selector).reason == f"{refused} field selector"


def test_a_node_without_a_name_is_told_so():
    nameless = User("system:node:", ("system:nodes",))
    assert decide("get", "pods", "mine", user=nameless).reason == (
        'unknown node for user "system:node:"'
    )
