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
from apimachinery.services import leads_somewhere
from playground.topology import podstatus

Object = Mapping[str, Any]
Row = list[Any]

ZONE = "topology.kubernetes.io/zone"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
ROLE = "node-role.kubernetes.io/"
GATEWAY_API = "/apis/gateway.networking.k8s.io/v1"


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
    "claims",
]
OWNER = ["uid", "kind", "ns", "name", "owner", "ready", "desired", "created", "labels"]
SERVICE = ["uid", "ns", "name", "type", "ip", "selector", "labels", "ports"]
WARNING = ["uid", "kind", "ns", "name", "of", "reason", "message", "count", "at"]
# Of an EndpointSlice: whose it is, and of its endpoints how many are what.
SLICE = ["uid", "ns", "name", "service", "ready", "serving", "terminating", "endpoints", "ports"]
# routes: [host, path, service] each.
INGRESS = ["uid", "ns", "name", "class", "routes", "addresses"]
# The Gateway API's. gateways: "namespace/name" of each; routes: [host, path, namespace/service].
# why: what its controller complains of.
GATEWAY = ["uid", "ns", "name", "class", "listeners", "addresses", "why"]
ROUTE = ["uid", "ns", "name", "gateways", "routes", "why"]
CLAIM = ["uid", "ns", "name", "phase", "class", "volume", "size"]
VOLUME = ["uid", "name", "phase", "class", "size", "reclaim"]
CLASS = ["uid", "name", "provisioner", "default", "binding"]
COLUMNS: dict[str, list[str]] = {
    "nodes": NODE,
    "pods": POD,
    "owners": OWNER,
    "services": SERVICE,
    "warnings": WARNING,
    "slices": SLICE,
    "ingresses": INGRESS,
    "gateways": GATEWAY,
    "routes": ROUTE,
    "claims": CLAIM,
    "volumes": VOLUME,
    "classes": CLASS,
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
        _claims(pod),
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
        [_port(port) for port in spec.get("ports") or ()],
    ]


def slice_row(part: Object) -> Row:
    """Return an EndpointSlice: how many of its endpoints are ready, serve, or are about to go."""
    meta = part["metadata"]
    conditions = [point.get("conditions") or {} for point in part.get("endpoints") or ()]
    # A condition that is not said is true, but for terminating.
    leads = leads_somewhere(part)
    ready = sum(one.get("ready") is not False for one in conditions) if leads else 0
    serving = sum(one.get("serving") is not False for one in conditions) if leads else 0
    return [
        meta["uid"],
        meta["namespace"],
        meta["name"],
        (meta.get("labels") or {}).get("kubernetes.io/service-name", ""),
        ready,
        serving,
        sum(bool(one.get("terminating")) for one in conditions),
        len(conditions),
        [str(port.get("port") or "") for port in part.get("ports") or ()],
    ]


def ingress_row(ingress: Object) -> Row:
    """Return an Ingress with the Services that its rules lead to."""
    meta, spec, status = ingress["metadata"], ingress.get("spec") or {}, ingress.get("status") or {}
    routes = [
        [rule.get("host", ""), path.get("path", "/"), _backend(path.get("backend"))]
        for rule in spec.get("rules") or ()
        for path in (rule.get("http") or {}).get("paths") or ()
    ]
    if spec.get("defaultBackend"):
        routes.append(["", "*", _backend(spec["defaultBackend"])])
    addresses = [
        str(one.get("ip") or one.get("hostname") or "")
        for one in (status.get("loadBalancer") or {}).get("ingress") or ()
    ]
    name = spec.get("ingressClassName", "")
    return [meta["uid"], meta["namespace"], meta["name"], name, routes, addresses]


def gateway_row(gateway: Object) -> Row:
    """Return a Gateway: what it listens to, and where."""
    meta, spec, status = gateway["metadata"], gateway.get("spec") or {}, gateway.get("status") or {}
    return [
        meta["uid"],
        meta["namespace"],
        meta["name"],
        spec.get("gatewayClassName", ""),
        [f"{one.get('port', '')}/{one.get('protocol', '')}" for one in spec.get("listeners") or ()],
        [str(one.get("value") or "") for one in status.get("addresses") or ()],
        _complaint(status.get("conditions")),
    ]


def route_row(route: Object) -> Row:
    """Return an HTTPRoute with its Gateways and the Services that its rules lead to."""
    meta, spec, status = route["metadata"], route.get("spec") or {}, route.get("status") or {}
    here = meta["namespace"]
    gateways = [
        f"{one.get('namespace') or here}/{one.get('name', '')}"
        for one in spec.get("parentRefs") or ()
        if one.get("kind", "Gateway") == "Gateway"
    ]
    routes = [
        [host, path, to]
        for rule in spec.get("rules") or ()
        for to in _services(rule.get("backendRefs"), here)
        for path in _paths(rule.get("matches"))
        for host in spec.get("hostnames") or [""]
    ]
    said = [_complaint(one.get("conditions")) for one in status.get("parents") or ()]
    return [meta["uid"], here, meta["name"], gateways, routes, next(filter(None, said), "")]


def claim_row(claim: Object) -> Row:
    """Return a PersistentVolumeClaim."""
    meta, spec, status = claim["metadata"], claim.get("spec") or {}, claim.get("status") or {}
    wanted = ((spec.get("resources") or {}).get("requests") or {}).get("storage", "")
    return [
        meta["uid"],
        meta["namespace"],
        meta["name"],
        status.get("phase", ""),
        spec.get("storageClassName", ""),
        spec.get("volumeName", ""),
        (status.get("capacity") or {}).get("storage", wanted),
    ]


def volume_row(volume: Object) -> Row:
    """Return a PersistentVolume."""
    meta, spec = volume["metadata"], volume.get("spec") or {}
    return [
        meta["uid"],
        meta["name"],
        (volume.get("status") or {}).get("phase", ""),
        spec.get("storageClassName", ""),
        (spec.get("capacity") or {}).get("storage", ""),
        spec.get("persistentVolumeReclaimPolicy", ""),
    ]


def class_row(item: Object) -> Row:
    """Return a StorageClass."""
    meta = item["metadata"]
    return [
        meta["uid"],
        meta["name"],
        item.get("provisioner", ""),
        (meta.get("annotations") or {}).get(DEFAULT_CLASS) == "true",
        item.get("volumeBindingMode", ""),
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


def _cronjob_row(item: Object) -> Row:
    """Return a CronJob; it wants no pods of its own, its Jobs do."""
    active = len((item.get("status") or {}).get("active") or ())
    meta = item["metadata"]
    return [
        meta["uid"],
        "CronJob",
        meta["namespace"],
        meta["name"],
        "",
        active,
        0,
        meta.get("creationTimestamp", ""),
        meta.get("labels") or {},
    ]


def _apps(resource: str, kind: str, ready: str, desired: Callable[[Object], int]) -> Kind:
    return Kind(resource, f"/apis/apps/v1/{resource}", "owners", _owner_row(kind, ready, desired))


KINDS: tuple[Kind, ...] = (
    Kind("nodes", "/api/v1/nodes", "nodes", node_row, essential=True),
    Kind("pods", "/api/v1/pods", "pods", pod_row, essential=True),
    _apps("deployments", "Deployment", "readyReplicas", _replicas),
    _apps("replicasets", "ReplicaSet", "readyReplicas", _replicas),
    _apps("statefulsets", "StatefulSet", "readyReplicas", _replicas),
    _apps("daemonsets", "DaemonSet", "numberReady", _scheduled),
    Kind("cronjobs", "/apis/batch/v1/cronjobs", "owners", _cronjob_row),
    Kind("jobs", "/apis/batch/v1/jobs", "owners", _owner_row("Job", "succeeded", _completions)),
    Kind("services", "/api/v1/services", "services", service_row),
    Kind(
        "endpointslices",
        "/apis/discovery.k8s.io/v1/endpointslices",
        "slices",
        slice_row,
    ),
    Kind("ingresses", "/apis/networking.k8s.io/v1/ingresses", "ingresses", ingress_row),
    # Where they are installed: the lens is complete without them.
    Kind("gateways", f"{GATEWAY_API}/gateways", "gateways", gateway_row),
    Kind("httproutes", f"{GATEWAY_API}/httproutes", "routes", route_row),
    Kind("persistentvolumeclaims", "/api/v1/persistentvolumeclaims", "claims", claim_row),
    Kind("persistentvolumes", "/api/v1/persistentvolumes", "volumes", volume_row),
    Kind("storageclasses", "/apis/storage.k8s.io/v1/storageclasses", "classes", class_row),
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


def _port(port: Mapping[str, Any]) -> str:
    """Return a Service's port as kubectl prints it: "80/TCP", "80:30080/TCP"."""
    node = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port.get('port', '')}{node}/{port.get('protocol', 'TCP')}"


def _backend(backend: Mapping[str, Any] | None) -> str:
    return str(((backend or {}).get("service") or {}).get("name") or "")


def _services(backends: Any, here: str) -> list[str]:
    """Return the Services among the backends of a route's rule, each once."""
    found = [
        f"{one.get('namespace') or here}/{one.get('name', '')}"
        for one in backends or ()
        if one.get("kind", "Service") == "Service"
    ]
    return list(dict.fromkeys(found))


def _paths(matches: Any) -> list[str]:
    """Return the paths of a route's rule; without any it is about all."""
    found = [str((one.get("path") or {}).get("value") or "/") for one in matches or ()]
    return list(dict.fromkeys(found)) or ["/"]


def _complaint(conditions: Any) -> str:
    """Return the message of the first condition that does not hold."""
    wrong = (one for one in conditions or () if one.get("status") == "False")
    return next((str(one.get("message") or one.get("reason") or "") for one in wrong), "")


def _claims(pod: Object) -> list[str]:
    """Return the claims that a pod's volumes name, those that are made for it alone included."""
    found = []
    for volume in (pod.get("spec") or {}).get("volumes") or ():
        if claim := volume.get("persistentVolumeClaim"):
            found.append(str(claim.get("claimName") or ""))
        elif "ephemeral" in volume:
            found.append(f"{pod['metadata']['name']}-{volume.get('name', '')}")
    return found


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
