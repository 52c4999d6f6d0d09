"""kubectl top, and the pages of kubelets behind the API server's proxy of nodes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.kubectl import Kubectl
from tests.support.server import Playground

pytestmark = pytest.mark.e2e


def test_top(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "web", "--image=nginx", "--replicas=2")
    kubectl("wait", "--for=condition=Available", "deployment/web", "--timeout=20s")
    lines = kubectl("top", "pods").splitlines()
    assert re.fullmatch(r"NAME +CPU\(cores\) +MEMORY\(bytes\) *", lines[0])
    assert all(re.fullmatch(r"web-\S+ +\d+m +[1-9]\d*Mi *", line) for line in lines[1:])
    assert len(lines) == 3
    assert re.search(r"^web-\S+ +nginx +\d+m", kubectl("top", "pods", "--containers"), re.MULTILINE)
    assert "No resources found" in kubectl.run("top", "pods", "-l", "app=other").err
    nodes = kubectl("top", "nodes").splitlines()
    assert [line.split()[0] for line in nodes[1:]] == [
        *("control-plane", "node-1", "node-2", "node-3")
    ]
    assert re.fullmatch(r"node-1 +\d+m +\d+% +\d+Mi +\d+% *", nodes[2])
    assert "(NotFound)" in kubectl.fails("top", "pod", "nobody")


def test_who_may_read_metrics(kubectl: Kubectl) -> None:
    kubectl("create", "serviceaccount", "reader")
    account = f"system:serviceaccount:{kubectl.namespace}:reader"
    said = kubectl.run("auth", "can-i", "list", "pods.metrics.k8s.io", f"--as={account}")
    assert said.out == "no\n"
    kubectl("create", "rolebinding", "r", "--clusterrole=view", f"--user={account}")
    said = kubectl.run("auth", "can-i", "list", "pods.metrics.k8s.io", f"--as={account}")
    assert said.out == "yes\n"


def test_a_bare_cluster_has_no_metrics(playground: Playground, home: Path) -> None:
    made = playground.make_cluster("no-metrics", nodes=1, template="bare")
    try:
        bare = Kubectl("1.36", made.kubeconfig, home)
        assert "Metrics API not available" in bare.fails("top", "nodes")
    finally:
        playground.delete_cluster("no-metrics")


def test_a_kubelets_pages(newest: Kubectl) -> None:
    newest("run", "box", "--image=busybox", "--command", "--", "sleep", "3600")
    newest("wait", "--for=condition=Ready", "pod/box", "--timeout=20s")
    node = newest.field("pod/box", "{.spec.nodeName}")

    def page(path: str) -> str:
        return newest("get", "--raw", f"/api/v1/nodes/{node}/proxy/{path}")

    assert page("healthz") == "ok"
    names = [pod["metadata"]["name"] for pod in json.loads(page("pods"))["items"]]
    assert "box" in names
    summary = json.loads(page("stats/summary"))
    assert "box" in [pod["podRef"]["name"] for pod in summary["pods"]]
    assert json.loads(page("configz"))["kubeletconfig"]["maxPods"] == 110
    assert f'kubelet_node_name{{node="{node}"}} 1' in page("metrics")
    assert 'pod="box"' in page("metrics/cadvisor")
    assert 'pod="box"' in page("metrics/resource")
    assert "(NotFound)" in newest.fails("get", "--raw", "/api/v1/nodes/nowhere/proxy/healthz")
