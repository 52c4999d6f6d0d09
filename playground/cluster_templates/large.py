"""A hundred nodes with 5,000 pods, there from the first moment: for pages, filters and patience.

Fifty Deployments with their ReplicaSets and pods are stored with the cluster, already bound to
nodes; kubelets take them as they find them. Made through the API the same takes a minute.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from apimachinery.meta import Obj
from apimachinery.workloads import template_hash
from playground.cluster_templates import making
from playground.cluster_templates.features import ALL
from playground.cluster_templates.template import Size, Template
from playground.machines import machine

NODES, APPS, PODS_OF_APP = 100, 50, 100
IMAGE = "registry.k8s.io/pause:3.10"
_TIERS = ("web", "api", "worker", "cache", "batch")
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def _seeds() -> Iterator[Obj]:
    # Names and uids need not be secret, and equal ones in two clusters meet nowhere.
    source = random.Random(1)  # noqa: S311
    node = 0
    for number in range(APPS):
        deployment, replicaset = _app(number, source)
        yield deployment
        yield replicaset
        for _each in range(PODS_OF_APP):
            yield _pod(replicaset, node, source)
            node = (node + 1) % NODES


def _app(number: int, source: random.Random) -> tuple[Obj, Obj]:
    tier = _TIERS[number % len(_TIERS)]
    labels = {"app": f"{tier}-{number // len(_TIERS) + 1}", "tier": tier}
    asks = making.requests("50m", "64Mi")
    deployment = making.deployment(
        labels["app"],
        image=IMAGE,
        replicas=PODS_OF_APP,
        labels=labels,
        container={**_DEFAULTS_OF_CONTAINER, **asks},
        spec=_DEFAULTS_OF_POD,
    )
    hashed = template_hash(deployment["spec"]["template"])
    deployment["metadata"] |= {
        "uid": _uid(source),
        "annotations": {"deployment.kubernetes.io/revision": "1"},
    }
    return deployment, _replicaset(deployment, hashed, source)


def _replicaset(deployment: Obj, hashed: str, source: random.Random) -> Obj:
    labels = {**deployment["metadata"]["labels"], "pod-template-hash": hashed}
    template = deployment["spec"]["template"]
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{deployment['metadata']['name']}-{hashed}",
            "namespace": "default",
            "uid": _uid(source),
            "labels": labels,
            "annotations": {
                "deployment.kubernetes.io/desired-replicas": str(PODS_OF_APP),
                "deployment.kubernetes.io/max-replicas": str(PODS_OF_APP * 5 // 4),
                "deployment.kubernetes.io/revision": "1",
            },
            "ownerReferences": [_owner(deployment)],
        },
        "spec": {
            "replicas": PODS_OF_APP,
            "selector": {"matchLabels": labels},
            "template": {**template, "metadata": {"labels": labels}},
        },
    }


def _pod(replicaset: Obj, node: int, source: random.Random) -> Obj:
    suffix = "".join(source.choices(_LETTERS, k=5))
    template = replicaset["spec"]["template"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{replicaset['metadata']['name']}-{suffix}",
            "generateName": f"{replicaset['metadata']['name']}-",
            "namespace": "default",
            "labels": replicaset["metadata"]["labels"],
            "ownerReferences": [_owner(replicaset)],
        },
        "spec": {**template["spec"], **_ADDED_BY_ADMISSION, "nodeName": machine(node).name},
        "status": {"phase": "Pending", "qosClass": "Burstable", "conditions": [_SCHEDULED]},
    }


def _owner(obj: Obj) -> Obj:
    metadata = obj["metadata"]
    return {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _uid(source: random.Random) -> str:
    return str(uuid.UUID(int=source.getrandbits(128), version=4))


# What defaulting would fill in: the hash of the template is that of its complete form.
_DEFAULTS_OF_CONTAINER = {
    "imagePullPolicy": "IfNotPresent",
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_DEFAULTS_OF_POD = {
    "automountServiceAccountToken": False,
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "securityContext": {},
    "terminationGracePeriodSeconds": 30,
}
_ADDED_BY_ADMISSION = {
    "serviceAccountName": "default",
    "serviceAccount": "default",
    "enableServiceLinks": True,
    "preemptionPolicy": "PreemptLowerPriority",
    "priority": 0,
    "tolerations": [
        {
            "key": f"node.kubernetes.io/{what}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": 300,
        }
        for what in ("not-ready", "unreachable")
    ],
}
_SCHEDULED = {"type": "PodScheduled", "status": "True", "lastProbeTime": None}

TEMPLATE = Template(
    name="large",
    title=_("100 nodes, 5,000 pods"),
    purpose=_("A cluster of real size: see how pages, lists and kubectl behave with 5,000 pods."),
    size=Size(nodes=NODES, fixed=True),
    seeds=_seeds,
    features=ALL,
)
