"""What a fresh cluster holds, and that making it is cheap and safe to share."""

from __future__ import annotations

from collections import Counter

import orjson

from apimachinery.clock import ManualClock
from apiserver.auth.attributes import Attributes
from apiserver.auth.bootstrap.objects import bootstrap_objects
from apiserver.auth.user import User
from tests.apiserver.auth.fakes import FakeCluster, new_auth


def by_name(kind):
    found = bootstrap_objects(ManualClock(), client_ca="PEM")
    return {obj["metadata"]["name"]: obj for obj in found if obj["kind"] == kind}


def test_counts():
    found = Counter(obj["kind"] for obj in bootstrap_objects(ManualClock()))

    assert found == {
        "Namespace": 4,
        "ClusterRole": 69,
        "ClusterRoleBinding": 50,
        "Role": 7,
        "RoleBinding": 7,
        "PriorityClass": 2,
        "PriorityLevelConfiguration": 8,
        "FlowSchema": 11,
        "APIService": 21,
        "ServiceCIDR": 1,
        "IPAddress": 1,
        "Service": 1,
        "Endpoints": 1,
        "EndpointSlice": 1,
        "ConfigMap": 1,
    }


def test_aggregated_roles_are_filled():
    roles = by_name("ClusterRole")
    view, edit, admin = (roles[name]["rules"] for name in ("view", "edit", "admin"))

    assert view == roles["system:aggregate-to-view"]["rules"]
    assert [rule for rule in view if rule not in edit] == []
    assert [rule for rule in edit if rule not in admin] == []
    assert "rbac.authorization.k8s.io/aggregate-to-edit" in roles["view"]["metadata"]["labels"]


def test_every_binding_has_its_role():
    for kind in ("Role", "ClusterRole"):
        roles = by_name(kind)
        for binding in by_name(f"{kind}Binding").values():
            assert binding["roleRef"]["name"] in roles


def test_metadata_is_private_to_each_call():
    first, second = bootstrap_objects(ManualClock()), bootstrap_objects(ManualClock())

    for one, other in zip(first, second, strict=True):
        one["metadata"]["uid"] = "x"
        assert "uid" not in other["metadata"]


def test_objects_are_json():
    assert orjson.dumps(bootstrap_objects(ManualClock()))


def test_default_roles_in_use():
    cluster = FakeCluster()
    for obj in bootstrap_objects(ManualClock()):
        cluster.put(obj)
    auth = new_auth(cluster)

    def may(user, verb, resource="", group="", path=""):
        return auth.authorize(
            Attributes(user, verb, group, "v1", resource, path=path, resource_request=not path)
        ).allowed

    anonymous = User("system:anonymous", ("system:unauthenticated",))
    assert may(anonymous, "get", path="/version")
    assert not may(anonymous, "get", path="/apis")
    assert may(User("system:kube-scheduler"), "list", "nodes")
    controller = User("system:serviceaccount:kube-system:deployment-controller")
    assert may(controller, "create", "replicasets", "apps")
    assert not may(controller, "create", "pods")
