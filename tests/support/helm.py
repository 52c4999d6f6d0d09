"""The real helm, in the versions that must work, with a home of its own."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.kubectl import CLIENTS, Output, run

VERSIONS = ("3.17", "4.3")


@dataclass(frozen=True, slots=True)
class Helm:
    """Runs helm in one namespace; called with arguments it returns what was printed."""

    version: str
    kubeconfig: Path
    home: Path
    namespace: str

    def __call__(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.code == 0, f"helm {' '.join(arguments)}: {done.err}{done.out}"
        return done.out

    def run(self, *arguments: str) -> Output:
        binary = CLIENTS / f"helm-{self.version}"
        assert binary.exists(), f"{binary} is missing: run `make setup-dev`"
        env = {
            "HOME": str(self.home),
            "KUBECONFIG": str(self.kubeconfig),
            "PATH": os.environ["PATH"],
        }
        return run([str(binary), "--namespace", self.namespace, *arguments], env, timeout=60)

    def fails(self, *arguments: str) -> str:
        """Return what a command that must fail says."""
        done = self.run(*arguments)
        assert done.code != 0, f"helm {' '.join(arguments)} did not fail: {done.out}"
        return done.err

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "-o", "json"))
