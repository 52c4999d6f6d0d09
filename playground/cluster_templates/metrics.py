"""What a cluster with metrics starts with: the registration of metrics.k8s.io, and who may read it.

`playground.metrics` answers for the group. The site, which offers templates, has no need of that.
"""

from __future__ import annotations

from apimachinery.gvk import GroupVersion
from apimachinery.meta import Obj

GROUP = GroupVersion("metrics.k8s.io", "v1beta1")


def metrics_objects() -> list[Obj]:
    """Return what a cluster with metrics has: the registration, and who may read."""
    labels = {"k8s-app": "metrics-server"}
    roles = ("admin", "edit", "view")
    aggregate = {f"rbac.authorization.k8s.io/aggregate-to-{role}": "true" for role in roles}
    return [
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": f"{GROUP.version}.{GROUP.group}", "labels": labels},
            "spec": {
                "group": GROUP.group,
                "version": GROUP.version,
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
            },
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {
                "name": "system:aggregated-metrics-reader",
                "labels": {**labels, **aggregate},
            },
            "rules": [
                {
                    "apiGroups": [GROUP.group],
                    "resources": ["pods", "nodes"],
                    "verbs": ["get", "list", "watch"],
                }
            ],
        },
    ]
