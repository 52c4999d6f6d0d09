"""Flags reach every cluster of a real playground."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import orjson
import pytest

from tests.support.issuer import TestIssuer
from tests.support.kubectl import Kubectl
from tests.support.server import Playground, serving, wait_until


def test_anonymous_requests_can_be_refused(tmp_path: Path):
    with serving(tmp_path / "data", "--anonymous-auth=false") as playground:
        made = playground.make_cluster("other", nodes=0, template="bare")
        for base in (playground.api, made.server):
            with playground.client(token=None, base=base) as nobody:
                assert nobody.get("/version").status_code == 401
            with playground.client(base=base) as admin:
                assert admin.get("/version").status_code == 200


def test_kubectl_makes_a_namespace_on_the_way(tmp_path: Path):
    flag = "--enable-admission-plugins=NodeRestriction,NamespaceAutoProvision"
    with serving(tmp_path / "data", flag) as playground:
        kubectl = Kubectl("1.36", playground.kubeconfig, tmp_path)
        kubectl("create", "configmap", "a", "-n", "blue")
        assert "namespace/blue" in kubectl("get", "namespaces", "-o", "name")


def test_a_plugin_that_nobody_knows_ends_the_start(tmp_path: Path):
    with pytest.raises(AssertionError, match="no `ready`"):
        Playground(tmp_path / "data", "--enable-admission-plugins=Nothing").start()
    log = (tmp_path / "data.log").read_text()
    assert 'CommandError: enable-admission-plugins plugin "Nothing" is unknown' in log


RULES = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "outside"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "oidc:devs"}],
}


def test_kubectl_with_a_token_of_an_issuer_outside(tmp_path: Path):
    with TestIssuer(tmp_path).serving() as issuer:
        flags = [
            f"--oidc-issuer-url={issuer.url}",
            "--oidc-client-id=shop",
            f"--oidc-ca-file={issuer.ca_file}",
            "--oidc-username-prefix=oidc:",
            "--oidc-groups-claim=groups",
            "--oidc-groups-prefix=oidc:",
            "--oidc-signing-algs=RS256,ES256",
        ]
        with serving(tmp_path / "data", *flags) as playground:
            with playground.client() as admin:
                path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
                assert admin.post(path, json=RULES).status_code == 201
                token = issuer.token(groups=["devs"])
                review = {"spec": {"token": token}}
                asked = admin.post("/apis/authentication.k8s.io/v1/tokenreviews", json=review)
                assert asked.json()["status"]["user"] == {
                    "username": "oidc:ann",
                    "groups": ["oidc:devs", "system:authenticated"],
                }
            server = ["--server", playground.api, "--certificate-authority"]
            where = [*server, str(playground.data_dir / "ca.crt"), "--token", token]
            kubectl = Kubectl("1.36", tmp_path / "none", tmp_path)
            assert "oidc:ann" in kubectl(*where, "auth", "whoami")
            assert "kube-root-ca.crt" in kubectl(*where, "get", "configmaps")
            assert "forbidden" in kubectl.fails(*where, "get", "secrets")
            issuer.rotate("new")
            where[-1] = issuer.token(groups=["devs"])
            wait_until(lambda: kubectl.run(*where, "get", "configmaps").code == 0)
            where[-1] = issuer.token(groups=["devs"], aud="other")
            assert "Unauthorized" in kubectl.fails(*where, "get", "configmaps")


def test_static_tokens_and_always_allow(tmp_path: Path):
    tokens = tmp_path / "tokens.csv"
    tokens.write_text('s3cret,ann,7,"devs,ops"\n')
    flags = [f"--token-auth-file={tokens}", "--authorization-mode=AlwaysAllow"]
    with serving(tmp_path / "data", *flags) as playground, playground.client("s3cret") as ann:
        made = ann.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", json={})
        assert made.json()["status"]["userInfo"] == {
            "username": "ann",
            "uid": "7",
            "groups": ["devs", "ops", "system:authenticated"],
        }
        assert ann.get("/api/v1/secrets").status_code == 200


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_insecure_port_knows_everybody_as_superuser(tmp_path: Path):
    port = free_port()
    with serving(tmp_path / "data", f"--insecure-port={port}") as playground:
        kubectl = Kubectl("1.36", tmp_path / "none", tmp_path)
        where = ["--server", f"http://127.0.0.1:{port}"]
        assert "system:unsecured" in kubectl(*where, "auth", "whoami")
        kubectl(*where, "create", "namespace", "old")
        base = f"http://localhost:{port}"
        assert httpx.get(f"{base}/api/v1/namespaces/old").status_code == 200
        for headers in (
            {"Host": "pages.example"},
            {"Origin": "http://pages.example"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            assert httpx.get(f"{base}/api/v1/namespaces", headers=headers).status_code == 403
        log = playground.log.read_text()
        assert "Flag --insecure-port has been deprecated, This flag will be removed" in log


def test_the_insecure_port_is_for_this_machine_alone(tmp_path: Path):
    flags = ["--insecure-port=8080", "--insecure-bind-address=0.0.0.0"]
    with pytest.raises(AssertionError, match="no `ready`"):
        Playground(tmp_path / "data", *flags).start()
    assert (
        '--insecure-bind-address "0.0.0.0" must be a loopback address'
        in (tmp_path / "data.log").read_text()
    )


def test_documents_for_other_verifiers_name_the_cluster(tmp_path: Path):
    with serving(tmp_path / "data") as playground:
        made = playground.make_cluster("other", nodes=0, template="bare")
        for base in (playground.api, made.server):
            with playground.client(base=base) as admin:
                found = admin.get("/.well-known/openid-configuration").json()
                assert found["jwks_uri"] == f"{base}/openid/v1/jwks"
                assert admin.get(found["jwks_uri"]).json()["keys"]


POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: Request, verbs: [create], resources: [{group: "", resources: [configmaps]}]}
- {level: None}
"""


def test_requests_are_written_down(tmp_path: Path):
    policy, log = tmp_path / "policy.yaml", tmp_path / "audit.log"
    policy.write_text(POLICY)
    flags = (f"--audit-policy-file={policy}", f"--audit-log-path={log}")
    with serving(tmp_path / "data", *flags) as playground:
        kubectl = Kubectl("1.36", playground.kubeconfig, tmp_path)
        kubectl(
            "create",
            "configmap",
            "a",
            "--from-literal=b=c",
            "--as=ann",
            "--as-group=devs",
            "--as-group=system:masters",
        )

        def mine(lines: list[bytes]) -> list[dict]:
            events = map(orjson.loads, lines)
            return [event for event in events if event["objectRef"]["name"] == "a"]

        (event,) = wait_until(lambda: log.exists() and mine(log.read_bytes().splitlines()))
        assert event["requestObject"]["data"] == {"b": "c"}
        assert event["impersonatedUser"]["username"] == "ann"
        assert event["userAgent"].startswith("kubectl/v1.36")
        assert event["annotations"]["kubeground.io/cluster"] == "default"
        with playground.client() as operator:
            kept = operator.get("/kubeground/v1/clusters/default/audit?limit=1000").json()["items"]
            assert event in kept
            wrong = operator.get("/kubeground/v1/clusters/default/audit?limit=-1")
            assert wrong.status_code == 400


def test_a_policy_that_is_none_ends_the_start(tmp_path: Path):
    policy = tmp_path / "policy.yaml"
    policy.write_text("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: All}]\n")
    with pytest.raises(AssertionError, match="no `ready`"):
        Playground(tmp_path / "data", f"--audit-policy-file={policy}").start()
    log = (tmp_path / "data.log").read_text()
    assert 'loading audit policy file: rules[0].level: Unsupported value: "All"' in log
