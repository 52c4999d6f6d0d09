"""Policies read with the types of the kinds that they name."""

from __future__ import annotations

import pytest

from apimachinery.cel.builtin import type_of_builtin
from apimachinery.cel.typechecking import kinds, type_warnings
from apimachinery.gvk import GroupVersionKind
from apimachinery.schema import types

KINDS = {
    ("apps", "v1", "deployments"): GroupVersionKind("apps", "v1", "Deployment"),
    ("", "v1", "pods"): GroupVersionKind("", "v1", "Pod"),
    ("", "v1", "configmaps"): GroupVersionKind("", "v1", "ConfigMap"),
}


def kinds_of(*name):
    return [KINDS[name]] if name in KINDS else []


def type_of(kind):
    schema = types().type_of(kind)
    return None if schema is None else type_of_builtin(schema, kind.kind)


def policy(*expressions, resources=("deployments",), groups=("apps",), **more):
    rule = {"apiGroups": [*groups], "apiVersions": ["v1"], "resources": [*resources]}
    return {
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "validations": [{"expression": one} for one in expressions],
            **more,
        }
    }


def warnings(given):
    return type_warnings(given, type_of, kinds_of)


def test_fields_that_are_there_are_no_warning():
    good = policy(
        "object.spec.replicas <= 5 && object.metadata.name.startsWith('a')",
        "object.spec.template.spec.containers.all(c, has(c.image) && c.ports.size() < 3)",
        "object.spec.strategy.rollingUpdate.maxSurge == '25%'",
        "object.metadata.creationTimestamp < timestamp('2030-01-01T00:00:00Z')",
        "request.userInfo.username != '' && authorizer.path('/x').check('get').allowed()",
        "oldObject == null || object.metadata.labels['app'] == oldObject.metadata.labels['app']",
    )
    assert warnings(good) == []


def test_a_field_that_is_not_there_is_named_with_its_kind():
    assert warnings(policy("true", "object.spec.nope > 1")) == [
        {
            "fieldRef": "spec.validations[1].expression",
            "warning": (
                "apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'nope'\n"
                " | object.spec.nope > 1\n | ...........^\n"
            ),
        }
    ]


def test_each_kind_is_looked_at_for_itself():
    given = policy(
        "object.spec.replicas > 1", groups=("apps", ""), resources=("deployments", "pods")
    )
    given["spec"]["validations"][0]["messageExpression"] = "object.data.a"
    first, second = warnings(given)
    assert first["fieldRef"] == "spec.validations[0].expression"
    assert first["warning"].startswith("/v1, Kind=Pod: ERROR: <input>:1:12: undefined field")
    assert second["fieldRef"] == "spec.validations[0].messageExpression"
    assert second["warning"].count("undefined field 'data'") == 2
    assert "^\n\napps/v1, Kind=Deployment: ERROR" in second["warning"]


def test_variables_and_parameters_have_their_types():
    given = policy(
        "variables.most + 1 > object.spec.replicas",
        "variables.most == 'x'",
        "params.data['a'] == 'b'",
        "params.spec == 1",
        variables=[{"name": "most", "expression": "object.spec.replicas * 2"}],
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
    )
    first, second = warnings(given)
    assert "found no matching overload for '_==_' applied to '(int, string)'" in first["warning"]
    assert second["fieldRef"] == "spec.validations[3].expression"


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ({"apiGroups": ["*"], "apiVersions": ["v1"], "resources": ["pods"]}, []),
        ({"apiGroups": [""], "apiVersions": ["*"], "resources": ["pods"]}, []),
        ({"apiGroups": [""], "apiVersions": ["v1"], "resources": ["*", "pods/status"]}, []),
        ({"apiGroups": [""], "apiVersions": ["v1"], "resources": ["*", "pods"]}, ["Pod"]),
        ({"apiGroups": ["nope"], "apiVersions": ["v1"], "resources": ["pods"]}, []),
    ],
)
def test_only_kinds_that_are_named_are_known(rule, found):
    spec = {"matchConstraints": {"resourceRules": [rule]}}
    assert [kind.kind for kind in kinds(spec, kinds_of)] == found
