"""`python -m benchmarks [NAME...]`: run the benchmarks and print what was measured and aimed at."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import Any

from benchmarks.attempts import attempts
from benchmarks.fairness import fairness
from benchmarks.idle import idle
from benchmarks.large import large
from benchmarks.latency import stream
from benchmarks.pages import pages
from benchmarks.result import Benchmark, Row
from benchmarks.scale import scale
from benchmarks.serving import creation, fan_out, requests
from benchmarks.topology import topology
from benchmarks.viewers import viewers
from benchmarks.workloads import deployments
from benchmarks.workshop import workshop

BENCHMARKS: dict[str, Benchmark] = {
    "creation": creation,
    "requests": requests,
    "deployments": deployments,
    "scale": scale,
    "attempts": attempts,
    "fan-out": fan_out,
    "fairness": fairness,
    "idle": idle,
    "large": large,
    "pages": pages,
    "topology": topology,
    "workshop": workshop,
    "stream": stream,
    "viewers": viewers,
}


def main() -> None:
    """Run the chosen benchmarks, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or list(BENCHMARKS)
    signal.signal(signal.SIGTERM, _end)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    print_table([], heading=True)
    for name in names:
        print_table(BENCHMARKS[name]())


def _end(number: int, frame: Any) -> None:
    """End as Ctrl-C does, with all that was started."""
    sys.exit(128 + number)


def print_table(rows: list[Row], *, heading: bool = False) -> None:
    """Print rows as they come, in the columns of a Markdown table."""
    lines: list[tuple[str, ...]] = [row.cells() for row in rows]
    if heading:
        lines = [("what", "measured", "target", "reached"), ("---",) * 4]
    for cells in lines:
        widths = (60, 30, 26, 7)
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        print(f"| {' | '.join(padded)} |", flush=True)


if __name__ == "__main__":
    main()
