"""kubectl logs, exec, attach, cp, proxy and port-forward: what flows between client and pod."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from tests.support.kubectl import Kubectl
from tests.support.terminal import at_terminal

pytestmark = pytest.mark.e2e

TALKER = "i=0; while true; do i=$((i+1)); echo line $i; sleep 0.2; done"


def start(kubectl: Kubectl, name: str, image: str, *command: str) -> None:
    """Run a pod and wait until it is ready."""
    rest = ("--command", "--", *command) if command else ()
    kubectl("run", name, f"--image={image}", *rest)
    kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=20s")


def test_logs_followed(kubectl: Kubectl) -> None:
    start(kubectl, "talker", "busybox", "sh", "-c", TALKER)
    with kubectl.started("logs", "-f", "talker") as log:
        log.until(r"^line 1$")
        log.until(r"^line 4$")
        lines = log.said.splitlines()
    assert lines[:4] == ["line 1", "line 2", "line 3", "line 4"]
    assert len(kubectl("logs", "talker", "--tail=2").splitlines()) == 2
    stamped = kubectl("logs", "talker", "--timestamps", "--tail=1")
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z line \d+\n", stamped)
    assert kubectl("logs", "talker", "--since-time=2999-01-01T00:00:00Z") == ""
    assert kubectl("logs", "talker", "--limit-bytes=6") == "line 1"


def test_a_followed_log_ends_with_its_container(kubectl: Kubectl) -> None:
    start(kubectl, "short", "busybox", "sh", "-c", "sleep 1; echo bye")
    with kubectl.started("logs", "-f", "short") as log:
        assert log.rest() == "bye\n"


def test_logs_of_the_container_before(kubectl: Kubectl) -> None:
    kubectl("run", "crasher", "--image=busybox", "--command", "--", "sh", "-c", "echo x; exit 3")
    kubectl(
        "wait",
        "--for=jsonpath={.status.containerStatuses[0].restartCount}=1",
        *("pod/crasher", "--timeout=30s"),
    )
    assert kubectl("logs", "crasher", "--previous") == "x\n"
    code = "{.status.containerStatuses[0].lastState.terminated.exitCode}"
    kubectl("wait", f"--for=jsonpath={code}=3", "pod/crasher", "--timeout=30s")


def test_logs_that_cannot_be(kubectl: Kubectl) -> None:
    start(kubectl, "web", "nginx")
    said = kubectl.fails("logs", "web", "-c", "nothing")
    assert "container nothing is not valid for pod web" in said
    said = kubectl.fails("logs", "web", "--previous")
    assert 'previous terminated container "web" in pod "web" not found' in said
    said = kubectl.fails("logs", "nobody")
    assert '(NotFound): pods "nobody" not found' in said


def test_exec_with_output_errors_and_code(kubectl: Kubectl) -> None:
    start(kubectl, "box", "busybox", "sleep", "3600")
    assert kubectl("exec", "box", "--", "echo", "hello world") == "hello world\n"
    done = kubectl.run("exec", "box", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert done.code == 7
    assert done.out == "out\n"
    assert done.err == "err\ncommand terminated with exit code 7\n"
    assert kubectl("exec", "-i", "box", "--", "cat", stdin="typed\nin\n") == "typed\nin\n"
    said = kubectl.fails("exec", "box", "--", "no-such-program")
    assert "no-such-program" in said
    assert kubectl("exec", "box", "--", "hostname") == "box\n"


def test_exec_where_it_cannot_be(kubectl: Kubectl) -> None:
    said = kubectl.fails("exec", "nobody", "--", "true")
    assert 'pods "nobody" not found' in said
    start(kubectl, "box", "busybox", "sleep", "3600")
    said = kubectl.fails("exec", "box", "-c", "nothing", "--", "true")
    assert "container nothing" in said


def test_a_shell_at_a_terminal(kubectl: Kubectl) -> None:
    start(kubectl, "box", "busybox", "sleep", "3600")
    with at_terminal(kubectl.command("exec", "-it", "box", "--", "sh"), kubectl.env()) as screen:
        screen.until(r"[#$] $")
        screen.type("echo $((6*7))\n")
        screen.until(r"^42$")
        screen.until(r"[#$] $")
        screen.type("stty size\n")
        screen.until(r"^24 80$")
        screen.type("cd /etc && pwd\n")
        screen.until(r"^/etc$")
        screen.type("sleep 100\n")
        screen.type("\x03")
        screen.type("echo still here\n")
        screen.until(r"^still here$", within=10)
        screen.type("exit 5\n")
        assert screen.ended() == 5


def test_a_window_resized_at_a_terminal(kubectl: Kubectl) -> None:
    start(kubectl, "box", "busybox", "sleep", "3600")
    with at_terminal(kubectl.command("exec", "-it", "box", "--", "sh"), kubectl.env()) as screen:
        screen.until(r"[#$] $")
        screen.resize(132, 50)
        for _ in range(50):
            screen.type("stty size\n")
            if screen.until(r"^(\d+) (\d+)$").groups() == ("50", "132"):
                break
        else:
            pytest.fail("the container never heard of the new size")
        screen.type("exit\n")
        assert screen.ended() == 0


def test_attach_and_run_interactively(kubectl: Kubectl) -> None:
    command = kubectl.command("run", "shell", "-it", "--rm", "--image=busybox", "--restart=Never")
    with at_terminal([*command, "--", "sh"], kubectl.env()) as screen:
        screen.until(r"[#$] $|If you don't see a command prompt")
        screen.type("\necho here I am\n")
        screen.until(r"^here I am$")
        screen.type("exit\n")
        screen.until(r'pod "shell" deleted')
        assert screen.ended() == 0
    assert "(NotFound)" in kubectl.fails("get", "pod", "shell")


def test_attach_follows_output(kubectl: Kubectl) -> None:
    start(kubectl, "talker", "busybox", "sh", "-c", TALKER)
    with kubectl.started("attach", "talker") as attached:
        first = int(attached.until(r"^line (\d+)$").group(1))
        attached.until(rf"^line {first + 2}$")


def test_cp_there_and_back(kubectl: Kubectl, tmp_path: Path) -> None:
    start(kubectl, "box", "busybox", "sleep", "3600")
    (tmp_path / "here.txt").write_text("carried\n")
    kubectl("cp", str(tmp_path / "here.txt"), f"{kubectl.namespace}/box:/tmp/there.txt")
    assert kubectl("exec", "box", "--", "cat", "/tmp/there.txt") == "carried\n"
    kubectl("exec", "box", "--", "sh", "-c", "mkdir -p /data/sub; echo 1 > /data/sub/one")
    kubectl("cp", f"{kubectl.namespace}/box:/data", str(tmp_path / "data"))
    assert (tmp_path / "data" / "sub" / "one").read_text() == "1\n"


def test_proxy(kubectl: Kubectl) -> None:
    start(kubectl, "web", "nginx")
    kubectl("expose", "pod", "web", "--port=80")
    with kubectl.started("proxy", "--port=0") as proxy:
        address = proxy.until(r"Starting to serve on (\S+)").group(1)
        with httpx.Client(base_url=f"http://{address}", timeout=10) as client:
            assert client.get("/version").json()["minor"] == "36"
            listed = client.get(f"/api/v1/namespaces/{kubectl.namespace}/pods").json()
            assert [item["metadata"]["name"] for item in listed["items"]] == ["web"]
            page = client.get(f"/api/v1/namespaces/{kubectl.namespace}/pods/web/proxy/")
            assert "Welcome to nginx" in page.text
            page = client.get(f"/api/v1/namespaces/{kubectl.namespace}/services/web:80/proxy/")
            assert "Welcome to nginx" in page.text
