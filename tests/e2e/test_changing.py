"""kubectl apply, patch, label, edit, delete and their like: changes, and what they leave alone."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from tests.support.kubectl import Kubectl

pytestmark = pytest.mark.e2e

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: nginx
          image: nginx:1.29
          env:
            - {name: A, value: "1"}
            - {name: B, value: "2"}
"""


def test_apply_makes_changes_and_leaves_alone(kubectl: Kubectl) -> None:
    assert kubectl("apply", "-f", "-", stdin=WEB) == "deployment.apps/web created\n"
    assert kubectl("apply", "-f", "-", stdin=WEB) == "deployment.apps/web unchanged\n"
    # What others have added stays; what the file no longer says goes.
    kubectl("set", "env", "deployment/web", "C=3")
    changed = WEB.replace('            - {name: B, value: "2"}\n', "").replace("1.29", "1.28")
    assert kubectl("apply", "-f", "-", stdin=changed) == "deployment.apps/web configured\n"
    path = "{.spec.template.spec.containers[0].env[*].name} {..containers[0].image}"
    assert kubectl.field("deployment/web", path) == "A C nginx:1.28"
    last = kubectl("apply", "view-last-applied", "deployment/web", "-o", "json")
    assert json.loads(last)["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:1.28"


def test_apply_of_many_with_prune(kubectl: Kubectl) -> None:
    def maps(*names: str) -> str:
        return "---".join(
            f"\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, labels: {{set: x}}}}\n"
            for name in names
        )

    assert kubectl("apply", "-f", "-", stdin=maps("a", "b")) == (
        "configmap/a created\nconfigmap/b created\n"
    )
    said = kubectl("apply", "-f", "-", "--prune", "-l", "set=x", stdin=maps("b"))
    assert "configmap/a pruned" in said
    assert kubectl("get", "cm", "-l", "set=x", "-o", "name") == "configmap/b\n"


def test_server_side_apply_keeps_owners_apart(kubectl: Kubectl) -> None:
    said = kubectl("apply", "--server-side", "-f", "-", stdin=WEB)
    assert said == "deployment.apps/web serverside-applied\n"
    owners = kubectl(
        *("get", "deployment", "web", "--show-managed-fields"),
        *("-o", "jsonpath={range .metadata.managedFields[*]}{.manager}={.operation} {end}"),
    )
    assert "kubectl=Apply" in owners
    other = textwrap.dedent(
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec: {replicas: 5}
        """
    )
    apply = ("apply", "--server-side", "--field-manager=scaler", "-f", "-")
    said = kubectl.fails(*apply, stdin=other)
    assert 'Apply failed with 1 conflict: conflict with "kubectl": .spec.replicas' in said
    assert kubectl.field("deployment/web", "{.spec.replicas}") == "2"
    kubectl(*apply, "--force-conflicts", stdin=other)
    assert kubectl.field("deployment/web", "{.spec.replicas}") == "5"
    # The first owner has lost the field: leaving it out changes nothing.
    without = WEB.replace("  replicas: 2\n", "")
    kubectl("apply", "--server-side", "-f", "-", stdin=without)
    assert kubectl.field("deployment/web", "{.spec.replicas}") == "5"


def test_diff_says_what_would_change(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=WEB)
    assert kubectl.run("diff", "-f", "-", stdin=WEB).code == 0
    done = kubectl.run("diff", "-f", "-", stdin=WEB.replace("replicas: 2", "replicas: 3"))
    assert done.code == 1
    assert "\n-  replicas: 2\n+  replicas: 3\n" in done.out
    assert kubectl.field("deployment/web", "{.spec.replicas}") == "2"


@pytest.mark.parametrize(
    ("kind", "patch", "env"),
    [
        (
            "strategic",
            {
                "spec": {
                    "template": {
                        "spec": {
                            "containers": [
                                {"name": "nginx", "env": [{"name": "B", "$patch": "delete"}]}
                            ]
                        }
                    }
                }
            },
            "A",
        ),
        (
            "merge",
            {
                "spec": {
                    "template": {
                        "spec": {
                            "containers": [
                                {
                                    "name": "nginx",
                                    "image": "nginx:1.29",
                                    "env": [{"name": "Z", "value": "0"}],
                                }
                            ]
                        }
                    }
                }
            },
            "Z",
        ),
        (
            "json",
            [
                {"op": "test", "path": "/spec/replicas", "value": 2},
                {"op": "remove", "path": "/spec/template/spec/containers/0/env/0"},
            ],
            "B",
        ),
    ],
)
def test_patches(kubectl: Kubectl, kind: str, patch: object, env: str) -> None:
    kubectl("apply", "-f", "-", stdin=WEB)
    said = kubectl("patch", "deployment", "web", f"--type={kind}", "-p", json.dumps(patch))
    assert said == "deployment.apps/web patched\n"
    path = "{.spec.template.spec.containers[0].env[*].name}"
    assert kubectl.field("deployment/web", path) == env


def test_a_patch_that_changes_nothing_says_so(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "a", "--from-literal=n=1")
    before = kubectl.field("cm/a", "{.metadata.resourceVersion}")
    said = kubectl("patch", "cm", "a", "-p", '{"data":{"n":"1"}}')
    assert said == "configmap/a patched (no change)\n"
    assert kubectl.field("cm/a", "{.metadata.resourceVersion}") == before


def test_patches_of_subresources(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=WEB)
    patch = '{"spec":{"replicas":1}}'
    kubectl("patch", "deployment", "web", "--subresource=scale", "--type=merge", "-p", patch)
    assert kubectl.field("deployment/web", "{.spec.replicas}") == "1"
    failed = '[{"op":"test","path":"/spec/replicas","value":9}]'
    said = kubectl.fails("patch", "deployment", "web", "--type=json", "-p", failed)
    assert said == (
        "The request is invalid: the server rejected our request due to an error in our request\n"
    )


def test_labels_and_annotations(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "a")
    assert kubectl("label", "cm", "a", "tier=front") == "configmap/a labeled\n"
    said = kubectl.fails("label", "cm", "a", "tier=back")
    assert "'tier' already has a value (front), and --overwrite is false" in said
    kubectl("label", "cm", "a", "tier=back", "--overwrite")
    assert kubectl("label", "cm", "a", "tier-") == "configmap/a unlabeled\n"
    assert kubectl("annotate", "cm", "a", "note=a b c") == "configmap/a annotated\n"
    assert kubectl.field("cm/a", "{.metadata.annotations} {.metadata.labels}") == (
        '{"note":"a b c"} '
    )
    assert kubectl("annotate", "cm", "a", "note-") == "configmap/a annotated\n"
    said = kubectl.fails("label", "cm", "a", "tier=not/valid")
    assert "metadata.labels: Invalid value" in said or "invalid label value" in said


def test_edit(kubectl: Kubectl, tmp_path: Path) -> None:
    kubectl("create", "configmap", "a", "--from-literal=colour=red")
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/colour: red/colour: blue/" "$1"\n')
    editor.chmod(0o755)
    editing = kubectl.with_environment(KUBE_EDITOR=str(editor))
    assert editing("edit", "cm", "a") == "configmap/a edited\n"
    assert kubectl.field("cm/a", "{.data.colour}") == "blue"
    assert editing.run("edit", "cm", "a").err == "Edit cancelled, no changes made.\n"


def test_edit_that_breaks_rules_changes_nothing(kubectl: Kubectl, tmp_path: Path) -> None:
    kubectl("apply", "-f", "-", stdin=WEB)
    editor = tmp_path / "editor"
    # The second time kubectl shows what was wrong; leaving the file as it is ends the edit.
    editor.write_text('#!/bin/sh\nsed -i "s/replicas: 2/replicas: -2/" "$1"\n')
    editor.chmod(0o755)
    said = kubectl.with_environment(KUBE_EDITOR=str(editor)).fails("edit", "deployment", "web")
    assert said.startswith('error: deployments.apps "web" is invalid\n')
    assert "Edit cancelled, no valid changes were saved." in said
    assert kubectl.field("deployment/web", "{.spec.replicas}") == "2"


def test_replace_and_its_conflict(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "a", "--from-literal=n=1")
    old = kubectl("get", "cm", "a", "-o", "json")
    kubectl("patch", "cm", "a", "-p", '{"data":{"n":"2"}}')
    said = kubectl.fails("replace", "-f", "-", stdin=old)
    assert (
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; '
        "please apply your changes to the latest version and try again"
    ) in said
    current = kubectl("get", "cm", "a", "-o", "json")
    assert kubectl("replace", "-f", "-", stdin=current) == "configmap/a replaced\n"


def test_delete_and_wait(kubectl: Kubectl) -> None:
    kubectl("run", "web", "--image=nginx")
    kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=20s")
    with kubectl.started("wait", "--for=delete", "pod/web", "--timeout=20s") as waiting:
        said = kubectl("delete", "pod", "web", "--now")
        assert said.startswith('pod "web" deleted')
        # It says nothing where the pod was gone before it had looked.
        assert waiting.rest() in ("", "pod/web condition met\n")
        assert waiting.process.returncode == 0
    assert "(NotFound)" in kubectl.fails("delete", "pod", "web")
    assert kubectl("delete", "pod", "web", "--ignore-not-found") == ""


def test_delete_takes_dependents_along_or_leaves_them(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=WEB)
    kubectl("rollout", "status", "deployment/web", "--timeout=20s")
    kubectl("delete", "deployment", "web", "--cascade=orphan")
    assert kubectl("get", "rs", "-l", "app=web", "-o", "name").startswith("replicaset.apps/web-")
    replicaset = kubectl("get", "rs", "-l", "app=web", "-o", "name").strip()
    kubectl("delete", replicaset, "--cascade=foreground", "--timeout=40s")
    assert kubectl("get", "pods", "-l", "app=web", "-o", "name") == ""


def test_delete_by_selector_and_all(kubectl: Kubectl) -> None:
    for name in ("a", "b", "c"):
        kubectl("create", "configmap", name)
    kubectl("label", "cm", "a", "b", "go=1")
    kubectl("delete", "cm", "-l", "go=1")
    left = kubectl("get", "cm", "-o", "name").split()
    assert left == ["configmap/c", "configmap/kube-root-ca.crt"]
    kubectl("delete", "cm", "--all")
    # Its controller makes this one again.
    kubectl("wait", "--for=create", "cm/kube-root-ca.crt", "--timeout=10s")


def test_wait_says_when_time_is_over(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "web", "--image=nginx", "--replicas=0")
    said = kubectl.fails("wait", "--for=jsonpath={.spec.replicas}=1", "deploy/web", "--timeout=1s")
    assert "timed out waiting for the condition on deployments/web" in said
    kubectl("wait", "--for=condition=Available", "deploy/web", "--timeout=10s")
