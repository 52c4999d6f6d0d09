"""What survives: the end of the process in the middle of writes, and an orderly one."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.kubectl import Kubectl
from tests.support.server import LONGEST_END, Playground, wait_until

pytestmark = pytest.mark.e2e

WRITERS = 8
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


def free_ports() -> tuple[int, int]:
    """Return two ports that nobody listens on, for a server that keeps them over its restarts."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Playground]:
    """A playground that the test may kill."""
    running = Playground(tmp_path / "data", ports=free_ports()).start()
    yield running
    if running.process.poll() is None:
        running.stop()


class Writers:
    """Clients that write until the server is gone, and remember what it has acknowledged."""

    def __init__(self, playground: Playground) -> None:
        self.created: set[str] = set()
        self.counts: dict[int, int] = {}
        self._playground = playground
        self._threads = [
            threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)
        ]
        for thread in self._threads:
            thread.start()

    def _write(self, number: int) -> None:
        counter = f"{CONFIG_MAPS}/counter-{number}"
        with self._playground.client() as client:
            try:
                client.post(
                    CONFIG_MAPS, json={"metadata": {"name": f"counter-{number}"}}
                ).raise_for_status()
                for count in range(1, 100_000):
                    name = f"w{number}-{count}"
                    client.post(CONFIG_MAPS, json={"metadata": {"name": name}}).raise_for_status()
                    self.created.add(name)
                    client.patch(
                        counter,
                        content=json.dumps({"data": {"count": str(count)}}),
                        headers={"Content-Type": "application/merge-patch+json"},
                    ).raise_for_status()
                    self.counts[number] = count
            except httpx.HTTPError:
                return

    def join(self) -> None:
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()


def names(client: httpx.Client) -> dict[str, dict[str, str]]:
    items = client.get(CONFIG_MAPS).json()["items"]
    return {item["metadata"]["name"]: item.get("data") or {} for item in items}


def test_what_was_acknowledged_is_there_after_kill_9(own: Playground, home: Path) -> None:
    kubectl = Kubectl("1.36", own.kubeconfig, home, "default")
    kubectl("create", "deployment", "web", "--image=nginx", "--replicas=3")
    kubectl("rollout", "status", "deploy/web", "--timeout=30s")
    with own.client() as client:
        before = client.get("/api/v1/namespaces/default/pods").json()
    writers = Writers(own)
    wait_until(lambda: len(writers.created) > 200)
    own.kill()
    writers.join()

    own.start()
    with own.client() as client:
        found = names(client)
        assert writers.created <= found.keys(), writers.created - found.keys()
        for number, count in writers.counts.items():
            # One more may have been written than was acknowledged, never one less.
            assert int(found[f"counter-{number}"]["count"]) in (count, count + 1)

        # A watch goes on from before the end, and misses nothing of what came after.
        version = int(before["metadata"]["resourceVersion"])
        seen: set[str] = set()
        watch = {"watch": "1", "resourceVersion": str(version), "timeoutSeconds": "20"}
        with client.stream("GET", CONFIG_MAPS, params=watch) as events:
            last = version
            for line in events.iter_lines():
                event = json.loads(line)
                assert event["type"] != "ERROR", event
                revision = int(event["object"]["metadata"]["resourceVersion"])
                assert revision > last
                last = revision
                seen.add(event["object"]["metadata"]["name"])
                if writers.created <= seen:
                    break
    assert writers.created <= seen

    # Controllers and kubelets carry on.
    uids = {item["metadata"]["uid"] for item in before["items"]}
    kubectl("rollout", "status", "deploy/web", "--timeout=30s")
    pods = kubectl.json("get", "pods")["items"]
    assert {pod["metadata"]["uid"] for pod in pods} == uids
    kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=30s")
    kubectl("scale", "deploy/web", "--replicas=5")
    kubectl("rollout", "status", "deploy/web", "--timeout=30s")
    kubectl("exec", "deploy/web", "--", "true")


def test_a_worker_that_dies_is_started_again(own: Playground, home: Path) -> None:
    kubectl = Kubectl("1.36", own.kubeconfig, home, "default")
    kubectl("create", "configmap", "kept")
    with kubectl.started("get", "cm", "-w", "-o", "name") as watch:
        watch.until("configmap/kept")
        old = own.child("playground.worker")
        os.kill(old, signal.SIGKILL)
        wait_until(lambda: own.child("playground.worker") != old)
        wait_until(lambda: kubectl.run("get", "cm", "kept").code == 0)
    assert kubectl("get", "cm", "kept", "-o", "name") == "configmap/kept\n"


def test_children_end_with_a_parent_that_was_killed(own: Playground) -> None:
    children = own.children()
    assert len(children) == 3
    own.kill_parent()
    wait_until(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in children))
    # The addresses are free again.
    own.start()


def test_it_ends_with_the_program_that_started_it(own: Playground) -> None:
    children = own.children()
    own.let_go()
    assert own.process.wait(60) == 0
    assert not any(Path(f"/proc/{pid}/exe").exists() for pid in children)
    own.kill()  # what is left of it here
    own.start()


def test_an_orderly_end_is_quick_and_loses_nothing(own: Playground, home: Path) -> None:
    kubectl = Kubectl("1.36", own.kubeconfig, home, "default")
    kubectl("run", "talker", "--image=busybox", "--", "sh", "-c", "while true; do sleep 1; done")
    kubectl("wait", "--for=condition=Ready", "pod/talker", "--timeout=20s")
    # Streams that would go on for ever do not hold it up.
    with (
        kubectl.started("get", "pods", "-A", "-w") as watch,
        kubectl.started("logs", "-f", "talker"),
        kubectl.started("exec", "-i", "talker", "--", "cat"),
    ):
        watch.until("talker")
        writers = Writers(own)
        wait_until(lambda: len(writers.created) > 100)
        took = own.stop()
        writers.join()
    assert took < LONGEST_END, f"{took:.1f} s\n{own.tail()}"
    own.start()
    with own.client() as client:
        assert writers.created <= names(client).keys()


def test_an_instance_is_alone_in_its_data_directory_and_ports(own: Playground) -> None:
    second = Playground(own.data_dir.with_name("other"), ports=own.ports)
    with pytest.raises(AssertionError, match="cannot listen"):
        second.start()
