"""kubectl taint, cordon, drain and describe, on nodes; each test has its node back as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.support.kubectl import Kubectl

pytestmark = pytest.mark.e2e

NODE = "node-3"


@pytest.fixture
def nodes(newest: Kubectl) -> Iterator[Kubectl]:
    yield newest
    newest("uncordon", NODE)
    newest.run("taint", "node", NODE, "test-")


def on_the_node(kubectl: Kubectl, name: str, *options: str) -> None:
    chosen = json.dumps({"spec": {"nodeSelector": {"kubernetes.io/hostname": NODE}}})
    kubectl("run", name, "--image=nginx", f"--overrides={chosen}", "--labels=app=held", *options)


def test_taints(nodes: Kubectl) -> None:
    taint = ("taint", "node", NODE)
    assert nodes(*taint, "test=a:NoSchedule") == f"node/{NODE} tainted\n"
    said = nodes.fails(*taint, "test=b:NoSchedule")
    assert "already has test taint(s) with same effect(s) and --overwrite is false" in said
    assert nodes(*taint, "test=b:NoSchedule", "--overwrite") == f"node/{NODE} modified\n"
    assert re.search(r"^Taints: +test=b:NoSchedule$", nodes("describe", "node", NODE), re.MULTILINE)
    on_the_node(nodes, "refused")
    nodes("wait", "--for=condition=PodScheduled=false", "pod/refused", "--timeout=20s")
    message = "{.status.conditions[?(@.type=='PodScheduled')].message}"
    assert "2 node(s) had untolerated taint(s)" in nodes.field("pod/refused", message)
    assert nodes(*taint, "test-") == f"node/{NODE} untainted\n"
    nodes("wait", "--for=condition=Ready", "pod/refused", "--timeout=20s")
    assert "not found" in nodes.fails(*taint, "test-")
    nodes(*taint, "test=c:NoExecute")
    nodes("wait", "--for=delete", "pod/refused", "--timeout=20s")


def test_a_node_drained(nodes: Kubectl) -> None:
    on_the_node(nodes, "held")
    nodes("wait", "--for=condition=Ready", "pod/held", "--timeout=20s")
    drain = ("drain", NODE, "--pod-selector=app=held", "--timeout=20s")
    said = nodes.fails(*drain)
    assert "cannot delete Pods that declare no controller (use --force to override)" in said
    dry = nodes(*drain, "--force", "--dry-run=server")
    assert f"evicting pod {nodes.namespace}/held (server dry run)" in dry
    said = nodes(*drain, "--force")
    assert said.splitlines() == [
        f"node/{NODE} already cordoned",
        f"evicting pod {nodes.namespace}/held",
        "pod/held evicted",
        f"node/{NODE} drained",
    ]
    assert "Ready,SchedulingDisabled" in nodes("get", "node", NODE)
    assert nodes("uncordon", NODE) == f"node/{NODE} uncordoned\n"
    assert nodes("uncordon", NODE) == f"node/{NODE} already uncordoned\n"
    assert nodes("cordon", NODE) == f"node/{NODE} cordoned\n"


def test_a_budget_holds_up_an_eviction(nodes: Kubectl) -> None:
    on_the_node(nodes, "held")
    nodes("wait", "--for=condition=Ready", "pod/held", "--timeout=20s")
    nodes("create", "poddisruptionbudget", "all", "--selector=app=held", "--min-available=1")
    nodes("wait", "--for=jsonpath={.status.currentHealthy}=1", "pdb/all", "--timeout=20s")
    done = nodes.run("drain", NODE, "--pod-selector=app=held", "--force", "--timeout=1s")
    assert done.code == 1
    assert "Cannot evict pod as it would violate the pod's disruption budget." in done.err
    assert nodes.field("pod/held", "{.status.phase}") == "Running"


def test_a_node_tells_of_its_storage_drivers(newest: Kubectl) -> None:
    listed = newest("get", "csinodes", NODE)
    assert re.fullmatch(rf"NAME +DRIVERS +AGE\n{NODE} +1 +\w+\n", listed)
    said = newest("describe", "csinode", NODE)
    drivers = r"Drivers:\n +simulated\.kubeground\.io:\n +Node ID: +node-3\n"
    assert re.search(drivers + r" +Allocatables:\n +Count: +127\n", said)
    assert newest.field(f"csinode/{NODE}", "{.metadata.ownerReferences[0].kind}") == "Node"
