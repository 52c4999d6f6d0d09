"""The static pods of a control plane, as kubeadm writes them; flags say what is so here.

They have no probes: what they would ask is answered in the same process, and nothing ticks for an
idle cluster.
"""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.meta import Obj
from nodes.kubelet.node import VERSION, node_object
from playground.machines import API_ADDRESS, API_NODE, control_plane

APISERVER, MANAGER = "kube-apiserver", "kube-controller-manager"
SCHEDULER, ETCD = "kube-scheduler", "etcd"
ETCD_VERSION = "3.6.8-0"
# What such a Node says of itself: its pods are made where it stands.
MARK = "kubeground.io/runs-control-plane"
ROLE = "node-role.kubernetes.io/control-plane"
# How much the components say (klog's -v): with 3 the manager logs its events too.
VERBOSITY = {MANAGER: 3, SCHEDULER: 2, APISERVER: 2}
SECURE_PORTS = {APISERVER: 6443, MANAGER: 10257, SCHEDULER: 10259, ETCD: 2379}
# Without TLS and without a question who asks, on the node's loopback alone.
PLAIN_PORTS = {MANAGER: 10252, SCHEDULER: 10251, ETCD: 2381}

_NO_BALANCER = "node.kubernetes.io/exclude-from-external-load-balancers"
_PKI, _CONF = "/etc/kubernetes/pki", "/etc/kubernetes"


def node(now: str) -> Obj:
    """Return the Node of a control plane as its kubelet and its administrator make it.

    A kubelet may not give itself the label of a role.
    """
    made = node_object(control_plane(), now)
    made["metadata"]["labels"] |= {ROLE: "", _NO_BALANCER: ""}
    made["metadata"]["annotations"][MARK] = "true"
    made["spec"]["taints"] = [{"key": ROLE, "effect": "NoSchedule"}]
    return made


def manifests(controllers: Sequence[str], service_ranges: Sequence[str]) -> list[Obj]:
    """Return the pods of /etc/kubernetes/manifests."""
    ranges = ",".join(service_ranges)
    return [
        _pod(ETCD, f"registry.k8s.io/etcd:{ETCD_VERSION}", _etcd(), "100m", "100Mi"),
        _pod(APISERVER, _image(APISERVER), _apiserver(ranges), "250m"),
        _pod(MANAGER, _image(MANAGER), _manager(controllers, ranges), "200m"),
        _pod(SCHEDULER, _image(SCHEDULER), _scheduler(), "100m"),
    ]


def images() -> list[str]:
    """Return the images that such a node has from the start."""
    return [f"registry.k8s.io/{ETCD}:{ETCD_VERSION}", *map(_image, VERBOSITY)]


def _image(component: str) -> str:
    return f"registry.k8s.io/{component}:{VERSION}"


def _etcd() -> list[str]:
    return [
        f"--advertise-client-urls=https://{API_ADDRESS}:2379",
        "--data-dir=/var/lib/etcd",
        "--listen-client-urls=https://127.0.0.1:2379",
        "--listen-metrics-urls=http://127.0.0.1:2381",
        f"--name={API_NODE}",
    ]


def _apiserver(ranges: str) -> list[str]:
    return [
        f"--advertise-address={API_ADDRESS}",
        "--allow-privileged=true",
        f"--client-ca-file={_PKI}/ca.crt",
        "--enable-bootstrap-token-auth=true",
        "--etcd-servers=https://127.0.0.1:2379",
        "--secure-port=6443",
        f"--service-account-key-file={_PKI}/sa.pub",
        f"--service-cluster-ip-range={ranges}",
        f"--v={VERBOSITY[APISERVER]}",
    ]


def _manager(controllers: Sequence[str], ranges: str) -> list[str]:
    config = f"{_CONF}/controller-manager.conf"
    return [
        "--allocate-node-cidrs=true",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        f"--client-ca-file={_PKI}/ca.crt",
        "--cluster-cidr=10.244.0.0/14",
        f"--controllers={','.join(controllers)}",
        f"--kubeconfig={config}",
        "--leader-elect=true",
        f"--root-ca-file={_PKI}/ca.crt",
        f"--service-account-private-key-file={_PKI}/sa.key",
        f"--service-cluster-ip-range={ranges}",
        "--use-service-account-credentials=true",
        f"--v={VERBOSITY[MANAGER]}",
    ]


def _scheduler() -> list[str]:
    config = f"{_CONF}/scheduler.conf"
    return [
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        f"--kubeconfig={config}",
        "--leader-elect=true",
        f"--v={VERBOSITY[SCHEDULER]}",
    ]


def _pod(name: str, image: str, flags: list[str], cpu: str, memory: str = "") -> Obj:
    asks = {"cpu": cpu} | ({"memory": memory} if memory else {})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "kube-system",
            "labels": {"component": name, "tier": "control-plane"},
        },
        "spec": {
            "containers": [
                {
                    "name": name,
                    "image": image,
                    "command": [name, *flags],
                    "imagePullPolicy": "IfNotPresent",
                    "ports": _ports(name),
                    "resources": {"requests": asks},
                }
            ],
            "hostNetwork": True,
            "priority": 2000001000,
            "priorityClassName": "system-node-critical",
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        },
    }


def _ports(name: str) -> list[Obj]:
    port = SECURE_PORTS[name]
    return [{"name": "secure-port", "containerPort": port, "hostPort": port, "protocol": "TCP"}]
