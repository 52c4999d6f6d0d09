"""Play histories one by one and tell what is wrong: python -m tests.simulation [FIRST [COUNT]].

With one seed alone it is told what was done and how the history can be known again. `--shrink`
finds how few of its deeds are enough to go wrong, `--steps` plays so many. `--log FILE` writes a
line of JSON for each seed, and leaves out those that the file has: a thousand need not be played at
once.
"""

from __future__ import annotations

import argparse
import gc
import json
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
from tests.simulation.world import STEPS, log_database  # noqa: E402


def main(options: argparse.Namespace) -> int:
    """Return how many of the histories are wrong."""
    failed, played, began = 0, 0, time.perf_counter()
    # What is imported stays: it need not be looked through for garbage in each history.
    gc.freeze()
    seeds = range(options.first, options.first + options.count)
    done = _logged(options.log)
    with tempfile.TemporaryDirectory() as directory, log_database(Path(directory)) as alias:
        for seed in seeds:
            if seed not in done:
                played += 1
                failed += _play(seed, alias, options)
    took = time.perf_counter() - began
    print(f"{played} histories, {failed} wrong, {took / max(played, 1):.2f} s each")  # noqa: T201
    return failed


def _play(seed: int, alias: str, options: argparse.Namespace) -> bool:
    began = time.process_time()
    steps = _fewest(seed, alias, options.steps) if options.shrink else options.steps
    history, wrong = judge(str(seed), alias, steps)
    if wrong or options.count == 1:
        head = f"seed {seed}: {steps} steps, {len(history.records)} writes, {history.digest()}"
        print("\n  ".join([head, *wrong]), flush=True)  # noqa: T201
    if options.count == 1:
        print("\n".join(history.deeds))  # noqa: T201
    if options.log:
        told = {
            "seed": seed,
            "digest": history.digest(),
            "writes": len(history.records),
            "seconds": round(time.process_time() - began, 2),
            "wrong": wrong,
        }
        with options.log.open("a") as file:
            file.write(json.dumps(told) + "\n")
    return bool(wrong)


def _fewest(seed: int, alias: str, most: int) -> int:
    """Return how many deeds are enough for something to be wrong."""
    return next((n for n in range(most) if judge(str(seed), alias, n)[1]), most)


def _logged(log: Path | None) -> set[int]:
    if log is None or not log.exists():
        return set()
    return {json.loads(line)["seed"] for line in log.read_text().splitlines()}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("first", type=int, nargs="?", default=0)
    parser.add_argument("count", type=int, nargs="?", default=1)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--shrink", action="store_true")
    parser.add_argument("--log", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(bool(main(_options())))
