"""An operator with kopf in a process of its own, as a service account with just its rights."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.kubectl import Kubectl
from tests.support.server import wait_until

pytestmark = pytest.mark.e2e

OPERATOR = Path(__file__).parent / "programs" / "gardener.py"
CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gardens.gardens.example.com}
spec:
  group: gardens.example.com
  scope: Namespaced
  names: {kind: Garden, plural: gardens, singular: garden, shortNames: [gd]}
  versions:
    - name: v1
      served: true
      storage: true
      subresources: {status: {}}
      additionalPrinterColumns:
        - {name: Size, type: integer, jsonPath: .spec.size}
        - {name: Phase, type: string, jsonPath: .status.phase}
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, properties: {size: {type: integer, minimum: 1}}}
            status: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""
GARDEN = """
apiVersion: gardens.example.com/v1
kind: Garden
metadata: {name: mine, labels: {watered: "yes"}}
spec: {size: 3}
"""
RULES = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: gardener}
rules:
  - {apiGroups: [gardens.example.com], resources: [gardens, gardens/status], verbs: ["*"]}
  - {apiGroups: [""], resources: [configmaps], verbs: [create, patch]}
  - {apiGroups: ["", events.k8s.io], resources: [events], verbs: [create]}
"""
# kopf looks for kinds and namespaces that come later.
LOOKING = ("--verb=list,watch", "--resource=customresourcedefinitions,namespaces")


@pytest.fixture
def gardens(newest: Kubectl) -> Iterator[Kubectl]:
    newest("apply", "-f", "-", stdin=CRD)
    newest("wait", "--for=condition=Established", "crd/gardens.gardens.example.com")
    newest("create", "clusterrole", "gardener", *LOOKING)
    account = f"--serviceaccount={newest.namespace}:gardener"
    newest("create", "clusterrolebinding", "gardener", "--clusterrole=gardener", account)
    yield newest
    newest("delete", "clusterrole/gardener", "clusterrolebinding/gardener")
    newest("delete", "crd", "gardens.gardens.example.com")


def operators_kubeconfig(admin: Kubectl, tmp_path: Path) -> Path:
    """Write a kubeconfig for a service account that may do what the operator does."""
    admin("create", "serviceaccount", "gardener")
    admin("apply", "-f", "-", stdin=RULES)
    account = f"{admin.namespace}:gardener"
    admin("create", "rolebinding", "g", "--role=gardener", f"--serviceaccount={account}")
    return admin.with_token(admin("create", "token", "gardener"), tmp_path).kubeconfig


@pytest.fixture
def operator(gardens: Kubectl, tmp_path: Path) -> Iterator[Path]:
    """The operator under way; gives its log."""
    log = tmp_path / "operator.log"
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    env["KUBECONFIG"] = str(operators_kubeconfig(gardens, tmp_path))
    command = [sys.executable, "-m", "kopf", "run", "--namespace", gardens.namespace]
    with log.open("w") as out:
        process = subprocess.Popen(
            [*command, "--verbose", str(OPERATOR)], stdout=out, stderr=out, env=env
        )
    try:
        yield log
        assert process.poll() is None, log.read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


def test_a_gardens_life(gardens: Kubectl, operator: Path) -> None:
    gardens("apply", "-f", "-", stdin=GARDEN)

    def status(path: str) -> str:
        return gardens.field("garden/mine", f"{{.status.{path}}}")

    wait_until(lambda: status("phase") == "Planted")
    assert status("plant.tries") == "2"
    assert gardens.field("configmap/mine-bed", "{.data.size}") == "3"
    assert gardens.field("configmap/mine-bed", "{.metadata.ownerReferences[0].kind}") == "Garden"
    assert re.search(r"^mine +3 +Planted$", gardens("get", "gd"), re.MULTILINE)
    wait_until(lambda: int(status("watered") or 0) >= 3)

    gardens("patch", "garden", "mine", "--type=merge", "-p", '{"spec":{"size":5}}')
    wait_until(lambda: status("resized") == "3 to 5")
    assert gardens.field("configmap/mine-bed", "{.data.size}") == "5"
    wait_until(
        lambda: re.search(r"Normal +Resized +garden/mine +from 3 to 5", gardens("get", "events"))
    )
    assert gardens.field("garden/mine", "{.metadata.finalizers}") == (
        '["gardens.example.com/gardener"]'
    )

    gardens("delete", "garden", "mine", "--timeout=20s")
    for note in ("mine-guarded", "mine-dug"):
        gardens("get", "configmap", note)
    gardens("wait", "--for=delete", "configmap/mine-bed", "--timeout=20s")
    assert "Traceback" not in operator.read_text()


def test_what_came_before_the_operator(gardens: Kubectl, request: pytest.FixtureRequest) -> None:
    gardens("apply", "-f", "-", stdin=GARDEN)
    log = request.getfixturevalue("operator")
    gardens("wait", "--for=jsonpath={.status.phase}=Planted", "garden/mine", "--timeout=20s")
    gardens("delete", "garden", "mine", "--timeout=20s")
    assert "(Forbidden)" not in log.read_text()
