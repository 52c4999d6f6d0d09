"""kubectl auth, certificate and config: rights reconciled, certificates approved and used."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.certificaterequests import request_and_key
from tests.support.kubectl import Kubectl

pytestmark = pytest.mark.e2e

ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r, namespace: NAMESPACE}
rules:
  - {apiGroups: [""], resources: [pods], verbs: [get, list]}
"""


@pytest.fixture
def request_name(namespace: str) -> str:
    return f"csr-{namespace}"


@pytest.fixture
def asked(newest: Kubectl, request_name: str, tmp_path: Path) -> Iterator[Path]:
    """A request for a client certificate; gives the directory with its key."""
    encoded, key = request_and_key("alice", "devs")
    (tmp_path / "key.pem").write_bytes(key)
    body = (
        "apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\n"
        f"metadata: {{name: {request_name}}}\nspec:\n"
        f"  request: {encoded}\n"
        "  signerName: kubernetes.io/kube-apiserver-client\n"
        "  usages: [client auth]\n  expirationSeconds: 3600\n"
    )
    newest("create", "-f", "-", stdin=body)
    yield tmp_path
    newest("delete", "csr", request_name)


def test_a_certificate_approved_and_used(newest: Kubectl, request_name: str, asked: Path) -> None:
    row = newest("get", "csr", request_name, "--no-headers").split()
    assert row[2:] == ["kubernetes.io/kube-apiserver-client", "kubernetes-admin", "60m", "Pending"]
    said = newest("certificate", "approve", request_name)
    assert said == f"certificatesigningrequest.certificates.k8s.io/{request_name} approved\n"
    newest("wait", "--for=jsonpath={.status.certificate}", f"csr/{request_name}", "--timeout=20s")
    assert newest("get", "csr", request_name, "--no-headers").split()[-1] == "Approved,Issued"
    certificate = asked / "cert.pem"
    certificate.write_bytes(
        base64.b64decode(newest.field(f"csr/{request_name}", "{.status.certificate}"))
    )
    mine = asked / "alice.kubeconfig"
    mine.write_text(newest.kubeconfig.read_text())
    alice = newest.using(mine)
    alice(
        "config",
        "set-credentials",
        "alice",
        f"--client-certificate={certificate}",
        f"--client-key={asked / 'key.pem'}",
        "--embed-certs",
    )
    alice("config", "set-context", "--current", "--user=alice")
    who = alice.json("auth", "whoami")["status"]["userInfo"]
    assert (who["username"], who["groups"]) == ("alice", ["devs", "system:authenticated"])
    assert 'User "alice" cannot list resource "pods"' in alice.fails("get", "pods")
    newest("create", "rolebinding", "devs", "--clusterrole=view", "--group=devs")
    assert alice("get", "pods", "-o", "name") == ""


def test_a_certificate_denied(newest: Kubectl, request_name: str, asked: Path) -> None:
    said = newest("certificate", "deny", request_name)
    assert said == f"certificatesigningrequest.certificates.k8s.io/{request_name} denied\n"
    assert newest("get", "csr", request_name, "--no-headers").split()[-1] == "Denied"
    said = newest.fails("certificate", "approve", request_name)
    assert said == f'error: certificate signing request "{request_name}" is already Denied\n'


def test_rights_reconciled(newest: Kubectl) -> None:
    role = ROLE.replace("NAMESPACE", newest.namespace)
    said = newest("auth", "reconcile", "-f", "-", stdin=role)
    assert "role.rbac.authorization.k8s.io/r reconciled" in said
    more = role + "  - {apiGroups: [apps], resources: [deployments], verbs: [get]}\n"
    said = newest.run("auth", "reconcile", "-f", "-", stdin=more)
    assert said.code == 0
    assert "reconciliation required update\n\tmissing rules added:\n" in said
    assert newest.field("role/r", "{.rules[*].resources[0]}") == "pods deployments"
    # Without the option nothing is taken away.
    newest("auth", "reconcile", "-f", "-", stdin=role)
    assert newest.field("role/r", "{.rules[*].resources[0]}") == "pods deployments"
    newest("auth", "reconcile", "--remove-extra-permissions", "-f", "-", stdin=role)
    assert newest.field("role/r", "{.rules[*].resources[0]}") == "pods"


def test_what_can_be_done(newest: Kubectl) -> None:
    assert newest("auth", "can-i", "get", "/healthz") == "yes\n"
    assert newest("auth", "can-i", "*", "*") == "yes\n"
    done = newest.run("auth", "can-i", "get", "/metrics", "--as=somebody")
    assert (done.code, done.out) == (1, "no\n")
    for path in ("/healthz", "/version", "/livez"):
        assert newest("auth", "can-i", "get", path, "--as=somebody") == "yes\n", path
    done = newest.run("auth", "can-i", "foo", "bars")
    assert "Warning: the server doesn't have a resource type 'bars'" in done.err
    grouped = ("--as=x", "--as-group=system:masters")
    assert newest("auth", "can-i", "delete", "nodes", *grouped) == "yes\n"
    rights = newest("auth", "can-i", "--list", "--as=somebody")
    assert "selfsubjectreviews.authentication.k8s.io" in rights
    whoami = newest(
        "auth", "whoami", "--as=x", "--as-uid=u1", "--as-user-extra=scopes=a", "-o", "json"
    )
    assert '"uid": "u1"' in whoami


def test_nobody_gives_more_than_they_have(newest: Kubectl, tmp_path: Path) -> None:
    newest("create", "serviceaccount", "limited")
    newest("create", "role", "maker", "--verb=create,get", "--resource=roles,rolebindings")
    newest(
        "create", "rolebinding", "m", "--role=maker", f"--serviceaccount={newest.namespace}:limited"
    )
    limited = newest.with_token(newest("create", "token", "limited"), tmp_path)
    role = ROLE.replace("NAMESPACE", newest.namespace)
    said = limited.fails("create", "-f", "-", stdin=role)
    assert "is attempting to grant RBAC permissions not currently held:" in said
    assert '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}' in said
    said = limited.fails("create", "rolebinding", "b", "--clusterrole=admin", "--user=u")
    assert "is attempting to grant RBAC permissions not currently held:" in said
