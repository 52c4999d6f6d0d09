"""helm 3 and 4: a chart with hooks, a CRD, a test and a dependency, from install to uninstall."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.helm import VERSIONS, Helm
from tests.support.kubectl import Kubectl

pytestmark = pytest.mark.e2e

CHART = str(Path(__file__).parent / "charts" / "web")
WAIT = ("--wait", "--timeout", "40s")
IMAGE = "{.spec.template.spec.containers[0].image}"


@pytest.fixture(params=VERSIONS)
def helm(request: pytest.FixtureRequest, newest: Kubectl, tmp_path: Path) -> Iterator[Helm]:
    yield Helm(request.param, newest.kubeconfig, tmp_path, newest.namespace)
    # What comes out of crds/ belongs to no release.
    newest("delete", "crd", "widgets.charts.example.com", "--ignore-not-found")


def test_a_releases_life(helm: Helm, newest: Kubectl) -> None:
    newest("create", "configmap", "known", "--from-literal=what=lookups")
    said = helm("install", "web", CHART, *WAIT)
    assert "STATUS: deployed" in said
    assert "Try http://web on v1.36." in said
    assert "which has CronJobs, and knows lookups" in said
    assert newest.field("job/web-before", "{.status.succeeded}") == "1"
    assert newest.field("widget/web", "{.spec.size}") == "1"
    assert newest.field("configmap/web-side", "{.data.word}") == "hello"
    assert newest.field("deployment/web", "{.metadata.labels}") == (
        '{"app.kubernetes.io/instance":"web","app.kubernetes.io/managed-by":"Helm",'
        '"helm.sh/chart":"web-0.1.0"}'
    )

    assert "Phase:          Succeeded" in helm("test", "web")
    assert "Welcome to nginx" in newest("logs", "web-test")

    changed = ("--set", "replicas=2,image=nginx:1.28,side.enabled=false")
    helm("upgrade", "web", CHART, *WAIT, *changed)
    assert newest.field("deployment/web", "{.status.readyReplicas}") == "2"
    assert newest("logs", "job/web-before") == "revision 2\n"
    assert newest("get", "configmap", "web-side", "--ignore-not-found") == ""
    assert helm.json("get", "values", "web")["image"] == "nginx:1.28"
    assert "nginx:1.28" in helm("get", "manifest", "web")

    helm("rollback", "web", "1", *WAIT)
    assert newest.field("deployment/web", IMAGE) == "nginx:1.29"
    assert newest.field("configmap/web-side", "{.data.word}") == "hello"
    revisions = helm.json("history", "web")
    assert [(one["revision"], one["status"]) for one in revisions] == [
        *((1, "superseded"), (2, "superseded"), (3, "deployed"))
    ]
    assert revisions[2]["description"] == "Rollback to 1"

    assert [(one["name"], one["chart"]) for one in helm.json("list")] == [("web", "web-0.1.0")]
    assert "STATUS: deployed" in helm("status", "web")
    secrets = newest("get", "secrets", "-l", "owner=helm", "-o", "name").split()
    assert secrets == [f"secret/sh.helm.release.v1.web.v{n}" for n in (1, 2, 3)]
    assert newest.field(secrets[0], "{.type}") == "helm.sh/release.v1"

    helm("uninstall", "web", *WAIT)
    assert helm.json("list") == []
    gone = newest("get", "all,configmaps,widgets", "-l", "app.kubernetes.io/managed-by=Helm")
    assert gone == ""
    assert newest("get", "crd", "widgets.charts.example.com", "-o", "name")


def test_charts_are_checked_by_the_server(helm: Helm, newest: Kubectl) -> None:
    said = helm("template", "web", CHART, "--validate", "--set", "widget=false", "--skip-crds")
    assert "kind: Deployment" in said
    dry = ("install", "web", CHART, "--dry-run=server", "--set", "widget=false", "--skip-crds")
    assert 'image: "nginx:1.29"' in helm(*dry)
    assert newest("get", "deployments", "-o", "name") == ""
    assert "replicas" in helm.fails("install", "web", CHART, "--set", "replicas=-1")
    said = helm.fails("install", "web", CHART, "--set", "replicas=6")
    assert "spec.size" in said
    assert "should be less than or equal to 5" in said


def test_a_release_that_fails_is_taken_back(helm: Helm, newest: Kubectl) -> None:
    helm("install", "web", CHART, *WAIT)
    back = "--rollback-on-failure" if helm.version.startswith("4") else "--atomic"
    bad = ("--set", "image=registry.invalid/none", "--wait", "--timeout", "3s")
    assert "UPGRADE FAILED" in helm.fails("upgrade", "web", CHART, *bad, back)
    assert [one["status"] for one in helm.json("history", "web")] == [
        *("superseded", "failed", "deployed")
    ]
    assert newest.field("deployment/web", IMAGE) == "nginx:1.29"


def test_who_owns_what_is_applied(newest: Kubectl, tmp_path: Path) -> None:
    """helm 4 applies on the server, and meets the conflicts that there are."""
    helm = Helm("4.3", newest.kubeconfig, tmp_path, newest.namespace)
    plain = ("--set", "widget=false", "--skip-crds")
    helm("install", "web", CHART, *plain, *WAIT)
    managers = "{range .metadata.managedFields[*]}{.manager}={.operation} {end}"
    assert "helm=Apply" in newest(
        "get", "deployment", "web", "-o", f"jsonpath={managers}", "--show-managed-fields"
    )
    newest("set", "image", "deployment/web", "web=nginx:1.27")
    said = helm.fails("upgrade", "web", CHART, *plain, "--set", "image=nginx:1.28")
    assert 'conflict with "kubectl-set" using apps/v1: ' in said
    assert '.spec.template.spec.containers[name="web"].image' in said
    helm("upgrade", "web", CHART, *plain, "--set", "image=nginx:1.28", "--force-conflicts", *WAIT)
    assert newest.field("deployment/web", IMAGE) == "nginx:1.28"
    helm("upgrade", "web", CHART, *plain, "--server-side=false", "--set", "replicas=2", *WAIT)
    assert newest.field("deployment/web", "{.status.readyReplicas}") == "2"
