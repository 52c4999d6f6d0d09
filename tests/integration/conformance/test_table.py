"""docs/conformance.md says what the marks of the tests say."""

import subprocess
import sys

from tests.support.server import ROOT


def test_the_table_is_up_to_date():
    script = ROOT / "scripts" / "conformance_table.py"
    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
