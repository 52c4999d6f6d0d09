"""kubectl create, of all that it can create: what it says, and what then is there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.kubectl import Kubectl

pytestmark = pytest.mark.e2e

CREATED = [
    (
        "job j --image=busybox -- echo hi",
        "job.batch/j",
        "{.spec.template.spec.restartPolicy}",
        "Never",
    ),
    (
        "cronjob c --image=busybox --schedule=*/5_*_*_*_* -- date",
        "cronjob.batch/c",
        "{.spec.schedule}",
        "*/5 * * * *",
    ),
    (
        "ingress i --rule=a.example/x*=web:80,tls=cert --class=nginx --default-backend=web:http",
        "ingress.networking.k8s.io/i",
        "{.spec.rules[0].host} {.spec.rules[0].http.paths[0].pathType} {.spec.tls[0].secretName}",
        "a.example Prefix cert",
    ),
    (
        "quota q --hard=pods=20,requests.cpu=1500m",
        "resourcequota/q",
        "{.spec.hard.requests\\.cpu}",
        "1500m",
    ),
    (
        "quota s --hard=pods=20 --scopes=NotTerminating",
        "resourcequota/s",
        "{.spec.scopes[0]}",
        "NotTerminating",
    ),
    (
        "poddisruptionbudget p --selector=app=web --min-available=50%",
        "poddisruptionbudget.policy/p",
        "{.spec.minAvailable}",
        "50%",
    ),
    (
        "role r --verb=get,list --resource=pods,deployments.apps/scale --resource-name=a",
        "role.rbac.authorization.k8s.io/r",
        "{.rules[*].apiGroups[*]}:{.rules[*].resources}",
        ' apps:["pods"] ["deployments/scale"]',
    ),
    (
        "rolebinding b --clusterrole=view --user=u --group=g --serviceaccount=x:y",
        "rolebinding.rbac.authorization.k8s.io/b",
        "{.subjects[*].kind} {.subjects[2].namespace} {.roleRef.kind}",
        "User Group ServiceAccount x ClusterRole",
    ),
    ("secret generic g --from-literal=a=b", "secret/g", "{.type} {.data.a}", "Opaque Yg=="),
    (
        "secret docker-registry d --docker-username=u --docker-password=p --docker-email=e",
        "secret/d",
        "{.type}",
        "kubernetes.io/dockerconfigjson",
    ),
    ("service clusterip sc --tcp=80:8080", "service/sc", "{.spec.ports[0].targetPort}", "8080"),
    ("service clusterip sh --clusterip=None --tcp=80", "service/sh", "{.spec.clusterIP}", "None"),
    (
        "service nodeport sn --tcp=80 --node-port=30987",
        "service/sn",
        "{.spec.ports[0].nodePort}",
        "30987",
    ),
    (
        "service loadbalancer sl --tcp=80",
        "service/sl",
        "{.spec.type} {.spec.allocateLoadBalancerNodePorts}",
        "LoadBalancer true",
    ),
    (
        "service externalname se --external-name=a.example",
        "service/se",
        "{.spec.type} {.spec.clusterIP}",
        "ExternalName ",
    ),
    (
        "deployment web --image=nginx --replicas=0 --port=80",
        "deployment.apps/web",
        "{.spec.template.spec.containers[0].ports[0].containerPort} {.metadata.labels.app}",
        "80 web",
    ),
    ("configmap m --from-literal=a=b", "configmap/m", "{.data.a}", "b"),
    ("serviceaccount sa", "serviceaccount/sa", "{.metadata.name}", "sa"),
]


def words(command: str) -> list[str]:
    """Split a command; an underscore is a space within a word."""
    return [word.replace("_", " ") for word in command.split()]


@pytest.mark.parametrize(("command", "name", "path", "value"), CREATED)
def test_what_is_created(newest: Kubectl, command: str, name: str, path: str, value: str) -> None:
    assert newest("create", *words(command)) == f"{name} created\n"
    assert newest.field(name, path) == value
    again = newest.fails("create", *words(command))
    assert f'"{name.partition("/")[2]}" already exists' in again
    assert newest("describe", name).startswith("Name:")


def test_a_job_of_a_cronjob(newest: Kubectl) -> None:
    newest("create", "cronjob", "c", "--image=busybox", "--schedule=@daily", "--", "echo", "hi")
    assert newest("create", "job", "now", "--from=cronjob/c") == "job.batch/now created\n"
    newest("wait", "--for=condition=Complete", "job/now", "--timeout=20s")
    assert newest("logs", "job/now") == "hi\n"
    assert newest.field("job/now", "{.metadata.annotations}") == (
        '{"cronjob.kubernetes.io/instantiate":"manual"}'
    )


def test_files_in_config_maps_and_secrets(newest: Kubectl, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello\n")
    (tmp_path / "bytes").write_bytes(b"\xff\x00")
    (tmp_path / "pairs").write_text("A=1\n# no\nB=two words\n")
    newest("create", "configmap", "files", f"--from-file={tmp_path}")
    made = newest.json("get", "configmap", "files")
    assert made["data"]["text"] == "hello\n"
    assert made["binaryData"] == {"bytes": "/wA="}
    newest("create", "configmap", "env", f"--from-env-file={tmp_path / 'pairs'}")
    assert newest.json("get", "configmap", "env")["data"] == {"A": "1", "B": "two words"}
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    for file, pem in zip((certificate, key), Authority("test").issue("a.example"), strict=True):
        file.write_bytes(pem)
    newest("create", "secret", "tls", "t", f"--cert={certificate}", f"--key={key}")
    assert newest.field("secret/t", "{.type}") == "kubernetes.io/tls"
    assert f"tls.crt:  {certificate.stat().st_size} bytes" in newest("describe", "secret", "t")


@pytest.fixture
def own_name(namespace: str) -> str:
    """A name that no other test has, for what is in no namespace."""
    return f"own-{namespace}"


@pytest.fixture
def cluster_wide(newest: Kubectl, own_name: str) -> Iterator[Kubectl]:
    yield newest
    kinds = "clusterrole,clusterrolebinding,priorityclass,namespace"
    newest("delete", kinds, own_name, "--ignore-not-found", "--wait=false")


def test_what_is_in_no_namespace(cluster_wide: Kubectl, own_name: str) -> None:
    kubectl = cluster_wide
    group = "rbac.authorization.k8s.io"
    said = kubectl("create", "clusterrole", own_name, "--verb=get", "--non-resource-url=/logs/*")
    assert said == f"clusterrole.{group}/{own_name} created\n"
    role = kubectl("describe", "clusterrole", own_name)
    assert re.search(r"^ +\[/logs/\*\] +\[\] +\[get\]$", role, re.MULTILINE)
    said = kubectl(
        "create", "clusterrolebinding", own_name, f"--clusterrole={own_name}", "--user=u"
    )
    assert said == f"clusterrolebinding.{group}/{own_name} created\n"
    assert kubectl("auth", "can-i", "get", "/logs/x", "--as=u") == "yes\n"
    said = kubectl("create", "priorityclass", own_name, "--value=1000", "--description=mine")
    assert said == f"priorityclass.scheduling.k8s.io/{own_name} created\n"
    assert "1000" in kubectl("get", "priorityclass", own_name)
    assert kubectl("create", "namespace", own_name) == f"namespace/{own_name} created\n"
    assert kubectl.field(f"namespace/{own_name}", "{.metadata.labels}") == (
        f'{{"kubernetes.io/metadata.name":"{own_name}"}}'
    )


def test_an_aggregated_role(cluster_wide: Kubectl, own_name: str) -> None:
    cluster_wide("create", "clusterrole", own_name, f"--aggregation-rule={own_name}=yes")
    part = f"{own_name}-part"
    cluster_wide("create", "clusterrole", part, "--verb=get", "--resource=secrets")
    try:
        cluster_wide("label", "clusterrole", part, f"{own_name}=yes")
        cluster_wide(
            "wait",
            "--for=jsonpath={.rules[0].resources[0]}=secrets",
            f"clusterrole/{own_name}",
            "--timeout=20s",
        )
    finally:
        cluster_wide("delete", "clusterrole", part)


def test_tokens(newest: Kubectl, tmp_path: Path) -> None:
    newest("create", "serviceaccount", "sa")
    holder = newest.with_token(newest("create", "token", "sa", "--duration=10m"), tmp_path)
    info = json.loads(holder("auth", "whoami", "-o", "json"))["status"]["userInfo"]
    assert info["username"] == f"system:serviceaccount:{newest.namespace}:sa"
    assert "system:serviceaccounts" in info["groups"]
    said = newest.fails(
        "create", "token", "sa", "--bound-object-kind=Pod", "--bound-object-name=none"
    )
    assert said == 'error: failed to create token: pods "none" not found\n'
    said = newest.fails("create", "token", "nobody")
    assert said == 'error: failed to create token: serviceaccounts "nobody" not found\n'


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            "deployment Web --image=nginx",
            'Deployment.apps "Web" is invalid: metadata.name: Invalid value',
        ),
        (
            "service nodeport s --tcp=80 --node-port=99",
            "Invalid value: 99: provided port is not in the valid range",
        ),
        ("quota q --hard=pods=-1", "must be greater than or equal to 0"),
        ("cronjob c --image=busybox --schedule=never", 'spec.schedule: Invalid value: "never"'),
        (
            "role r --verb=get --resource=nonsense",
            'the server doesn\'t have a resource type "nonsense"',
        ),
        ("job j --from=cronjob/none", 'cronjobs.batch "none" not found'),
    ],
)
def test_what_cannot_be_created(newest: Kubectl, command: str, said: str) -> None:
    assert said in newest.fails("create", *words(command))


@pytest.mark.parametrize("how", ["client", "server"])
def test_dry_runs_make_nothing(newest: Kubectl, how: str) -> None:
    note = " (server dry run)" if how == "server" else " (dry run)"
    for command, name, _, _ in CREATED:
        assert newest("create", f"--dry-run={how}", *words(command)) == f"{name} created{note}\n"
        assert newest("get", name, "--ignore-not-found") == ""
