"""A shop whose pods do not all find a node, each for a reason of its own."""

from __future__ import annotations

from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from apimachinery.meta import Obj
from nodes.kubelet.node import Machine
from playground.cluster_templates import making
from playground.cluster_templates.features import ADDONS
from playground.cluster_templates.template import Size, Template
from playground.machines import machine

_SHOP, _NIGHT = "shop", "night"


def _machine(number: int) -> Machine:
    labels = {"disktype": "nvme"} if number < 2 else {"disktype": "hdd"}
    return replace(machine(number), labels=labels)


def _objects() -> list[Obj]:
    return [
        making.namespace(_SHOP),
        making.namespace(_NIGHT),
        *_well(),
        *_too_large(),
        *_nowhere(),
        *_apart(),
        *_without_volume(),
        *_unclaimed(),
        *_over_quota(),
    ]


def _well() -> list[Obj]:
    asks = making.requests("100m", "64Mi")
    front = making.deployment(
        "front", image="nginx", replicas=3, port=80, space=_SHOP, container=asks
    )
    return [front, making.service("front", port=80, space=_SHOP)]


def _too_large() -> list[Obj]:
    # A node has 4 CPUs.
    asks = making.requests("4500m", "256Mi")
    return [making.deployment("checkout", image="httpd", replicas=2, space=_SHOP, container=asks)]


def _nowhere() -> list[Obj]:
    # Nodes are labelled nvme and hdd.
    wanted = {"nodeSelector": {"disktype": "ssd"}}
    return [making.deployment("search", image="redis", replicas=2, space=_SHOP, spec=wanted)]


def _apart() -> list[Obj]:
    # One more than there are nodes.
    term = {
        "labelSelector": {"matchLabels": {"app": "cart"}},
        "topologyKey": "kubernetes.io/hostname",
    }
    apart = {
        "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    }
    return [making.deployment("cart", image="redis", replicas=4, space=_SHOP, spec=apart)]


def _without_volume() -> list[Obj]:
    claim: Obj = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "orders", "namespace": _SHOP},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "fast",
            "resources": {"requests": {"storage": "5Gi"}},
        },
    }
    disk = {"name": "data", "persistentVolumeClaim": {"claimName": "orders"}}
    return [
        claim,
        making.deployment(
            "orders",
            image="postgres",
            space=_SHOP,
            container={
                "env": [{"name": "POSTGRES_PASSWORD", "value": "example"}],
                "volumeMounts": [{"name": "data", "mountPath": "/var/lib/postgresql/data"}],
            },
            spec={"volumes": [disk]},
        ),
    ]


def _unclaimed() -> list[Obj]:
    # A scheduler that nobody runs: not even an event is written.
    other = {"schedulerName": "gpu-scheduler"}
    return [making.deployment("recommend", image="python", space=_SHOP, spec=other)]


def _over_quota() -> list[Obj]:
    # Room for two of four: the others are never created. A quota that nobody has counted yet lets
    # everything pass, so it is counted from the start.
    hard = {"requests.cpu": "1", "pods": "10"}
    return [
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "night", "namespace": _NIGHT},
            "spec": {"hard": hard},
            "status": {"hard": hard, "used": dict.fromkeys(hard, "0")},
        },
        making.deployment(
            "reports",
            image="busybox",
            replicas=4,
            space=_NIGHT,
            container={"command": ["sleep", "86400"], **making.requests("500m", "64Mi")},
        ),
    ]


TEMPLATE = Template(
    name="broken-scheduling",
    title=_("Broken: scheduling"),
    purpose=_("A shop some of whose pods never run. Find out why, one by one, and repair them."),
    size=Size(nodes=3, fixed=True),
    objects=_objects,
    features=ADDONS,
    machine=_machine,
)
