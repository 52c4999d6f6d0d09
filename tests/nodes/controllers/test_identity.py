"""Roles that are sums, token secrets, certificates, bootstrap tokens, node addresses."""

import base64
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from apimachinery.clock import format_time
from apimachinery.meta import annotations_of
from apiserver.auth.pki import CertificateAuthority, create_cluster_authority
from apiserver.auth.signing import sign_request
from nodes.client.resources import (
    CERTIFICATESIGNINGREQUESTS,
    CLUSTERROLES,
    SECRETS,
    SERVICEACCOUNTS,
)
from nodes.controllers.bootstrap import detached_signature
from nodes.controllers.certificates import requests
from tests.support.builders import node, obj

pytestmark = pytest.mark.looptime

RBAC = "rbac.authorization.k8s.io/v1"
SIGNING = "certificatesigningrequest-signing-controller"
CLEANER = "certificatesigningrequest-cleaner-controller"
TOKENS = "serviceaccount-token-controller"


def encoded(text):
    data = text if isinstance(text, bytes) else text.encode()
    return base64.b64encode(data).decode()


# Roles.


def role(name, *resources, **more):
    rules = [{"apiGroups": [""], "resources": [one], "verbs": ["get"]} for one in resources]
    return obj("ClusterRole", name, "", RBAC, rules=rules, **more)


async def test_a_role_is_the_sum_of_what_it_selects(rig):
    await rig.run("clusterrole-aggregation-controller")
    selectors = [{"matchLabels": {"part": "yes"}}]
    await rig.create(role("sum", aggregationRule={"clusterRoleSelectors": selectors}))
    await rig.create(role("b", "pods", "secrets").labels(part="yes"), role("c", "nodes"))
    await rig.create(role("a", "pods").labels(part="yes"))
    await rig.settle(0.5)

    def resources():
        return [rule["resources"][0] for rule in rig.need("clusterroles", "sum")["rules"]]

    assert resources() == ["pods", "secrets"]
    await rig.client.delete(CLUSTERROLES, "", "b")
    await rig.settle(0.5)
    assert resources() == ["pods"]


# Token secrets.


class Keys:
    """An authority with a CA made for the test."""

    def __init__(self, clock):
        issued = create_cluster_authority("uid", clock)
        self.ca, self.clock = CertificateAuthority(issued.certificate, issued.key), clock

    def sign_request(self, pem, usages, seconds):
        return sign_request(self.ca, pem, usages, seconds, self.clock)

    def account_token(self, account, secret):
        return f"token of {account['metadata']['name']} in {secret}"


@pytest.fixture
async def keys(rig):
    rig.authority = Keys(rig.clock)
    return rig.authority


def token_secret(account="robot", uid=None):
    notes = {"kubernetes.io/service-account.name": account}
    notes |= {"kubernetes.io/service-account.uid": uid} if uid else {}
    made = obj("Secret", "t", type="kubernetes.io/service-account-token")
    return made.annotations(notes)


async def test_a_token_secret_is_filled_and_goes_with_its_account(rig, keys):
    await rig.run(TOKENS)
    account = await rig.create(obj("ServiceAccount", "robot"))
    await rig.create(token_secret())
    await rig.settle(0.5)
    found = rig.need("secrets", "t")
    assert {k: base64.b64decode(v).decode() for k, v in found["data"].items()} == {
        "ca.crt": "PEM",
        "namespace": "default",
        "token": "token of robot in t",
    }
    uid = annotations_of(found)["kubernetes.io/service-account.uid"]
    assert uid == account["metadata"]["uid"]
    await rig.client.delete(SERVICEACCOUNTS, "default", "robot")
    await rig.settle(0.5)
    assert rig.names("secrets") == []


async def test_an_account_names_no_secret_that_is_gone(rig, keys):
    await rig.run(TOKENS)
    names = [{"name": "t"}, {"name": "other"}]
    await rig.create(obj("ServiceAccount", "robot", secrets=names), token_secret())
    await rig.settle(0.5)
    await rig.client.delete(SECRETS, "default", "t")
    await rig.settle(0.5)
    assert rig.need("serviceaccounts", "robot")["secrets"] == [{"name": "other"}]


@pytest.mark.parametrize("secret", [token_secret("nobody"), token_secret("robot", "another")])
async def test_a_token_secret_of_nobody_goes(rig, keys, secret):
    await rig.create(obj("ServiceAccount", "robot"), secret, obj("Secret", "mine", type="Opaque"))
    await rig.run(TOKENS)
    await rig.settle(0.5)
    assert rig.names("secrets") == ["mine"]


# Certificates.


def signing_request(signer, name="jane", organization="dev", usages=("client auth",), dns=()):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
        x509.NameAttribute(NameOID.COMMON_NAME, name),
    ]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    if dns:
        names = x509.SubjectAlternativeName([x509.DNSName(one) for one in dns])
        builder = builder.add_extension(names, critical=False)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    spec = {"signerName": signer, "request": encoded(pem), "usages": list(usages)}
    return obj("CertificateSigningRequest", "r", "", "certificates.k8s.io/v1", spec=spec, status={})


def approved(csr, kind="Approved", at="2026-01-02T03:04:05Z"):
    return csr.condition(kind, "True", lastUpdateTime=at)


def csr_status(rig):
    return rig.need("certificatesigningrequests", "r").get("status") or {}


async def test_what_is_approved_is_signed(rig, keys):
    await rig.run(SIGNING)
    made = signing_request(requests.CLIENT, usages=("digital signature", "client auth"))
    made["spec"]["expirationSeconds"] = 3600
    await rig.create(made)
    await rig.settle(0.5)
    assert "certificate" not in csr_status(rig)
    body = {"status": approved(signing_request(requests.CLIENT))["status"]}
    await rig.client.patch(CERTIFICATESIGNINGREQUESTS, "", "r", body, subresource="status")
    await rig.settle(0.5)
    pem = base64.b64decode(csr_status(rig)["certificate"])
    certificate = x509.load_pem_x509_certificate(pem)
    certificate.verify_directly_issued_by(keys.ca.certificate)
    assert certificate.subject.rfc4514_string() == "CN=jane,O=dev"
    left = certificate.not_valid_after_utc - rig.clock.now()
    assert abs(left - timedelta(hours=1)) < timedelta(minutes=1)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_encipherment) == (True, False)


@pytest.mark.parametrize(
    ("signer", "more", "why"),
    [
        (
            requests.CLIENT,
            {"usages": ("server auth",)},
            "invalid usage for client certificate: server auth",
        ),
        (
            requests.CLIENT,
            {"usages": ("digital signature",)},
            "missing required usage for client certificate: client auth",
        ),
        (requests.KUBELET_CLIENT, {}, "subject organization is not system:nodes"),
        (
            requests.KUBELET_CLIENT,
            {"organization": "system:nodes"},
            "subject common name does not begin with system:node:",
        ),
        (
            requests.KUBELET_SERVING,
            {"organization": "system:nodes", "name": "system:node:n1"},
            "DNS or IP subjectAltName is required",
        ),
        (
            requests.KUBELET_SERVING,
            {"organization": "system:nodes", "name": "system:node:n1", "dns": ["n1"]},
            "usages did not match [digital signature key encipherment server auth]",
        ),
    ],
)
async def test_what_a_signer_does_not_sign_fails(rig, keys, signer, more, why):
    await rig.run(SIGNING)
    await rig.create(approved(signing_request(signer, **more)))
    await rig.settle(0.5)
    failed = csr_status(rig)["conditions"][-1]
    assert (failed["type"], failed["reason"], failed["message"]) == (
        "Failed",
        "SignerValidationFailure",
        why,
    )


async def test_another_signer_is_left_alone(rig, keys):
    await rig.run(SIGNING)
    await rig.create(approved(signing_request("example.com/mine")))
    await rig.settle(0.5)
    assert "certificate" not in csr_status(rig)


def answer_reviews(rig, allowed):
    """Stand in for the API where the fake one knows no reviews and no approvals."""
    transport = rig.transport_for(rig.account("certificate-controller"))
    passed_on = transport.call

    async def call(request):
        if request.resource == "subjectaccessreviews":
            asked = request.body["spec"]["resourceAttributes"]["subresource"]
            return {**request.body, "status": {"allowed": asked in allowed}}
        if request.subresource == "approval":
            request.subresource = "status"
        return await passed_on(request)

    transport.call = call


@pytest.mark.parametrize(
    ("allowed", "username", "message"),
    [
        (["selfnodeclient"], "system:node:n1", "Auto approving self kubelet"),
        (["nodeclient"], "system:bootstrap:abcdef", "Auto approving kubelet"),
        (["selfnodeclient"], "system:bootstrap:abcdef", ""),
        ([], "system:node:n1", ""),
    ],
)
async def test_kubelets_are_approved_as_far_as_they_may(rig, allowed, username, message):
    answer_reviews(rig, allowed)
    await rig.run("certificatesigningrequest-approving-controller")
    made = signing_request(
        requests.KUBELET_CLIENT,
        name="system:node:n1",
        organization="system:nodes",
        usages=("digital signature", "client auth"),
    )
    made["spec"]["username"] = username
    await rig.create(made)
    await rig.settle(0.5)
    found = [(one["type"], one["message"]) for one in csr_status(rig).get("conditions", ())]
    tail = " client certificate after SubjectAccessReview."
    assert found == ([("Approved", message + tail)] if message else [])


async def test_a_right_that_comes_later_is_seen(rig):
    allowed = []
    answer_reviews(rig, allowed)
    await rig.run("certificatesigningrequest-approving-controller")
    subject = {"name": "system:node:n1", "organization": "system:nodes"}
    usages = ("digital signature", "client auth")
    made = signing_request(requests.KUBELET_CLIENT, usages=usages, **subject)
    made["spec"]["username"] = "system:node:n1"
    await rig.create(made)
    await rig.settle(60)
    assert not csr_status(rig).get("conditions")
    allowed.append("selfnodeclient")
    await rig.settle(80)
    assert [one["type"] for one in csr_status(rig)["conditions"]] == ["Approved"]


@pytest.mark.parametrize(
    ("kind", "hours"), [(None, 24), ("Denied", 1), ("Failed", 1), ("Approved", 24)]
)
async def test_old_requests_go(rig, kind, hours):
    await rig.run(CLEANER)
    made = signing_request(requests.CLIENT)
    at = format_time(rig.clock.now())
    await rig.create(approved(made, kind, at) if kind else made)
    await rig.settle(hours * 3600 - 60)
    assert rig.names("certificatesigningrequests") == ["r"]
    await rig.settle(120)
    assert rig.names("certificatesigningrequests") == []


# Bootstrap tokens.


def bootstrap_token(expiration="2026-01-02T04:04:05Z"):
    data = {
        "token-id": "abcdef",
        "token-secret": "0123456789abcdef",
        "usage-bootstrap-signing": "true",
        "expiration": expiration,
    }
    return obj(
        "Secret",
        "bootstrap-token-abcdef",
        "kube-system",
        type="bootstrap.kubernetes.io/token",
        data={key: encoded(value) for key, value in data.items()},
    )


async def test_a_token_goes_when_it_expires(rig):
    await rig.run("token-cleaner-controller")
    await rig.create(bootstrap_token())
    await rig.settle(3500)
    assert rig.names("secrets") == ["bootstrap-token-abcdef"]
    await rig.settle(200)
    assert rig.names("secrets") == []


async def test_the_public_kubeconfig_is_signed_by_each_token(rig):
    await rig.run("bootstrap-signer-controller")
    info = obj("ConfigMap", "cluster-info", "kube-public", data={"kubeconfig": "x"})
    await rig.create(info, bootstrap_token())
    await rig.settle(0.5)
    data = rig.need("configmaps", "cluster-info", "kube-public")["data"]
    wanted = detached_signature("x", "abcdef", "0123456789abcdef")
    assert data == {"kubeconfig": "x", "jws-kubeconfig-abcdef": wanted}
    assert wanted.startswith("eyJhbGciOiJIUzI1NiIsImtpZCI6ImFiY2RlZiJ9..")


# Nodes.


async def test_a_node_without_a_range_gets_a_free_one(rig):
    await rig.run("node-ipam-controller")
    await rig.create(node("a").spec(podCIDR="10.244.0.0/24", podCIDRs=["10.244.0.0/24"]))
    await rig.create(node("b"), node("c"))
    await rig.settle(0.5)
    assert sorted(one["spec"]["podCIDR"] for one in rig.api.all("nodes")) == [
        "10.244.0.0/24",
        "10.244.1.0/24",
        "10.244.2.0/24",
    ]
