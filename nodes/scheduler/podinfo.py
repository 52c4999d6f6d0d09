"""A pod as the scheduler sees it: what it asks for, worked out once.

Objects of one template share their `spec.containers` word for word, so what is read off them is
kept by content: the thousandth pod of a Deployment costs a look-up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from apimachinery import quantity
from apimachinery.caching import kept_if_short
from apimachinery.meta import Obj, labels_of, name_of, namespace_of, uid_of
from apimachinery.pods import group_name

# What a container without requests is taken to need when nodes are scored
# (pkg/scheduler/util/pod_resources.go): 0.1 cpu and 200 MB.
DEFAULT_MILLI_CPU = 100
DEFAULT_MEMORY = 200 * 1024 * 1024
_BETWEEN_PODS = frozenset({"podAffinity", "podAntiAffinity"})


@dataclass(frozen=True, slots=True)
class Requests:
    """Milli-cpu for cpu, whole units for everything else; `nonzero` is (milli cpu, bytes)."""

    amounts: tuple[tuple[str, int], ...]
    nonzero: tuple[int, int]


@dataclass(slots=True)
class PodInfo:
    """A pod and what scheduling needs of it."""

    obj: Obj
    namespace: str
    name: str
    uid: str
    labels: dict[str, str]
    spec: Obj
    requests: Requests
    ports: tuple[tuple[str, str, int], ...]
    priority: int

    @property
    def key(self) -> tuple[str, str]:
        return self.namespace, self.name

    @property
    def scheduler(self) -> str:
        return str(self.spec.get("schedulerName") or "default-scheduler")

    @property
    def node_name(self) -> str:
        return str(self.spec.get("nodeName") or "")

    @property
    def nominated(self) -> str:
        """Return the node that is to be the pod's, if one is written in it."""
        return str((self.obj.get("status") or {}).get("nominatedNodeName") or "")

    @property
    def minds_others(self) -> bool:
        """Tell whether it wants to be with other pods, or apart from them."""
        return not _BETWEEN_PODS.isdisjoint(self.spec.get("affinity") or ())

    @property
    def group(self) -> tuple[str, str] | None:
        """Return namespace and name of the PodGroup that it belongs to."""
        return self.group_of(self.obj)

    @staticmethod
    def group_of(pod: Obj) -> tuple[str, str] | None:
        """Return the same of a pod as it is written."""
        name = group_name(pod)
        return (namespace_of(pod), name) if name else None

    @classmethod
    def of(cls, pod: Obj) -> PodInfo:
        spec = pod.get("spec") or {}
        requests, ports = _read(_content(spec))
        return cls(
            pod,
            namespace_of(pod),
            name_of(pod),
            uid_of(pod),
            labels_of(pod),
            spec,
            requests,
            ports,
            spec.get("priority") or 0,
        )


def _content(spec: Obj) -> bytes:
    """Return what `_read` depends on, as a key: small, since most of a container is left out."""
    return orjson.dumps(
        (
            [_part(c) for c in spec.get("containers") or ()],
            [(_part(c), c.get("restartPolicy")) for c in spec.get("initContainers") or ()],
            spec.get("overhead"),
            (spec.get("resources") or {}).get("requests"),
            spec.get("hostNetwork"),
        ),
        option=orjson.OPT_SORT_KEYS,
    )


def _part(container: Obj) -> tuple[Any, Any]:
    return (container.get("resources") or {}).get("requests"), container.get("ports")


@kept_if_short(4096)
def _read(content: bytes) -> tuple[Requests, tuple[tuple[str, str, int], ...]]:
    containers, init, overhead, pod_level, host_network = orjson.loads(content)
    amounts = _sum_all(
        [amounts_of(requests) for requests, _ in containers],
        [(amounts_of(requests), policy == "Always") for (requests, _), policy in init],
    )
    nonzero = _sum_all(
        [_nonzero(requests) for requests, _ in containers],
        [(_nonzero(requests), policy == "Always") for (requests, _), policy in init],
    )
    # Requests of the pod as a whole win over those of its containers.
    for name, amount in amounts_of(pod_level).items():
        amounts[name] = nonzero[name] = amount
    for name, amount in amounts_of(overhead).items():
        amounts[name] = amounts.get(name, 0) + amount
        nonzero[name] = nonzero.get(name, 0) + amount
    # Of init containers those count that go on running beside the others.
    stay = [ports for (_, ports), policy in init if policy == "Always"]
    which = "containerPort" if host_network else "hostPort"
    ports = [
        (port.get("protocol") or "TCP", port.get("hostIP") or "0.0.0.0", port[which])  # noqa: S104
        for declared in (*stay, *(ports for _, ports in containers))
        for port in declared or ()
        if port.get(which)
    ]
    return (
        Requests(
            tuple(sorted((n, a) for n, a in amounts.items() if a)),
            (nonzero.get("cpu", 0), nonzero.get("memory", 0)),
        ),
        tuple(ports),
    )


def amounts_of(resources: dict[str, Any] | None) -> dict[str, int]:
    """Read a resource list: milli-cpu for cpu, whole units rounded up for all else."""
    return {
        name: quantity.parse(value).milli_value()
        if name == "cpu"
        else quantity.parse(value).value()
        for name, value in (resources or {}).items()
    }


def _nonzero(requests: dict[str, Any] | None) -> dict[str, int]:
    amounts = amounts_of(requests)
    amounts.setdefault("cpu", DEFAULT_MILLI_CPU)
    amounts.setdefault("memory", DEFAULT_MEMORY)
    return amounts


def _sum_all(
    containers: list[dict[str, int]], init: list[tuple[dict[str, int], bool]]
) -> dict[str, int]:
    """Add up as resourcehelper.PodRequests: sidecars stay, other init containers run one by one."""
    total: dict[str, int] = {}
    for amounts in containers:
        _add(total, amounts)
    sidecars: dict[str, int] = {}
    peak: dict[str, int] = {}
    for amounts, stays in init:
        if stays:
            _add(sidecars, amounts)
            at_this_point = dict(sidecars)
        else:
            at_this_point = dict(sidecars)
            _add(at_this_point, amounts)
        for name, amount in at_this_point.items():
            peak[name] = max(peak.get(name, 0), amount)
    _add(total, sidecars)
    for name, amount in peak.items():
        total[name] = max(total.get(name, 0), amount)
    return total


def _add(total: dict[str, int], amounts: dict[str, int]) -> None:
    for name, amount in amounts.items():
        total[name] = total.get(name, 0) + amount
