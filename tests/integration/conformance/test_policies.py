"""Admission policies in CEL, at work on Deployments."""

import pytest

from tests.integration.conformance.conftest import NAMESPACE
from tests.integration.conftest import deployment
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
APPS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
VALIDATING = "[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] "
MUTATING = "[sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] "
MATCH = {
    "resourceRules": [
        {
            "apiGroups": ["apps"],
            "apiVersions": ["v1"],
            "operations": ["CREATE", "UPDATE"],
            "resources": ["deployments"],
        }
    ],
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}},
}


def web(replicas):
    made = deployment(replicas=replicas)
    made["metadata"]["namespace"] = NAMESPACE
    return made


async def validate(world, **spec):
    """Make a policy of validations, and bind it."""
    body = {"metadata": {"name": "policy"}, "spec": {"matchConstraints": MATCH, **spec}}
    await world.create(f"{ADMISSION}/validatingadmissionpolicies", body)
    binding = {"policyName": "policy", "validationActions": ["Deny"]}
    await world.create(
        f"{ADMISSION}/validatingadmissionpolicybindings",
        {"metadata": {"name": "binding"}, "spec": binding},
    )


@pytest.mark.conformance(VALIDATING + "should validate against a Deployment")
async def test_validation(world):
    rules = [
        {
            "expression": "object.spec.replicas > 1",
            "messageExpression": "'wants replicas > 1, got ' + string(object.spec.replicas)",
        },
        {
            "expression": (
                "namespaceObject.metadata.name == 'conformance' && object.metadata.name == 'web'"
            ),
            "message": "wrong place",
        },
    ]
    await validate(world, validations=rules)
    await world.create(APPS, web(2), expect=201)
    await world.delete(f"{APPS}/web")
    refused = await world.create(APPS, web(1), expect=422)
    assert "denied request: wants replicas > 1, got 1" in refused["message"]


@pytest.mark.conformance(VALIDATING + "should allow expressions to refer variables.")
async def test_variables(world):
    variables = [
        {"name": "replicas", "expression": "object.spec.replicas"},
        {"name": "oddReplicas", "expression": "variables.replicas % 2 == 1"},
    ]
    rules = [
        {"expression": "variables.replicas > 1"},
        {"expression": "variables.oddReplicas"},
    ]
    await validate(world, variables=variables, validations=rules)
    await world.create(APPS, web(3), expect=201)
    await world.delete(f"{APPS}/web")
    refused = await world.create(APPS, web(1), expect=422)
    assert "failed expression: variables.replicas > 1" in refused["message"]
    refused = await world.create(APPS, web(2), expect=422)
    assert "failed expression: variables.oddReplicas" in refused["message"]


async def mutate(world, expression, kind="ApplyConfiguration"):
    key = "applyConfiguration" if kind == "ApplyConfiguration" else "jsonPatch"
    spec = {
        "matchConstraints": MATCH,
        "failurePolicy": "Fail",
        "reinvocationPolicy": "IfNeeded",
        "mutations": [{"patchType": kind, key: {"expression": expression}}],
    }
    await world.create(
        f"{ADMISSION}/mutatingadmissionpolicies", {"metadata": {"name": "policy"}, "spec": spec}
    )
    await world.create(
        f"{ADMISSION}/mutatingadmissionpolicybindings",
        {"metadata": {"name": "binding"}, "spec": {"policyName": "policy"}},
    )


@pytest.mark.conformance(MUTATING + "should mutate a Deployment")
async def test_mutation(world):
    await mutate(world, "Object{spec: Object.spec{replicas: object.spec.replicas + 1}}")
    assert (await world.create(APPS, web(1)))["spec"]["replicas"] == 2


@pytest.mark.conformance(MUTATING + "should mutate a Deployment with annotations")
async def test_mutation_of_annotations(world):
    expression = (
        '[JSONPatch{op: "add", path: "/metadata/annotations", value: {}}, JSONPatch{op: "add",'
        ' path: "/metadata/annotations/" + jsonpatch.escapeKey("example.com/my-annotation"),'
        ' value: "my-value"}]'
    )
    await mutate(world, expression, "JSONPatch")
    made = await world.create(APPS, web(1))
    assert made["metadata"]["annotations"]["example.com/my-annotation"] == "my-value"
