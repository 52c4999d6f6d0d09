"""A browser's terminal without a browser: a signed-in user, REST, and the websocket of a shell."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.support.server import ROOT, Playground

# What a screen shows of output: no colours, titles, marks, cursor movements or carriage returns.
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\x1b[()=>][A-Z0-9]?|\r")


class Visitor:
    """Somebody who is signed in at the site."""

    def __init__(self, site: str, link: str) -> None:
        self.site = site
        self.http = httpx.Client(base_url=site, follow_redirects=True, timeout=60)
        page = self.http.get(link)
        assert page.status_code == 200, page.text
        self._csrf()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def _csrf(self) -> None:
        token = next(value for name, value in self.http.cookies.items() if "csrf" in name)
        self.http.headers["X-CSRFToken"] = token

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())

    def open(self, cluster: str = "default", **wish: Any) -> dict[str, Any]:
        answer = self.http.post(f"/api/clusters/{cluster}/terminals", json=wish)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def look_at(
        self, number: str, cluster: str = "default", seq: int | None = None, origin: str = ""
    ) -> Shell:
        asked = "" if seq is None else f"?seq={seq}"
        base = self.site.replace("http", "ws", 1)
        return Shell(
            connect(
                f"{base}/ws/clusters/{cluster}/terminal/{number}/{asked}",
                additional_headers={"Cookie": self.cookie},
                origin=origin or self.site,  # type: ignore[arg-type]
                max_size=None,
                open_timeout=20,
                proxy=None,
            )
        )

    @contextmanager
    def shell(self, cluster: str = "default", **wish: Any) -> Iterator[Shell]:
        """Open a terminal and look at it; it is ended with the block."""
        about = self.open(cluster, **wish)
        shell = self.look_at(about["id"], cluster)
        shell.about = about
        try:
            yield shell
        finally:
            shell.close()
            self.http.delete(f"/api/clusters/{cluster}/terminals/{about['id']}")


class Shell:
    """What has come over a websocket, and the keyboard."""

    def __init__(self, connecting: connect) -> None:
        self._connecting = connecting
        self.connection: ClientConnection = connecting.__enter__()
        self.about: dict[str, Any] = {}
        self.raw = b""
        self.said = ""
        self.start: int | None = None
        self.next = 0
        self.notes: list[dict[str, Any]] = []
        self.confirming = True
        self.closed: int | None = None

    def type(self, text: str) -> None:
        self.connection.send(text.encode())

    def tell(self, **frame: Any) -> None:
        self.connection.send(json.dumps(frame))

    def listen(self, seconds: float) -> bool:
        """Take one frame; False where none came in time."""
        try:
            frame = self.connection.recv(timeout=max(seconds, 0))
        except TimeoutError:
            return False
        except ConnectionClosed:
            self.closed = self.connection.close_code
            return False
        if isinstance(frame, str):
            note = json.loads(frame)
            self.notes.append(note)
            if note["op"] == "hello":
                self.start = self.next = note["seq"]
            return True
        (number,) = struct.unpack(">Q", frame[:8])
        assert number == self.next, f"{number} came after {self.next}"
        data = frame[8:]
        self.next = number + len(data)
        self.raw += data
        self.said += _ESCAPES.sub("", data.decode(errors="replace"))
        if self.confirming:
            # Where the other side is gone by now the next frame says so.
            with suppress(ConnectionClosed):
                self.tell(op="shown", seq=self.next)
        return True

    def until(self, pattern: str, within: float = 30.0) -> re.Match[str]:
        """Return the first match in what has come since the last one."""
        end = time.monotonic() + within
        while True:
            if found := re.search(pattern, self.said, re.MULTILINE):
                self.said = self.said[found.end() :]
                return found
            left = end - time.monotonic()
            assert self.listen(left), f"{pattern!r} did not come; the screen:\n{self.said[-3000:]}"

    def prompt(self) -> None:
        self.until(r":~\$ ")

    def run(self, command: str, within: float = 60.0) -> str:
        """Type a command; return what it printed."""
        # The mark is put together by the shell, so that the line typed does not hold it.
        mark = "echo come-to-its-''end"
        self.type(f"{command}\n{mark}\n")
        found = self.until(r"(?s)(.*?)^come-to-its-end$", within).group(1)
        typed = {*command.splitlines(), mark}
        lines = re.sub(r"[\w-]+:~\$ .*\n?", "", found).splitlines()
        return "\n".join(line for line in lines if line not in typed).strip()

    def note(self, op: str, within: float = 30.0) -> dict[str, Any]:
        """Return the next note of a kind."""
        end = time.monotonic() + within
        while True:
            for note in self.notes:
                if note["op"] == op:
                    self.notes.remove(note)
                    return note
            assert self.listen(end - time.monotonic()), f"no {op}; {self.said[-2000:]}"

    def close(self) -> None:
        self._connecting.__exit__(None, None, None)

    def close_code(self, within: float = 20.0) -> int | None:
        """Read until the other side closes; return why it did."""
        end = time.monotonic() + within
        while self.closed is None and time.monotonic() < end:
            self.listen(end - time.monotonic())
        return self.closed


def operator(playground: Playground) -> Visitor:
    """Return the operator, by another sign-in link."""
    return Visitor(playground.site, account(playground, "link", "operator"))


def learner(playground: Playground, name: str) -> Visitor:
    """Return a new learner."""
    return Visitor(playground.site, account(playground, "add", name))


def account(playground: Playground, *words: str) -> str:
    """Run the command for accounts; return the link that it prints."""
    done = subprocess.run(
        [sys.executable, "manage.py", "account", "--data-dir", str(playground.data_dir), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = re.search(r"(/\S+)$", done.stdout.strip(), re.MULTILINE)
    assert found, done.stdout
    return re.sub(r"^(https?:)?//[^/]+", "", found.group(1))
