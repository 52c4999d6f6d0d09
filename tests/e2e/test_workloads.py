"""kubectl set, rollout, autoscale and run, on Deployments, DaemonSets and StatefulSets."""

from __future__ import annotations

import re

import pytest

from tests.support.kubectl import Kubectl
from tests.support.server import wait_until

pytestmark = pytest.mark.e2e

CONTAINER = "{.spec.template.spec.containers[0]"
SETS = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template: &pod
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: main, image: "nginx:1.28"}], terminationGracePeriodSeconds: 0}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 2
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: main, image: "nginx:1.28"}], terminationGracePeriodSeconds: 0}
"""


@pytest.fixture
def web(newest: Kubectl) -> Kubectl:
    newest("create", "deployment", "web", "--image=nginx:1.29", "--port=80")
    newest("rollout", "status", "deployment/web", "--timeout=20s")
    return newest


def test_what_can_be_set(web: Kubectl) -> None:
    assert web("set", "env", "deployment/web", "A=1") == "deployment.apps/web env updated\n"
    web("create", "secret", "generic", "s", "--from-literal=key=value")
    web("set", "env", "deployment/web", "--from=secret/s")
    assert web("set", "env", "deployment/web", "--list") == (
        "# Deployment web, container nginx\nA=1\n# KEY from secret s, key key\n"
    )
    web("set", "env", "deployment/web", "A-")
    assert web.field("deployment/web", f"{CONTAINER}.env[*].name}}") == "KEY"
    said = web("set", "resources", "deployment/web", "--limits=cpu=1500m", "--requests=cpu=0.5")
    assert said == "deployment.apps/web resource requirements updated\n"
    assert web.field("deployment/web", f"{CONTAINER}.resources}}") == (
        '{"limits":{"cpu":"1500m"},"requests":{"cpu":"500m"}}'
    )
    web("create", "serviceaccount", "sa")
    said = web("set", "serviceaccount", "deployment", "web", "sa")
    assert said == "deployment.apps/web serviceaccount updated\n"
    assert web.field("deployment/web", "{.spec.template.spec.serviceAccountName}") == "sa"
    said = web("set", "image", "deployment/web", "*=nginx:1.28")
    assert said == "deployment.apps/web image updated\n"
    web("rollout", "status", "deployment/web", "--timeout=20s")
    said = web.fails("set", "image", "deployment/web", "other=nginx")
    assert 'unable to find container named "other"' in said
    said = web.fails("set", "resources", "deployment/web", "--requests=cpu=2")
    assert "must be less than or equal to cpu limit of 1500m" in said


def test_selectors_and_subjects_set(newest: Kubectl) -> None:
    newest("create", "service", "clusterip", "s", "--tcp=80")
    assert newest("set", "selector", "service", "s", "app=web") == "service/s selector updated\n"
    assert newest.field("service/s", "{.spec.selector}") == '{"app":"web"}'
    newest("create", "rolebinding", "b", "--clusterrole=view", "--user=u")
    said = newest("set", "subject", "rolebinding", "b", "--user=v", "--group=g")
    assert said == "rolebinding.rbac.authorization.k8s.io/b subjects updated\n"
    assert newest.field("rolebinding/b", "{.subjects[*].name}") == "u v g"


def test_rollouts_of_a_deployment(web: Kubectl) -> None:
    web("set", "image", "deployment/web", "nginx=nginx:1.28")
    web("annotate", "deployment/web", "kubernetes.io/change-cause=older image")
    web("rollout", "status", "deployment/web", "--timeout=20s")
    wait_until(lambda: "older image" in web("rollout", "history", "deployment/web"))
    assert re.search(r"^2 +older image$", web("rollout", "history", "deployment/web"), re.MULTILINE)
    shown = web("rollout", "history", "deployment/web", "--revision=1")
    assert shown.startswith("deployment.apps/web with revision #1\n")
    assert "nginx:1.29" in shown
    assert web("rollout", "pause", "deployment/web") == "deployment.apps/web paused\n"
    said = web.fails("rollout", "undo", "deployment/web")
    assert "you cannot rollback a paused deployment" in said
    said = web.fails("rollout", "pause", "deployment/web")
    assert "is already paused" in said
    assert web("rollout", "resume", "deployment/web") == "deployment.apps/web resumed\n"
    said = web.fails("rollout", "undo", "deployment/web", "--to-revision=77")
    assert "unable to find specified revision 77 in history" in said
    said = web("rollout", "undo", "deployment/web", "--to-revision=1")
    assert said == "deployment.apps/web rolled back\n"
    assert web.field("deployment/web", f"{CONTAINER}.image}}") == "nginx:1.29"
    assert web("rollout", "restart", "deployment/web") == "deployment.apps/web restarted\n"
    said = web("rollout", "status", "deployment/web", "--timeout=20s")
    assert said.endswith('deployment "web" successfully rolled out\n')


def test_rollouts_of_daemon_sets_and_stateful_sets(newest: Kubectl) -> None:
    newest("apply", "-f", "-", stdin=SETS.replace(" &pod", ""))
    for name, done in (
        ("daemonset/agent", 'daemon set "agent" successfully rolled out\n'),
        ("statefulset/db", "partitioned roll out complete: 2 new pods have been updated...\n"),
    ):
        newest("rollout", "status", name, "--timeout=20s")
        newest("set", "image", name, "main=nginx:1.29")
        said = newest("rollout", "status", name, "--timeout=30s")
        assert said.endswith(done)
        assert len(newest("rollout", "history", name).split("\n\n")[0].splitlines()) == 4
        assert newest("rollout", "undo", name).endswith("rolled back\n")
        newest("rollout", "status", name, "--timeout=30s")
        assert newest.field(name, f"{CONTAINER}.image}}") == "nginx:1.28"
    newest("delete", "statefulset", "db", "--cascade=orphan")
    assert newest("get", "pods", "-l", "app=db", "-o", "name") == "pod/db-0\npod/db-1\n"


def test_autoscalers_in_both_versions(web: Kubectl) -> None:
    said = web("autoscale", "deployment", "web", "--min=2", "--max=4", "--cpu=50%")
    assert said == "horizontalpodautoscaler.autoscaling/web autoscaled\n"
    web("autoscale", "deployment", "web", "--name=memory", "--max=3", "--memory=100Mi")
    row = re.split(r" {2,}", web("get", "hpa", "web", "--no-headers").strip())
    assert (row[0], row[1], row[3], row[4]) == ("web", "Deployment/web", "2", "4")
    one = web.json("get", "horizontalpodautoscalers.v1.autoscaling", "web")
    assert (one["apiVersion"], one["spec"]["targetCPUUtilizationPercentage"]) == (
        *("autoscaling/v1", 50),
    )
    for version in ("v1", "v2"):
        rows = web("get", f"horizontalpodautoscalers.{version}.autoscaling", "--no-headers")
        assert re.search(r"^memory +Deployment/web +memory: \S+/100Mi +1 +3 ", rows, re.MULTILINE)
    two = web.json("get", "horizontalpodautoscalers.v2.autoscaling", "memory")
    assert two["spec"]["metrics"][0]["resource"] == {
        "name": "memory",
        "target": {"averageValue": "100Mi", "type": "AverageValue"},
    }


def test_events_in_both_groups(newest: Kubectl) -> None:
    newest("run", "seen", "--image=nginx")
    newest("wait", "--for=condition=Ready", "pod/seen", "--timeout=20s")
    wait_until(lambda: "Started" in newest("get", "events"))
    old = newest("get", "events", "--sort-by=.metadata.name").splitlines()
    new = newest("get", "events.v1.events.k8s.io", "--sort-by=.metadata.name").splitlines()
    assert [line.split()[1:] for line in old] == [line.split()[1:] for line in new]
    assert any("pod/seen" in line for line in new)
    chosen = newest("get", "events", "--field-selector=reason=Started", "-o", "name")
    assert chosen.startswith("event/seen.")


def test_a_pod_run_and_gone(newest: Kubectl) -> None:
    said = newest(
        "run",
        "once",
        "-i",
        "--rm",
        "--image=busybox",
        "--restart=Never",
        "--quiet",
        "--",
        "sh",
        "-c",
        "read line; echo got $line",
        stdin="hello\n",
    )
    assert said.startswith("got hello\n")
    newest("wait", "--for=delete", "pod/once", "--timeout=20s")
    said = newest.run(
        "run",
        "fails",
        "--attach",
        "--rm",
        "--image=busybox",
        "--restart=Never",
        "--",
        "sh",
        "-c",
        "exit 3",
    )
    assert said.code == 3
    said = newest(
        "run",
        "dry",
        "--image=busybox",
        "--dry-run=server",
        "-o",
        "yaml",
        "--env=A=1",
        "--labels=x=y",
        "--port=80",
    )
    assert "imagePullPolicy: Always" in said
    assert newest("get", "pod", "dry", "--ignore-not-found") == ""
