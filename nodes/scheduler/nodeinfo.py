"""A node as the scheduler sees it: what it has, what is taken, and who stands on it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count

from apimachinery.meta import Obj, labels_of, name_of
from nodes.scheduler.podinfo import PodInfo, amounts_of

ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - the word for "every address" in a host port

_versions = count(1)


@dataclass(slots=True)
class NodeInfo:
    """A node with running sums; a pod that comes or goes costs its own requests alone."""

    obj: Obj
    name: str
    labels: dict[str, str] = field(default_factory=dict)
    taints: list[Obj] = field(default_factory=list)
    unschedulable: bool = False
    allocatable: dict[str, int] = field(default_factory=dict)
    requested: dict[str, int] = field(default_factory=dict)
    nonzero_cpu: int = 0
    nonzero_memory: int = 0
    pods: dict[str, PodInfo] = field(default_factory=dict)  # by uid
    ports: dict[tuple[str, str, int], int] = field(default_factory=dict)
    # uids of pods with (anti-)affinity terms: most nodes have none, and are passed over.
    with_affinity: dict[str, PodInfo] = field(default_factory=dict)
    # Another one after each change, that no node has had before.
    version: int = 0

    @classmethod
    def of(cls, node: Obj) -> NodeInfo:
        info = cls(node, name_of(node))
        info.update(node)
        return info

    def update(self, node: Obj) -> None:
        """Take in a changed node; the pods on it stay."""
        spec = node.get("spec") or {}
        self.obj, self.version = node, next(_versions)
        self.labels = labels_of(node)
        self.taints = spec.get("taints") or []
        self.unschedulable = bool(spec.get("unschedulable"))
        self.allocatable = amounts_of((node.get("status") or {}).get("allocatable"))

    def copy(self) -> NodeInfo:
        """Return a node that can be tried out: changing it leaves this one as it is."""
        return replace(
            self,
            requested=dict(self.requested),
            pods=dict(self.pods),
            ports=dict(self.ports),
            with_affinity=dict(self.with_affinity),
        )

    def add(self, pod: PodInfo) -> None:
        if pod.uid in self.pods:
            self.remove(pod.uid)
        self.pods[pod.uid] = pod
        self.version = next(_versions)
        self._count(pod, 1)
        if pod.minds_others:
            self.with_affinity[pod.uid] = pod

    def remove(self, uid: str) -> None:
        pod = self.pods.pop(uid, None)
        if pod is not None:
            self.with_affinity.pop(uid, None)
            self.version = next(_versions)
            self._count(pod, -1)

    def beside(self, other: NodeInfo) -> list[PodInfo]:
        """Return the pods that stand here and not on another one."""
        return [pod for uid, pod in self.pods.items() if uid not in other.pods]

    def port_taken(self, wanted: tuple[str, str, int]) -> bool:
        """Tell whether a host port is in use; 0.0.0.0 collides with every address."""
        protocol, address, port = wanted
        if not self.ports:
            return False
        if address == ANY_ADDRESS:
            return any(p == protocol and n == port for p, _, n in self.ports)
        return wanted in self.ports or (protocol, ANY_ADDRESS, port) in self.ports

    def _count(self, pod: PodInfo, sign: int) -> None:
        requested = self.requested
        for name, amount in pod.requests.amounts:
            requested[name] = requested.get(name, 0) + sign * amount
        self.nonzero_cpu += sign * pod.requests.nonzero[0]
        self.nonzero_memory += sign * pod.requests.nonzero[1]
        for port in pod.ports:
            count = self.ports.get(port, 0) + sign
            if count:
                self.ports[port] = count
            else:
                self.ports.pop(port, None)
