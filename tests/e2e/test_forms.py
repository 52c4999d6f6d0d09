"""kubectl get, events, wait and explain: forms of output, pages, watches, conditions."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path

import httpx
import pytest

from tests.support.kubectl import Kubectl
from tests.support.server import wait_until

pytestmark = pytest.mark.e2e


def make_maps(kubectl: Kubectl, *names: str) -> None:
    items = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "labels": {"n": name}},
            "data": {"n": name},
        }
        for name in names
    ]
    kubectl(
        "create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    )


def test_templates_and_columns(newest: Kubectl, tmp_path: Path) -> None:
    make_maps(newest, "b", "a")
    get = ("get", "configmaps", "-l", "n")
    assert newest(*get, "-o", "jsonpath={range .items[*]}{.metadata.name}={.data.n};{end}") == (
        "a=a;b=b;"
    )
    assert newest(*get, "-o", "go-template={{range .items}}{{.data.n}} {{end}}") == "a b "
    assert newest(*get, "-o", "custom-columns=N:.metadata.name,D:.data.n", "--no-headers") == (
        "a     a\nb     b\n"
    )
    columns = tmp_path / "columns"
    columns.write_text("NAME   LABEL\n.metadata.name   .metadata.labels.n\n")
    assert newest(*get, "-o", f"custom-columns-file={columns}").splitlines()[0] == "NAME   LABEL"
    said = newest("get", "configmap", "a", "-o", "jsonpath-as-json={.data}")
    assert json.loads(said) == [{"n": "a"}]
    assert newest(*get, "--sort-by=.metadata.name", "-o", "name") == "configmap/a\nconfigmap/b\n"
    assert newest("get", "configmap", "a", "-o", "yaml", "--show-managed-fields").count("f:n") == 2
    assert newest(*get, "--show-kind", "--no-headers").startswith("configmap/a ")
    assert "n=b" in newest(*get, "--show-labels")
    assert newest(*get, "-L", "n").splitlines()[1].split()[-1] == "a"
    assert newest(*get, "--field-selector=metadata.name!=a", "-o", "name") == "configmap/b\n"
    said = newest.fails(*get, "--field-selector=data.n=a")
    assert '"data.n" is not a known field selector: only "metadata.name"' in said
    assert newest("label", "configmap", "a", "--list") == "n=a\n"
    newest("annotate", "configmap", "a", "note=x")
    assert newest("annotate", "configmap", "a", "--list") == "note=x\n"


def test_pages(kubectl: Kubectl) -> None:
    names = [f"m{number:02}" for number in range(12)]
    make_maps(kubectl, *names)
    get = ("get", "configmaps", "-l", "n", "--chunk-size=5")
    assert kubectl(*get, "-o", "name").split() == [f"configmap/{name}" for name in names]
    assert len(kubectl(*get).splitlines()) == 13
    page = json.loads(
        kubectl("get", "--raw", f"/api/v1/namespaces/{kubectl.namespace}/configmaps?limit=5")
    )
    assert len(page["items"]) == 5
    assert page["metadata"]["remainingItemCount"] == 8  # the CA's map is one of them
    assert page["metadata"]["continue"]


def test_raw_requests(kubectl: Kubectl, tmp_path: Path) -> None:
    path = f"/api/v1/namespaces/{kubectl.namespace}/configmaps"
    file = tmp_path / "map.json"
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "1"}}
    file.write_text(json.dumps(body))
    made = json.loads(kubectl("create", "--raw", path, "-f", str(file)))
    assert made["metadata"]["name"] == "a"
    file.write_text(json.dumps({**body, "data": {"k": "2"}}))
    assert json.loads(kubectl("replace", "--raw", f"{path}/a", "-f", str(file)))["data"] == {
        "k": "2"
    }
    assert json.loads(kubectl("delete", "--raw", f"{path}/a"))["status"] == "Success"
    said = kubectl.fails("get", "--raw", f"{path}/a")
    assert said == 'Error from server (NotFound): configmaps "a" not found\n'
    said = kubectl.fails("get", "--raw", "/nonsense")
    assert "(NotFound): the server could not find the requested resource" in said


def test_watching_only_what_is_new(kubectl: Kubectl) -> None:
    make_maps(kubectl, "old")
    get = ("get", "configmaps", "-l", "n", "--watch-only", "--output-watch-events")
    with kubectl.started(*get) as watch:
        names = iter(range(100))

        def another() -> bool:
            """Make maps until the watch has begun."""
            make_maps(kubectl, f"new{next(names)}")
            return "ADDED" in watch.said or watch.readable(0.2)

        wait_until(another)
        added = watch.until(r"^ADDED +(new\d+)").group(1)
        kubectl("label", "configmap", added, "n-")
        watch.until(rf"^DELETED +{added} ")
        assert not re.search(r"^\w+ +old ", watch.said, re.MULTILINE)


def test_events_watched(kubectl: Kubectl) -> None:
    with kubectl.started("events", "--watch") as events:
        kubectl("run", "seen", "--image=nginx")
        events.until(r"Normal +Started +Pod/seen +Container started")
    assert "Pod/seen" in kubectl("events", "--types=Normal", "--for", "pod/seen")
    assert "No events found" in kubectl.run("events", "--types=Warning")


def test_waiting(kubectl: Kubectl) -> None:
    done = kubectl.run("wait", "--for=create", "configmap/later", "--timeout=1s")
    assert (done.code, done.err) == (1, "error: timed out waiting for the condition\n")
    threading.Timer(0.3, make_maps, (kubectl, "later")).start()
    said = kubectl("wait", "--for=create", "configmap/later", "--timeout=20s")
    assert said == "configmap/later condition met\n"
    wait = ("wait", "configmap/later", "--timeout=20s")
    assert kubectl(*wait, "--for=jsonpath={.data.n}=later") == "configmap/later condition met\n"
    assert kubectl(*wait, "--for=jsonpath={.data.n}") == "configmap/later condition met\n"
    change = ("patch", "configmap", "later", "-p", '{"data":{"n":"changed"}}')
    threading.Timer(0.3, kubectl, change).start()
    assert kubectl(*wait, "--for=jsonpath={.data.n}=changed").endswith("condition met\n")
    threading.Timer(0.3, kubectl, ("delete", "configmap", "later")).start()
    assert kubectl(*wait, "--for=delete") == "configmap/later condition met\n"
    assert kubectl(*wait, "--for=delete") == "", "what is not there is gone"
    kubectl("run", "once", "--image=busybox", "--restart=Never", "--", "true")
    said = kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/once", "--timeout=20s")
    assert said == "pod/once condition met\n"
    assert kubectl.run("wait", "--for=condition=Ready", "pod/once", "--timeout=1s").code == 1
    said = kubectl.fails("wait", "--for=condition=Ready", "pod/none", "--timeout=1s")
    assert said == 'Error from server (NotFound): pods "none" not found\n'


def test_kinds_named_in_every_way(newest: Kubectl) -> None:
    newest("create", "deployment", "web", "--image=nginx", "--replicas=0")
    for name in ("deploy", "deployment", "deployments", "deployments.apps", "deployments.v1.apps"):
        assert newest("get", name, "web", "-o", "name") == "deployment.apps/web\n"
    said = newest.fails("get", "deployments.v1beta1.apps")
    assert said == 'error: the server doesn\'t have a resource type "deployments"\n'
    said = newest(
        "api-resources", "--verbs=list,watch", "--namespaced=false", "--sort-by=name", "-o", "name"
    ).split()
    assert said == sorted(said, key=lambda name: name.partition(".")[0])
    assert {"nodes", "namespaces", "storageclasses.storage.k8s.io"} <= set(said)
    assert "pods" not in said
    assert newest("api-resources", "--categories=all", "-o", "name").split()[:2] == (
        ["pods", "replicationcontrollers"]
    )


def test_explain_in_other_versions_and_forms(newest: Kubectl) -> None:
    one = newest("explain", "hpa.spec", "--api-version=autoscaling/v1")
    assert "targetCPUUtilizationPercentage\t<integer>" in one
    two = newest("explain", "hpa.spec")
    assert "metrics\t<[]MetricSpec>" in two
    said = newest("explain", "pod.spec.nodeName", "--output=plaintext-openapiv2")
    assert said.startswith("KIND:     Pod\nVERSION:  v1\n\nFIELD:    nodeName <string>\n")
    assert "GROUP:      apiextensions.k8s.io" in newest("explain", "crd.spec.versions.schema")
    assert "GROUP:      admissionregistration.k8s.io" in newest(
        "explain", "validatingadmissionpolicies.spec.validations"
    )


def test_a_dump_of_the_cluster(newest: Kubectl, tmp_path: Path) -> None:
    newest("run", "talker", "--image=busybox", "--restart=Never", "--", "echo", "hello")
    newest("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/talker", "--timeout=20s")
    newest(
        "cluster-info", "dump", "--namespaces", newest.namespace, f"--output-directory={tmp_path}"
    )
    assert len(json.loads((tmp_path / "nodes.json").read_text())["items"]) == 4
    log = tmp_path / newest.namespace / "talker" / "logs.txt"
    assert log.read_text().startswith("==== START logs for container talker of pod")
    assert "\nhello\n" in log.read_text()


def test_the_proxy(newest: Kubectl) -> None:
    make_maps(newest, "a")
    with newest.started("proxy", "--port=0", "--reject-methods=^DELETE$") as proxy:
        port = proxy.until(r"Starting to serve on 127\.0\.0\.1:(\d+)").group(1)
        path = f"http://127.0.0.1:{port}/api/v1/namespaces/{newest.namespace}/configmaps/a"
        assert httpx.get(path).json()["data"] == {"n": "a"}
        patched = httpx.patch(
            path,
            json={"data": {"n": "b"}},
            headers={"Content-Type": "application/merge-patch+json"},
        )
        assert patched.json()["data"] == {"n": "b"}
        assert httpx.delete(path).status_code == 403
