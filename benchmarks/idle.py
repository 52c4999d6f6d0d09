"""What clusters cost that nobody uses: memory and CPU of the worker."""

from __future__ import annotations

import os
import time
from pathlib import Path

from benchmarks.result import Row
from benchmarks.serving import instance, make_cluster

CLUSTERS = 100
_SETTLE, _MEASURE = 5.0, 30.0


def idle() -> list[Row]:
    """Measure one cluster, then a hundred."""
    with instance("--template", "bare") as running:
        worker = running.child("playground.worker")
        time.sleep(_SETTLE)
        one = resident(worker)
        for number in range(1, CLUSTERS):
            make_cluster(running, f"idle-{number}", 3)
        time.sleep(_SETTLE)
        each = (resident(worker) - one) / (CLUSTERS - 1)
        before = processor_seconds(worker)
        time.sleep(_MEASURE)
        share = (processor_seconds(worker) - before) / _MEASURE * 100
    return [
        Row("memory of the worker with one idle cluster", one, 160, "MB"),
        Row("memory of each further idle cluster", each, 2, "MB"),
        Row(f"CPU of the worker with {CLUSTERS} idle clusters", share, 2, "% of a core"),
    ]


def resident(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


def processor_seconds(pid: int) -> float:
    """Return the CPU time that a process has used, all of its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
