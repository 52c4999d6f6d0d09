"""kubectl, and what the API server calls out to: webhooks, conversions, aggregated APIs."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from apimachinery.clock import ManualClock
from tests.support.certificates import Authority
from tests.support.kubectl import Kubectl
from tests.support.server import wait_until

pytestmark = pytest.mark.e2e

IMAGES = "registry.k8s.io/e2e-test-images"


@pytest.fixture
def authority() -> Authority:
    # The API server judges certificates by its own time.
    return Authority("e2e-ca", ManualClock(time.time()))


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def serve(kubectl: Kubectl, authority: Authority, name: str, image: str, *args: str) -> None:
    """Run a program under TLS behind a Service, and wait until it is ready."""
    certificate, key = authority.issue(f"{name}.{kubectl.namespace}.svc")
    secret: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "type": "kubernetes.io/tls",
        "data": {"tls.crt": text(certificate), "tls.key": text(key)},
    }
    files = ["--tls-cert-file=/certs/tls.crt", "--tls-private-key-file=/certs/tls.key"]
    probe = {"httpGet": {"scheme": "HTTPS", "port": 8443, "path": "/readyz"}, "periodSeconds": 1}
    container = {
        "name": "c",
        "image": f"{IMAGES}/{image}",
        "args": [*args, *files],
        "readinessProbe": probe,
        "volumeMounts": [{"name": "certs", "mountPath": "/certs"}],
    }
    pod = {
        "containers": [container],
        "volumes": [{"name": "certs", "secret": {"secretName": name}}],
    }
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
        },
    }
    for body in (secret, deployment):
        kubectl("apply", "-f", "-", stdin=json.dumps(body))
    kubectl("expose", "deployment", name, "--port=443", "--target-port=8443")
    kubectl("rollout", "status", f"deployment/{name}", "--timeout=20s")


def apiservice(namespace: str, authority: Authority) -> dict[str, Any]:
    """Return an APIService for the sample server that runs as `sample`."""
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1alpha1.wardle.example.com"},
        "spec": {
            "group": "wardle.example.com",
            "version": "v1alpha1",
            "groupPriorityMinimum": 2000,
            "versionPriority": 200,
            "caBundle": text(authority.pem),
            "service": {"namespace": namespace, "name": "sample"},
        },
    }


@contextmanager
def aggregated(kubectl: Kubectl, authority: Authority) -> Iterator[None]:
    """Run the sample server, and register it while the test goes on."""
    serve(kubectl, authority, "sample", "sample-apiserver:1.33.8", "--secure-port=8443")
    made = apiservice(kubectl.namespace, authority)
    kubectl("apply", "-f", "-", stdin=json.dumps(made))
    name = "apiservice/v1alpha1.wardle.example.com"
    try:
        kubectl("wait", "--for=condition=Available", name, "--timeout=20s")
        yield
    finally:
        kubectl("delete", name)


def test_an_aggregated_api(kubectl: Kubectl, authority: Authority) -> None:
    with aggregated(kubectl, authority):
        assert "flunders" in kubectl("api-resources", "--api-group=wardle.example.com")
        kind = {"apiVersion": "wardle.example.com/v1alpha1", "kind": "Flunder"}
        flunder = {**kind, "metadata": {"name": "first"}}
        kubectl("create", "-f", "-", stdin=json.dumps(flunder))
        lines = kubectl("get", "flunders").splitlines()
        assert lines[0].split() == ["NAME", "CREATED", "AT"]
        assert lines[1].split()[0] == "first"
        assert "KIND:       Flunder" in kubectl("explain", "flunder")
        kubectl("label", "flunder", "first", "a=b")
        assert kubectl("get", "flunders", "-l", "a=b", "-o", "name").endswith("/first\n")
        kubectl("delete", "flunder", "first")
        said = kubectl.fails("get", "flunder", "first")
        assert 'flunders.wardle.example.com "first" not found' in said


@pytest.mark.parametrize("version", ["1.24", "1.36"])
def test_the_fields_of_an_aggregated_kind(
    version: str, newest: Kubectl, authority: Authority, tmp_path: Path
) -> None:
    """The server does not look at fields, so that kubectl does: by OpenAPI v2, old and new."""
    kubectl = Kubectl(version, newest.kubeconfig, tmp_path, newest.namespace)
    kind = {"apiVersion": "wardle.example.com/v1alpha1", "kind": "Flunder"}

    def flunder(**spec: str) -> str:
        return json.dumps({**kind, "metadata": {"name": "one"}, "spec": spec})

    with aggregated(newest, authority):
        explained = kubectl("explain", "flunder.spec")
        assert re.search(r"^ +referenceType\s+<string>$", explained, re.MULTILINE)
        assert "The kind of the reference." in explained
        said = kubectl.fails("apply", "--validate=true", "-f", "-", stdin=flunder(refrence="a"))
        assert 'unknown field "refrence" in com.example.wardle.v1alpha1.Flunder.spec' in said
        made = kubectl("apply", "--validate=true", "-f", "-", stdin=flunder(reference="a"))
        assert made == "flunder.wardle.example.com/one created\n"
    said = kubectl.fails("explain", "flunder.spec")
    assert re.search("doesn't have a resource type|the server could not find|couldn't find", said)


def test_a_webhook_that_denies_and_one_that_cannot_be_asked(
    kubectl: Kubectl, authority: Authority
) -> None:
    serve(kubectl, authority, "hooks", "agnhost:2.55", "webhook", "--port=8443")
    name = f"deny-{kubectl.namespace}"
    space = {"matchLabels": {"kubernetes.io/metadata.name": kubectl.namespace}}
    config: dict[str, Any] = {
        "service": {"namespace": kubectl.namespace, "name": "hooks", "path": "/configmaps"},
        "caBundle": text(authority.pem),
    }
    rule = {
        "operations": ["CREATE"],
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "resources": ["configmaps"],
    }
    webhook = {
        "name": "deny.example.com",
        "clientConfig": config,
        "rules": [rule],
        "namespaceSelector": space,
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    body = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [webhook],
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(body))
    try:
        create = ("create", "configmap", "a", "--from-literal=webhook-e2e-test=webhook-disallow")
        said = kubectl.fails(*create)
        assert said == (
            'error: failed to create configmap: admission webhook "deny.example.com" denied the '
            "request: the configmap contains unwanted key and value\n"
        )
        kubectl("create", "configmap", "good")
        kubectl("scale", "deployment/hooks", "--replicas=0")
        url = f"https://hooks.{kubectl.namespace}.svc:443/configmaps?timeout=10s"

        def gone() -> bool:
            return 'no endpoints available for service "hooks"' in kubectl.fails(*create)

        wait_until(gone)
        assert kubectl.fails(*create) == (
            "error: failed to create configmap: Internal error occurred: failed calling webhook "
            f'"deny.example.com": failed to call webhook: Post "{url}": '
            'no endpoints available for service "hooks"\n'
        )
    finally:
        kubectl("delete", "validatingwebhookconfiguration", name)


@pytest.mark.parametrize(
    ("version", "code", "said"),
    [
        (
            "1.24",
            1,
            (
                "error: unable to retrieve the complete list of server APIs: wardle.example.com/"
                "v1alpha1: the server is currently unable to handle the request\n"
            ),
        ),
        # It leaves versions out that are stale, and has nothing to complain of.
        ("1.36", 0, ""),
    ],
)
def test_an_api_that_is_away_hides_no_other(
    version: str, code: int, said: str, newest: Kubectl, authority: Authority, tmp_path: Path
) -> None:
    kubectl = Kubectl(version, newest.kubeconfig, tmp_path, newest.namespace)
    name = "apiservice/v1alpha1.wardle.example.com"
    newest("apply", "-f", "-", stdin=json.dumps(apiservice(newest.namespace, authority)))
    try:
        newest("wait", "--for=condition=Available=false", name, "--timeout=20s")
        shown = newest("get", name, "--no-headers").split()
        assert shown[1:4] == [f"{newest.namespace}/sample", "False", "(ServiceNotFound)"]
        done = kubectl.run("api-resources", "-o", "name")
        assert (done.code, done.err) == (code, said)
        assert "deployments.apps" in done.out.split()
        assert "flunders" not in done.out
    finally:
        newest("delete", name)
