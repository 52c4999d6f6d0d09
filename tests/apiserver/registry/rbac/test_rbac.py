"""Roles and bindings: rules that say something, subjects that exist, roles bound for good."""

from __future__ import annotations

import pytest

from apiserver.registry.rbac import CLUSTERROLEBINDINGS, CLUSTERROLES, ROLEBINDINGS, ROLES
from tests.apiserver.registry.trying import cells, create_errors, created, read, update_errors

GROUP = "rbac.authorization.k8s.io"
VIEW = {"apiGroup": GROUP, "kind": "ClusterRole", "name": "view"}


@pytest.mark.parametrize(
    ("rule", "errors"),
    [
        ({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}, []),
        (
            {"apiGroups": [""], "resources": ["pods"]},
            ["rules[0].verbs: Required value: verbs must contain at least one value"],
        ),
        (
            {"verbs": ["get"]},
            [
                (
                    "rules[0].apiGroups: Required value: "
                    "resource rules must supply at least one api group"
                ),
                (
                    "rules[0].resources: Required value: "
                    "resource rules must supply at least one resource"
                ),
            ],
        ),
        (
            {"verbs": ["get"], "nonResourceURLs": ["/x"]},
            [
                (
                    'rules[0].nonResourceURLs: Invalid value: ["/x"]: '
                    "namespaced rules cannot apply to non-resource URLs"
                )
            ],
        ),
    ],
)
def test_rules_of_a_role(rule, errors):
    assert create_errors(ROLES, rules=[rule]) == errors


def test_rules_of_a_cluster_role_may_name_urls_or_resources():
    urls = {"verbs": ["get"], "nonResourceURLs": ["/x"]}
    assert create_errors(CLUSTERROLES, rules=[urls]) == []
    (error,) = create_errors(CLUSTERROLES, rules=[urls | {"resources": ["pods"]}])
    assert error.endswith("cannot apply to both regular resources and non-resource URLs")


def test_aggregation_needs_selectors():
    why = "at least one clusterRoleSelector required if aggregationRule is non-nil"
    assert create_errors(CLUSTERROLES, aggregationRule={}) == [
        f"aggregationRule.clusterRoleSelectors: Required value: {why}"
    ]


def test_selectors_that_cannot_be_read_are_told_twice():
    selectors = [{"matchLabels": {"a": "b"}}, {"matchExpressions": [{"key": "a", "operator": "X"}]}]
    path = "aggregationRule.clusterRoleSelectors[1]"
    assert create_errors(CLUSTERROLES, aggregationRule={"clusterRoleSelectors": selectors}) == [
        f'{path}.matchExpressions[0].operator: Invalid value: "X": not a valid selector operator',
        f"{path}: Invalid value: null: invalid label selector.",
    ]


def _without_verbs(role):
    role["rules"] = [{"apiGroups": [""], "resources": ["pods"]}]


def _without_name(binding):
    binding["subjects"] = [{"kind": "User"}]


@pytest.mark.parametrize(
    ("resource", "old", "change", "error"),
    [
        (
            kind,
            {"rules": []},
            _without_verbs,
            "rules[0].verbs: Required value: verbs must contain at least one value",
        )
        for kind in (ROLES, CLUSTERROLES)
    ]
    + [
        (kind, {"roleRef": VIEW}, _without_name, "subjects[0].name: Required value")
        for kind in (ROLEBINDINGS, CLUSTERROLEBINDINGS)
    ],
)
def test_changes_are_checked_twice(resource, old, change, error):
    assert update_errors(resource, created(resource, **old), change) == [error, error]


def test_names_have_to_fit_into_a_path_only():
    assert create_errors(ROLES, "System:Odd name", rules=[]) == []
    assert create_errors(ROLES, "a/b", rules=[]) == [
        "metadata.name: Invalid value: \"a/b\": may not contain '/'"
    ]


def test_groups_of_role_and_subjects_are_filled_in():
    binding = read(
        ROLEBINDINGS,
        roleRef={"kind": "Role", "name": "r"},
        subjects=[{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s"}],
    )
    assert binding["roleRef"]["apiGroup"] == GROUP
    assert [one.get("apiGroup") for one in binding["subjects"]] == [GROUP, None]


@pytest.mark.parametrize(
    ("subject", "errors"),
    [
        ({"kind": "Group", "name": "g"}, []),
        (
            {"kind": "ServiceAccount", "name": "s"},
            ["subjects[0].namespace: Required value"],
        ),
        ({"kind": "User"}, ["subjects[0].name: Required value"]),
        (
            {"kind": "Robot", "name": "r"},
            [
                (
                    'subjects[0].kind: Unsupported value: "Robot": '
                    'supported values: "ServiceAccount", "User", "Group"'
                )
            ],
        ),
    ],
)
def test_subjects(subject, errors):
    assert create_errors(CLUSTERROLEBINDINGS, roleRef=VIEW, subjects=[subject]) == errors


def test_cluster_role_binding_binds_no_role():
    assert create_errors(CLUSTERROLEBINDINGS, roleRef=VIEW | {"kind": "Role"}) == [
        'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"'
    ]


def test_role_is_bound_for_good():
    old = created(ROLEBINDINGS, roleRef=VIEW)
    assert update_errors(ROLEBINDINGS, old, lambda b: b["roleRef"].update(name="edit")) == [
        (
            f'roleRef: Invalid value: {{"APIGroup":"{GROUP}","Kind":"ClusterRole","Name":"edit"}}: '
            "cannot change roleRef"
        )
    ]


def test_row():
    subjects = [
        {"kind": "User", "name": "a"},
        {"kind": "User", "name": "b"},
        {"kind": "ServiceAccount", "namespace": "n", "name": "s"},
    ]
    row = cells(ROLEBINDINGS, created(ROLEBINDINGS, roleRef=VIEW, subjects=subjects))
    assert (row[1], row[3:]) == ("ClusterRole/view", ["a, b", "", "n/s"])
