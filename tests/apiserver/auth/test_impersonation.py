"""Acting as someone else: who may, as whom one goes on, and the words of refusals."""

from __future__ import annotations

import pytest

from apimachinery.errors import BadRequest, Forbidden
from apiserver.auth.attributes import Attributes
from apiserver.auth.user import User
from tests.apiserver.auth.fakes import FakeCluster, binding, new_auth, role, rule, user

ADMIN = User("admin", ("system:masters", "system:authenticated"))
BOB = User("bob", ("system:authenticated",))
AUTHENTICATED = "system:authenticated"


def as_admin(*headers):
    return new_auth().impersonate(ADMIN, list(headers))


def as_bob(*headers, rules=(), request=None):
    cluster = FakeCluster()
    cluster.put(role("", "r", *rules))
    cluster.put(binding("", "b", "ClusterRole/r", user("bob")))
    return new_auth(cluster).impersonate(BOB, list(headers), request)


def test_nobody_asked_for():
    assert new_auth().impersonate(ADMIN, {"accept": "*/*"}) is ADMIN


def test_user_groups_uid_and_extra():
    found = as_admin(
        ("impersonate-user", "ann"),
        ("impersonate-group", "a, b"),
        ("impersonate-group", "c"),
        ("impersonate-uid", "7"),
        ("impersonate-extra-example.com%2fteam", "blue"),
    )

    assert found == User("ann", ("a, b", "c", AUTHENTICATED), "7", {"example.com/team": ("blue",)})


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("ann", (AUTHENTICATED,)),
        ("system:anonymous", ("system:unauthenticated",)),
        (
            "system:serviceaccount:ns:robot",
            ("system:serviceaccounts", "system:serviceaccounts:ns", AUTHENTICATED),
        ),
        # The first mode that allows it decides: a node goes on as a node.
    ],
)
def test_groups_that_a_name_brings(name, groups):
    assert as_admin(("impersonate-user", name)).groups == groups


def test_groups_without_a_user():
    with pytest.raises(BadRequest) as caught:
        as_admin(("impersonate-group", "devs"))

    assert caught.value.message == (
        'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"devs"}, '
        "Extra:map[string][]string(nil)} without impersonating a user name"
    )


MAY_BE_ANN = rule("impersonate", "core", "users", "ann")


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        (
            [("impersonate-user", "zed")],
            (
                'users "zed" is forbidden: User "bob" cannot impersonate resource "users" in API '
                'group "" at the cluster scope'
            ),
        ),
        (
            [("impersonate-user", "ann"), ("impersonate-group", "system:masters")],
            (
                'groups "system:masters" is forbidden: User "bob" cannot impersonate resource '
                '"groups" in API group "" at the cluster scope'
            ),
        ),
        (
            [("impersonate-user", "ann"), ("impersonate-uid", "7")],
            (
                'uids.authentication.k8s.io "7" is forbidden: User "bob" cannot impersonate '
                'resource "uids" in API group "authentication.k8s.io" at the cluster scope'
            ),
        ),
        (
            [("impersonate-user", "ann"), ("impersonate-extra-team", "blue")],
            (
                'userextras.authentication.k8s.io "blue" is forbidden: User "bob" cannot '
                'impersonate resource "userextras/team" in API group "authentication.k8s.io" at '
                "the cluster scope"
            ),
        ),
        (
            [("impersonate-user", "system:serviceaccount:ns:robot")],
            (
                'serviceaccounts "robot" is forbidden: User "bob" cannot impersonate resource '
                '"serviceaccounts" in API group "" in the namespace "ns"'
            ),
        ),
    ],
)
def test_each_part_must_be_allowed(headers, words):
    assert as_bob(("impersonate-user", "ann"), rules=[MAY_BE_ANN]).name == "ann"

    with pytest.raises(Forbidden) as caught:
        as_bob(*headers, rules=[MAY_BE_ANN])

    assert caught.value.message == words


LIST_PODS = Attributes(BOB, "list", "", "v1", "pods", namespace="ns")
CONSTRAINED = [
    rule("impersonate-on:user-info:list", "core", "pods"),
    rule("impersonate:user-info", "authentication.k8s.io", "users", "ann"),
]


def test_constrained_mode_holds_for_its_verb():
    header = ("impersonate-user", "ann")
    assert as_bob(header, rules=CONSTRAINED, request=LIST_PODS).name == "ann"

    delete = Attributes(BOB, "delete", "", "v1", "pods", namespace="ns")
    with pytest.raises(Forbidden) as caught:
        as_bob(header, rules=CONSTRAINED, request=delete)
    assert caught.value.message == (
        'pods is forbidden: User "bob" cannot impersonate-on:user-info:delete resource "pods" in '
        'API group "" in the namespace "ns"'
    )


def test_constrained_node_has_the_groups_of_nodes():
    rules = [
        rule("impersonate-on:arbitrary-node:list", "core", "pods"),
        rule("impersonate:arbitrary-node", "authentication.k8s.io", "nodes", "n1"),
    ]

    found = as_bob(("impersonate-user", "system:node:n1"), rules=rules, request=LIST_PODS)

    assert found.groups == ("system:nodes", AUTHENTICATED)
