"""Policies in a whole cluster: their types are checked, and said in their status."""

from __future__ import annotations

from nodes.client.resources import CUSTOMRESOURCEDEFINITIONS, VALIDATINGADMISSIONPOLICIES
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME
POLICIES = "validatingadmissionpolicies.admissionregistration.k8s.io"


def policy(name, expression, group="apps", resource="deployments"):
    rule = {
        "apiGroups": [group],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": [resource],
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "validations": [{"expression": expression}],
        },
    }


async def status_of(lab, given):
    made = await lab.client.create(given, VALIDATINGADMISSIONPOLICIES)
    name = made["metadata"]["name"]
    await eventually(
        lambda: lab.get(POLICIES, name, "").get("status", {}).get("typeChecking") is not None
    )
    return lab.get(POLICIES, name, "")


async def test_a_policy_is_type_checked(lab):
    found = await status_of(lab, policy("good", "object.spec.replicas < 5"))
    assert found["status"] == {"observedGeneration": 1, "typeChecking": {}}
    found = await status_of(lab, policy("bad", "object.spec.replica < 5"))
    (warning,) = found["status"]["typeChecking"]["expressionWarnings"]
    assert warning["fieldRef"] == "spec.validations[0].expression"
    assert warning["warning"].startswith(
        "apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'replica'"
    )
    managers = {one["manager"]: one["operation"] for one in found["metadata"]["managedFields"]}
    assert managers["validatingadmissionpolicy-status"] == "Apply"


async def test_a_policy_for_a_custom_kind_is_type_checked(lab):
    size = {"type": "object", "properties": {"size": {"type": "integer"}}}
    root = {"type": "object", "properties": {"spec": size}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": root}}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [version],
        },
    }
    await lab.client.create(definition, CUSTOMRESOURCEDEFINITIONS)
    given = policy("sizes", "object.spec.size < 'a'", "example.com", "widgets")
    found = await status_of(lab, given)
    (warning,) = found["status"]["typeChecking"]["expressionWarnings"]
    assert "example.com/v1, Kind=Widget: ERROR: <input>:1:18" in warning["warning"]
    assert "'_<_' applied to '(int, string)'" in warning["warning"]
