"""The network of one cluster: who has which address, who listens, and how a connection gets there.

A connection goes the way a packet would: the name is resolved, the source's node applies its
Service rules, a node's own address applies that node's rules (NodePort), the policy is asked, and
the listener's handler runs on the other end of a pair of streams. Each of these is a hop of the
trace. What would get no answer waits for its timeout on the Clock; nothing else takes time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from errno import EHOSTUNREACH
from typing import NoReturn, Protocol

from apimachinery.clock import Clock
from nodes.client.supervise import TaskSet
from nodes.network.addresses import AddressesExhausted, Pool, is_ip
from nodes.network.cuts import Cut, Cuts, Where
from nodes.network.dns import ClusterDNS, Rcode, ResolvConf
from nodes.network.rules import Backend, Decision, RuleTable, Verdict
from nodes.network.stream import Stream, stream_pair
from nodes.network.trace import Trace, TraceRing

Handler = Callable[[Stream], Awaitable[None]]
Rouse = Callable[[], Awaitable[None]]

# Linux gives up on a SYN after six retries: 1+2+4+...+64 s.
CONNECT_TIMEOUT = 127.0
# An address without an owner fails when ARP has been asked three times.
UNREACHABLE_AFTER = 3.0
MAX_CONNECTIONS_PER_ADDRESS = 512
MAX_LISTENERS_PER_ADDRESS = 128
# Nested forwarding (NodePort to ClusterIP to pod) is at most this deep.
_MAX_TRANSLATIONS = 4


class NameNotFound(OSError):
    """The name does not resolve."""


class PolicyTable(Protocol):
    """NetworkPolicy, as the cluster's network plugin has compiled it."""

    def allows(self, src_ip: str, dst_ip: str, dst_port: int, protocol: str) -> bool: ...


@dataclass(slots=True)
class _Node:
    name: str
    ip: str
    pool: Pool | None
    rules: RuleTable | None = None


@dataclass(slots=True)
class _Endpoint:
    """One address of the cluster: a pod's or a node's."""

    node: _Node
    owner: str
    listeners: dict[tuple[int, str], Handler] = field(default_factory=dict)
    # Ports that only the owner itself may reach (bound to 127.0.0.1).
    local: set[tuple[int, str]] = field(default_factory=set)
    streams: set[Stream] = field(default_factory=set)
    # Awaited before the first connection: its programs have yet to go on after a restart.
    rouse: Rouse | None = None


class Listener:
    """A port that is listened on until it is closed."""

    __slots__ = ("_closed", "_endpoint", "_key")

    def __init__(self, endpoint: _Endpoint, key: tuple[int, str]) -> None:
        self._endpoint = endpoint
        self._key = key
        self._closed = False

    @property
    def port(self) -> int:
        return self._key[0]

    def close(self) -> None:
        """Stop listening; connections that are open stay."""
        if not self._closed:
            self._closed = True
            self._endpoint.listeners.pop(self._key, None)
            self._endpoint.local.discard(self._key)


class Network:
    """All addresses of one cluster."""

    def __init__(self, clock: Clock, dns: ClusterDNS | None = None, latency: float = 0.0) -> None:
        self.clock = clock
        self.dns = dns if dns is not None else ClusterDNS()
        self.traces = TraceRing()
        self.latency = latency
        self.policy: PolicyTable | None = None
        self._cuts = Cuts()
        # Whether names resolve only while a DNS pod is behind the name server's address.
        self.strict_dns = False
        self._nodes: dict[str, _Node] = {}
        self._endpoints: dict[str, _Endpoint] = {}
        self._forwards: dict[tuple[str, int, str], tuple[str, int]] = {}
        self._tasks = TaskSet(clock, "network")

    # -- addresses -------------------------------------------------------------------------------

    def add_node(self, name: str, ip: str, pod_cidr: str = "") -> None:
        """Connect a node, or give a known one its podCIDR or a new address."""
        node = self._nodes.get(name)
        if node is None:
            node = self._nodes[name] = _Node(name, ip, None)
        elif node.ip != ip:
            self.release(node.ip)
            node.ip = ip
        if pod_cidr and (node.pool is None or node.pool.cidr != pod_cidr):
            node.pool = Pool(pod_cidr)
        if ip not in self._endpoints:
            self._endpoints[ip] = _Endpoint(node, f"node/{name}")

    def remove_node(self, name: str) -> None:
        """Disconnect a node and all that is on it."""
        node = self._nodes.pop(name, None)
        if node is not None:
            for ip in [ip for ip, end in self._endpoints.items() if end.node is node]:
                self.release(ip)

    def set_rules(self, node: str, rules: RuleTable | None) -> None:
        """Let `rules` translate what leaves this node, and what arrives at its own address."""
        self._nodes[node].rules = rules

    def allocate(self, node: str, owner: str = "") -> str:
        """Give out a pod address of the node. AddressesExhausted if there is none."""
        where = self._nodes[node]
        if where.pool is None:
            raise AddressesExhausted(f"node {node} has no podCIDR")
        ip = where.pool.allocate()
        self._endpoints[ip] = _Endpoint(where, owner)
        return ip

    def claim(self, node: str, ip: str, owner: str, rouse: Rouse) -> bool:
        """Give an owner the address that it had, unless it cannot have it; told before it is used.

        `rouse` is awaited before a connection is delivered there.
        """
        where = self._nodes[node]
        if where.pool is None or ip in self._endpoints or not where.pool.claim(ip):
            return False
        self._endpoints[ip] = _Endpoint(where, owner, rouse=rouse)
        return True

    def release(self, ip: str) -> None:
        """Take an address away: its listeners and its open connections end."""
        endpoint = self._endpoints.pop(ip, None)
        if endpoint is None:
            return
        for stream in list(endpoint.streams):
            stream.close()
        if endpoint.node.pool is not None and ip != endpoint.node.ip:
            endpoint.node.pool.release(ip)

    def owner(self, ip: str) -> str:
        """Return who has the address ("default/web-0", "node/n1"), or ""."""
        endpoint = self._endpoints.get(ip)
        return endpoint.owner if endpoint else ""

    def cut(self, cut: Cut) -> None:
        """Lose what is sent between two ends; connections that are open across it end."""
        self._cuts.add(cut)
        for endpoint in list(self._endpoints.values()):
            for stream in list(endpoint.streams):
                near, far = stream.local[0], stream.remote[0]
                if self._cuts.separate(self._where(near), self._where(far)):
                    stream.close()

    def mend(self, cut: Cut) -> None:
        """Let through again what a cut has lost."""
        self._cuts.remove(cut)

    def node_ip(self, name: str) -> str:
        """Return a node's own address."""
        return self._nodes[name].ip

    # -- listening -------------------------------------------------------------------------------

    def listen(
        self, ip: str, port: int, handler: Handler, protocol: str = "TCP", *, local: bool = False
    ) -> Listener:
        """Serve a port. OSError if it is taken. local: only for the address itself."""
        endpoint = self._endpoints.get(ip)
        key = (port, protocol)
        if endpoint is None:
            raise OSError(f"cannot assign requested address {ip}")
        if key in endpoint.listeners:
            raise OSError(f"bind: address already in use {ip}:{port}")
        if len(endpoint.listeners) >= MAX_LISTENERS_PER_ADDRESS:
            raise OSError("too many open files")
        endpoint.listeners[key] = handler
        if local:
            endpoint.local.add(key)
        return Listener(endpoint, key)

    def listening(self, ip: str) -> list[tuple[int, str]]:
        """Return the (port, protocol) pairs that are listened on."""
        endpoint = self._endpoints.get(ip)
        return sorted(endpoint.listeners) if endpoint else []

    def forward(self, ip: str, port: int, protocol: str, to_ip: str, to_port: int) -> None:
        """Map a port of a node to a pod's (hostPort)."""
        self._forwards[(ip, port, protocol)] = (to_ip, to_port)

    def unforward(self, ip: str, port: int, protocol: str) -> None:
        """Forget such a mapping."""
        self._forwards.pop((ip, port, protocol), None)

    # -- connecting ------------------------------------------------------------------------------

    async def connect(
        self,
        src_ip: str,
        host: str,
        port: int,
        *,
        resolv: ResolvConf | None = None,
        timeout: float = CONNECT_TIMEOUT,
        protocol: str = "TCP",
    ) -> Stream:
        """Open a connection from `src_ip`.

        NameNotFound, ConnectionRefusedError, TimeoutError, or OSError (no route to host).
        """
        trace = self.traces.begin(self.clock.seconds(), src_ip, f"{host}:{port}", protocol)
        if self.latency:
            await self.clock.sleep(self.latency)
        dst_ip = host if is_ip(host) else self.resolve(src_ip, host, resolv, trace)
        if dst_ip.startswith("127."):
            trace.hop("lo", "loopback")
            return await self._deliver(trace, src_ip, src_ip, port, protocol)
        target = self._translate(trace, src_ip, dst_ip, port, protocol)
        if target is Verdict.REFUSED:
            trace.outcome = "refused"
            raise ConnectionRefusedError("connection refused")
        if target is Verdict.DROPPED:
            await self._black_hole(trace, timeout)
        return await self._arrive(trace, src_ip, target, protocol, timeout)

    def resolve(
        self, src_ip: str, host: str, resolv: ResolvConf | None = None, trace: Trace | None = None
    ) -> str:
        """Return the first address of a name. NameNotFound if it has none."""
        if host.rstrip(".") == "localhost":
            return "127.0.0.1"
        node = self._nodes.get(host)
        if node is not None and not self._is_pod(src_ip):
            return node.ip
        if resolv is not None and not self.dns_answers(src_ip, resolv):
            if trace is not None:
                trace.hop("dns", "no name server answers")
                trace.outcome = "unresolved"
            raise NameNotFound(f"bad address '{host}'")
        full, answer = self.dns.resolve(host, resolv or _BARE)
        addresses = answer.addresses()
        if answer.rcode is not Rcode.NOERROR or not addresses:
            if trace is not None:
                trace.hop("dns", f"{host}: {answer.rcode}")
                trace.outcome = "unresolved"
            raise NameNotFound(f"bad address '{host}'")
        if trace is not None:
            trace.hop("dns", f"{full} is {addresses[0]}")
        return addresses[0]

    def dns_answers(self, src_ip: str, resolv: ResolvConf) -> bool:
        """Whether one of the name servers is reached from there.

        An address that no rule speaks of is taken as the cluster's DNS; where `strict_dns` is set
        it has to be somebody's.
        """
        return any(self._reaches_dns(src_ip, server) for server in resolv.servers or ("",))

    def _reaches_dns(self, src_ip: str, server: str) -> bool:
        if not server or server.startswith("127."):
            return not self.strict_dns
        quiet = Trace(0, 0.0, src_ip, server, "UDP")
        target = self._translate(quiet, src_ip, server, 53, "UDP")
        if isinstance(target, Verdict):
            return False
        if target.ip not in self._endpoints and (self.strict_dns or target.ip != server):
            return False
        return self._allowed(src_ip, target, "UDP") and not self._separated(src_ip, target)

    def _translate(
        self, trace: Trace, src_ip: str, dst_ip: str, port: int, protocol: str
    ) -> Backend | Verdict:
        """Apply the Service rules that the packet meets on its way."""
        source = self._endpoints.get(src_ip)
        target = Backend(dst_ip, port)
        asked: list[_Node] = [source.node] if source else []
        if source is None and dst_ip not in self._endpoints and self._nodes:
            # From outside to a load balancer's address: it enters through some node.
            asked = [next(iter(self._nodes.values()))]
        for _ in range(_MAX_TRANSLATIONS):
            here = self._endpoints.get(target.ip)
            if here is not None and here.node.ip == target.ip and here.node not in asked:
                asked.append(here.node)
            decision = self._ask(asked, target, protocol, src_ip, trace)
            if decision is None:
                mapped = self._forwards.get((target.ip, target.port, protocol))
                if mapped is None:
                    return target
                decision = Backend(*mapped, "hostPort")
                trace.hop("hostPort", f"{target.ip}:{target.port} to {mapped[0]}:{mapped[1]}")
            if isinstance(decision, Verdict):
                return decision
            target = decision
        return target

    def _ask(
        self, nodes: list[_Node], target: Backend, protocol: str, src_ip: str, trace: Trace
    ) -> Decision:
        for node in nodes:
            if node.rules is None:
                continue
            decision = node.rules.resolve(target.ip, target.port, protocol, src_ip)
            if decision is None:
                continue
            if isinstance(decision, Verdict):
                trace.hop(f"node/{node.name}", f"{target.ip}:{target.port} {decision.value}")
            else:
                what = f"{decision.rule or target.ip} to {decision.ip}:{decision.port}"
                trace.hop(f"node/{node.name}", what)
            return decision
        return None

    async def _arrive(
        self,
        trace: Trace,
        src_ip: str,
        target: Backend,
        protocol: str,
        timeout: float,
    ) -> Stream:
        if target.ip not in self._endpoints:
            in_pods = any(node.pool and target.ip in node.pool for node in self._nodes.values())
            if in_pods and timeout >= UNREACHABLE_AFTER:
                trace.hop("route", f"{target.ip} has no owner")
                await self.clock.sleep(UNREACHABLE_AFTER)
                trace.outcome = "unreachable"
                raise OSError(EHOSTUNREACH, "No route to host")
            await self._black_hole(trace, timeout)
        if self._separated(src_ip, target):
            trace.hop("link", f"{src_ip} to {target.ip}:{target.port} is cut")
            await self._black_hole(trace, timeout)
        if not self._allowed(src_ip, target, protocol):
            trace.hop("policy", f"{src_ip} to {target.ip}:{target.port} denied")
            await self._black_hole(trace, timeout)
        return await self._deliver(trace, src_ip, target.ip, target.port, protocol)

    def _allowed(self, src_ip: str, target: Backend, protocol: str) -> bool:
        if self.policy is None or src_ip == target.ip:
            return True
        return self.policy.allows(src_ip, target.ip, target.port, protocol)

    def _separated(self, src_ip: str, target: Backend) -> bool:
        if not self._cuts:
            return False
        service = target.rule.partition(":")[0]
        return self._cuts.separate(self._where(src_ip), self._where(target.ip, service))

    def _where(self, ip: str, service: str = "") -> Where:
        endpoint = self._endpoints.get(ip)
        if endpoint is None:
            return Where("", "", service)
        return Where(endpoint.node.name, endpoint.owner, service)

    async def _black_hole(self, trace: Trace, timeout: float) -> NoReturn:
        await self.clock.sleep(timeout)
        trace.outcome = "timeout"
        raise TimeoutError("connection timed out")

    async def _deliver(
        self, trace: Trace, src_ip: str, dst_ip: str, port: int, protocol: str
    ) -> Stream:
        endpoint = self._endpoints.get(dst_ip)
        if endpoint is not None and endpoint.rouse is not None:
            await endpoint.rouse()
            endpoint.rouse = None
        handler = endpoint.listeners.get((port, protocol)) if endpoint else None
        if endpoint is not None and src_ip != dst_ip and (port, protocol) in endpoint.local:
            handler = None
        if endpoint is None or handler is None:
            trace.hop(self._describe(dst_ip), f"nobody listens on {port}")
            trace.outcome = "refused"
            raise ConnectionRefusedError("connection refused")
        if len(endpoint.streams) >= MAX_CONNECTIONS_PER_ADDRESS:
            trace.hop(self._describe(dst_ip), "too many connections")
            trace.outcome = "refused"
            raise ConnectionRefusedError("connection refused")
        trace.hop(self._describe(dst_ip), f"{dst_ip}:{port} accepted")
        trace.outcome = "connected"
        client, server = stream_pair((src_ip, 30000 + trace.number % 30000), (dst_ip, port))
        endpoint.streams.add(server)
        self._tasks.spawn(f"{dst_ip}:{port}", self._serve(endpoint, handler, server))
        return client

    async def _serve(self, endpoint: _Endpoint, handler: Handler, stream: Stream) -> None:
        try:
            await handler(stream)
        except (ConnectionError, TimeoutError, EOFError):
            pass  # the other side has gone
        finally:
            stream.close()
            endpoint.streams.discard(stream)

    def _is_pod(self, ip: str) -> bool:
        endpoint = self._endpoints.get(ip)
        return endpoint is not None and endpoint.node.ip != ip

    def _describe(self, ip: str) -> str:
        owner = self.owner(ip)
        return owner if owner.startswith("node/") or not owner else f"pod/{owner}"

    async def close(self) -> None:
        """End every connection."""
        await self._tasks.close()


_BARE = ResolvConf()
