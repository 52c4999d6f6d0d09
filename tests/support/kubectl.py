"""The real kubectl, in the versions that must work, with a home of its own."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from tests.support.server import ROOT

CLIENTS = ROOT / ".build" / "clients"
BINARIES = {
    "1.24": CLIENTS / "kubectl-1.24",
    "1.34": CLIENTS / "kubectl-1.34",
    "1.36": ROOT / ".venv" / "bin" / "kubectl",
    "1.37": CLIENTS / "kubectl-1.37",
}


@dataclass(frozen=True, slots=True)
class Output:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    def __contains__(self, text: str) -> bool:
        return text in self.out or text in self.err


def run(
    command: Sequence[str], env: Mapping[str, str], stdin: str = "", timeout: float = 30
) -> Output:
    """Run a program to its end, which must come in time."""
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=timeout, env=env, check=False
    )
    return Output(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True, slots=True)
class Kubectl:
    """Runs kubectl against one cluster; called with arguments it returns what was printed."""

    version: str
    kubeconfig: Path
    home: Path
    namespace: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, stdin: str = "", timeout: float = 30) -> str:
        done = self.run(*arguments, stdin=stdin, timeout=timeout)
        assert done.code == 0, f"kubectl {' '.join(arguments)}: {done.err}{done.out}"
        return done.out

    def run(self, *arguments: str, stdin: str = "", timeout: float = 30) -> Output:
        return run(self.command(*arguments), self.env(), stdin, timeout)

    def fails(self, *arguments: str, stdin: str = "") -> str:
        """Return what a command that must fail says."""
        done = self.run(*arguments, stdin=stdin)
        assert done.code != 0, f"kubectl {' '.join(arguments)} did not fail: {done.out}"
        return done.err

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "-o", "json"))

    def field(self, what: str, path: str) -> str:
        """Return a field of an object (`pod/web`), by JSONPath."""
        return self("get", what, "-o", f"jsonpath={path}")

    def command(self, *arguments: str) -> list[str]:
        binary = BINARIES[self.version]
        assert binary.exists(), f"{binary} is missing: run `make setup-dev`"
        where = ["--namespace", self.namespace] if self.namespace else []
        return [str(binary), *where, *arguments]

    def env(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "KUBECONFIG": str(self.kubeconfig),
            "PATH": os.environ["PATH"],
            **self.environment,
        }

    def within(self, namespace: str) -> Kubectl:
        return replace(self, namespace=namespace)

    def using(self, kubeconfig: Path) -> Kubectl:
        return replace(self, kubeconfig=kubeconfig)

    def with_token(self, token: str, directory: Path) -> Kubectl:
        """Return this kubectl with a token as its only credential."""
        config = yaml.safe_load(self.kubeconfig.read_text())
        config["users"][0]["user"] = {"token": token.strip()}
        written = directory / "token.kubeconfig"
        written.write_text(yaml.safe_dump(config))
        return self.using(written)

    def with_environment(self, **environment: str) -> Kubectl:
        return replace(self, environment=self.environment | environment)

    @contextmanager
    def started(self, *arguments: str) -> Iterator[Running]:
        """Run a command that goes on until it is ended."""
        process = subprocess.Popen(
            self.command(*arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.env(),
        )
        try:
            yield Running(process)
        finally:
            process.kill()
            process.wait(10)
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()


class Running:
    """A command under way; `until` reads what it prints."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.said = ""

    def until(self, pattern: str, within: float = 20.0) -> re.Match[str]:
        """Return the first match in the whole lines that it has printed."""
        stream = self.process.stdout
        assert stream is not None
        end = time.monotonic() + within
        while True:
            lines = self.said[: self.said.rfind("\n") + 1]
            if found := re.search(pattern, lines, re.MULTILINE):
                return found
            readable, _, _ = select.select([stream], [], [], max(end - time.monotonic(), 0))
            assert readable, f"not printed within {within} s; it printed:\n{self.said}"
            chunk = os.read(stream.fileno(), 65536)
            assert chunk, f"ended before; it printed:\n{self.said}"
            self.said += chunk.decode()

    def readable(self, within: float) -> bool:
        """Whether it prints something within so many seconds."""
        return bool(select.select([self.process.stdout], [], [], within)[0])

    def rest(self, within: float = 20.0) -> str:
        """Return all that it prints until it ends."""
        stream = self.process.stdout
        assert stream is not None
        end = time.monotonic() + within
        while True:
            readable, _, _ = select.select([stream], [], [], max(end - time.monotonic(), 0))
            assert readable, f"has not ended within {within} s; it printed:\n{self.said}"
            chunk = os.read(stream.fileno(), 65536)
            if not chunk:
                self.process.wait(10)
                return self.said
            self.said += chunk.decode()

    def type(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()
