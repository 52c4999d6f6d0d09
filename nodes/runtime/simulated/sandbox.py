"""One pod sandbox: an address, a name, and the files that every container of the pod gets."""

from __future__ import annotations

from apimachinery.clock import Clock
from nodes.network.addresses import AddressesExhausted
from nodes.network.dns import ResolvConf
from nodes.network.fabric import Network, Rouse
from nodes.runtime.cri import (
    Code,
    DNSConfig,
    NamespaceMode,
    PodSandbox,
    PodSandboxConfig,
    PodSandboxNetworkStatus,
    PodSandboxState,
    PodSandboxStatus,
    RuntimeCallError,
)
from nodes.runtime.simulated.process import PodNetwork

NANO = 1_000_000_000


class SimSandbox:
    """The network of one pod, from its start to its stop."""

    __slots__ = (
        "config",
        "created_at",
        "id",
        "net",
        "own_address",
        "rouse",
        "runtime_handler",
        "state",
    )

    def __init__(
        self,
        sandbox_id: str,
        config: PodSandboxConfig,
        runtime_handler: str,
        network: Network,
        node: str,
        clock: Clock,
        ip: str = "",
    ) -> None:
        """`ip`: its address, where it has been given it already."""
        self.id = sandbox_id
        self.config = config
        self.runtime_handler = runtime_handler
        self.created_at = int(clock.seconds() * NANO)
        self.state = PodSandboxState.READY
        self.own_address = config.namespace_options.network is not NamespaceMode.NODE
        self.rouse: Rouse | None = None
        if self.own_address:
            try:
                ip = ip or network.allocate(node, owner_of(config))
            except AddressesExhausted as error:
                raise RuntimeCallError(
                    Code.UNKNOWN,
                    f'failed to setup network for sandbox "{sandbox_id}": plugin type="bridge" '
                    f"failed (add): failed to allocate for range 0: {error}",
                ) from error
        else:
            ip = network.node_ip(node)
        dns = config.dns_config or DNSConfig()
        resolv = ResolvConf.of(dns.servers, dns.searches, dns.options)
        self.net = PodNetwork(network, ip, resolv, config.hostname or node)
        for port in config.port_mappings:
            if port.host_port and self.own_address:
                host_ip = network.node_ip(node)
                network.forward(host_ip, port.host_port, port.protocol, ip, port.container_port)

    def stop(self, node: str) -> None:
        """Give the address back."""
        if self.state is PodSandboxState.NOTREADY:
            return
        self.state = PodSandboxState.NOTREADY
        network = self.net.network
        if self.own_address:
            for port in self.config.port_mappings:
                if port.host_port:
                    network.unforward(network.node_ip(node), port.host_port, port.protocol)
            network.release(self.net.ip)

    def files(self) -> dict[str, bytes]:
        """Return /etc/hostname, /etc/resolv.conf and /etc/hosts, as the runtime writes them."""
        resolv, dns = self.net.resolv, self.config.dns_config or DNSConfig()
        lines = []
        if resolv.searches:
            lines.append("search " + " ".join(resolv.searches))
        lines += [f"nameserver {server}" for server in resolv.servers]
        if dns.options:
            lines.append("options " + " ".join(dns.options))
        hosts = (
            "127.0.0.1\tlocalhost\n"
            "::1\tlocalhost ip6-localhost ip6-loopback\n"
            f"{self.net.ip}\t{self.net.hostname}\n"
        )
        return {
            "etc/hostname": f"{self.net.hostname}\n".encode(),
            "etc/resolv.conf": ("\n".join(lines) + "\n").encode(),
            "etc/hosts": hosts.encode(),
        }

    def status(self) -> PodSandboxStatus:
        # A pod of the host's network has no address of its own in CRI.
        ip = self.net.ip if self.own_address and self.state is PodSandboxState.READY else ""
        return PodSandboxStatus(
            id=self.id,
            metadata=self.config.metadata,
            state=self.state,
            created_at=self.created_at,
            network=PodSandboxNetworkStatus(ip),
            labels=self.config.labels,
            annotations=self.config.annotations,
            runtime_handler=self.runtime_handler,
        )

    def listed(self) -> PodSandbox:
        return PodSandbox(
            id=self.id,
            metadata=self.config.metadata,
            state=self.state,
            created_at=self.created_at,
            labels=self.config.labels,
            annotations=self.config.annotations,
        )


def owner_of(config: PodSandboxConfig) -> str:
    """Return whose a pod's address is, as the network says it."""
    return f"{config.metadata.namespace}/{config.metadata.name}"
