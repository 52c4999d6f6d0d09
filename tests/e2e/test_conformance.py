"""What Kubernetes' conformance tests of kubectl require, by the kubectl of the server's version."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.kubectl import Kubectl
from tests.support.server import Playground, wait_until

pytestmark = pytest.mark.e2e

CLI = "[sig-cli] Kubectl client "
OPENAPI = "[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] "
IMAGE = "registry.k8s.io/e2e-test-images/httpd:2.4.38-4"


def controller(name: str, image: str = IMAGE) -> str:
    labels = {"app": name}
    container = {"name": name, "image": image, "ports": [{"name": "http", "containerPort": 80}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": labels, "template": template}
    kind = {"apiVersion": "v1", "kind": "ReplicationController"}
    return json.dumps({**kind, "metadata": {"name": name, "labels": labels}, "spec": spec})


def pods(kubectl: Kubectl, name: str) -> list[str]:
    """Return the running pods of an application."""
    path = "jsonpath={.items[?(@.status.phase=='Running')].metadata.name}"
    return kubectl("get", "pods", "-l", f"app={name}", "-o", path).split()


def running(kubectl: Kubectl, name: str, count: int = 1) -> list[str]:
    """Wait until so many pods of an application run."""
    return wait_until(lambda: len(found := pods(kubectl, name)) == count and found)


@pytest.mark.conformance(
    CLI + "Kubectl api-versions should check if v1 is in available api versions"
)
def test_api_versions(newest: Kubectl) -> None:
    assert "v1" in newest("api-versions").split()


@pytest.mark.conformance(
    CLI + "Kubectl cluster-info should check if Kubernetes control plane services is included in"
    " cluster-info"
)
def test_cluster_info(newest: Kubectl, playground: Playground) -> None:
    said = re.sub(r"\x1b\[[0-9;]*m", "", newest("cluster-info"))
    assert f"Kubernetes control plane is running at {playground.api}" in said


@pytest.mark.conformance(CLI + "Kubectl version should check is all data is printed")
def test_version(newest: Kubectl) -> None:
    said = newest("version")
    for line in (r"^Client Version: v1\.36\.\d+$", r"^Server Version: v1\.36\.\d+$"):
        assert re.search(line, said, re.MULTILINE), said


@pytest.mark.conformance(
    CLI + "Kubectl describe should check if kubectl describe prints relevant information for rc and"
    " pods"
)
def test_describe(newest: Kubectl, namespace: str) -> None:
    newest("create", "-f", "-", stdin=controller("agnhost"))
    (pod,) = running(newest, "agnhost")
    said = newest("describe", "pod", pod)
    for word in ("Name:", "Namespace:", "Node:", "Labels:", "app=agnhost", "Status:", "Running",
                 "IP:", "Controlled By:", "ReplicationController/agnhost", "Image:", "State:",
                 "QoS Class:"):  # fmt: skip
        assert word in said
    said = newest("describe", "rc", "agnhost")
    for word in ("Name:", "Namespace:", "Selector:", "app=agnhost", "Labels:", "Replicas:",
                 "1 current", "1 desired", "Pods Status:", "1 Running", "Pod Template:", "Image:",
                 "Events:"):  # fmt: skip
        assert word in said
    node = newest.field(f"pod/{pod}", "{.spec.nodeName}")
    said = newest("describe", "node", node)
    for word in ("Name:", "Labels:", "Annotations:", "CreationTimestamp:", "Conditions:", "Type",
                 "Status", "LastHeartbeatTime", "LastTransitionTime", "Reason", "Message",
                 "Addresses:", "Capacity:", "Version", "Kernel Version", "OS Image",
                 "Container Runtime Version", "Kubelet Version"):  # fmt: skip
        assert word in said
    said = newest("describe", "namespace", namespace)
    for word in ("Name:", "Labels:", "Annotations:", "Status:", "Active"):
        assert word in said


@pytest.mark.conformance(CLI + "Kubectl expose should create services for rc")
def test_expose(newest: Kubectl) -> None:
    newest("create", "-f", "-", stdin=controller("agnhost"))
    running(newest, "agnhost")
    address = newest("get", "pods", "-l", "app=agnhost", "-o", "jsonpath={.items[0].status.podIP}")

    def exposed(service: str, port: int) -> None:
        assert newest.field(f"service/{service}", "{.spec.ports[0].port}") == str(port)
        path = "{.subsets[*].addresses[*].ip}:{.subsets[*].ports[*].port}"
        wait_until(lambda: newest.field(f"endpoints/{service}", path) == f"{address}:80")

    newest("expose", "rc", "agnhost", "--name=rm2", "--port=1234", "--target-port=80")
    exposed("rm2", 1234)
    newest("expose", "service", "rm2", "--name=rm3", "--port=2345", "--target-port=80")
    exposed("rm3", 2345)


@pytest.mark.conformance(CLI + "Kubectl label should update the label on a resource")
def test_label(newest: Kubectl) -> None:
    newest("run", "pause", "--image=registry.k8s.io/pause:3.10")
    newest("label", "pod", "pause", "testing-label=testing-label-value")
    shown = newest("get", "pod", "pause", "-L", "testing-label")
    assert shown.splitlines()[1].split()[-1] == "testing-label-value"
    newest("label", "pod", "pause", "testing-label-")
    assert "testing-label-value" not in newest("get", "pod", "pause", "-L", "testing-label")


@pytest.mark.conformance(CLI + "Kubectl patch should add annotations for pods in rc")
def test_patch(newest: Kubectl) -> None:
    newest("create", "-f", "-", stdin=controller("agnhost"))
    (pod,) = running(newest, "agnhost")
    newest("patch", "pod", pod, "-p", '{"metadata":{"annotations":{"x":"y"}}}')
    assert newest.field(f"pod/{pod}", "{.metadata.annotations.x}") == "y"


@pytest.mark.conformance(CLI + "Kubectl replace should update a single-container pod's image")
def test_replace(newest: Kubectl) -> None:
    newest("run", "web", f"--image={IMAGE}", "--labels=app=web")
    running(newest, "web")
    body = newest("get", "pod", "web", "-o", "json").replace(IMAGE, "busybox:1.36")
    newest("replace", "-f", "-", stdin=body)
    assert newest.field("pod/web", "{.spec.containers[0].image}") == "busybox:1.36"


@pytest.mark.conformance(
    CLI + "Kubectl run pod should create a pod from an image when restart is Never"
)
def test_run(newest: Kubectl) -> None:
    newest("run", "web", "--restart=Never", "--pod-running-timeout=2m0s", f"--image={IMAGE}")
    pod = newest.json("get", "pod", "web")
    assert pod["spec"]["containers"][0]["image"] == IMAGE
    assert pod["spec"]["restartPolicy"] == "Never"


@pytest.mark.conformance(
    CLI + "Kubectl server-side dry-run should check if kubectl can dry-run update Pods"
)
def test_dry_run(newest: Kubectl) -> None:
    newest("run", "web", f"--image={IMAGE}", "--labels=app=web")
    change = '{"spec":{"containers":[{"name":"web","image":"busybox:1.36"}]}}'
    newest("patch", "pod", "web", "-p", change, "--dry-run=server")
    assert newest.field("pod/web", "{.spec.containers[0].image}") == IMAGE


@pytest.mark.conformance(
    CLI + "Kubectl diff should check if kubectl diff finds a difference for Deployments"
)
def test_diff(newest: Kubectl) -> None:
    made = newest(
        "create", "deployment", "web", f"--image={IMAGE}", "--dry-run=client", "-o", "json"
    )
    newest("create", "-f", "-", stdin=made)
    done = newest.run("diff", "-f", "-", stdin=made.replace(IMAGE, "busybox:1.36"))
    assert done.code == 1
    assert re.search(rf"^-\s+- image: {IMAGE}$", done.out, re.MULTILINE)
    assert re.search(r"^\+\s+- image: busybox:1.36$", done.out, re.MULTILINE)


@pytest.mark.conformance(CLI + "Proxy server should support proxy with --port 0")
def test_proxy_port(newest: Kubectl) -> None:
    with newest.started("proxy", "-p", "0", "--disable-filter") as proxy:
        port = proxy.until(r"Starting to serve on 127.0.0.1:(\d+)").group(1)
        assert httpx.get(f"http://127.0.0.1:{port}/api/").json()["kind"] == "APIVersions"


@pytest.mark.conformance(CLI + "Proxy server should support --unix-socket=/path")
def test_proxy_socket(newest: Kubectl, tmp_path: Path) -> None:
    socket = tmp_path / "proxy.sock"
    with newest.started("proxy", f"--unix-socket={socket}") as proxy:
        proxy.until(r"Starting to serve on")
        transport = httpx.HTTPTransport(uds=str(socket))
        with httpx.Client(transport=transport, base_url="http://localhost") as client:
            assert client.get("/api/").json()["kind"] == "APIVersions"


@pytest.mark.conformance(CLI + "Update Demo should create and stop a replication controller")
@pytest.mark.conformance(CLI + "Update Demo should scale a replication controller")
def test_a_replication_controller(newest: Kubectl) -> None:
    newest("create", "-f", "-", stdin=controller("update-demo"))
    running(newest, "update-demo", 1)
    for count in (2, 1):
        newest("scale", "rc", "update-demo", f"--replicas={count}", "--timeout=5m")
        running(newest, "update-demo", count)
    newest("delete", "rc", "update-demo", "--grace-period=0", "--force")
    wait_until(lambda: not pods(newest, "update-demo"))
    assert newest("get", "rc", "-o", "name") == ""


@pytest.mark.conformance("[sig-cli] Kubectl logs logs should be able to retrieve and filter logs")
def test_logs(newest: Kubectl) -> None:
    script = "for i in $(seq 1 20); do echo line $i; done; sleep 3600"
    newest("run", "logger", "--image=busybox:1.36", "--labels=app=logger", "--", "sh", "-c", script)
    running(newest, "logger")
    whole = wait_until(lambda: "line 20\n" in (said := newest("logs", "logger")) and said)
    assert whole.splitlines() == [f"line {number}" for number in range(1, 21)]
    assert newest("logs", "logger", "--tail=1") == "line 20\n"
    assert newest("logs", "logger", "--limit-bytes=1") == "l"
    stamped = newest("logs", "logger", "--tail=1", "--timestamps").split()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", stamped[0])
    assert newest("logs", "logger", "--since=24h") == whole
    wait_until(lambda: newest("logs", "logger", "--since=1s") == "")


def define(newest: Kubectl, api: httpx.Client, name: str, schema: dict[str, Any] | None) -> str:
    """Serve a kind of a group of its own; return the group."""
    group = f"{name}.example.com"
    names = {"plural": "foos", "singular": "foo", "kind": "Foo", "listKind": "FooList"}
    version = {"name": "v1", "served": True, "storage": True}
    version["schema"] = {"openAPIV3Schema": schema or ANY}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}
    kind = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    made = {**kind, "metadata": {"name": f"foos.{group}"}, "spec": spec}
    newest("create", "-f", "-", stdin=json.dumps(made))
    document = f"/openapi/v3/apis/{group}/v1"
    wait_until(lambda: api.get(document).status_code == 200)
    return group


def foo(group: str, **content: Any) -> str:
    kind = {"apiVersion": f"{group}/v1", "kind": "Foo"}
    return json.dumps({**kind, "metadata": {"name": "test-foo"}, **content})


def takes(newest: Kubectl, body: str) -> None:
    """Both create and apply take an object."""
    for verb in ("create", "apply"):
        newest(verb, "-f", "-", stdin=body)
        newest("delete", "-f", "-", stdin=body)


def refuses(newest: Kubectl, body: str, words: str) -> None:
    for verb in ("create", "apply"):
        assert words in newest.fails(verb, "-f", "-", stdin=body)


ANY = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
FOO = {
    "description": "Foo CRD for Testing",
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "description": "Specification of Foo",
            "properties": {
                "bars": {
                    "description": "List of Bars and their specs.",
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {
                            "name": {"description": "Name of Bar.", "type": "string"},
                            "age": {"description": "Age of Bar.", "type": "string"},
                        },
                    },
                }
            },
        }
    },
}


@pytest.mark.conformance(OPENAPI + "works for CRD with validation schema")
def test_a_published_schema(newest: Kubectl, api: httpx.Client) -> None:
    group = define(newest, api, "schema", FOO)
    takes(newest, foo(group, spec={"bars": [{"name": "test-bar"}]}))
    unknown = foo(group, spec={"bars": [{"name": "test-bar", "unknown": "x"}]})
    refuses(newest, unknown, 'unknown field "spec.bars[0].unknown"')
    refuses(newest, foo(group, spec={"bars": [{"age": "10"}]}), "spec.bars[0].name: Required value")
    said = newest("explain", f"foos.{group}")
    for words in ("KIND:       Foo", "VERSION:    v1", "Foo CRD for Testing", "spec\t<Object>"):
        assert words in said
    said = newest("explain", f"foos.{group}.spec.bars")
    for words in ("FIELD: bars <[]Object>", "List of Bars", "name\t<string> -required-"):
        assert words in said
    assert 'field "bars2" does not exist' in newest.fails("explain", f"foos.{group}.spec.bars2")


@pytest.mark.conformance(OPENAPI + "works for CRD without validation schema")
def test_a_published_kind_without_a_schema(newest: Kubectl, api: httpx.Client) -> None:
    group = define(newest, api, "empty", None)
    takes(newest, foo(group, a="b", spec={"c": ["d"]}))
    said = newest("explain", f"foos.{group}")
    assert re.search(r"DESCRIPTION:\n\s+<empty>", said)


@pytest.mark.conformance(OPENAPI + "works for CRD preserving unknown fields at the schema root")
def test_unknown_fields_at_the_root(newest: Kubectl, api: httpx.Client) -> None:
    root = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    group = define(newest, api, "root", root | {"properties": {"spec": {"type": "object"}}})
    takes(newest, foo(group, a="b"))
    assert "KIND:       Foo" in newest("explain", f"foos.{group}")


@pytest.mark.conformance(OPENAPI + "works for CRD preserving unknown fields in an embedded object")
def test_unknown_fields_of_a_part(newest: Kubectl, api: httpx.Client) -> None:
    part = {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
        "description": "Specification of Waldo",
    }
    whole = {"description": "preserve-unknown-properties in nested field", "type": "object"}
    group = define(newest, api, "nested", whole | {"properties": {"spec": part}})
    takes(newest, foo(group, spec={"a": "b"}))
    said = newest("explain", f"foos.{group}")
    assert "preserve-unknown-properties in nested field" in said
    assert "spec\t<Object>" in said
