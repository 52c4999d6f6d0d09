"""A node as its kubelet describes it: what it has, where it is, how it does."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field

from apimachinery.meta import Obj
from apimachinery.restarts import RESTART_ALL_FEATURE

VERSION = "v1.36.2"


@dataclass(frozen=True, slots=True)
class Machine:
    """The simulated hardware and software of a node."""

    name: str
    address: str
    pod_cidr: str = ""
    cpu: str = "4"
    memory: str = "8Gi"
    ephemeral_storage: str = "50Gi"
    pods: int = 110
    zone: str = ""
    region: str = ""
    # How often it has been started; each start has a boot id of its own.
    boots: int = 1
    labels: dict[str, str] = field(default_factory=dict)

    def identity(self, what: str) -> str:
        """Return an id that is the same at each start: machine, system and boot have their own."""
        text = f"{what}/{self.name}"
        if what == "boot" and self.boots > 1:
            text += f"/{self.boots}"
        return str(uuid.UUID(hashlib.md5(text.encode()).hexdigest()))  # noqa: S324


def node_object(machine: Machine, now: str) -> Obj:
    """Return the Node that a kubelet registers."""
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": machine.name,
        "kubernetes.io/os": "linux",
    } | machine.labels
    if machine.zone:
        labels["topology.kubernetes.io/zone"] = machine.zone
    if machine.region:
        labels["topology.kubernetes.io/region"] = machine.region
    spec = {"podCIDR": machine.pod_cidr, "podCIDRs": [machine.pod_cidr]} if machine.pod_cidr else {}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": machine.name,
            "labels": labels,
            "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
        },
        "spec": spec,
        "status": node_status(machine, now),
    }


def node_status(machine: Machine, now: str) -> Obj:
    """Return the whole status of a node that is well."""
    resources = {
        "cpu": machine.cpu,
        "ephemeral-storage": machine.ephemeral_storage,
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "memory": machine.memory,
        "pods": str(machine.pods),
    }
    return {
        "capacity": resources,
        "allocatable": dict(resources),
        "declaredFeatures": [RESTART_ALL_FEATURE],
        "conditions": conditions(now),
        "addresses": [
            {"type": "InternalIP", "address": machine.address},
            {"type": "Hostname", "address": machine.name},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "machineID": machine.identity("machine").replace("-", ""),
            "systemUUID": machine.identity("system"),
            "bootID": machine.identity("boot"),
            "kernelVersion": "6.1.0-28-amd64",
            "osImage": "Debian GNU/Linux 12 (bookworm)",
            "containerRuntimeVersion": "containerd://2.1.4",
            "kubeletVersion": VERSION,
            "kubeProxyVersion": "",
            "operatingSystem": "linux",
            "architecture": "amd64",
        },
    }


_WELL = (
    ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)


def conditions(now: str) -> list[Obj]:
    """Return the four conditions of a kubelet that is well."""
    found = [
        {
            "type": name,
            "status": "False",
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
            "reason": reason,
            "message": message,
        }
        for name, reason, message in _WELL
    ]
    found.append(
        {
            "type": "Ready",
            "status": "True",
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
            "reason": "KubeletReady",
            "message": "kubelet is posting ready status",
        }
    )
    return found
