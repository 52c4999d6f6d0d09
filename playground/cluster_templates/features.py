"""What one may switch on or off for a new cluster: addons that real clusters bring along."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apimachinery.attachments import SIMULATED_DRIVER
from apimachinery.meta import Obj
from nodes.controllers import ingress
from nodes.controllers.common.balanceraddresses import POOL_FIELD, POOL_NAME, POOL_NAMESPACE
from nodes.controllers.gateway import controller as gateway
from nodes.controllers.volumes import attacher
from playground.cluster_templates.metrics import metrics_objects


@dataclass(frozen=True, slots=True)
class Feature:
    """An addon."""

    name: str
    title: str | Promise
    purpose: str | Promise
    objects: Callable[[], list[Obj]]


def _account(name: str, group: str, *resources: str) -> list[Obj]:
    """Return the account of an addon that changes the status of what its users make."""
    api, role = "rbac.authorization.k8s.io", f"kubeground:{name}"
    rules = [
        {"apiGroups": [group], "resources": list(resources), "verbs": ["patch"]},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
    ]
    subject = {"kind": "ServiceAccount", "name": name, "namespace": "kube-system"}
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": name, "namespace": "kube-system"},
        },
        {
            "apiVersion": f"{api}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": role},
            "rules": rules,
        },
        {
            "apiVersion": f"{api}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": role},
            "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": role},
            "subjects": [subject],
        },
    ]


def _driver() -> list[Obj]:
    """Return the driver of the class, and the account with which it attaches volumes."""
    attachments = ("volumeattachments", "volumeattachments/status")
    return [
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "CSIDriver",
            "metadata": {"name": SIMULATED_DRIVER},
            "spec": {"attachRequired": True},
        },
        *_account(attacher.ACCOUNT, "storage.k8s.io", *attachments),
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
            "spec": {"controller": ingress.CONTROLLER},
        },
        *_account(ingress.ACCOUNT, "networking.k8s.io", "ingresses/status"),
        *_account(gateway.ACCOUNT, gateway.GROUP, *gateway.STATUSES),
    ]


CONTROL_PLANE = "control-plane"

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
    Feature(
        CONTROL_PLANE,
        _("Control plane"),
        _("A node of its own for etcd, API server, controllers and scheduler, with their logs."),
        # They are stored as they run: `playground.controlplane.seeds`.
        list,
    ),
)
ALL = tuple(feature.name for feature in FEATURES)
# For templates whose nodes are the point: none is beside those that they speak of.
ADDONS = tuple(name for name in ALL if name != CONTROL_PLANE)


def objects_of(names: Iterable[str]) -> list[Obj]:
    """Return the objects of the features that are on."""
    wanted = set(names)
    return [obj for feature in FEATURES if feature.name in wanted for obj in feature.objects()]
