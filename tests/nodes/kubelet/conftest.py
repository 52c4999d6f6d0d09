"""One kubelet with a simulated runtime, against an API in a dict, on virtual time."""

import pytest

from nodes.client.events import Recorder
from nodes.client.eventsink import EventSink
from nodes.client.informer import Informers
from nodes.client.loopclock import LoopClock
from nodes.client.resources import CONFIGMAPS, PODS, SECRETS, SERVICES
from nodes.client.rest import Client
from nodes.client.supervise import TaskSet
from nodes.kubelet.kubelet import Kubelet, Runtime, Shared
from nodes.kubelet.node import Machine
from nodes.network.fabric import Network
from nodes.runtime.simulated.hostfiles import SharedVolumes
from nodes.runtime.simulated.runtime import SimulatedRuntime
from nodes.runtime.simulated.shell.helpers import Interpreters
from playground.probing import SimulatedProbes
from tests.support.builders import pod
from tests.support.eventually import eventually
from tests.support.fakeapi import FakeApi
from tests.support.interpreters import same_loop

_RESOURCES = {"Pod": PODS, "ConfigMap": CONFIGMAPS, "Secret": SECRETS, "Service": SERVICES}


class Rig:
    def __init__(self):
        self.clock = LoopClock()
        self.api = FakeApi(self.clock)
        self.tasks = TaskSet(self.clock)
        self.client = Client(self.api.transport("admin"))
        self.network = Network(self.clock)
        self.network.add_node("n1", "172.18.0.2", "10.244.0.0/24")
        self.shared = SharedVolumes()
        self.kubelet = self.make()

    def make(self):
        transport = self.api.transport("system:node:n1")
        client = Client(transport, "kubelet")
        informers = Informers(transport, self.clock, self.tasks)
        self.runtime = SimulatedRuntime(
            "n1",
            self.clock,
            self.network,
            shared=self.shared,
            interpreters=Interpreters(same_loop),
        )
        runtime = self.runtime
        return Kubelet(
            Machine("n1", "172.18.0.2", "10.244.0.0/24"),
            client=client,
            informers=informers,
            shared=Shared(informers.get(SERVICES)),
            runtime=Runtime(runtime, runtime.images, runtime, runtime.files, recovery=runtime),
            network=SimulatedProbes(self.network, "172.18.0.2"),
            recorder=Recorder(
                client, "kubelet", self.clock, EventSink(self.clock, self.tasks), host="n1"
            ),
            clock=self.clock,
            tasks=self.tasks,
        )

    async def create(self, *objects):
        for one in objects:
            await self.client.create(one, _RESOURCES[one["kind"]])

    def status(self, name="p"):
        return self.api.need("pods", name).get("status") or {}

    def container(self, index=0, name="p", part="containerStatuses"):
        found = self.status(name).get(part) or []
        return found[index] if index < len(found) else {}

    def condition(self, kind, name="p"):
        found = self.status(name).get("conditions") or []
        return next((c for c in found if c["type"] == kind), {})

    def messages(self, reason):
        return [e["message"] for e in self.api.all("events") if e["reason"] == reason]

    async def phase(self, phase, name="p", within=60):
        await eventually(lambda: self.status(name).get("phase") == phase, within=within)

    async def ready(self, name="p", within=60):
        await eventually(
            lambda: self.condition("Ready", name).get("status") == "True", within=within
        )

    async def run(self, name, *command, container=None):
        """Run a command in a pod's container; return (stdout, exit code)."""
        record = self.kubelet.container("default", name, container or "c")
        answer = await self.runtime.exec_sync(record.id, command)
        return answer.stdout.decode(), answer.exit_code


@pytest.fixture
async def rig():
    made = Rig()
    await made.kubelet.start()
    yield made
    await made.kubelet.stop()
    await made.tasks.close()
    await made.network.close()


def sleeper(name="p", **container):
    built = pod(name).on("n1").image("busybox:1.36", command=["sleep", "100000"], **container)
    return built.spec(restartPolicy="Always", terminationGracePeriodSeconds=30)


def script(text, name="p", policy="Always", **container):
    command = ["sh", "-c", text]
    built = pod(name).on("n1").image("busybox:1.36", command=command, **container)
    return built.spec(restartPolicy=policy, terminationGracePeriodSeconds=30)
