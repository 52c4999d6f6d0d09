"""What runs in the pods of the control plane: programs that log and answer for what works here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nodes.client.klog import Klog, Record
from nodes.network.fabric import Handler
from nodes.runtime.simulated.image import MIB, ImageFamily
from nodes.runtime.simulated.logs import LogRing
from nodes.runtime.simulated.process import Process
from nodes.runtime.simulated.program import Logging


@dataclass(frozen=True, slots=True)
class Door:
    """A port of a component. `local`: on the loopback alone."""

    port: int
    handler: Handler
    local: bool = False


class ComponentLog:
    """The last lines of a component, whichever container shows them."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._ring = LogRing(kept)

    @property
    def ring(self) -> LogRing:
        """Return the log of the container that runs, or of the next that will."""
        if self._ring.closed:
            self._ring = LogRing(self._kept)
        return self._ring

    def keep(self, time: int, line: Record) -> None:
        self.ring.add(time, line)


class Component(Logging):
    """One component's process: it listens while its container runs."""

    def __init__(
        self, log: ComponentLog, doors: Sequence[Door], klog: Klog, greet: Callable[[], None]
    ) -> None:
        """`greet` logs what is logged first."""
        self.log = log.ring
        self._doors, self._klog, self._greet = doors, klog, greet

    def start(self, process: Process) -> None:
        if self.log.empty:
            self._greet()
        for door in self._doors:
            try:
                process.listen(door.port, door.handler, local=door.local)
            except OSError as error:
                self._klog.error("run.go:72", "command failed", "err", str(error))
                process.exit(1)
                return


def family(name: str, make: Callable[[], Component], size: int, memory: int) -> ImageFamily:
    """Return the image of a component: `size` is what it weighs, `memory` what it uses, in MiB."""
    return ImageFamily(
        repositories=(f"registry.k8s.io/{name}",),
        programs={name: make},
        entrypoint=(f"/usr/local/bin/{name}",),
        size=size * MIB,
        cores=0.01,
        memory=memory * MIB,
    )
