"""The proxy of a cluster's nodes: one compilation, a table for each node.

A change of a Service or of one of its slices compiles that Service's rules anew and touches no
other. A node's table is the cluster's rules, its own NodePorts, and its own choice of endpoints
for Services with a Local policy.
"""

from __future__ import annotations

from random import Random

from apimachinery.clock import Clock
from apimachinery.meta import Obj, labels_of, name_of, namespace_of
from nodes.client import resources
from nodes.client.informer import Informer, Informers
from nodes.client.lister import Key
from nodes.network.rules import (
    DROPPED,
    REFUSED,
    Choice,
    Decision,
    RuleKey,
    ServiceRule,
    ServiceRules,
)
from nodes.proxy.endpoints import Endpoint, endpoints_of, usable
from nodes.proxy.services import ServicePort, service_ports

USER = "system:kube-proxy"
MODES = {"iptables": Choice.RANDOM, "nftables": Choice.RANDOM, "ipvs": Choice.ROUND_ROBIN}
# The userspace proxy of old took the endpoints in turn, too.
MODES["userspace"] = Choice.ROUND_ROBIN

_SERVICE = "kubernetes.io/service-name"
_BY_SERVICE = "service"


class KubeProxy:
    """Keeps the tables of all nodes of one cluster."""

    def __init__(
        self, informers: Informers, clock: Clock, *, mode: str = "iptables", seed: int = 0
    ) -> None:
        self._clock, self._seed = clock, seed
        self._choice = MODES[mode]
        self._services: Informer = informers.get(resources.SERVICES)
        self._slices: Informer = informers.get(resources.ENDPOINTSLICES)
        self._slices.add_index(_BY_SERVICE, _service_of)
        self._ports: dict[Key, list[tuple[ServicePort, list[Endpoint]]]] = {}
        self._tables: dict[str, NodeTable] = {}

    def start(self) -> None:
        self._services.on_change(self._on_service)
        self._slices.on_change(self._on_slice)

    def table(self, node: str, address: str) -> NodeTable:
        """Return the table of a node, made at the first call."""
        table = self._tables.get(node)
        if table is None:
            chance = Random(f"{self._seed}/{node}")  # noqa: S311 - which endpoint, not a secret
            table = NodeTable(node, address, ServiceRules(self._clock, chance), self._choice)
            self._tables[node] = table
            for ports in self._ports.values():
                table.set(ports)
        return table

    def remove(self, node: str) -> None:
        self._tables.pop(node, None)

    def _on_service(self, old: Obj | None, new: Obj | None) -> None:
        found = new if new is not None else old
        if found is not None:
            self._compile(Key(namespace_of(found), name_of(found)))

    def _on_slice(self, old: Obj | None, new: Obj | None) -> None:
        for part in (old, new):
            if part is not None and (name := labels_of(part).get(_SERVICE)):
                self._compile(Key(namespace_of(part), name))

    def _compile(self, key: Key) -> None:
        before = self._ports.pop(key, [])
        service = self._services.get(*key)
        now: list[tuple[ServicePort, list[Endpoint]]] = []
        if service is not None:
            slices = self._slices.by_index(_BY_SERVICE, f"{key.namespace}/{key.name}")
            now = [
                (port, endpoints_of(slices, port.port_name, port.protocol))
                for port in service_ports(service)
            ]
            self._ports[key] = now
        if before == now:
            return
        for table in self._tables.values():
            table.unset(before, keep=now)
            table.set(now)


def _service_of(part: Obj) -> tuple[str, ...]:
    name = labels_of(part).get(_SERVICE)
    return (f"{namespace_of(part)}/{name}",) if name else ()


class NodeTable:
    """The rules of one node; keeps network.rules.RuleTable."""

    def __init__(self, node: str, address: str, rules: ServiceRules, choice: Choice) -> None:
        self.node, self.address = node, address
        self._rules, self._choice = rules, choice

    def resolve(self, dst_ip: str, dst_port: int, protocol: str, src_ip: str) -> Decision:
        return self._rules.resolve(dst_ip, dst_port, protocol, src_ip)

    def rules(self) -> dict[RuleKey, ServiceRule]:
        """Return the table as it is; not to be changed."""
        return self._rules.rules()

    def set(self, ports: list[tuple[ServicePort, list[Endpoint]]]) -> None:
        for port, endpoints in ports:
            internal = self._rule(port, endpoints, local=port.internal_local)
            external = self._rule(port, endpoints, local=port.external_local)
            for key in _internal_keys(port):
                self._rules.set(key, internal)
            for key in _external_keys(port, self.address):
                self._rules.set(key, external)

    def unset(
        self,
        ports: list[tuple[ServicePort, list[Endpoint]]],
        keep: list[tuple[ServicePort, list[Endpoint]]],
    ) -> None:
        """Remove rules of addresses that the Service has no longer."""
        kept = {key for port, _ in keep for key in self._keys(port)}
        for port, _ in ports:
            for key in self._keys(port):
                if key not in kept:
                    self._rules.delete(key)

    def _keys(self, port: ServicePort) -> list[RuleKey]:
        return _internal_keys(port) + _external_keys(port, self.address)

    def _rule(self, port: ServicePort, endpoints: list[Endpoint], *, local: bool) -> ServiceRule:
        chosen = usable(e for e in endpoints if e.node == self.node) if local else usable(endpoints)
        return ServiceRule(
            port.name,
            tuple((e.ip, e.port) for e in chosen),
            self._choice,
            port.affinity_seconds,
            # Endpoints elsewhere, none here: traffic that must stay local is dropped.
            DROPPED if local and usable(endpoints) else REFUSED,
        )


def _internal_keys(port: ServicePort) -> list[RuleKey]:
    return [RuleKey(ip, port.port, port.protocol) for ip in port.cluster_ips]


def _external_keys(port: ServicePort, node_address: str) -> list[RuleKey]:
    found = [RuleKey(ip, port.port, port.protocol) for ip in port.external_ips]
    if port.node_port:
        found += [RuleKey(ip, port.node_port, port.protocol) for ip in (node_address, "127.0.0.1")]
    return found
