"""Nobody hands out what they do not hold, and the refusal lists what is missing."""

from __future__ import annotations

import time

import pytest

from apimachinery.errors import Forbidden, NotFound
from apiserver.auth.escalation import check_escalation
from apiserver.auth.user import User
from tests.apiserver.auth.fakes import FakeCluster, binding, new_auth, role, rule, user

BOB = User("bob", ("system:authenticated",))
GROUP = "rbac.authorization.k8s.io"
RESOURCES = {
    "Role": f"roles.{GROUP}",
    "ClusterRole": f"clusterroles.{GROUP}",
    "RoleBinding": f"rolebindings.{GROUP}",
    "ClusterRoleBinding": f"clusterrolebindings.{GROUP}",
}
PATHS = {"verbs": ["get"], "nonResourceURLs": ["/a", "/b/*"]}


def check(new, old=None, holds=(), by=BOB):
    cluster = FakeCluster()
    cluster.put(role("", "held", *holds))
    cluster.put(binding("", "held", "ClusterRole/held", user("bob")))
    cluster.put(role("", "target", rule("get list", "core", "nodes")))
    namespace = new["metadata"].get("namespace", "")
    check_escalation(new_auth(cluster), by, RESOURCES[new["kind"]], new, old, namespace)


def refusal(*args, **kwargs):
    with pytest.raises(Forbidden) as caught:
        check(*args, **kwargs)
    return caught.value.message


MISSING = (
    'user "bob" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not '
    "currently held:\n"
)


def test_missing_rights_are_listed_by_resource_and_sorted():
    wanted = role(
        "ns",
        "r",
        rule("get list", "core", "pods nodes"),
        rule("update", "core", "configmaps", "only"),
        PATHS,
    )
    held = [rule("get", "core", "pods"), {"verbs": ["*"], "nonResourceURLs": ["/b/*"]}]

    assert refusal(wanted, holds=held) == (
        f'roles.{GROUP} "r" is forbidden: {MISSING}'
        '{APIGroups:[""], Resources:["configmaps"], ResourceNames:["only"], Verbs:["update"]}\n'
        '{APIGroups:[""], Resources:["nodes"], Verbs:["get" "list"]}\n'
        '{APIGroups:[""], Resources:["pods"], Verbs:["list"]}\n'
        '{NonResourceURLs:["/a"], Verbs:["get"]}'
    )


@pytest.mark.parametrize(
    ("held", "wanted", "enough"),
    [
        (rule("get", "core", "pods"), rule("get", "core", "pods"), True),
        (rule("*", "*", "*"), rule("get", "apps", "deployments/scale"), True),
        (rule("get", "core", "pods", "only"), rule("get", "core", "pods"), False),
        (rule("get", "core", "pods"), rule("get", "core", "pods", "only"), True),
        (rule("get", "core", "pods", "a b"), rule("get", "core", "pods", "b"), True),
        (rule("get", "apps", "*/scale"), rule("get", "apps", "deployments/scale"), True),
        (rule("get", "apps", "*/scale"), rule("get", "apps", "*/scale"), True),
        (rule("get", "core", "pods"), rule("*", "core", "pods"), False),
        ({"verbs": ["get"], "nonResourceURLs": ["/a*"]}, PATHS, False),
        ({"verbs": ["get"], "nonResourceURLs": ["*"]}, PATHS, True),
    ],
)
def test_covering(held, wanted, enough):
    if enough:
        check(role("ns", "r", wanted), holds=[held])
    else:
        assert MISSING in refusal(role("ns", "r", wanted), holds=[held])


def test_escalate_and_bind_are_rights_of_their_own():
    pods = role("ns", "r", rule("get", "core", "pods"))
    check(pods, holds=[rule("escalate", GROUP, "roles", "r")])
    assert MISSING in refusal(pods, holds=[rule("escalate", GROUP, "clusterroles")])
    bound = binding("ns", "b", "ClusterRole/target", user("x"))
    check(bound, holds=[rule("bind", GROUP, "clusterroles", "target")])
    check(bound, holds=[rule("get list", "core", "nodes")])


def test_binding_is_held_to_its_role():
    assert refusal(binding("", "b", "ClusterRole/target", user("x"))) == (
        f'clusterrolebindings.{GROUP} "b" is forbidden: {MISSING}'
        '{APIGroups:[""], Resources:["nodes"], Verbs:["get" "list"]}'
    )
    with pytest.raises(NotFound, match=r'clusterroles\.rbac.+ "gone" not found'):
        check(binding("ns", "b", "ClusterRole/gone", user("x")))


def test_unchanged_rules_and_masters_pass():
    pods = role("ns", "r", rule("get", "core", "pods"))
    check({**pods, "metadata": {**pods["metadata"], "labels": {"a": "b"}}}, old=pods)
    check(pods, by=User("root", ("system:masters",)))


def test_aggregation_takes_everything():
    gathering = role("", "r") | {"aggregationRule": {"clusterRoleSelectors": []}}

    assert refusal(gathering) == (
        f'clusterroles.{GROUP} "r" is forbidden: must have cluster-admin privileges to use an '
        "aggregationRule"
    )
    everything = [rule("*", "*", "*"), {"verbs": ["*"], "nonResourceURLs": ["*"]}]
    check(gathering, holds=everything)


@pytest.mark.parametrize("held", [True, False])
def test_lists_that_multiply_to_millions_are_not_compared(held):
    axis = [f"x{at}" for at in range(1_000)]
    wide = {"verbs": axis, "apiGroups": axis, "resources": axis, "resourceNames": axis}
    before = time.process_time()
    said = refusal(role("", "wide", wide), holds=[wide] if held else [])
    assert time.process_time() - before < 5
    assert "more RBAC permissions at once than can be compared" in said


def test_thousands_of_rules_are_compared_with_thousands_in_little_time():
    many = [{"verbs": ["get"], "apiGroups": [""], "resources": [f"r{at}"]} for at in range(4_000)]
    before = time.process_time()
    check(role("", "wide", *many), holds=many)
    assert time.process_time() - before < 2
