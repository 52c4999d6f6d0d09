"""One simulated machine with its runtime and its kubelet: on or off, connected or cut off.

A machine that loses power says nothing: its lease is no longer renewed, its addresses answer
nobody, its processes are gone, its disk stays. One whose link to the control plane is cut goes on
running what it runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from apimachinery import quantity
from apimachinery.clock import Clock
from apimachinery.errors import NotFound
from apimachinery.meta import Obj
from nodes.client import leases, resources
from nodes.client.events import Recorder
from nodes.client.eventsink import EventSink
from nodes.client.informer import Informers
from nodes.client.line import Line
from nodes.client.patience import Patient
from nodes.client.rest import Client
from nodes.client.supervise import TaskSet
from nodes.client.transport import Transport
from nodes.client.turns import Turns
from nodes.kubelet.admitting import NodeLister
from nodes.kubelet.hardware import Hardware
from nodes.kubelet.host import ServiceLister
from nodes.kubelet.kubelet import Kubelet, Runtime, Shared
from nodes.kubelet.node import Machine
from nodes.kubelet.pages import KubeletPages
from nodes.kubelet.stats import NodeStats
from nodes.kubelet.steps import Steps
from nodes.network.fabric import Network
from nodes.network.rules import RuleTable
from nodes.runtime.simulated.hostfiles import SharedVolumes
from nodes.runtime.simulated.image import ImageFamily
from nodes.runtime.simulated.registry import Registries
from nodes.runtime.simulated.runtime import SimulatedRuntime
from nodes.runtime.simulated.shell.helpers import Interpreters
from playground.probing import SimulatedProbes

NODE_USER = "system:node:"
# Of one kubelet. Of all of a cluster: they keep the API busy and fill its commits, and however many
# nodes there are, nobody waits there for longer than the API has patience.
CALLS_TOGETHER, ALL_TOGETHER = 8, 64


def _all_turns() -> asyncio.Semaphore:
    return asyncio.Semaphore(ALL_TOGETHER)


@dataclass(slots=True)
class Ground:
    """What the machines of a cluster stand on, and where those that are on are found by name."""

    clock: Clock
    network: Network
    transport: Callable[[str], Transport]
    rules: Callable[[str, str], RuleTable]
    services: ServiceLister
    sink: EventSink
    nodes: NodeLister
    steps: Steps = field(default_factory=Steps)
    volumes: SharedVolumes = field(default_factory=SharedVolumes)
    interpreters: Interpreters = field(default_factory=Interpreters)
    registries: Registries = field(default_factory=Registries)
    # Set once every machine that is on when the cluster starts has registered.
    all_registered: asyncio.Event = field(default_factory=asyncio.Event)
    kubelets: dict[str, Kubelet] = field(default_factory=dict)
    pages: dict[str, KubeletPages] = field(default_factory=dict)
    stats: dict[str, NodeStats] = field(default_factory=dict)
    turns: asyncio.Semaphore = field(default_factory=_all_turns)


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a machine brings along: static pods, images that mean something on it, pulled images."""

    manifests: Sequence[Obj] = ()
    images: Sequence[ImageFamily] = ()
    pulled: Sequence[str] = ()


_BARE = Equipment()


class SimulatedNode:
    """A machine that is off until `start`."""

    def __init__(self, machine: Machine, ground: Ground, equipment: Equipment = _BARE) -> None:
        self.machine, self._ground = machine, ground
        disk = quantity.parse(machine.ephemeral_storage).value()
        self.hardware = Hardware(disk, equipment.manifests)
        self._far = ground.transport(NODE_USER + machine.name)
        self._line = Line(Turns(Turns(self._far, ground.turns), CALLS_TOGETHER))
        self._connect()
        self.runtime = SimulatedRuntime(
            machine.name,
            ground.clock,
            ground.network,
            shared=ground.volumes,
            interpreters=ground.interpreters,
            registries=ground.registries,
            own_images=equipment.images,
        )
        for image in equipment.pulled:
            self.runtime.images.restore(image)
        self.kubelet: Kubelet | None = None
        self._tasks: TaskSet | None = None
        # What keeps it from being started, or from being heard: who has cut it off.
        self.off = self.unreachable = False

    @property
    def name(self) -> str:
        return self.machine.name

    async def start(self) -> None:
        """Begin to work, unless the machine is off; returns when the node has registered."""
        if self.off:
            return
        ground, machine, runtime = self._ground, self.machine, self.runtime
        self._tasks = TaskSet(ground.clock, machine.name)
        way = Patient(self._line, ground.clock)
        client = Client(way, "kubelet")
        self.kubelet = Kubelet(
            machine,
            client=client,
            informers=Informers(way, ground.clock, self._tasks),
            shared=Shared(ground.services, ground.nodes),
            runtime=Runtime(
                runtime, runtime.images, runtime, runtime.files, self.hardware, runtime
            ),
            network=SimulatedProbes(ground.network, machine.address),
            recorder=Recorder(client, "kubelet", ground.clock, ground.sink, host=machine.name),
            clock=ground.clock,
            tasks=self._tasks,
            steps=ground.steps,
        )
        ground.kubelets[self.name] = self.kubelet
        pages = ground.pages[self.name] = KubeletPages(self.kubelet)
        ground.stats[self.name] = pages.stats
        if not self.unreachable:
            await self.kubelet.start(ground.all_registered)

    async def close(self) -> None:
        """Stop working; the pods stay as they are in the API."""
        await self._stop_kubelet()
        await self.runtime.close()

    async def power_off(self) -> None:
        """Lose power."""
        if self.off:
            return
        await self._last_renewal()
        self.off = True
        self._line.cut()
        await self._stop_kubelet()
        self.runtime.power_off()
        self.lose_power()

    def lose_power(self) -> None:
        """Be off before it has ever been started."""
        self.off, self.hardware.off_since = True, self._ground.clock.seconds()
        self._line.cut()
        self._ground.network.remove_node(self.name)

    async def power_on(self) -> None:
        """Boot: what ran is started again by the kubelet."""
        if not self.off:
            # A loss of power that came to nothing may have written its last renewal.
            if not self.unreachable:
                await self.join()
            return
        self.off = False
        self.machine = replace(self.machine, boots=self.machine.boots + 1)
        self._connect()
        if not self.unreachable:
            self._line.mend()
        await self.start()

    async def cut_off(self) -> None:
        """Lose the way to the control plane; what runs goes on."""
        if not self.off:
            await self._last_renewal()
        self.unreachable = True
        self._line.cut()

    async def join(self) -> None:
        """Find the way to the control plane again."""
        self.unreachable = False
        if self.off:
            return
        self._line.mend()
        if self.kubelet is None:
            await self.start()
        elif self.kubelet.started:
            await self.kubelet.register()
        else:
            await self.kubelet.start()

    def _connect(self) -> None:
        machine, network = self.machine, self._ground.network
        network.add_node(machine.name, machine.address, machine.pod_cidr)
        network.set_rules(machine.name, self._ground.rules(machine.name, machine.address))

    async def _stop_kubelet(self) -> None:
        if self.kubelet is not None:
            await self.kubelet.stop()
        for known in (self._ground.kubelets, self._ground.pages, self._ground.stats):
            known.pop(self.name, None)
        self._ground.sink.forget(self.name)
        self.kubelet = None
        if self._tasks is not None:
            await self._tasks.close()
            self._tasks = None

    async def _last_renewal(self) -> None:
        """From now on the lease says when it was renewed last, and no longer that it always is."""
        body = {
            "metadata": {"annotations": {leases.RENEWED_WHEN_READ: None}},
            "spec": {"renewTime": self._ground.clock.micro_timestamp()},
        }
        client = Client(Patient(self._far, self._ground.clock), "kubelet")
        # A lease that somebody has deleted says all that this would.
        with suppress(NotFound):
            await client.patch(resources.LEASES, leases.NAMESPACE, self.name, body)
