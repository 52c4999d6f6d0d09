"""One simulated node to run pods on, as the kubelet would, on virtual time."""

from __future__ import annotations

from functools import cached_property

from nodes.client.loopclock import LoopClock
from nodes.network.fabric import Network
from nodes.runtime.cri import (
    ContainerConfig,
    ContainerMetadata,
    DNSConfig,
    ExecRequest,
    ImageSpec,
    LogOptions,
    PodSandboxConfig,
    PodSandboxMetadata,
)
from nodes.runtime.simulated.runtime import SimulatedRuntime
from nodes.runtime.simulated.shell.helpers import Interpreters
from tests.support.interpreters import same_loop

DNS = DNSConfig(
    ("10.96.0.10",),
    ("default.svc.cluster.local", "svc.cluster.local", "cluster.local"),
    ("ndots:5",),
)


class Pod:
    """A pod with one container."""

    def __init__(self, lab, sandbox, container, ip):
        self.lab, self.sandbox, self.id, self.ip = lab, sandbox, container, ip

    async def status(self):
        return await self.lab.runtime.container_status(self.id)

    async def log(self, **options):
        lines = self.lab.runtime.read_log(self.id, "", LogOptions(**options))
        return b"".join([line async for line in lines]).decode()

    async def sh(self, script, timeout=0):
        """Run a script in it; return what it printed, and its code if that is not 0."""
        answer = await self.run("sh", "-c", script, timeout=timeout)
        said = answer.stdout.decode() + answer.stderr.decode()
        return said if not answer.exit_code else (said, answer.exit_code)

    async def run(self, *argv, timeout=0):
        return await self.lab.runtime.exec_sync(self.id, argv, timeout)

    async def session(self, *argv, tty=True):
        return await self.lab.runtime.exec(ExecRequest(self.id, argv, tty=tty, stdin=True))

    async def stop(self, grace=30):
        await self.lab.runtime.stop_container(self.id, grace)
        return (await self.status()).exit_code


class Lab:
    """The node and what it is made of."""

    # Made when a test first asks: fixtures run before the loop's time is virtual.
    pods = 0

    def __init__(self, connect=same_loop):
        self.interpreters = Interpreters(connect)

    @property
    def helpers(self):
        """How many interpreters run."""
        return len(self.interpreters.helpers)

    @cached_property
    def clock(self):
        return LoopClock(epoch=1_767_323_045)

    @cached_property
    def net(self):
        network = Network(self.clock)
        network.add_node("n1", "192.168.0.11", "10.244.1.0/24")
        return network

    @cached_property
    def runtime(self):
        return SimulatedRuntime("n1", self.clock, self.net, interpreters=self.interpreters)

    @property
    def files(self):
        return self.runtime.files

    async def pod(self, image, *command, args=(), name="", **config):
        self.pods += 1
        name = name or f"pod-{self.pods}"
        sandbox_config = PodSandboxConfig(
            PodSandboxMetadata(name, f"uid-{name}", "default"), hostname=name, dns_config=DNS
        )
        sandbox = await self.runtime.run_pod_sandbox(sandbox_config)
        ip = (await self.runtime.pod_sandbox_status(sandbox)).network.ip
        return await self.container(
            Pod(self, sandbox, "", ip), image, *command, args=args, **config
        )

    async def container(self, pod, image, *command, args=(), **config):
        """Run another container in a pod's sandbox."""
        await self.runtime.images.pull_image(ImageSpec(image))
        sandbox_config = PodSandboxConfig(PodSandboxMetadata("", "", ""))
        container = await self.runtime.create_container(
            pod.sandbox,
            ContainerConfig(
                ContainerMetadata("main"),
                ImageSpec(image),
                command=tuple(command),
                args=tuple(args),
                **config,
            ),
            sandbox_config,
        )
        await self.runtime.start_container(container)
        return Pod(self, pod.sandbox, container, pod.ip)

    def service(self, name, ip):
        self.net.dns.update_service(
            {"metadata": {"name": name, "namespace": "default"}, "spec": {"clusterIP": ip}}
        )

    async def until(self, ready, limit=60):
        """Wait, on the cluster's clock, until a coroutine function says yes."""
        for _ in range(limit * 10):
            if await ready():
                return
            await self.clock.sleep(0.1)
        raise AssertionError("it never came")

    async def close(self):
        await self.runtime.close()
        await self.interpreters.close()
        await self.net.close()
