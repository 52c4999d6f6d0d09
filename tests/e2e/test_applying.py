"""kubectl apply, diff, replace, delete and edit, in the ways that are less common."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.kubectl import Kubectl
from tests.support.server import ROOT

pytestmark = pytest.mark.e2e

EXAMPLES = str(ROOT / "examples" / "guestbook")


def config_map(name: str, **data: str) -> str:
    pairs = ", ".join(f'{key}: "{value}"' for key, value in data.items())
    labels = "labels: {set: x}"
    return (
        f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, {labels}}}\n"
        f"data: {{{pairs}}}\n"
    )


@pytest.fixture
def kustomization(tmp_path: Path) -> Path:
    """A base with an overlay that patches it."""
    base, overlay = tmp_path / "base", tmp_path / "overlay"
    base.mkdir()
    overlay.mkdir()
    (base / "deployment.yaml").write_text(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"
        "  selector: {matchLabels: {app: web}}\n  template:\n"
        "    metadata: {labels: {app: web}}\n"
        "    spec: {containers: [{name: web, image: nginx}]}\n"
    )
    (base / "kustomization.yaml").write_text(
        "resources: [deployment.yaml]\nconfigMapGenerator: [{name: settings, literals: [a=1]}]\n"
    )
    (overlay / "kustomization.yaml").write_text(
        "resources: [../base]\nnamePrefix: test-\nimages: [{name: nginx, newTag: '1.29'}]\n"
        "labels: [{pairs: {tier: front}, includeSelectors: false}]\n"
        "replicas: [{name: web, count: 2}]\n"
        "patches:\n  - target: {kind: Deployment}\n    patch: |\n"
        "      - {op: add, path: /metadata/annotations, value: {note: patched}}\n"
    )
    return overlay


def test_kustomizations(kubectl: Kubectl, kustomization: Path) -> None:
    said = kubectl("apply", "-k", str(kustomization))
    assert re.fullmatch(
        r"configmap/test-settings-\w{10} created\ndeployment.apps/test-web created\n", said
    )
    kubectl("rollout", "status", "deployment/test-web", "--timeout=20s")
    assert kubectl.field("deployment/test-web", "{.spec.replicas} {..image}") == "2 nginx:1.29"
    assert kubectl.field("deployment/test-web", "{.metadata.labels}") == '{"tier":"front"}'
    assert kubectl.field("deployment/test-web", "{.metadata.annotations.note}") == "patched"
    assert kubectl.run("diff", "-k", str(kustomization)).code == 0
    assert "deployment.apps/test-web unchanged" in kubectl("apply", "-k", str(kustomization))
    assert len(kubectl("get", "-k", str(kustomization), "-o", "name").split()) == 2
    kubectl("delete", "-k", str(kustomization))


def test_apply_sets_prune(newest: Kubectl) -> None:
    applying = newest.with_environment(KUBECTL_APPLYSET="true")
    options = ("apply", "--prune", "--applyset=mine", "-f", "-")
    applying(*options, stdin=config_map("a", key="1") + config_map("b", key="1"))
    parent = newest.json("get", "secret", "mine")
    assert parent["metadata"]["labels"]["applyset.kubernetes.io/id"].startswith("applyset-")
    said = applying(*options, stdin=config_map("b", key="2"))
    assert said.splitlines() == ["configmap/b configured", "configmap/a pruned"]
    assert newest("get", "cm", "-l", "set=x", "-o", "name") == "configmap/b\n"


def test_the_examples_by_two_managers(newest: Kubectl) -> None:
    said = newest("apply", "--server-side", "-f", EXAMPLES)
    assert all(line.endswith(" serverside-applied") for line in said.splitlines())
    # What kubectl of old has applied is taken over, and then owned by both.
    newest("apply", "-f", EXAMPLES)
    again = newest("apply", "--server-side", "--force-conflicts", "-f", EXAMPLES)
    assert again == said
    other = ("--server-side", "--field-manager=other", "-f", EXAMPLES)
    assert newest("apply", *other) == said, "the same values are no conflict"
    for how, note in (("client", "(dry run)"), ("server", "(server dry run)")):
        dry = newest("apply", f"--dry-run={how}", "-f", EXAMPLES)
        assert all(line.endswith(note) for line in dry.splitlines())
    assert newest.run("diff", "--server-side", "-f", EXAMPLES).code == 0
    deleted = newest("delete", "-f", EXAMPLES, "--wait=false")
    assert len(deleted.splitlines()) == len(said.splitlines())


def test_diffs(kubectl: Kubectl) -> None:
    kubectl("apply", "--server-side", "-f", "-", stdin=config_map("a", key="1"))
    for options in ((), ("--server-side",)):
        done = kubectl.run("diff", *options, "-f", "-", stdin=config_map("a", key="2"))
        assert done.code == 1
        assert '\n-  key: "1"\n+  key: "2"\n' in done.out
    done = kubectl.run("diff", "-f", "-", stdin=config_map("new", key="2"))
    assert done.code == 1
    assert "\n+kind: ConfigMap\n" in done.out
    done = kubectl.run(
        "diff", "--server-side", "--field-manager=b", "-f", "-", stdin=config_map("a", key="3")
    )
    assert done.code > 1
    assert 'conflict with "kubectl": .data.key' in done.err
    assert kubectl.run("diff", "-f", "-", stdin="kind: Nonsense\napiVersion: v1\n").code > 1


def test_replace_by_force(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=config_map("a", key="1"))
    uid = kubectl.field("configmap/a", "{.metadata.uid}")
    said = kubectl("replace", "-f", "-", stdin=config_map("a", key="2"))
    assert said == "configmap/a replaced\n"
    assert kubectl.field("configmap/a", "{.metadata.uid}") == uid
    said = kubectl("replace", "--force", "-f", "-", stdin=config_map("a", key="3"))
    assert said.splitlines()[-1] == "configmap/a replaced"
    assert said.startswith('configmap "a" deleted')
    assert kubectl.field("configmap/a", "{.metadata.uid}") != uid
    said = kubectl.fails("replace", "-f", "-", stdin=config_map("none"))
    assert '(NotFound): error when replacing "STDIN": configmaps "none" not found' in said


def test_many_files_of_which_one_is_wrong(kubectl: Kubectl, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(config_map("a", key="1"))
    (tmp_path / "b.yaml").write_text(config_map("b").replace("data: {}", "datum: {}"))
    (tmp_path / "c.json").write_text('{"apiVersion":"v1","kind":"Service","metadata":{"name":"c"}}')
    done = kubectl.run("create", "-f", str(tmp_path))
    assert done.code == 1
    assert done.out == "configmap/a created\n"
    assert 'strict decoding error: unknown field "datum"' in done.err
    assert 'Service "c" is invalid: spec.ports: Required value' in done.err
    done = kubectl.run("create", "-f", str(tmp_path / "b.yaml"), "--validate=ignore")
    assert (done.out, done.err) == ("configmap/b created\n", "")
    said = kubectl.fails("create", "-f", "-", stdin="apiVersion: v1\nkind: Nonsense\n")
    assert 'no matches for kind "Nonsense" in version "v1"' in said


def test_several_errors_are_listed(kubectl: Kubectl) -> None:
    pod = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a_b}\nspec:\n  containers:\n"
        "    - {name: A, image: x, ports: [{containerPort: 0}]}\n  restartPolicy: Sometimes\n"
    )
    said = kubectl.fails("create", "-f", "-", stdin=pod)
    assert said.startswith('The Pod "a_b" is invalid: \n* metadata.name: Invalid value: "a_b"')
    assert '\n* spec.containers[0].name: Invalid value: "A"' in said
    assert "\n* spec.containers[0].ports[0].containerPort: Required value\n" in said
    assert (
        '\n* spec.restartPolicy: Unsupported value: "Sometimes": supported values: '
        '"Always", "OnFailure", "Never"\n'
    ) in said


def test_editing(newest: Kubectl, tmp_path: Path) -> None:
    newest("create", "-f", "-", stdin=config_map("a", key="1"))
    untouched = newest.with_environment(KUBE_EDITOR="true").run("edit", "configmap", "a")
    assert untouched.code == 0
    assert "Edit cancelled, no changes made." in untouched
    editing = newest.with_environment(KUBE_EDITOR="sed -i s/key:/other:/")
    assert editing("edit", "configmap/a") == "configmap/a edited\n"
    assert newest.field("configmap/a", "{.data}") == '{"other":"1"}'
    # A name cannot be edited, and what was typed is kept.
    editing = newest.with_environment(KUBE_EDITOR="sed -i -e s/name:.a$/name:\\ b/")
    said = editing.fails("edit", "configmap", "a")
    assert "At least one of apiVersion, kind and name was changed" in said
    newest("create", "deployment", "web", "--image=nginx", "--replicas=0")
    newest("rollout", "status", "deployment/web", "--timeout=20s")
    editing = newest.with_environment(KUBE_EDITOR="sed -i s/MinimumReplicasAvailable/Edited/")
    assert editing("edit", "deployment", "web", "--subresource=status") == (
        "deployment.apps/web edited\n"
    )
    applied = newest.with_environment(KUBE_EDITOR="sed -i s/x$/changed/")
    newest("apply", "-f", "-", stdin=config_map("z", key="1"))
    said = applied("apply", "edit-last-applied", "configmap/z")
    assert said == "configmap/z edited\n"
    assert "set: changed" in newest("apply", "view-last-applied", "configmap/z")


@pytest.mark.parametrize(
    ("cascade", "left"), [("foreground", ""), ("background", ""), ("orphan", "replicaset")]
)
def test_deleting_with_dependents(newest: Kubectl, cascade: str, left: str) -> None:
    newest("create", "deployment", "web", "--image=nginx")
    newest("rollout", "status", "deployment/web", "--timeout=20s")
    said = newest("delete", "deployment", "web", f"--cascade={cascade}", "--timeout=20s")
    assert said == f'deployment.apps "web" deleted from {newest.namespace} namespace\n'
    if not left:
        newest("wait", "--for=delete", "pod", "-l", "app=web", "--timeout=20s")
    found = newest("get", "replicasets,pods", "-l", "app=web", "-o", "name")
    assert [line.partition(".")[0] for line in found.splitlines()][:1] == ([left] if left else [])


def test_deleting_at_once(newest: Kubectl) -> None:
    newest(
        "run",
        "slow",
        "--image=busybox",
        "--command",
        "--",
        "sh",
        "-c",
        "trap '' TERM; while true; do sleep 1; done",
    )
    newest("wait", "--for=condition=Ready", "pod/slow", "--timeout=20s")
    done = newest.run("delete", "pod", "slow", "--grace-period=0", "--force")
    assert done.out == f'pod "slow" force deleted from {newest.namespace} namespace\n'
    assert "Immediate deletion does not wait for confirmation" in done.err
    assert newest("get", "pod", "slow", "--ignore-not-found") == ""
    newest("create", "-f", "-", stdin=config_map("a") + config_map("b"))
    said = newest("delete", "cm", "-l", "set=x", "--dry-run=server")
    assert said.count("deleted from") == 2
    assert newest("get", "cm", "-l", "set=x", "-o", "name") == "configmap/a\nconfigmap/b\n"
    finalizer = '{"metadata":{"finalizers":["example.com/held"]}}'
    newest("patch", "cm", "a", "--type=merge", "-p", finalizer)
    assert newest.run("delete", "cm", "a", "--timeout=1s").code == 1
    assert newest.field("configmap/a", "{.metadata.deletionTimestamp}")
    newest("patch", "cm", "a", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    assert newest("get", "cm", "a", "--ignore-not-found") == ""
