"""What a node, its pods and their containers use: asked of the runtime when somebody wants to know.

Nothing is sampled and nothing kept: CRI's statistics are joined with the kubelet's own pods. The
node itself has daemons that no pod accounts for; they take a little, by a fixed curve.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from apimachinery import quantity
from apimachinery.clock import format_seconds
from apimachinery.meta import Obj, name_of, namespace_of, uid_of
from nodes.kubelet.kubelet import Kubelet
from nodes.kubelet.records import stamp
from nodes.runtime.cri import ContainerStats

NANO = 1_000_000_000
MIB = 1024 * 1024
# What runs beside the pods: (name, cores, memory).
_DAEMONS = (("kubelet", 0.020, 58 * MIB), ("runtime", 0.012, 44 * MIB))
_SYSTEM = (0.030, 310 * MIB)
_PAGE = 4096


@dataclass(frozen=True, slots=True)
class Usage:
    """What something uses now; core_nano_seconds counts from its start."""

    nano_cores: int = 0
    core_nano_seconds: int = 0
    working_set: int = 0
    usage: int = 0
    rss: int = 0
    written: int = 0
    processes: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.nano_cores + other.nano_cores,
            self.core_nano_seconds + other.core_nano_seconds,
            self.working_set + other.working_set,
            self.usage + other.usage,
            self.rss + other.rss,
            self.written + other.written,
            self.processes + other.processes,
        )


@dataclass(frozen=True, slots=True)
class ContainerUsage:
    name: str
    id: str
    image: str
    started: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class PodUsage:
    """A pod with those of its containers that run."""

    pod: Obj
    started: str
    containers: tuple[ContainerUsage, ...]

    @property
    def usage(self) -> Usage:
        return total(container.usage for container in self.containers)

    @property
    def reference(self) -> Obj:
        pod = self.pod
        return {"name": name_of(pod), "namespace": namespace_of(pod), "uid": uid_of(pod)}


@dataclass(frozen=True, slots=True)
class NodeUsage:
    """A node at one moment."""

    name: str
    time: float
    booted: float
    cores: int
    memory: int
    disk: int
    usage: Usage
    daemons: dict[str, Usage] = field(default_factory=dict)
    pods: tuple[PodUsage, ...] = ()

    @property
    def timestamp(self) -> str:
        return format_seconds(self.time)

    @property
    def boot_timestamp(self) -> str:
        return format_seconds(self.booted)

    @property
    def of_pods(self) -> Usage:
        return total(pod.usage for pod in self.pods)


def total(usages: Iterable[Usage]) -> Usage:
    """Add up."""
    found = Usage()
    for usage in usages:
        found += usage
    return found


class NodeStats:
    """The statistics of one node."""

    def __init__(self, kubelet: Kubelet) -> None:
        self._kubelet = kubelet
        self._booted = kubelet.host.clock.seconds()

    async def read(self) -> NodeUsage:
        """Return what the node uses now."""
        kubelet = self._kubelet
        found = await kubelet.host.runtime.list_container_stats()
        by_id = {stats.id: stats for stats in found}
        pods = tuple(self._pods(by_id))
        now = kubelet.host.clock.seconds()
        phase = zlib.crc32(kubelet.name.encode()) % 6283 / 1000
        moment = (now, max(now - self._booted, 0.0), phase)
        daemons = {name: _daemon(cores, memory, moment) for name, cores, memory in _DAEMONS}
        system = _daemon(*_SYSTEM, moment)
        of_pods = total(pod.usage for pod in pods)
        machine = kubelet.machine
        return NodeUsage(
            name=kubelet.name,
            time=now,
            booted=self._booted,
            cores=quantity.parse(machine.cpu).value(),
            memory=quantity.parse(machine.memory).value(),
            disk=quantity.parse(machine.ephemeral_storage).value(),
            usage=of_pods + system + total(daemons.values()),
            daemons=daemons,
            pods=pods,
        )

    def _pods(self, by_id: dict[str, ContainerStats]) -> Iterator[PodUsage]:
        for worker in self._kubelet.pods.values():
            containers = tuple(
                ContainerUsage(
                    record.name,
                    record.id,
                    str(record.spec.get("image") or ""),
                    stamp(record.status.started_at),
                    _usage(by_id[record.id]),
                )
                for record in worker.containers.records
                if record.running and record.status is not None and record.id in by_id
            )
            if containers:
                started = (worker.pod.get("status") or {}).get("startTime") or containers[0].started
                yield PodUsage(worker.pod, started, containers)


def _usage(stats: ContainerStats) -> Usage:
    return Usage(
        stats.cpu_usage_nano_cores,
        stats.cpu_usage_core_nano_seconds,
        _pages(stats.memory_working_set_bytes),
        _pages(stats.memory_usage_bytes),
        _pages(stats.memory_rss_bytes),
        stats.writable_layer_used_bytes,
        stats.process_count,
    )


def _daemon(cores: float, memory: int, moment: tuple[float, float, float]) -> Usage:
    """Return what a daemon takes: a gentle wave around its mean, the same for the same node."""
    now, age, phase = moment
    wave = math.sin(now / 41 + phase)
    working_set = _pages(int(memory * (1 + 0.02 * wave)))
    return Usage(
        nano_cores=int(cores * (1 + 0.2 * wave) * NANO),
        core_nano_seconds=int(cores * age * NANO),
        working_set=working_set,
        usage=_pages(int(working_set * 1.2)),
        rss=_pages(int(working_set * 0.8)),
        processes=1,
    )


def _pages(size: int) -> int:
    """Return bytes in whole pages, as a kernel counts memory."""
    return size // _PAGE * _PAGE
