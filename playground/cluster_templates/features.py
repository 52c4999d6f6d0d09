"""What one may switch on or off for a new cluster: addons that real clusters bring along."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apimachinery.attachments import SIMULATED_DRIVER
from apimachinery.meta import Obj
from nodes.controllers.servicelb import POOL_FIELD, POOL_NAME, POOL_NAMESPACE
from nodes.controllers.volumes.attacher import ACCOUNT
from playground.cluster_templates.metrics import metrics_objects


@dataclass(frozen=True, slots=True)
class Feature:
    """An addon."""

    name: str
    title: str | Promise
    purpose: str | Promise
    objects: Callable[[], list[Obj]]


def _driver() -> list[Obj]:
    """The driver of the class, and the account and the rights with which it attaches volumes."""
    group, name = "rbac.authorization.k8s.io", f"kubeground:{ACCOUNT}"
    attachments = ["volumeattachments", "volumeattachments/status"]
    rules = [{"apiGroups": ["storage.k8s.io"], "resources": attachments, "verbs": ["patch"]}]
    subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": "kube-system"}
    return [
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "CSIDriver",
            "metadata": {"name": SIMULATED_DRIVER},
            "spec": {"attachRequired": True},
        },
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": ACCOUNT, "namespace": "kube-system"},
        },
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": rules,
        },
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
            "subjects": [subject],
        },
    ]


def _storage() -> list[Obj]:
    return [
        *_driver(),
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
    ]


def _load_balancer() -> list[Obj]:
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": POOL_NAME, "namespace": POOL_NAMESPACE},
            "data": {POOL_FIELD: "172.18.255.1-172.18.255.250"},
        }
    ]


def _ingress() -> list[Obj]:
    return [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {
                "name": "kubeground",
                "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"},
            },
            "spec": {"controller": "kubeground.io/ingress"},
        }
    ]


FEATURES = (
    Feature(
        "metrics",
        _("Metrics"),
        _("kubectl top, and autoscalers that go by usage."),
        metrics_objects,
    ),
    Feature(
        "storage",
        _("Storage"),
        _("A default StorageClass, so that claims get volumes."),
        _storage,
    ),
    Feature(
        "loadbalancer",
        _("Load balancers"),
        _("Addresses for Services of type LoadBalancer."),
        _load_balancer,
    ),
    Feature("ingress", _("Ingress"), _("A default IngressClass."), _ingress),
)
ALL = tuple(feature.name for feature in FEATURES)


def objects_of(names: Iterable[str]) -> list[Obj]:
    """Return the objects of the features that are on."""
    wanted = set(names)
    return [obj for feature in FEATURES if feature.name in wanted for obj in feature.objects()]
