"""kubectl create, run and expose: the typed commands, which send protobuf."""

from __future__ import annotations

import base64
import json

import pytest

from tests.support.kubectl import Kubectl
from tests.support.server import Playground

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("arguments", "said", "kind", "path", "expected"),
    [
        (
            "deployment web --image=nginx --replicas=2 --port=80",
            "deployment.apps/web created",
            "deployment/web",
            "{.spec.replicas} {..containers[0].ports[0].containerPort} {..maxSurge}",
            "2 80 25%",
        ),
        (
            "configmap settings --from-literal=a=1 --from-literal=b=two",
            "configmap/settings created",
            "configmap/settings",
            "{.data.a} {.data.b}",
            "1 two",
        ),
        (
            "secret generic keys --from-literal=password=geheim",
            "secret/keys created",
            "secret/keys",
            "{.type} {.data.password}",
            "Opaque " + base64.b64encode(b"geheim").decode(),
        ),
        (
            "serviceaccount robot",
            "serviceaccount/robot created",
            "serviceaccount/robot",
            "{.metadata.name}",
            "robot",
        ),
        (
            "role reader --verb=get,list --resource=pods --resource-name=one",
            "role.rbac.authorization.k8s.io/reader created",
            "role/reader",
            "{.rules[0].verbs} {.rules[0].resourceNames}",
            '["get","list"] ["one"]',
        ),
        (
            "rolebinding readers --role=reader --serviceaccount=default:robot",
            "rolebinding.rbac.authorization.k8s.io/readers created",
            "rolebinding/readers",
            "{.roleRef.name} {.subjects[0].kind} {.subjects[0].namespace}",
            "reader ServiceAccount default",
        ),
        (
            "service nodeport front --tcp=80:8080",
            "service/front created",
            "service/front",
            "{.spec.type} {.spec.ports[0].targetPort} {.spec.sessionAffinity}",
            "NodePort 8080 None",
        ),
        (
            "quota small --hard=pods=3",
            "resourcequota/small created",
            "quota/small",
            "{.spec.hard.pods}",
            "3",
        ),
        (
            "poddisruptionbudget least --selector=app=web --min-available=1",
            "poddisruptionbudget.policy/least created",
            "pdb/least",
            "{.spec.minAvailable}",
            "1",
        ),
        (
            "ingress way --rule=example.com/=web:80",
            "ingress.networking.k8s.io/way created",
            "ingress/way",
            "{.spec.rules[0].host} {.spec.rules[0].http.paths[0].pathType}",
            "example.com Exact",
        ),
    ],
)
def test_create(
    kubectl: Kubectl, arguments: str, said: str, kind: str, path: str, expected: str
) -> None:
    assert kubectl("create", *arguments.split()) == f"{said}\n"
    assert kubectl.field(kind, path) == expected
    again = kubectl.fails("create", *arguments.split())
    name = kind.partition("/")[2]
    assert again.endswith(f' "{name}" already exists\n')


def test_a_token_that_the_api_takes(kubectl: Kubectl, playground: Playground) -> None:
    kubectl("create", "serviceaccount", "robot")
    token = kubectl("create", "token", "robot", "--duration=1h").strip()
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["sub"] == f"system:serviceaccount:{kubectl.namespace}:robot"
    assert claims["exp"] - claims["iat"] == 3600
    with playground.client(token) as client:
        answer = client.get(f"/api/v1/namespaces/{kubectl.namespace}/pods")
    assert answer.status_code == 403
    assert f'User "{claims["sub"]}" cannot list resource "pods"' in answer.json()["message"]
    kubectl("create", "role", "r", "--verb=list", "--resource=pods")
    kubectl("create", "rolebinding", "r", "--role=r", f"--serviceaccount={kubectl.namespace}:robot")
    with playground.client(token) as client:
        assert client.get(f"/api/v1/namespaces/{kubectl.namespace}/pods").status_code == 200


def test_a_namespace_comes_with_its_account_and_ca(kubectl: Kubectl) -> None:
    name = f"{kubectl.namespace}-more"
    assert kubectl("create", "namespace", name) == f"namespace/{name} created\n"
    within = kubectl.within(name)
    within("wait", "--for=create", "serviceaccount/default", "--timeout=10s")
    within("wait", "--for=create", "configmap/kube-root-ca.crt", "--timeout=10s")
    assert "BEGIN CERTIFICATE" in within.field("cm/kube-root-ca.crt", r"{.data.ca\.crt}")
    within("run", "web", "--image=nginx")
    said = kubectl("delete", "namespace", name, "--timeout=20s")
    assert said == f'namespace "{name}" deleted\n'
    assert "(NotFound)" in kubectl.fails("get", "ns", name)


def test_run_to_the_end(kubectl: Kubectl) -> None:
    assert (
        kubectl("run", "once", "--image=busybox", "--restart=Never", "--", "sh", "-c", "echo hello")
        == "pod/once created\n"
    )
    kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/once", "--timeout=20s")
    assert kubectl("logs", "once") == "hello\n"
    assert "Completed" in kubectl("get", "pod", "once")


def test_run_and_expose(kubectl: Kubectl) -> None:
    said = kubectl("run", "web", "--image=nginx", "--port=80", "--expose")
    assert set(said.splitlines()) == {"service/web created", "pod/web created"}
    assert kubectl.field("svc/web", "{.spec.selector.run} {.spec.ports[0].port}") == "web 80"


def test_expose(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "web", "--image=nginx")
    said = kubectl("expose", "deployment", "web", "--port=8080", "--target-port=80")
    assert said == "service/web exposed\n"
    address, selector = kubectl.field("svc/web", "{.spec.clusterIP} {.spec.selector.app}").split()
    assert address.startswith("10.")
    assert selector == "web"


def test_nothing_is_made_on_a_dry_run(kubectl: Kubectl) -> None:
    said = kubectl("create", "deployment", "ghost", "--image=nginx", "--dry-run=server")
    assert said == "deployment.apps/ghost created (server dry run)\n"
    assert "(NotFound)" in kubectl.fails("get", "deployment", "ghost")


def test_what_is_not_valid_is_refused_with_its_path(kubectl: Kubectl) -> None:
    said = kubectl.fails("create", "deployment", "Web", "--image=nginx")
    assert said.startswith(
        'error: failed to create deployment: Deployment.apps "Web" is invalid: '
        'metadata.name: Invalid value: "Web": a lowercase RFC 1123 subdomain must consist of'
    )
    said = kubectl.fails("run", "web", "--image=nginx", "--port=70000")
    assert "spec.containers[0].ports[0].containerPort" in said
    assert "must be between 1 and 65535, inclusive" in said
