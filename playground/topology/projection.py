"""What the page needs of each object: one row of few values, instead of the whole object.

Pure. A kind is one entry of `KINDS`: where its objects are read, the columns, and how a row is
made. The first column is always the key. Two objects with equal rows look the same, so a change
that leaves the row alone is not sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apimachinery import quantity
from playground.topology import podstatus

Object = Mapping[str, Any]
Row = list[Any]

ZONE = "topology.kubernetes.io/zone"
ROLE = "node-role.kubernetes.io/"


@dataclass(frozen=True, slots=True)
class Kind:
    """One list of objects, read and watched at `path`, shown in the table `table`."""

    resource: str
    path: str
    table: str
    row: Callable[[Object], Row]
    params: Mapping[str, str] = field(default_factory=dict)
    # Without these there is no picture: the snapshot waits for them.
    essential: bool = False


NODE = [
    "uid",
    "name",
    "ready",
    "cordoned",
    "zone",
    "roles",
    "cpu",
    "memory",
    "pods",
    "version",
    "taints",
    "created",
    "labels",
    "why",
]
POD = [
    "uid",
    "ns",
    "name",
    "node",
    "status",
    "ready",
    "restarts",
    "owner",
    "created",
    "ip",
    "cpu",
    "memory",
    "labels",
    "why",
]
OWNER = ["uid", "kind", "ns", "name", "owner", "ready", "desired", "created", "labels"]
SERVICE = ["uid", "ns", "name", "type", "ip", "selector", "labels"]
WARNING = ["uid", "kind", "ns", "name", "of", "reason", "message", "count", "at"]
COLUMNS: dict[str, list[str]] = {
    "nodes": NODE,
    "pods": POD,
    "owners": OWNER,
    "services": SERVICE,
    "warnings": WARNING,
}


def node_row(node: Object) -> Row:
    """Return a node as the picture shows it."""
    meta, spec, status = node["metadata"], node.get("spec") or {}, node.get("status") or {}
    labels = meta.get("labels") or {}
    room = status.get("allocatable") or status.get("capacity") or {}
    roles = sorted(key[len(ROLE) :] for key in labels if key.startswith(ROLE))
    ready, why = _node_readiness(status)
    taints = [
        f"{t.get('key', '')}={t.get('value', '')}:{t.get('effect', '')}".replace("=:", ":")
        for t in spec.get("taints") or ()
    ]
    return [
        meta["uid"],
        meta["name"],
        ready,
        bool(spec.get("unschedulable")),
        labels.get(ZONE, ""),
        roles,
        _milli(room.get("cpu")),
        _whole(room.get("memory")),
        _whole(room.get("pods")),
        (status.get("nodeInfo") or {}).get("kubeletVersion", ""),
        taints,
        meta.get("creationTimestamp", ""),
        labels,
        why,
    ]


def pod_row(pod: Object) -> Row:
    """Return a pod as the picture shows it."""
    meta, spec, status = pod["metadata"], pod.get("spec") or {}, pod.get("status") or {}
    ready, restarts = podstatus.readiness(pod)
    cpu, memory = _requests(spec)
    return [
        meta["uid"],
        meta["namespace"],
        meta["name"],
        spec.get("nodeName", ""),
        podstatus.display_status(pod),
        ready,
        restarts,
        _controller(meta),
        meta.get("creationTimestamp", ""),
        status.get("podIP", ""),
        cpu,
        memory,
        meta.get("labels") or {},
        podstatus.why(pod),
    ]


def _owner_row(kind: str, ready_field: str, desired: Callable[[Object], int]) -> Any:
    def row(item: Object) -> Row:
        meta, status = item["metadata"], item.get("status") or {}
        return [
            meta["uid"],
            kind,
            meta["namespace"],
            meta["name"],
            _controller(meta),
            int(status.get(ready_field) or 0),
            desired(item),
            meta.get("creationTimestamp", ""),
            meta.get("labels") or {},
        ]

    return row


def service_row(service: Object) -> Row:
    """Return a service as the picture shows it."""
    meta, spec = service["metadata"], service.get("spec") or {}
    return [
        meta["uid"],
        meta["namespace"],
        meta["name"],
        spec.get("type", "ClusterIP"),
        spec.get("clusterIP", ""),
        spec.get("selector") or {},
        meta.get("labels") or {},
    ]


def warning_row(event: Object) -> Row:
    """Return a Warning event: about what, why, how often, when last."""
    meta, about = event["metadata"], event.get("involvedObject") or {}
    series = event.get("series") or {}
    at = event.get("lastTimestamp") or series.get("lastObservedTime") or event.get("eventTime")
    return [
        meta["uid"],
        about.get("kind", ""),
        about.get("namespace", ""),
        about.get("name", ""),
        about.get("uid", ""),
        event.get("reason", ""),
        event.get("message", ""),
        int(event.get("count") or series.get("count") or 1),
        at or meta.get("creationTimestamp", ""),
    ]


def _replicas(item: Object) -> int:
    wanted = (item.get("spec") or {}).get("replicas")
    return 1 if wanted is None else int(wanted)


def _scheduled(item: Object) -> int:
    return int((item.get("status") or {}).get("desiredNumberScheduled") or 0)


def _completions(item: Object) -> int:
    spec = item.get("spec") or {}
    return int(spec.get("completions") or spec.get("parallelism") or 1)


def _apps(resource: str, kind: str, ready: str, desired: Callable[[Object], int]) -> Kind:
    return Kind(resource, f"/apis/apps/v1/{resource}", "owners", _owner_row(kind, ready, desired))


KINDS: tuple[Kind, ...] = (
    Kind("nodes", "/api/v1/nodes", "nodes", node_row, essential=True),
    Kind("pods", "/api/v1/pods", "pods", pod_row, essential=True),
    _apps("deployments", "Deployment", "readyReplicas", _replicas),
    _apps("replicasets", "ReplicaSet", "readyReplicas", _replicas),
    _apps("statefulsets", "StatefulSet", "readyReplicas", _replicas),
    _apps("daemonsets", "DaemonSet", "numberReady", _scheduled),
    Kind("jobs", "/apis/batch/v1/jobs", "owners", _owner_row("Job", "succeeded", _completions)),
    Kind("services", "/api/v1/services", "services", service_row),
    Kind("events", "/api/v1/events", "warnings", warning_row, {"fieldSelector": "type=Warning"}),
)


def _node_readiness(status: Mapping[str, Any]) -> tuple[str, str]:
    for condition in status.get("conditions") or ():
        if condition.get("type") == "Ready":
            word = {"True": "Ready", "False": "NotReady"}.get(condition.get("status"), "Unknown")
            return word, "" if word == "Ready" else str(condition.get("message") or "")
    return "Unknown", ""


def _controller(meta: Mapping[str, Any]) -> str:
    for owner in meta.get("ownerReferences") or ():
        if owner.get("controller"):
            return str(owner["uid"])
    return ""


def _requests(spec: Mapping[str, Any]) -> tuple[int, int]:
    """Return requested milli-CPU and bytes over a pod's containers."""
    cpu = memory = 0
    for container in spec.get("containers") or ():
        requests = (container.get("resources") or {}).get("requests") or {}
        cpu += _milli(requests.get("cpu"))
        memory += _whole(requests.get("memory"))
    return cpu, memory


def _milli(text: Any) -> int:
    try:
        return quantity.parse(text).milli_value() if text else 0
    except quantity.QuantityError:
        return 0


def _whole(text: Any) -> int:
    try:
        return quantity.parse(text).value() if text else 0
    except quantity.QuantityError:
        return 0
