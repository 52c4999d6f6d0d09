"""Play histories one by one and tell what is wrong: python -m tests.simulation [FIRST [COUNT]].

With one seed alone it is told what was done and how the history can be known again.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playground.settings")
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
django.setup()

from tests.simulation.verdict import judge  # noqa: E402
from tests.simulation.world import log_database  # noqa: E402


def main(first: int = 0, count: int = 1) -> int:
    """Return how many of the histories are wrong."""
    failed, began = 0, time.perf_counter()
    with tempfile.TemporaryDirectory() as directory, log_database(Path(directory)) as alias:
        for seed in range(first, first + count):
            history, wrong = judge(str(seed), alias)
            failed += bool(wrong)
            if wrong or count == 1:
                lines = [f"seed {seed}: {len(history.records)} writes, {history.digest()}", *wrong]
                print("\n  ".join(lines), flush=True)  # noqa: T201
            if count == 1:
                print("\n".join(history.deeds))  # noqa: T201
    took = time.perf_counter() - began
    print(f"{count} histories, {failed} wrong, {took / count:.2f} s each")  # noqa: T201
    return failed


if __name__ == "__main__":
    sys.exit(bool(main(*map(int, sys.argv[1:]))))
