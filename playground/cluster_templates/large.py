"""A hundred nodes with 5,000 pods, there from the first moment: for pages, filters and patience.

Fifty Deployments with their ReplicaSets and pods are stored with the cluster, already running:
kubelets find them so, as after a restart. Made through the API the same takes a minute.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from apimachinery.meta import Obj
from apimachinery.workloads import template_hash
from playground.cluster_templates import making
from playground.cluster_templates.features import ADDONS
from playground.cluster_templates.template import Size, Template
from playground.machines import machine

NODES, APPS, PODS_OF_APP = 100, 50, 100
IMAGE = "registry.k8s.io/pause:3.10"
_TIERS = ("web", "api", "worker", "cache", "batch")
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def _seeds(now: str) -> Iterator[Obj]:
    # Names and uids need not be secret, and equal ones in two clusters meet nowhere.
    source = random.Random(1)  # noqa: S311
    node = 0
    for number in range(APPS):
        deployment, replicaset = _app(number, source, now)
        yield deployment
        yield replicaset
        for _each in range(PODS_OF_APP):
            yield _pod(replicaset, node, source, now)
            node += 1


def _app(number: int, source: random.Random, now: str) -> tuple[Obj, Obj]:
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
    replicaset = _replicaset(deployment, hashed, source)
    deployment["status"] = {
        "observedGeneration": 1,
        **_REPLICAS,
        "updatedReplicas": PODS_OF_APP,
        "conditions": _conditions(replicaset["metadata"]["name"], now),
    }
    return deployment, replicaset


def _conditions(replicaset: str, now: str) -> list[Obj]:
    minimum = "Deployment has minimum availability."
    done = f'ReplicaSet "{replicaset}" has successfully progressed.'
    return [
        {
            "type": name,
            "status": "True",
            "lastUpdateTime": now,
            "lastTransitionTime": now,
            "reason": reason,
            "message": message,
        }
        for name, reason, message in (
            ("Available", "MinimumReplicasAvailable", minimum),
            ("Progressing", "NewReplicaSetAvailable", done),
        )
    ]


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
        "status": {"observedGeneration": 1, **_REPLICAS, "fullyLabeledReplicas": PODS_OF_APP},
    }


def _pod(replicaset: Obj, number: int, source: random.Random, now: str) -> Obj:
    """Return a pod that runs, on the node whose turn it is."""
    # Who makes a cluster needs all of this; the site, which offers templates, none of it.
    from playground.cluster_templates.running import running_status  # noqa: PLC0415

    suffix = "".join(source.choices(_LETTERS, k=5))
    template = replicaset["spec"]["template"]
    round_, node = divmod(number, NODES)
    where = machine(node)
    pod: Obj = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{replicaset['metadata']['name']}-{suffix}",
            "generateName": f"{replicaset['metadata']['name']}-",
            "namespace": "default",
            "labels": replicaset["metadata"]["labels"],
            "ownerReferences": [_owner(replicaset)],
        },
        "spec": {**template["spec"], **_ADDED_BY_ADMISSION, "nodeName": where.name},
        "status": {"qosClass": "Burstable"},
    }
    address = _address(where.pod_cidr, round_)
    pod["status"] |= running_status(pod, where.address, address, now, source)
    return pod


def _address(pod_cidr: str, number: int) -> str:
    """Return the address that the node's first, second... pod gets."""
    return f"{pod_cidr.rpartition('.')[0]}.{number + 2}"


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
_REPLICAS = {
    "replicas": PODS_OF_APP,
    "readyReplicas": PODS_OF_APP,
    "availableReplicas": PODS_OF_APP,
}

TEMPLATE = Template(
    name="large",
    title=_("100 nodes, 5,000 pods"),
    purpose=_("A cluster of real size: see how pages, lists and kubectl behave with 5,000 pods."),
    size=Size(nodes=NODES, fixed=True),
    seeds=_seeds,
    features=ADDONS,
)
