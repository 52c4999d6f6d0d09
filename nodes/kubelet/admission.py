"""Whether a pod that came to a node may start there: what a kubelet checks by itself.

Who names a node in the pod has asked no scheduler, and two schedulers may give the same room away:
such a pod fails at once, with the words of pkg/kubelet/lifecycle/predicate.go. Pods that the node
had before are not asked again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from apimachinery import pods, quantity
from apimachinery.meta import Obj

if TYPE_CHECKING:
    from nodes.kubelet.node import Machine
    from nodes.kubelet.pod_worker import PodWorker

_ANY = "0.0.0.0"  # noqa: S104 - as ports are declared
_PORTS = "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"
_COUNTED = ("cpu", "memory", "ephemeral-storage")


class Asks(NamedTuple):
    """What a pod takes of its node: milli-cpu and bytes, and ports as (protocol, address, port)."""

    amounts: dict[str, int]
    ports: tuple[tuple[str, str, int], ...]


class Refusal(NamedTuple):
    """Why a pod may not run here, as its status says it."""

    reason: str
    message: str


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


def refusal(machine: Machine, wanted: Asks, others: Iterable[PodWorker]) -> Refusal | None:
    """Return why a pod may not run beside the others, None if it may."""
    present = [worker.asks for worker in others if not worker.over]
    if len(present) >= machine.pods:
        return _short("pods", 1, len(present), machine.pods)
    given = {
        "cpu": machine.cpu,
        "memory": machine.memory,
        "ephemeral-storage": machine.ephemeral_storage,
    }
    for name in _COUNTED:
        if asked := wanted.amounts.get(name):
            capacity = _amount(name, quantity.parse(given[name]))
            used = sum(one.amounts.get(name, 0) for one in present)
            if asked > capacity - used:
                return _short(name, asked, used, capacity)
    taken = [port for one in present for port in one.ports]
    if any(_collide(port, other) for port in wanted.ports for other in taken):
        return Refusal("NodePorts", _PORTS)
    return None


def _short(name: str, asked: int, used: int, capacity: int) -> Refusal:
    words = f"requested: {asked}, used: {used}, capacity: {capacity}"
    return Refusal(f"OutOf{name}", f"Node didn't have enough resource: {name}, {words}")


def _amount(name: str, given: quantity.Quantity) -> int:
    return given.milli_value() if name == "cpu" else given.value()


def _collide(one: tuple[str, str, int], other: tuple[str, str, int]) -> bool:
    protocol, address, port = one
    if (protocol, port) != (other[0], other[2]):
        return False
    return address == other[1] or _ANY in (address, other[1])
