"""RBAC decisions: what a rule covers, who is meant by a binding, and what the answer says."""

from __future__ import annotations

import pytest

from apiserver.auth.attributes import Attributes, forbidden
from apiserver.auth.rules import compile_rules
from apiserver.auth.user import User
from tests.apiserver.auth.fakes import (
    FakeCluster,
    account,
    binding,
    group,
    new_auth,
    role,
    rule,
    user,
)

ANN = User("ann", ("devs", "system:authenticated"))


def ask(verb, resource, group="", namespace="ns", name="", by=ANN):
    resource, _, subresource = resource.partition("/")
    return Attributes(by, verb, group, "v1", resource, subresource, namespace, name)


def ask_path(verb, path, by=ANN):
    return Attributes(by, verb, path=path, resource_request=False)


@pytest.mark.parametrize(
    ("granted", "asked", "allowed"),
    [
        (rule("get", "core", "pods"), ask("get", "pods"), True),
        (rule("get", "core", "pods"), ask("list", "pods"), False),
        (rule("get", "core", "pods"), ask("get", "pods", group="apps"), False),
        (rule("get", "core", "pods"), ask("get", "pods/log"), False),
        (rule("get", "core", "pods/log"), ask("get", "pods/log"), True),
        (rule("get", "core", "pods/log"), ask("get", "pods"), False),
        (rule("*", "core", "pods"), ask("deletecollection", "pods"), True),
        (rule("get", "*", "pods"), ask("get", "pods", group="metrics.k8s.io"), True),
        (rule("get", "apps", "*"), ask("get", "deployments/scale", group="apps"), True),
        (rule("update", "apps", "*/scale"), ask("update", "deployments/scale", "apps"), True),
        (rule("update", "apps", "*/scale"), ask("update", "deployments", "apps"), False),
        (rule("update", "apps", "*/scale"), ask("update", "deployments/status", "apps"), False),
        (rule("get", "core", "pods", "only"), ask("get", "pods", name="only"), True),
        (rule("get", "core", "pods", "only"), ask("get", "pods", name="other"), False),
        (rule("list", "core", "pods", "only"), ask("list", "pods"), False),
        (rule("get", "core", "pods"), ask_path("get", "/pods"), False),
    ],
)
def test_rule_covers_request(granted, asked, allowed):
    assert compile_rules([granted]).allow(asked) is allowed


@pytest.mark.parametrize(
    ("urls", "path", "allowed"),
    [
        (["/version"], "/version", True),
        (["/version"], "/version/", False),
        (["/healthz/*"], "/healthz/etcd", True),
        (["/healthz/*"], "/healthz", False),
        (["*"], "/anything", True),
        (["/a*"], "/apis", True),
    ],
)
def test_paths(urls, path, allowed):
    rules = compile_rules([{"verbs": ["get"], "nonResourceURLs": urls}])

    assert rules.allow(ask_path("get", path)) is allowed
    assert not rules.allow(ask_path("post", path))
    assert not rules.allow(ask("get", "pods"))


def test_same_rules_are_compiled_once_for_all_clusters():
    first = compile_rules([rule("get", "core", "pods")])

    assert compile_rules([rule("get", "core", "pods")]) is first
    assert compile_rules([rule("get", "core", "nodes")]) is not first


PODS = role("ns", "reader", rule("get", "core", "pods"))
NODES = role("", "nodes", rule("get", "core", "nodes"))


@pytest.mark.parametrize(
    ("objects", "asked", "reason"),
    [
        (
            [PODS, binding("ns", "b", "Role/reader", user("ann"))],
            ask("get", "pods"),
            'RBAC: allowed by RoleBinding "b/ns" of Role "reader" to User "ann"',
        ),
        (
            [NODES, binding("", "b", "ClusterRole/nodes", group("devs"))],
            ask("get", "nodes", namespace=""),
            'RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "nodes" to Group "devs"',
        ),
        (
            [NODES, binding("ns", "b", "ClusterRole/nodes", account("x", "r"))],
            ask("get", "nodes", by=User("system:serviceaccount:x:r")),
            'RBAC: allowed by RoleBinding "b/ns" of ClusterRole "nodes" to ServiceAccount "r/x"',
        ),
    ],
)
def test_reason_names_the_binding(objects, asked, reason):
    cluster = FakeCluster()
    for obj in objects:
        cluster.put(obj)

    decision = new_auth(cluster).authorize(asked)

    assert decision.allowed
    assert decision.reason == reason


def test_role_binding_reaches_its_namespace_alone():
    cluster = FakeCluster()
    cluster.put(PODS)
    cluster.put(binding("ns", "b", "Role/reader", user("ann")))
    auth = new_auth(cluster)

    assert auth.authorize(ask("get", "pods")).allowed
    assert not auth.authorize(ask("get", "pods", namespace="other")).allowed
    assert not auth.authorize(ask("get", "pods", namespace="")).allowed


def test_decisions_follow_every_change():
    cluster = FakeCluster()
    auth = new_auth(cluster)
    answers = []

    def look():
        answers.append(auth.authorize(ask("get", "pods")).allowed)

    look()
    cluster.put(binding("ns", "b", "Role/reader", user("ann")))
    look()
    cluster.put(PODS)
    look()
    cluster.put(role("ns", "reader", rule("get", "core", "secrets")))
    look()
    cluster.put(PODS)
    look()
    cluster.delete("rolebindings.rbac.authorization.k8s.io", "ns", "b")
    look()
    assert answers == [False, False, True, False, True, False]


def test_missing_role_is_told():
    cluster = FakeCluster()
    cluster.put(binding("ns", "b", "ClusterRole/gone", user("ann")))
    cluster.put(binding("ns", "c", "Role/gone", user("ann")))
    asked = ask("get", "pods")

    decision = new_auth(cluster).authorize(asked)

    assert forbidden(asked, decision.reason).message == (
        'pods is forbidden: User "ann" cannot get resource "pods" in API group "" in the '
        'namespace "ns": RBAC: [clusterrole.rbac.authorization.k8s.io "gone" not found, '
        'role.rbac.authorization.k8s.io "gone" not found]'
    )


def test_masters_may_do_everything_without_a_role():
    decision = new_auth().authorize(ask("delete", "nodes", by=User("x", ("system:masters",))))

    assert decision.allowed
    assert decision.by == "system:masters"


@pytest.mark.parametrize(
    ("asked", "message", "details"),
    [
        (
            ask("get", "pods/log", name="p"),
            (
                'pods "p" is forbidden: User "ann" cannot get resource "pods/log" in API group "" '
                'in the namespace "ns"'
            ),
            {"name": "p", "kind": "pods"},
        ),
        (
            ask("list", "deployments", "apps", namespace=""),
            (
                'deployments.apps is forbidden: User "ann" cannot list resource "deployments" in '
                'API group "apps" at the cluster scope'
            ),
            {"group": "apps", "kind": "deployments"},
        ),
        (ask_path("get", "/foo<a>"), 'forbidden: User "ann" cannot get path "/foo&lt;a&gt;"', {}),
    ],
)
def test_refusal_words(asked, message, details):
    error = forbidden(asked)

    assert error.message == message
    assert error.details == details


def test_stopped_index_follows_no_more():
    cluster = FakeCluster()
    auth = new_auth(cluster)
    assert cluster.watches == 4

    auth.stop()

    assert cluster.watches == 0


def test_grants_are_gathered_once():
    """A decision costs a look-up, until a role or binding changes."""
    cluster = FakeCluster()
    cluster.put(binding("ns", "b", "ClusterRole/admin", user("ann")))
    auth = new_auth(cluster)
    gathered = auth.roles.grants(ANN, "ns")
    assert auth.roles.grants(ANN, "ns") is gathered
    cluster.put(role("", "admin", rule("get", "core", "secrets")))
    assert auth.roles.grants(ANN, "ns") is not gathered


def test_a_role_that_cannot_be_read_grants_nothing(caplog):
    """A fault must not end the subscription, or what is taken away later would stay granted."""
    cluster = FakeCluster()
    auth = new_auth(cluster)
    cluster.put(role("ns", "r", rule("get", "core", "pods")))
    cluster.put(binding("ns", "b", "Role/r", user("ann")))
    assert auth.authorize(ask("get", "pods")).allowed
    cluster.put(role("ns", "r", {"verbs": 1, "resources": ["pods"]}))
    assert not auth.authorize(ask("get", "pods")).allowed
    assert "cannot read roles.rbac.authorization.k8s.io/ns/r" in caplog.text
    cluster.put(role("ns", "r", rule("get", "core", "pods")))
    assert auth.authorize(ask("get", "pods")).allowed
