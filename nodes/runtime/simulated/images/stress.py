"""stress: takes CPU and memory, for limits, evictions and autoscaling."""

from __future__ import annotations

from nodes.runtime.simulated.image import BUSYBOX, MIB, ImageFamily
from nodes.runtime.simulated.images.base import ALPINE_FILES
from nodes.runtime.simulated.process import SIGTERM, Process
from nodes.runtime.simulated.shell.durations import parse_duration
from nodes.runtime.simulated.shell.options import parse_options

_LONG_OPTIONS = (
    *("cpu", "cpus", "vm", "vm-bytes", "vm-hang", "timeout", "io", "hdd"),
    *("mem-total", "mem-alloc-size", "mem-alloc-sleep"),
)
_UNITS = {"k": 1024, "m": MIB, "g": 1024 * MIB, "ki": 1024, "mi": MIB, "gi": 1024 * MIB}


class Stress:
    """stress --cpu N --vm N --vm-bytes SIZE [--timeout T]; also -cpus N -mem-total SIZE."""

    def start(self, process: Process) -> None:
        args = [
            f"-{arg}" if arg[:1] == "-" and arg[:2] != "--" and len(arg) > 2 else arg
            for arg in process.argv[1:]
        ]
        options = parse_options(
            args,
            "vq",
            "cmtid",
            _LONG_OPTIONS,
        )
        cores = options.number("cpu", "c", "cpus", default=0)
        workers = options.number("vm", "m", default=0)
        memory = int(workers * _bytes(options.value("vm-bytes", default="256M")))
        memory += _bytes(options.value("mem-total", default="0"))
        process.print(
            f"stress: info: [{process.pid}] dispatching hogs: {cores:g} cpu, 0 io, "
            f"{workers:g} vm, 0 hdd"
        )
        process.world.meter.spin(process.clock.seconds(), cores)
        timeout = parse_duration(options.value("timeout", "t"))
        if timeout is not None:
            process.later(timeout, self._done, process)
        if memory:
            process.later(1.0, process.take_memory, memory)

    def signal(self, process: Process, number: int) -> None:
        if number == SIGTERM:
            process.exit(143)

    def _done(self, process: Process) -> None:
        process.print(f"stress: info: [{process.pid}] successful run completed")
        process.exit(0)


def _bytes(text: str) -> int:
    number = text.rstrip("bBkKmMgGiI")
    unit = text[len(number) :].lower().rstrip("b")
    try:
        return int(float(number) * _UNITS.get(unit, 1))
    except ValueError:
        return 0


STRESS = ImageFamily(
    repositories=("docker.io/polinux/stress", "docker.io/vish/stress", "docker.io/progrium/stress"),
    programs={"stress": Stress},
    entrypoint=("/stress",),
    files=ALPINE_FILES,
    userland=BUSYBOX,
    size=4 * MIB,
    memory=MIB,
)
