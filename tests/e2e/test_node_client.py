"""@kubernetes/client-node: one program in JavaScript, whose every step must be as expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.kubectl import run
from tests.support.server import ROOT, Playground

pytestmark = pytest.mark.e2e

PROGRAM = Path(__file__).parent / "programs" / "client.mjs"


def test_what_a_javascript_program_does(playground: Playground, namespace: str) -> None:
    node = ROOT / ".venv" / "bin" / "node"
    done = run([str(node), str(PROGRAM), str(playground.kubeconfig), namespace], {}, timeout=60)
    assert done.code == 0, done.out + done.err
    assert done.out.endswith("all done\n")
