"""kubectl 1.24 and 1.34: what they ask for otherwise than the kubectls of today.

1.24 knows legacy discovery alone, OpenAPI v2 in protobuf, and SPDY/3.1 for exec and its like;
1.34 sends protobuf and opens WebSockets.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.support.kubectl import Kubectl
from tests.support.server import Playground, wait_until
from tests.support.terminal import at_terminal

pytestmark = pytest.mark.e2e


@pytest.fixture(params=["1.24", "1.34"])
def old(request: pytest.FixtureRequest, newest: Kubectl, tmp_path: Path) -> Kubectl:
    """An old kubectl, with a home of its own: what it remembers of discovery is not shared."""
    return Kubectl(request.param, newest.kubeconfig, tmp_path, newest.namespace)


@pytest.fixture
def box(old: Kubectl) -> Kubectl:
    old("run", "box", "--image=busybox", "--command", "--", "sleep", "3600")
    old("wait", "--for=condition=Ready", "pod/box", "--timeout=20s")
    return old


def test_what_there_is(old: Kubectl, playground: Playground) -> None:
    assert f'"gitVersion": "v{old.version}.' in old("version", "--client", "-o", "json")
    listed = old("api-resources", "--api-group=apps", "--no-headers").splitlines()
    assert [line.split()[0] for line in listed] == [
        *("controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets")
    ]
    assert {"v1", "apps/v1", "batch/v1"} <= set(old("api-versions").split())
    assert "node-1" in old("get", "nodes", "-o", "wide")
    assert playground.api in re.sub(r"\x1b\[[\d;]*m", "", old("cluster-info"))
    said = old("explain", "pod.spec.containers.livenessProbe")
    assert re.search(r"^(RESOURCE|FIELD): livenessProbe <(Object|Probe)>$", said, re.MULTILINE)
    assert re.search(r"^ +initialDelaySeconds\s+<integer>$", said, re.MULTILINE)


def test_a_deployments_life(old: Kubectl) -> None:
    old("create", "deployment", "web", "--image=nginx:1.28", "--replicas=2", "--port=80")
    old("rollout", "status", "deployment/web", "--timeout=20s")
    assert old("scale", "deployment", "web", "--replicas=1") == "deployment.apps/web scaled\n"
    old("set", "image", "deployment/web", "nginx=nginx:1.29")
    old("rollout", "status", "deployment/web", "--timeout=20s")
    assert len(old("rollout", "history", "deployment/web").splitlines()) == 5
    old("rollout", "undo", "deployment/web")
    assert old.field("deployment/web", "{.spec.template.spec.containers[0].image}") == "nginx:1.28"
    old("expose", "deployment", "web")
    assert re.search(r"^NAME +TYPE +CLUSTER-IP +EXTERNAL-IP", old("get", "service", "web"))
    said = old("describe", "deployment", "web")
    assert "1 desired" in said
    assert "ScalingReplicaSet" in said
    old("delete", "deployment", "web")
    old("wait", "--for=delete", "pod", "-l", "app=web", "--timeout=20s")


def test_objects_changed(old: Kubectl) -> None:
    manifest = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"n":"%d"}}\n'
    assert old("apply", "-f", "-", stdin=manifest % 1) == "configmap/a created\n"
    assert old("apply", "-f", "-", stdin=manifest % 1) == "configmap/a unchanged\n"
    assert old("apply", "-f", "-", stdin=manifest % 2) == "configmap/a configured\n"
    applied = old("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=manifest % 3)
    assert applied == "configmap/a serverside-applied\n"
    old("label", "configmap", "a", "tier=front")
    old("annotate", "configmap", "a", "note=x")
    assert old("patch", "configmap", "a", "-p", '{"data":{"m":"1"}}') == "configmap/a patched\n"
    editing = old.with_environment(KUBE_EDITOR="sed -i s/front/back/")
    assert editing("edit", "configmap", "a") == "configmap/a edited\n"
    assert old.field("configmap/a", "{.data} {.metadata.labels}") == (
        '{"m":"1","n":"3"} {"tier":"back"}'
    )
    assert old("delete", "configmap", "a").startswith('configmap "a" deleted')


def test_what_is_not_valid(old: Kubectl) -> None:
    wrong = (
        '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},'
        '"spec":{"containers":[{"name":"a","image":"b","imag":"c"}]}}'
    )
    assert 'unknown field "spec.containers[0].imag"' in old.fails("create", "-f", "-", stdin=wrong)
    said = old.run("create", "-f", "-", "--validate=warn", stdin=wrong)
    assert (said.code, said.err) == (0, 'Warning: unknown field "spec.containers[0].imag"\n')


def test_exec_and_cp(box: Kubectl, tmp_path: Path) -> None:
    done = box.run("exec", "box", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.code, done.out) == (7, "out\n")
    assert done.err == "err\ncommand terminated with exit code 7\n"
    much = "0123456789abcde\n" * 20_000
    assert box("exec", "-i", "box", "--", "cat", stdin=much) == much
    assert box("exec", "-i", "box", "--", "wc", "-l", stdin=much).split()[0] == "20000"
    sent, back = tmp_path / "sent", tmp_path / "back"
    sent.write_text(much)
    box("cp", str(sent), "box:/tmp/there")
    box("cp", "box:/tmp/there", str(back))
    assert back.read_text() == much


def test_exec_where_it_cannot_be(box: Kubectl) -> None:
    assert 'pods "nobody" not found' in box.fails("exec", "nobody", "--", "ls")
    assert "container nix is not valid for pod box" in box.fails(
        *("exec", "box", "-c", "nix", "--", "ls")
    )
    said = box.fails("exec", "box", "--as=somebody", "--", "ls")
    assert 'User "somebody" cannot' in said
    assert "(Forbidden)" in said


def test_a_shell_at_a_terminal(box: Kubectl) -> None:
    with at_terminal(box.command("exec", "-it", "box", "--", "sh"), box.env()) as screen:
        screen.until(r"[#$] $")
        screen.type("stty size; echo $((40+2))\n")
        screen.until(r"^\d+ \d+\r?$")
        screen.until(r"^42\r?$")
        screen.type("exit 3\n")
        assert screen.ended() == 3


def test_who_may_only_create_connections(box: Kubectl) -> None:
    """An upgrade to SPDY is a POST, which is to create; a WebSocket is to get, too."""
    box("create", "role", "shells", "--verb=create", "--resource=pods/exec")
    box("create", "role", "pods", "--verb=get", "--resource=pods")
    box("create", "rolebinding", "shells", "--role=shells", "--user=operator")
    box("create", "rolebinding", "pods", "--role=pods", "--user=operator")
    old = replace(box, version="1.24")
    assert old("exec", "box", "--as=operator", "--", "echo", "hi") == "hi\n"


def test_run_and_attach(old: Kubectl) -> None:
    said = old(
        "run",
        "once",
        "-i",
        "--rm",
        "--image=busybox",
        "--restart=Never",
        "--",
        "cat",
        stdin="typed\n",
    )
    assert said.startswith("typed\n")
    old(
        "run",
        "talker",
        "--image=busybox",
        "--command",
        "--",
        "sh",
        "-c",
        "while true; do echo line; sleep 0.2; done",
    )
    old("wait", "--for=condition=Ready", "pod/talker", "--timeout=20s")
    with old.started("attach", "talker") as attached:
        attached.until("^line$")
    with old.started("logs", "-f", "talker") as log:
        log.until("^line\nline$")


def test_port_forward(old: Kubectl) -> None:
    old("run", "web", "--image=nginx", "--port=80")
    old("wait", "--for=condition=Ready", "pod/web", "--timeout=20s")
    with old.started("port-forward", "pod/web", ":80", ":81") as forward:
        local = forward.until(r"127\.0\.0\.1:(\d+) -> 80$").group(1)
        for _ in range(3):
            assert httpx.get(f"http://127.0.0.1:{local}/", timeout=10).status_code == 200
        closed = forward.until(r"127\.0\.0\.1:(\d+) -> 81$").group(1)
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{closed}/", timeout=10)
        forward.until("error forwarding port 81 to pod")


def test_rights(old: Kubectl) -> None:
    old("create", "serviceaccount", "reader")
    old("create", "role", "readers", "--verb=get,list", "--resource=pods,deployments.apps")
    account = f"{old.namespace}:reader"
    old("create", "rolebinding", "r", "--role=readers", f"--serviceaccount={account}")
    acting = f"--as=system:serviceaccount:{account}"
    assert old("auth", "can-i", "list", "deployments", acting) == "yes\n"
    assert old.run("auth", "can-i", "delete", "pods", acting).out.startswith("no")
    assert old("create", "token", "reader").count(".") == 2


def test_a_drained_node(old: Kubectl) -> None:
    old("create", "deployment", "web", "--image=nginx", "--replicas=1")
    old("rollout", "status", "deployment/web", "--timeout=20s")
    node = old("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].spec.nodeName}")
    try:
        said = old("drain", node, "--ignore-daemonsets", "--force", "--pod-selector=app=web")
        assert said.endswith(f"node/{node} drained\n")
    finally:
        assert old("uncordon", node) == f"node/{node} uncordoned\n"


def test_newer_kubectls_can_do_without_websockets(kubectl: Kubectl) -> None:
    without = kubectl.with_environment(
        KUBECTL_REMOTE_COMMAND_WEBSOCKETS="false", KUBECTL_PORT_FORWARD_WEBSOCKETS="false"
    )
    without("run", "web", "--image=nginx", "--port=80")
    without("wait", "--for=condition=Ready", "pod/web", "--timeout=20s")
    assert without("exec", "-i", "web", "--", "cat", stdin="hello\n") == "hello\n"
    assert without.run("exec", "web", "--", "sh", "-c", "exit 5").code == 5
    with without.started("port-forward", "pod/web", ":80") as forward:
        local = forward.until(r"127\.0\.0\.1:(\d+) -> 80$").group(1)
        assert httpx.get(f"http://127.0.0.1:{local}/", timeout=10).status_code == 200


def test_a_cluster_behind_a_path(playground: Playground, tmp_path: Path) -> None:
    made = playground.make_cluster("old-clients", nodes=1, template="bare")
    try:
        old = Kubectl("1.24", made.kubeconfig, tmp_path, "default")
        wait_until(lambda: old.run("get", "serviceaccount", "default").code == 0)
        old("run", "box", "--image=busybox", "--command", "--", "sleep", "3600")
        old("wait", "--for=condition=Ready", "pod/box", "--timeout=20s")
        assert old("exec", "box", "--", "hostname") == "box\n"
    finally:
        playground.delete_cluster("old-clients")
