"""What a kubelet has against a pod that came to its node: pure, of pod, node and other pods.

Who names a node in the pod has asked no scheduler, and two schedulers may give the same room away.
Reasons, their order and their words are those of pkg/kubelet/lifecycle and of
pkg/kubelet/sysctl. What becomes of them is decided in `admitting`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from apimachinery import pods, quantity, sysctls
from apimachinery.meta import Obj, labels_of, name_of
from apimachinery.nodes import (
    NO_EXECUTE,
    declared_features,
    fits_node_requirements,
    needed_features,
    taints_of,
    untolerated,
)

_ANY = "0.0.0.0"  # noqa: S104 - as ports are declared
_FIRST = ("cpu", "memory", "ephemeral-storage")
# The priority of system-cluster-critical.
_CRITICAL = 2_000_000_000
_OS = "kubernetes.io/os"


class Asks(NamedTuple):
    """What a pod takes of its node: milli-cpu and bytes, and ports as (protocol, address, port)."""

    amounts: dict[str, int]
    ports: tuple[tuple[str, str, int], ...]


class There(Protocol):
    """A pod that the node has already."""

    @property
    def asks(self) -> Asks: ...


class Refusal(NamedTuple):
    """Why a pod may not run here, as its status says it."""

    reason: str
    message: str


class Shortage(NamedTuple):
    """A resource of which there is too little: a Refusal that room can be made for."""

    resource: str
    asked: int
    used: int
    capacity: int

    @property
    def reason(self) -> str:
        return f"OutOf{self.resource}"

    @property
    def message(self) -> str:
        words = f"requested: {self.asked}, used: {self.used}, capacity: {self.capacity}"
        return f"Node didn't have enough resource: {self.resource}, {words}"

    @property
    def missing(self) -> int:
        return self.asked - (self.capacity - self.used)


Reason = Refusal | Shortage


def _predicate(name: str, why: str) -> Refusal:
    return Refusal(name, f"Predicate {name} failed: {why}")


AFFINITY = _predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")
_NAME = _predicate("NodeName", "node(s) didn't match the requested node name")
_PORTS = _predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports")
_TAINTS = _predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate")
_OS_LABEL = Refusal(
    "PodOSSelectorNodeLabelDoesNotMatch",
    "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
)
_OS_FIELD = Refusal(
    "PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS"
)


def asks_of(pod: Obj) -> Asks:
    spec = pod["spec"]
    every = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    asked = {}
    if spec.get("resources") or spec.get("overhead") or any(c.get("resources") for c in every):
        asked = {name: _amount(name, given) for name, given in pods.requests(pod).items()}
    ports = tuple(
        (port.get("protocol") or "TCP", port.get("hostIP") or _ANY, int(port["hostPort"]))
        for container in spec.get("containers") or ()
        for port in container.get("ports") or ()
        if port.get("hostPort")
    )
    return Asks(asked, ports)


def is_critical(pod: Obj) -> bool:
    """Tell whether a node needs the pod more than others: room is made for it, and it stays."""
    return pods.is_static(pod) or int(pod["spec"].get("priority") or 0) >= _CRITICAL


def reasons(pod: Obj, asks: Asks, node: Obj, others: Iterable[There]) -> Sequence[Reason]:
    """Return all that is against a pod beside the others; nothing lets it run."""
    if refused := _forbidden_setting(pod) or _wrong_system(pod):
        return [refused]
    present = [one.asks for one in others]
    return [
        *_shortages(asks, node, present),
        *_misfits(pod, asks, node, present),
        *_lacking_features(pod, node),
    ]


def _forbidden_setting(pod: Obj) -> Refusal | None:
    """Return what is against the sysctls of a pod: its node has no --allowed-unsafe-sysctls."""
    spec = pod["spec"]
    hosts = {"net": spec.get("hostNetwork"), "ipc": spec.get("hostIPC")}
    for setting in (spec.get("securityContext") or {}).get("sysctls") or ():
        name = sysctls.dotted(setting["name"])
        of = sysctls.namespace(name)
        if name not in sysctls.SAFE:
            return Refusal("SysctlForbidden", f'forbidden sysctl: "{name}" not allowlisted')
        if hosts[of]:
            why = f'"{name}" not allowed with host {of} enabled'
            return Refusal("SysctlForbidden", f"forbidden sysctl: {why}")
    return None


def _wrong_system(pod: Obj) -> Refusal | None:
    """Return what is against a pod that nothing helps."""
    if labels_of(pod).get(_OS, "linux") != "linux":
        return _OS_LABEL
    if (pod["spec"].get("os") or {}).get("name", "linux") != "linux":
        return _OS_FIELD
    return None


def _lacking_features(pod: Obj, node: Obj) -> Iterator[Refusal]:
    missing = sorted(set(needed_features(pod["spec"])) - set(declared_features(node)))
    if missing:
        why = f"Pod requires node features that are not available: {', '.join(missing)}"
        yield Refusal("PodFeatureUnsupported", why)


def _shortages(asks: Asks, node: Obj, present: Sequence[Asks]) -> Iterator[Shortage]:
    given = (node.get("status") or {}).get("allocatable") or {}
    room = int(given.get("pods") or 0)
    if len(present) >= room:
        yield Shortage("pods", 1, len(present), room)
    for name in (*_FIRST, *(name for name in asks.amounts if name not in _FIRST)):
        asked = asks.amounts.get(name)
        # An extended resource that the node does not know is the cluster's, or a claim's.
        if not asked or (name not in given and _is_extended(name)):
            continue
        capacity = _amount(name, quantity.parse(given.get(name) or "0"))
        used = sum(one.amounts.get(name, 0) for one in present)
        if asked > capacity - used:
            yield Shortage(name, asked, used, capacity)


def _misfits(pod: Obj, asks: Asks, node: Obj, present: Sequence[Asks]) -> Iterator[Refusal]:
    if not fits_node_requirements(pod, node):
        yield AFFINITY
    if pods.node_name(pod) not in ("", name_of(node)):
        yield _NAME
    taken = [port for one in present for port in one.ports]
    if any(_collide(port, other) for port in asks.ports for other in taken):
        yield _PORTS
    tolerations = pod["spec"].get("tolerations")
    if not pods.is_static(pod) and untolerated(taints_of(node), tolerations, (NO_EXECUTE,)):
        yield _TAINTS


def _is_extended(name: str) -> bool:
    return "/" in name and "kubernetes.io/" not in name


def _amount(name: str, given: quantity.Quantity) -> int:
    return given.milli_value() if name == "cpu" else given.value()


def _collide(one: tuple[str, str, int], other: tuple[str, str, int]) -> bool:
    protocol, address, port = one
    if (protocol, port) != (other[0], other[2]):
        return False
    return address == other[1] or _ANY in (address, other[1])
