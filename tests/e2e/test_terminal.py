"""Terminals of the site: real shells with the real kubectl, by REST and websockets."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.support.server import Playground, wait_until
from tests.support.shells import Visitor, learner, operator

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def user(playground: Playground) -> Iterator[Visitor]:
    with operator(playground) as visitor:
        yield visitor


def test_kubectl_works_and_its_requests_lead_to_their_traces(
    user: Visitor, playground: Playground
) -> None:
    with user.shell() as shell:
        shell.prompt()
        assert re.search(r"^node-1\s+Ready", shell.run("kubectl get nodes"), re.MULTILINE)
        request = shell.note("request")
        assert (request["method"], request["status"]) == ("GET", 200)
        assert request["path"].startswith("/api/v1/nodes")
        assert re.fullmatch(r"[0-9a-f-]{36}", request["id"])
        assert "v1.36" in shell.run("kubectl version")
        assert "operator" in shell.run("kubectl auth whoami")


def test_a_trace_says_in_which_terminal_it_was_typed_and_by_which_run_of_kubectl(
    user: Visitor, api: httpx.Client
) -> None:
    def traced(**wanted: str) -> list[dict[str, Any]]:
        path = "/api/clusters/default/traces"
        return list(user.http.get(path, params=wanted).json()["items"])

    with user.shell() as shell, user.shell() as other:
        shell.prompt()
        other.prompt()
        shell.run("kubectl create configmap mine --from-literal=a=b")
        first = shell.note("request")
        # Its own words about itself count for nothing, and another's credential is typed here too.
        shell.run("kubectl --token=nobody get configmaps")
        other.run("kubectl get configmaps")
        api.get("/api/v1/configmaps", headers={"User-Agent": "kubectl/v1.36 somewhere else"})
        mine, others = traced(terminal=shell.about["id"]), traced(terminal=other.about["id"])
        assert {one["code"] for one in mine} >= {201, 401}
        assert {one["resource"] for one in others} >= {"configmaps"}
        assert not {one["auditID"] for one in mine} & {one["auditID"] for one in others}
        assert re.fullmatch(r"[0-9a-f-]{36}", first["session"])
        run = traced(session=first["session"])
        assert [one["auditID"] for one in run if one["verb"] == "create"] == [first["id"]]
        assert {one["terminal"] for one in run} == {shell.about["id"]}
        shell.run("kubectl delete configmap mine")


def test_a_change_is_made_as_the_user(user: Visitor) -> None:
    with user.shell() as shell:
        shell.prompt()
        assert "created" in shell.run("kubectl create configmap from-terminal --from-literal=a=b")
        shell.type("kubectl get configmap from-t\t")
        shell.until("from-terminal")
        shell.type(" -o jsonpath='{.data.a}'\n")
        shell.until("^b")
        shell.run("kubectl delete configmap from-terminal")


def test_the_editor_changes_an_object(user: Visitor) -> None:
    with user.shell() as shell:
        shell.prompt()
        shell.run("kubectl create configmap to-edit --from-literal=colour=blue")
        shell.type("EDITOR=vi kubectl edit configmap to-edit\n")
        shell.until("colour: blue")
        shell.type(":%s/blue/green/\n")
        shell.type(":wq\n")
        shell.until("configmap/to-edit edited")
        assert "green" in shell.run("kubectl get configmap to-edit -o jsonpath='{.data}'")
        shell.run("kubectl delete configmap to-edit")


def test_the_exit_code_is_told(user: Visitor) -> None:
    with user.shell() as shell:
        shell.prompt()
        shell.type("exit 7\n")
        assert shell.note("exit") == {"op": "exit", "code": 7, "why": ""}


def test_a_lost_connection_loses_nothing(user: Visitor) -> None:
    with user.shell() as shell:
        shell.prompt()
        shell.type("for i in $(seq 1 9); do echo line-$i; sleep 0.1; done; echo over\n")
        shell.until(r"^line-3$")
        shell.connection.close()
        again = user.look_at(shell.about["id"], seq=shell.next)
        rest = again.until(r"(?s)(.*)^over$").group(1)
        assert re.findall(r"line-\d", rest) == [f"line-{n}" for n in range(4, 10)]
        assert again.start == shell.next
        again.close()


def test_a_page_that_comes_anew_gets_what_was_printed(user: Visitor) -> None:
    with user.shell() as shell:
        shell.prompt()
        shell.run("echo once")
        other = user.look_at(shell.about["id"])
        other.until(r"^once$")
        other.type("echo twice\n")
        shell.until(r"^twice$")
        other.close()


def test_output_without_end_waits_and_starves_nobody(user: Visitor, playground: Playground) -> None:
    service = playground.child("playground.shells.server")
    with user.shell() as noisy, user.shell() as quiet:
        noisy.prompt()
        quiet.prompt()
        before = _resident(service)
        noisy.confirming = False
        noisy.type("yes\n")
        while noisy.listen(1.0):
            assert len(noisy.raw) < 512 * 1024
        assert "calm" in quiet.run("echo calm")
        assert _resident(service) - before < 16 << 20
        # Confirmed, it goes on.
        got = len(noisy.raw)
        noisy.confirming = True
        noisy.tell(op="shown", seq=noisy.next)
        wait_until(lambda: noisy.listen(1.0) and len(noisy.raw) > got + 512 * 1024)
        noisy.type("\x03")


def test_a_shell_in_a_container(user: Visitor, api: httpx.Client, namespace: str) -> None:
    spec = {"containers": [{"name": "web", "image": "nginx"}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec}
    path = f"/api/v1/namespaces/{namespace}/pods"
    assert api.post(path, json=pod).status_code == 201
    wait_until(lambda: api.get(f"{path}/web").json()["status"].get("phase") == "Running")
    with user.shell(kind="pod", namespace=namespace, pod="web") as shell:
        shell.type("hostname\n")
        shell.until(r"^web$")
        shell.type("exit 4\n")
        assert shell.note("exit")["code"] == 4
    refused = user.http.post(
        "/api/clusters/default/terminals",
        json={"kind": "pod", "namespace": namespace, "pod": "nope"},
    )
    assert refused.status_code == 502
    assert refused.json()["error"]["message"] == 'pods "nope" not found'


def test_a_shell_on_a_node_leaves_no_pod(user: Visitor, api: httpx.Client) -> None:
    def debuggers() -> list[str]:
        items = api.get("/api/v1/namespaces/default/pods").json()["items"]
        names = [item["metadata"]["name"] for item in items]
        return [name for name in names if name.startswith("node-debugger-node-2-")]

    with user.shell(kind="node", node="node-2") as shell:
        assert debuggers()
        shell.type("hostname\n")
        shell.until(r"^node-2$")
        shell.type("exit\n")
        assert shell.note("exit")["code"] == 0
    wait_until(lambda: not debuggers())


def test_a_recording_can_be_fetched(user: Visitor) -> None:
    with user.shell() as shell:
        shell.prompt()
        path = f"/api/clusters/default/terminals/{shell.about['id']}/recording"
        assert user.http.get(path).status_code == 404
        assert user.http.post(path, json={"on": True}).json()["recording"]["running"]
        shell.run("echo recorded")
        assert not user.http.post(path, json={"on": False}).json()["recording"]["running"]
        text = user.http.get(path).text
        assert '"version":2' in text.splitlines()[0]
        assert "recorded" in text


def test_there_are_limits(user: Visitor) -> None:
    opened = []
    try:
        while len(opened) < 20:
            answer = user.http.post("/api/clusters/default/terminals", json={})
            if answer.status_code != 201:
                break
            opened.append(answer.json()["id"])
        assert answer.status_code == 429
        text = "You have 8 of 8 terminals. End one to open another."
        assert answer.json()["error"]["message"] == text
        assert len(opened) == 8
    finally:
        for number in opened:
            user.http.delete(f"/api/clusters/default/terminals/{number}")


def test_bad_wishes_are_refused(user: Visitor) -> None:
    for wish in ({"kind": "pod"}, {"kind": "root"}, {"rows": 0}, {"namespace": "Not A Name"}):
        answer = user.http.post("/api/clusters/default/terminals", json=wish)
        assert answer.status_code == 422, answer.text
    assert user.http.post("/api/clusters/none/terminals", json={}).status_code == 404


def test_nobody_reaches_anothers_terminal(user: Visitor, playground: Playground) -> None:
    with learner(playground, "eve") as other, user.shell() as shell:
        number = shell.about["id"]
        # Neither by the cluster that it is in, which is not theirs, nor by one of their own.
        other.http.post("/api/clusters", json={"name": "eves", "nodes": 0})
        for cluster, code in (("default", 4404), ("eves", 4410)):
            path = f"/api/clusters/{cluster}/terminals/{number}"
            assert other.http.get(path).status_code == 404
            assert other.http.delete(path).status_code == 404
            assert other.http.get(f"{path}/recording").status_code == 404
            assert other.look_at(number, cluster).close_code() == code
        assert other.http.post("/api/clusters/default/terminals", json={}).status_code == 404
        with other.shell("eves") as own:
            own.prompt()
            assert "eve" in own.run("kubectl auth whoami")
            # Not even the operator looks over somebody's shoulder.
            assert user.look_at(own.about["id"], "eves").close_code() == 4410
            playground.delete_cluster("eves")
            assert own.note("exit")["why"] == "The cluster was deleted."


def test_pages_of_other_servers_open_nothing(user: Visitor) -> None:
    with user.shell() as shell:
        for origin in ("http://127.0.0.1:1", "http://localhost:8000", "http://evil.example"):
            with pytest.raises(InvalidStatus) as refused:
                user.look_at(shell.about["id"], origin=origin)
            assert refused.value.response.status_code == 403


def test_who_signs_out_leaves_no_shell(playground: Playground) -> None:
    with operator(playground) as passing:
        about = passing.open()
        shell = passing.look_at(about["id"])
        shell.prompt()
        assert passing.http.post("/sign-out").status_code == 200
        assert shell.note("exit")["why"] == "You signed out."
        shell.close()
        assert passing.http.get(f"/api/clusters/default/terminals/{about['id']}").status_code == 401


def test_nothing_is_left_when_the_process_of_shells_dies(
    user: Visitor, playground: Playground
) -> None:
    about = user.open()
    shell = user.look_at(about["id"])
    shell.prompt()
    shell.type("sleep 12345 & setsid sleep 12346 &\n")
    wait_until(lambda: len(_running("12345", "12346")) == 2)
    os.kill(playground.child("playground.shells.server"), signal.SIGKILL)
    assert shell.close_code() == 4503
    wait_until(lambda: not _running("12345", "12346"))
    # Another one takes its place; what ran is told to be over.
    wait_until(lambda: user.look_at(about["id"]).close_code() == 4410)
    with user.shell() as fresh:
        fresh.prompt()


def _resident(pid: int) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", text)
    assert found
    return int(found.group(1)) * 1024


def _running(*seconds: str) -> list[int]:
    """Return the processes of this machine that sleep for so long."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            words = (directory / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"sleep" in words and any(one.encode() in words for one in seconds):
            found.append(int(directory.name))
    return found
