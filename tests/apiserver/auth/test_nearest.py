"""Which role comes nearest to a right that somebody does not have."""

import pytest

from apiserver.auth.attributes import Attributes
from apiserver.auth.nearest import nearest
from apiserver.auth.rbac import CLUSTER_ROLES, ROLE_BINDINGS, ROLES, RoleIndex
from apiserver.auth.user import User

LEA = User("lea", ("system:authenticated",))


def rule(*verbs, resources=("pods",), **more):
    return {"apiGroups": [""], "resources": list(resources), "verbs": list(verbs), **more}


def role(name, *rules, namespace=""):
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"metadata": metadata, "rules": list(rules)}


def binding(namespace, name, kind, role_name):
    return {
        "metadata": {"name": name, "namespace": namespace},
        "roleRef": {"kind": kind, "name": role_name},
        "subjects": [{"kind": "User", "name": "lea"}],
    }


@pytest.fixture
def roles():
    made = RoleIndex()
    everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    made.put(CLUSTER_ROLES, role("cluster-admin", everything))
    made.put(CLUSTER_ROLES, role("edit", rule("get", "list", "create", "delete")))
    made.put(CLUSTER_ROLES, role("system:controller:x", rule("create")))
    return made


def ask(roles, verb="create", namespace="prod", name="", resource="pods"):
    return nearest(roles, Attributes(LEA, verb, "", "v1", resource, "", namespace, name))


def test_a_role_that_one_holds_for_other_verbs(roles):
    roles.put(ROLES, role("reader", rule("get", "list"), namespace="prod"))
    roles.put(ROLE_BINDINGS, binding("prod", "read", "Role", "reader"))
    found = ask(roles)
    assert (found.how, found.kind, found.namespace, found.name) == (
        "verbs",
        "Role",
        "prod",
        "reader",
    )
    assert found.verbs == ("get", "list")


def test_a_role_for_other_names(roles):
    roles.put(ROLES, role("one", rule("get", resourceNames=["web"]), namespace="prod"))
    roles.put(ROLE_BINDINGS, binding("prod", "one", "Role", "one"))
    assert ask(roles, verb="get", name="api").how == "names"


def test_a_role_that_is_bound_elsewhere(roles):
    roles.put(ROLE_BINDINGS, binding("dev", "edits", "ClusterRole", "edit"))
    found = ask(roles)
    assert (found.how, found.name, found.bound_in) == ("elsewhere", "edit", "dev")


def test_the_smallest_role_that_is_not_bound(roles):
    found = ask(roles)
    assert (found.how, found.kind, found.name) == ("unbound", "ClusterRole", "edit")
    assert ask(roles, resource="secrets").name == "cluster-admin"


def test_nothing_is_near_where_there_are_no_roles():
    assert ask(RoleIndex()) is None
