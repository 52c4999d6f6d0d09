"""metrics.k8s.io: what `kubectl top` and autoscalers read, as metrics-server would answer it.

There is no metrics-server that scrapes: usage is asked of the kubelets when somebody reads it.
It is served wherever an APIService registers the group; clusters of the `default` template have
one from the start, with the role that lets readers of other things read this too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import orjson

from apimachinery.clock import Clock
from apimachinery.errors import NotFound
from apimachinery.gvk import GroupResource, GroupVersionKind
from apimachinery.meta import Obj, labels_of, name_of, namespace_of
from apimachinery.quantity import NANO, ZERO, Format, Quantity, parse
from apiserver.endpoints.aggregation.following import Extension
from apiserver.registry.objects import StoredObjects
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import Strategy
from apiserver.registry.table import NAME
from nodes.kubelet.stats import NodeUsage, PodUsage, Usage
from playground.cluster_templates.metrics import GROUP

# The span over which the runtime averages a rate.
WINDOW = "15s"
_READ = ("get", "list")


class Stats(Protocol):
    """Knows what one node uses: `nodes.kubelet.stats.NodeStats`."""

    async def read(self) -> NodeUsage: ...


class MetricsServer:
    """Answers for the nodes of one cluster."""

    def __init__(self, nodes: Mapping[str, Stats], objects: StoredObjects, clock: Clock) -> None:
        self._nodes, self._objects, self._clock = nodes, objects, clock

    def extension(self) -> Extension:
        """Return what an APIService of the group makes the API server serve."""
        return Extension(GROUP, ((NODE_METRICS, self.nodes), (POD_METRICS, self.pods)))

    async def nodes(self, namespace: str, name: str) -> list[Obj]:
        """Return the NodeMetrics of one node or of all. Raises NotFound."""
        del namespace
        chosen = [name] if name else sorted(self._nodes)
        found = []
        for one in chosen:
            node, stats = self._objects.get("nodes", "", one), self._nodes.get(one)
            if node is None or stats is None:
                continue
            found.append(self._metrics("NodeMetrics", node) | _usage((await stats.read()).usage))
        if name and not found:
            raise NotFound(GroupResource(GROUP.group, "nodemetrics"), name)
        return found

    async def pods(self, namespace: str, name: str) -> list[Obj]:
        """Return the PodMetrics of one pod, of a namespace, or of all. Raises NotFound."""
        nodes = self._nodes.values() if not name else self._node_of(namespace, name)
        found = [
            self._metrics("PodMetrics", pod.pod) | {"containers": _containers(pod)}
            for node in nodes
            for pod in (await node.read()).pods
            if namespace in ("", namespace_of(pod.pod)) and name in ("", name_of(pod.pod))
        ]
        if name and not found:
            raise NotFound(GroupResource(GROUP.group, "podmetrics"), f"{namespace}/{name}")
        return sorted(found, key=lambda one: (namespace_of(one), name_of(one)))

    def _node_of(self, namespace: str, name: str) -> Iterable[Stats]:
        pod = self._objects.get("pods", namespace, name) or {}
        node = self._nodes.get((pod.get("spec") or {}).get("nodeName") or "")
        return [] if node is None else [node]

    def _metrics(self, kind: str, about: Obj) -> Obj:
        now = self._clock.timestamp()
        metadata: Obj = {"name": name_of(about)}
        if namespace_of(about):
            metadata["namespace"] = namespace_of(about)
        metadata["creationTimestamp"] = now
        if labels := labels_of(about):
            metadata["labels"] = labels
        return {
            "kind": kind,
            "apiVersion": GROUP.api_version,
            "metadata": metadata,
            "timestamp": now,
            "window": WINDOW,
        }


def _usage(usage: Usage) -> Obj:
    memory = Quantity(usage.working_set * NANO, Format.BINARY_SI)
    return {"usage": {"cpu": str(Quantity(usage.nano_cores)), "memory": str(memory)}}


def _containers(pod: PodUsage) -> list[Obj]:
    return [{"name": one.name, **_usage(one.usage)} for one in pod.containers]


# --- the kinds ----------------------------------------------------------------------------------

_QUANTITIES: Obj = {
    "description": "The amounts in use, by resource: cpu and memory.",
    "type": "object",
    "additionalProperties": {"x-kubernetes-int-or-string": True},
}
_CONTAINERS: Obj = {
    "description": "What each container of the pod uses.",
    "type": "array",
    "items": {
        "type": "object",
        "required": ["name", "usage"],
        "properties": {
            "name": {"description": "The container's name.", "type": "string"},
            "usage": _QUANTITIES,
        },
    },
}


class _Metrics(Strategy):
    """Nothing is stored, so there is nothing to check; the schema is for `kubectl explain`."""

    def __init__(self, description: str, **fields: Obj) -> None:
        self._schema: Obj = {
            "description": description,
            "type": "object",
            "properties": {
                "apiVersion": {"type": "string"},
                "kind": {"type": "string"},
                "metadata": {"type": "object"},
                "timestamp": {
                    "description": "When this was so.",
                    "type": "string",
                    "format": "date-time",
                },
                "window": {
                    "description": "The span before the timestamp that rates are averaged over.",
                    "type": "string",
                },
                **fields,
            },
        }

    def openapi(self, kind: GroupVersionKind) -> bytes:
        del kind
        return orjson.dumps(self._schema)


def _column(name: str) -> Column:
    def value(obj: Obj, now: float) -> str:
        del now
        parts = obj.get("containers") or [obj]
        used = (parse((part.get("usage") or {}).get(name)) for part in parts)
        return str(sum(used, ZERO))

    return Column(name, value, format="quantity")


def _kind(kind: str, plural: str, strategy: Strategy, *, namespaced: bool) -> Resource:
    return Resource(
        kind=GROUP.kind(kind),
        plural=plural,
        strategy=strategy,
        namespaced=namespaced,
        verbs=_READ,
        columns=(
            NAME,
            _column("cpu"),
            _column("memory"),
            Column("Window", lambda obj, _now: obj.get("window") or "", format="duration"),
        ),
        custom=True,
    )


NODE_METRICS = _kind(
    "NodeMetrics",
    "nodes",
    _Metrics("NodeMetrics is what a node uses.", usage=_QUANTITIES),
    namespaced=False,
)
POD_METRICS = _kind(
    "PodMetrics",
    "pods",
    _Metrics("PodMetrics is what the containers of a pod use.", containers=_CONTAINERS),
    namespaced=True,
)
