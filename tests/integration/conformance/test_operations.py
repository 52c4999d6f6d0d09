"""Kinds that "must support create, get, list, watch, update, patch, delete, deletecollection"."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

FLOW = "flowcontrol.apiserver.k8s.io"
ADMISSION = "admissionregistration.k8s.io"
LABELS = {"conformance": "yes"}


def flow_schema(name):
    return {
        "metadata": {"name": name, "labels": LABELS},
        "spec": {
            "matchingPrecedence": 10_000,
            "priorityLevelConfiguration": {"name": "global-default"},
            "distinguisherMethod": {"type": "ByUser"},
            "rules": [
                {
                    "subjects": [{"kind": "User", "user": {"name": "nobody-at-all"}}],
                    "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz"]}],
                }
            ],
        },
    }


def priority_level(name):
    response = {"type": "Reject"}
    limited = {"nominalConcurrencyShares": 2, "limitResponse": response}
    return {
        "metadata": {"name": name, "labels": LABELS},
        "spec": {"type": "Limited", "limited": limited},
    }


MATCH = {
    "resourceRules": [
        {
            "apiGroups": ["apps"],
            "apiVersions": ["v1"],
            "operations": ["CREATE"],
            "resources": ["deployments"],
        }
    ],
    "namespaceSelector": {"matchLabels": {"conformance": "nowhere"}},
}


def validating_policy(name):
    rules = [{"expression": "object.spec.replicas <= 100"}]
    return {
        "metadata": {"name": name, "labels": LABELS},
        "spec": {"matchConstraints": MATCH, "validations": rules},
    }


def mutating_policy(name):
    expression = "Object{metadata: Object.metadata{labels: {'a': 'b'}}}"
    patch = {
        "patchType": "ApplyConfiguration",
        "applyConfiguration": {"expression": expression},
    }
    return {
        "metadata": {"name": name, "labels": LABELS},
        "spec": {
            "matchConstraints": MATCH,
            "mutations": [patch],
            "reinvocationPolicy": "Never",
            "failurePolicy": "Fail",
        },
    }


def validating_binding(name):
    return {
        "metadata": {"name": name, "labels": LABELS},
        "spec": {"policyName": "none", "validationActions": ["Deny"]},
    }


def mutating_binding(name):
    return {"metadata": {"name": name, "labels": LABELS}, "spec": {"policyName": "none"}}


def signing_request(name):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    pem = made.public_bytes(serialization.Encoding.PEM)
    return {
        "metadata": {"name": name, "labels": LABELS},
        "spec": {
            "request": base64.b64encode(pem).decode(),
            "signerName": "example.com/conformance",
            "usages": ["client auth"],
        },
    }


async def discovered(world, group, version, *resources):
    """The group, its version and the resources stand in the discovery documents."""
    groups = (await world.get("/apis"))["groups"]
    (found,) = [one for one in groups if one["name"] == group]
    assert version in [one["version"] for one in found["versions"]]
    about = await world.get(f"/apis/{group}")
    assert f"{group}/{version}" in [one["groupVersion"] for one in about["versions"]]
    listed = (await world.get(f"/apis/{group}/{version}"))["resources"]
    assert set(resources) <= {one["name"] for one in listed}


async def lives(world, base, make):
    """An object goes through everything that can be done to a kind, and a watch sees it."""
    selected = f"{base}?labelSelector=conformance%3Dyes"
    watch = world.watch(f"{selected}&watch=true")
    made = await world.create(base, make("one"), expect=201)
    assert await world.get(f"{base}/one") == made
    assert [o["metadata"]["name"] for o in (await world.get(selected))["items"]] == ["one"]
    await watch.until("ADDED", "one")

    patched = await world.patch(f"{base}/one", {"metadata": {"annotations": {"patched": "true"}}})
    assert patched["metadata"]["annotations"]["patched"] == "true"

    def annotate(found):
        found["metadata"]["annotations"]["updated"] = "true"

    updated = await world.update(f"{base}/one", annotate)
    assert updated["metadata"]["annotations"] == {"patched": "true", "updated": "true"}
    shown = await watch.until("MODIFIED", "one")
    assert shown["metadata"]["resourceVersion"] == updated["metadata"]["resourceVersion"]

    await world.delete(f"{base}/one")
    await world.get(f"{base}/one", expect=404)
    await watch.until("DELETED", "one")

    for name in ("two", "three"):
        await world.create(base, make(name), expect=201)
    await world.create(base, make("other") | {"metadata": {"name": "other"}}, expect=201)
    await world.delete(selected)
    assert (await world.get(selected))["items"] == []
    assert (await world.get(f"{base}/other"))["metadata"]["name"] == "other"


async def has_status(world, path, status):
    """The status subresource can be read, patched and updated, and nothing else through it."""
    condition = {
        "type": "Tested",
        "status": "True",
        "reason": "E2E",
        "message": "set by a patch",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    patched = await world.patch(
        f"{path}/status", {"metadata": {"annotations": {"s": "1"}}, "status": status(condition)}
    )
    assert "Tested" in [one["type"] for one in patched["status"]["conditions"]]

    def change(found):
        for one in found["status"]["conditions"]:
            if one["type"] == "Tested":
                one["message"] = "set by an update"

    await world.update(f"{path}/status", change)
    conditions = (await world.get(f"{path}/status"))["status"]["conditions"]
    assert [o["message"] for o in conditions if o["type"] == "Tested"] == ["set by an update"]


@pytest.mark.parametrize(
    ("group", "plural", "make", "status"),
    [
        pytest.param(
            FLOW, "flowschemas", flow_schema, True,
            marks=pytest.mark.conformance(
                "[sig-api-machinery] API priority and fairness should support FlowSchema API"
                " operations"
            ),
        ),
        pytest.param(
            FLOW, "prioritylevelconfigurations", priority_level, True,
            marks=pytest.mark.conformance(
                "[sig-api-machinery] API priority and fairness should support"
                " PriorityLevelConfiguration API operations"
            ),
        ),
        pytest.param(
            ADMISSION, "validatingadmissionpolicies", validating_policy, True,
            marks=pytest.mark.conformance(
                "[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should"
                " support ValidatingAdmissionPolicy API operations"
            ),
        ),
        pytest.param(
            ADMISSION, "validatingadmissionpolicybindings", validating_binding, False,
            marks=pytest.mark.conformance(
                "[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should"
                " support ValidatingAdmissionPolicyBinding API operations"
            ),
        ),
        pytest.param(
            ADMISSION, "mutatingadmissionpolicies", mutating_policy, False,
            marks=pytest.mark.conformance(
                "[sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] should"
                " support MutatingAdmissionPolicy API operations"
            ),
        ),
        pytest.param(
            ADMISSION, "mutatingadmissionpolicybindings", mutating_binding, False,
            marks=pytest.mark.conformance(
                "[sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] should"
                " support MutatingAdmissionPolicyBinding API operations"
            ),
        ),
    ],
)  # fmt: skip
async def test_operations(world, group, plural, make, status):
    parts = [plural, f"{plural}/status"] if status else [plural]
    await discovered(world, group, "v1", *parts)
    base = f"/apis/{group}/v1/{plural}"
    await lives(world, base, make)
    if status:
        await world.create(base, make("four"))
        await has_status(world, f"{base}/four", lambda one: {"conditions": [one]})


@pytest.mark.conformance(
    "[sig-auth] Certificates API [Privileged:ClusterAdmin] should support CSR API operations"
)
async def test_certificate_signing_requests(world):
    plural = "certificatesigningrequests"
    parts = (plural, f"{plural}/approval", f"{plural}/status")
    await discovered(world, "certificates.k8s.io", "v1", *parts)
    base = f"/apis/certificates.k8s.io/v1/{plural}"
    await lives(world, base, signing_request)

    await world.create(base, signing_request("four"))
    decision = {"type": "Approved", "status": "True", "reason": "E2E", "message": "by an update"}

    def approve(found):
        found["status"] = {"conditions": [decision]}

    approved = await world.update(f"{base}/four/approval", approve)
    assert [one["type"] for one in approved["status"]["conditions"]] == ["Approved"]
    again = await world.patch(f"{base}/four/approval", {"metadata": {"annotations": {"p": "1"}}})
    assert again["status"]["conditions"] == approved["status"]["conditions"]
    assert (await world.get(f"{base}/four/approval"))["metadata"]["name"] == "four"

    def status(condition):
        return {"conditions": [*approved["status"]["conditions"], condition]}

    await has_status(world, f"{base}/four", status)
