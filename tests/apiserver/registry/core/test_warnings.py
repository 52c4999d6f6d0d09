"""What people are told of objects that are accepted all the same."""

from __future__ import annotations

import base64
import time
from datetime import datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from apimachinery.validation.addresses import cidr_warnings, ip_warnings
from apimachinery.validation.field import Path
from apiserver.registry.core.endpoints import ENDPOINTS
from apiserver.registry.core.keypairs import key_pair_problem
from apiserver.registry.core.persistentvolumes import PERSISTENTVOLUMES
from apiserver.registry.core.secrets import SECRETS
from apiserver.registry.core.serviceaccounts import SERVICEACCOUNTS
from apiserver.registry.core.services import SERVICES
from apiserver.registry.discovery.endpointslices import ENDPOINTSLICES
from apiserver.registry.networking import NETWORKPOLICIES
from apiserver.registry.node.runtimeclasses import RUNTIMECLASSES
from apiserver.registry.podspec.warnings import spec_warnings
from apiserver.registry.storage.csistoragecapacities import CSISTORAGECAPACITIES
from apiserver.registry.storage.storageclasses import STORAGECLASSES
from tests.apiserver.registry.trying import context, created, updated

AT = Path("here")
LATER = "will be considered invalid in a future Kubernetes release"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("10.0.0.1", ""),
        ("fd00::1", ""),
        ("010.0.0.1", f'here: non-standard IP address "010.0.0.1" {LATER}: use "10.0.0.1"'),
        ("::ffff:10.0.0.1",
         f'here: non-standard IP address "::ffff:10.0.0.1" {LATER}: use "10.0.0.1"'),
        ("FD00:0::1",
         'here: IPv6 address "FD00:0::1" should be in RFC 5952 canonical format ("fd00::1")'),
    ],
)  # fmt: skip
def test_addresses(value, text):
    assert ip_warnings(value, AT) == ([text] if text else [])


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ("10.0.0.0/24", []),
        ("10.0.0.1/24", [
            ('here: CIDR value "10.0.0.1/24" is ambiguous in this context '
            '(should be "10.0.0.0/24" or "10.0.0.1/32"?)')]),
        ("010.0.0.0/24", [(f'here: non-standard CIDR value "010.0.0.0/24" {LATER}: '
                          'use "10.0.0.0/24"')]),
        ("::ffff:10.0.0.0/120", [(f'here: non-standard CIDR value "::ffff:10.0.0.0/120" {LATER}: '
                                 'use "10.0.0.0/24"')]),
        ("FD00::/64", [('here: IPv6 CIDR value "FD00::/64" should be in RFC 5952 canonical format '
                       '("fd00::/64")')]),
    ],
)  # fmt: skip
def test_ranges(value, texts):
    assert cidr_warnings(value, AT) == texts


OS = 'deprecated since v1.14; use "kubernetes.io/os" instead'
RULE = {"matchExpressions": [{"key": "beta.kubernetes.io/os", "operator": "Exists"}]}
ODD = "010.0.0.1"
TOLD = f'non-standard IP address "{ODD}" {LATER}: use "10.0.0.1"'
ENFORCE = "kubernetes.io/enforce-mountable-secrets"


@pytest.mark.parametrize(
    ("resource", "body", "texts"),
    [
        (SERVICES, {"spec": {"ports": [{"port": 80}], "externalIPs": [ODD]}}, [
            f"spec.externalIPs[0]: {TOLD}",
            "spec.externalIPs is deprecated and may no longer be implemented in some clusters"]),
        (ENDPOINTS, {"subsets": [{"notReadyAddresses": [{"ip": ODD}]}]},
         [f"subsets[0].notReadyAddresses[0].ip: {TOLD}"]),
        (ENDPOINTSLICES, {"addressType": "IPv4", "endpoints": [{"addresses": [ODD]}]},
         [f"endpoints[0].addresses[0]: {TOLD}"]),
        (ENDPOINTSLICES, {"addressType": "FQDN", "endpoints": [{"addresses": ["a.example.com"]}]},
         ["spec.addressType: FQDN endpoints are deprecated"]),
        (NETWORKPOLICIES,
         {"spec": {"egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.1/24"}}]}]}},
         [('spec.egress[0].to[0].ipBlock.cidr: CIDR value "10.0.0.1/24" is ambiguous in this '
          'context (should be "10.0.0.0/24" or "10.0.0.1/32"?)')]),
        (PERSISTENTVOLUMES,
         {"metadata": {"annotations": {"volume.beta.kubernetes.io/storage-class": "x"}},
          "spec": {"persistentVolumeReclaimPolicy": "Recycle", "cephfs": {"monitors": ["a"]},
                   "nodeAffinity": {"required": {"nodeSelectorTerms": [RULE]}}}},
         [("metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; "
          'use "storageClassName" attribute instead'),
          ("spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, "
          "the recommended approach is to use dynamic provisioning."),
          ("spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: "
          f"beta.kubernetes.io/os is {OS}"),
          "spec.cephfs: deprecated in v1.28, non-functional in v1.31+"]),
        (STORAGECLASSES,
         {"allowedTopologies": [{"matchLabelExpressions": [
             {"key": "beta.kubernetes.io/os", "values": ["a"]}]}]},
         [f"allowedTopologies[0].matchLabelExpressions[0].key: {OS}"]),
        (CSISTORAGECAPACITIES,
         {"nodeTopology": {"matchLabels": {"beta.kubernetes.io/os": "a"}}},
         [f"nodeTopology.matchLabels.beta.kubernetes.io/os: {OS}"]),
        (RUNTIMECLASSES, {"scheduling": {"nodeSelector": {"beta.kubernetes.io/os": "a"}}},
         [f"scheduling.nodeSelector: {OS}"]),
        (SERVICEACCOUNTS, {"metadata": {"annotations": {ENFORCE: "true"}}},
         [(f"metadata.annotations[{ENFORCE}]: deprecated in v1.32+; prefer separate namespaces to "
          "isolate access to mounted secrets")]),
        (SECRETS, {"type": "kubernetes.io/tls", "data": {"tls.crt": "eA==", "tls.key": "eA=="}},
         ["tls: failed to find any PEM data in certificate input"]),
    ],
)  # fmt: skip
def test_kinds(resource, body, texts):
    made = created(resource, **body)
    assert resource.strategy.warnings_on_create(made, context()) == texts


def test_an_annotation_that_was_there_is_not_told_again():
    old = created(SERVICEACCOUNTS, metadata={"annotations": {ENFORCE: "true"}})
    assert SERVICEACCOUNTS.strategy.warnings_on_update(old, old, context()) == []


def test_an_account_keeps_the_names_of_its_secrets():
    secrets = [{"name": "a", "namespace": "elsewhere", "kind": "Secret"}]
    old = created(SERVICEACCOUNTS, secrets=secrets)
    assert old["secrets"] == [{"name": "a"}]
    new = updated(SERVICEACCOUNTS, old, lambda new: new.update(secrets=secrets))
    assert new["secrets"] == [{"name": "a"}]


def test_topology_cannot_be_written_and_names_of_nodes_are_kept():
    host = {"kubernetes.io/hostname": "n"}
    endpoint = {"addresses": ["10.0.0.1"], "deprecatedTopology": host}
    made = created(ENDPOINTSLICES, addressType="IPv4", endpoints=[endpoint])
    assert made["endpoints"] == [{"addresses": ["10.0.0.1"], "conditions": {}}]
    old = made | {"endpoints": [endpoint]}
    more = [endpoint, {"addresses": ["10.0.0.2"]}]
    new = updated(ENDPOINTSLICES, old, lambda new: new.update(endpoints=more))
    assert new["endpoints"] == [
        {"addresses": ["10.0.0.1"], "conditions": {}, "nodeName": "n"},
        {"addresses": ["10.0.0.2"], "conditions": {}},
    ]


@cache
def pair(kind="ec"):
    key = (
        ec.generate_private_key(ec.SECP256R1())
        if kind.startswith("ec")
        else rsa.generate_private_key(65537, 2048)
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")])
    day = datetime(2026, 1, 1)  # noqa: DTZ001
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
    builder = builder.public_key(key.public_key()).not_valid_before(day)
    made = builder.not_valid_after(day + timedelta(days=1)).sign(key, hashes.SHA256())
    form = Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    return made.public_bytes(Encoding.PEM), key.private_bytes(*form)


def block(kind, content=b"x"):
    text = base64.b64encode(content).decode()
    return f"-----BEGIN {kind}-----\n{text}\n-----END {kind}-----\n".encode()


def test_pairs_that_fit():
    for kind in ("ec", "rsa"):
        assert key_pair_problem(*pair(kind)) == ""


def test_the_numbers_of_a_key_are_not_examined():
    """It takes seconds where they are large, and the event loop serves nobody meanwhile."""
    certificate, key = pair("rsa")
    good = load_pem_private_key(key, None).private_numbers()
    numbers = rsa.RSAPrivateNumbers(
        good.p, good.q, good.d + 2, good.dmp1, good.dmq1, good.iqmp, good.public_numbers
    )
    wrong = numbers.private_key(unsafe_skip_rsa_key_validation=True)
    form = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    assert key_pair_problem(certificate, wrong.private_bytes(*form)) == ""


@pytest.mark.parametrize(
    ("certificate", "key", "problem"),
    [
        (lambda: pair()[1], lambda: pair()[0],
         ("tls: failed to find certificate PEM data in certificate input, but did find a private "
         "key; PEM inputs may have been switched")),
        (lambda: block("A") + block("B"), lambda: b"",
         ('tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM '
         "blocks of the following types: [A B]")),
        (lambda: pair()[0], lambda: b"", "tls: failed to find any PEM data in key input"),
        (lambda: pair()[0], lambda: pair()[0],
         "tls: found a certificate rather than a key in the PEM for the private key"),
        (lambda: pair()[0], lambda: block("A"),
         ('tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after '
         "skipping PEM blocks of the following types: [A]")),
        (lambda: block("CERTIFICATE"), lambda: pair()[1], "x509: malformed certificate"),
        (lambda: pair()[0], lambda: block("PRIVATE KEY"), "tls: failed to parse private key"),
        (lambda: pair()[0], lambda: pair("ec2")[1],
         "tls: private key does not match public key"),
        (lambda: pair()[0], lambda: pair("rsa")[1],
         "tls: private key type does not match public key type"),
    ],
)  # fmt: skip
def test_pairs_that_do_not_fit(certificate, key, problem):
    assert key_pair_problem(certificate(), key()) == problem


def test_ports_of_one_pod_are_compared_in_bounded_time():
    """All pairs of 20,000 ports would take minutes, while nobody else is served."""
    ports = [{"containerPort": 80}] * 20_000
    spec = {"containers": [{"name": "c", "image": "x", "ports": ports}]}
    began = time.process_time()
    assert 0 < len(spec_warnings(spec, {}, Path("spec"))) <= 40_000
    assert time.process_time() - began < 5
