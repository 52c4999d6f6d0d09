"""What a new cluster starts with, by template.

`bare` holds only what Kubernetes itself makes. `default` adds what a learner expects to find:
a default StorageClass, an IngressClass, and metrics for `kubectl top`.
"""

from __future__ import annotations

from collections.abc import Callable

from apimachinery.meta import Obj
from nodes.controllers.manager import CONTROLLERS
from playground.metrics import metrics_objects


def _bare() -> list[Obj]:
    return []


def _default() -> list[Obj]:
    return [
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": "standard",
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            "provisioner": "kubeground.io/simulated",
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "WaitForFirstConsumer",
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {
                "name": "kubeground",
                "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"},
            },
            "spec": {"controller": "kubeground.io/ingress"},
        },
        *metrics_objects(),
    ]


TEMPLATES: dict[str, Callable[[], list[Obj]]] = {"default": _default, "bare": _bare}

# What kube-controller-manager does not do unless it is told to: --allocate-node-cidrs. The machines
# of a cluster bring their own ranges of pod addresses; this is about Nodes that users make.
_LEFT_OUT = {"bare": ("node-ipam-controller",)}


def controllers_of(template: str) -> list[str]:
    """Return the controllers that run in clusters of a template."""
    return [name for name in CONTROLLERS if name not in _LEFT_OUT.get(template, ())]
