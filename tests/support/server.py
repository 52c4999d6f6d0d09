"""A playground in a process of its own, as `make run` starts it: site, worker, default cluster.

Tests ask it as anybody would: over HTTP, TLS and WebSockets, with the files of its data directory.
"""

from __future__ import annotations

import os
import re
import select
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from playground.supervisor import PARENT

ROOT = Path(__file__).resolve().parents[2]
# What the playground promises: it ends within five seconds.
LONGEST_END = 5.0
_START = 60.0

T = TypeVar("T")


def wait_until(check: Callable[[], T], within: float = 20.0, every: float = 0.03) -> T:
    """Return the first true answer of `check`; an assertion that fails counts as not yet."""
    end = time.monotonic() + within
    while True:
        try:
            if found := check():
                return found
        except AssertionError:
            if time.monotonic() >= end:
                raise
        if time.monotonic() >= end:
            raise AssertionError(f"not so after {within} s: {check}")
        time.sleep(every)


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """A cluster, and how its administrator reaches it."""

    name: str
    server: str
    kubeconfig: Path


class Playground:
    """`python manage.py playground`; `start` returns once it has printed `ready`."""

    def __init__(
        self, data_dir: Path, *arguments: str, ports: tuple[int, int] = (0, 0), root: Path = ROOT
    ) -> None:
        self.data_dir = data_dir
        self.log = data_dir.with_suffix(".log")
        self._arguments = (
            "--port",
            str(ports[0]),
            "--secure-port",
            str(ports[1]),
            "--data-dir",
            str(data_dir),
            *arguments,
        )
        self._root = root
        self.page = self.site = self.api = ""
        self._process: subprocess.Popen[str] | None = None
        self._held = -1

    # -- its life --------------------------------------------------------------------------------

    def start(self) -> Playground:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("KUBEGROUND_")}
        # It ends with us, however we end.
        lifeline, self._held = os.pipe()
        environment |= {"PYTHONUNBUFFERED": "1", PARENT: str(lifeline)}
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "playground", *self._arguments],
                cwd=self._root,
                env=environment,
                pass_fds=(lifeline,),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        os.close(lifeline)
        said = self._until_ready()
        found = re.search(r"Page\s+(\S+)", said), re.search(r"API\s+(\S+)", said)
        assert found[0], said
        assert found[1], said
        self.page, self.api = found[0].group(1), found[1].group(1)
        self.site = re.sub(r"(://[^/]+)/.*", r"\1", self.page)
        return self

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None, "not started"
        return self._process

    @property
    def ports(self) -> tuple[int, int]:
        site, api = httpx.URL(self.site).port, httpx.URL(self.api).port
        return (site or 80, api or 443)

    def _until_ready(self) -> str:
        """Read what it prints until the line `ready`."""
        stream = self.process.stdout
        assert stream is not None
        said, end = "", time.monotonic() + _START
        while time.monotonic() < end:
            readable, _, _ = select.select([stream], [], [], end - time.monotonic())
            if not readable:
                break
            chunk = os.read(stream.fileno(), 65536).decode()
            said += chunk
            if re.search(r"^ready$", said, re.MULTILINE):
                return said
            if not chunk:
                break
        self.kill()
        raise AssertionError(f"no `ready`: {said}\n{self.tail()}")

    def stop(self) -> float:
        """End it as an administrator does; return how long that took."""
        children = self.children()
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        finally:
            _kill([self.process.pid, *children])
        took = time.monotonic() - begun
        self._close()
        return took

    def kill(self) -> None:
        """End it and its children at once, in the middle of whatever they do."""
        _kill([self.process.pid, *self.children()])
        self.process.wait(10)
        self._close()

    def kill_parent(self) -> None:
        """End the parent alone."""
        self.process.kill()
        self.process.wait(10)
        self._close()

    def let_go(self) -> None:
        """Do what our own end would do: it ends by itself."""
        held, self._held = self._held, -1
        if held >= 0:
            os.close(held)

    def _close(self) -> None:
        self.let_go()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def children(self) -> list[int]:
        """Return the ids of site and worker."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in listed.read_text().split()] if listed.exists() else []

    def child(self, module: str) -> int:
        """Return the id of the child that runs a module."""
        for pid in self.children():
            if module.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                return pid
        raise AssertionError(f"no {module} among {self.children()}")

    def tail(self, lines: int = 40) -> str:
        """Return the end of the log, for messages of failures."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    # -- ways in ---------------------------------------------------------------------------------

    @property
    def token(self) -> str:
        return (self.data_dir / "admin.token").read_text().strip()

    @property
    def kubeconfig(self) -> Path:
        return self.data_dir / "admin.kubeconfig"

    def tls(self) -> ssl.SSLContext:
        """Return a context that trusts this playground's CA alone."""
        return ssl.create_default_context(cafile=str(self.data_dir / "ca.crt"))

    def client(self, token: str | None = "", base: str = "") -> httpx.Client:
        """Return an HTTP client of the API: the administrator, or another token, or none."""
        token = self.token if token == "" else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(
            base_url=base or self.api, headers=headers, verify=self.tls(), timeout=30
        )

    def make_cluster(self, name: str, nodes: int = 3, template: str = "default") -> ClusterAccess:
        """Make a cluster by the playground's own REST API."""
        answer = httpx.post(
            f"{self.site}/api/clusters",
            json={"name": name, "nodes": nodes, "template": template},
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=30,
        )
        assert answer.status_code == 201, answer.text
        made = answer.json()
        kubeconfig = self.data_dir / f"{name}.kubeconfig"
        kubeconfig.write_text(made["kubeconfig"])
        return ClusterAccess(made["name"], made["server"], kubeconfig)

    def delete_cluster(self, name: str) -> None:
        answer = httpx.delete(
            f"{self.site}/api/clusters/{name}",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=30,
        )
        assert answer.status_code in (204, 404), answer.text


def _kill(pids: Sequence[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


@contextmanager
def serving(data_dir: Path, *flags: str) -> Iterator[Playground]:
    """Serve with flags of the API server: a small playground, without machines."""
    running = Playground(data_dir, "--nodes", "0", "--template", "bare", *flags).start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """One playground with three nodes for the whole run; it must end as it promises."""
    running = Playground(tmp_path_factory.mktemp("playground") / "data").start()
    yield running
    took = running.stop()
    assert took < LONGEST_END, f"took {took:.1f} s to end\n{running.tail()}"
