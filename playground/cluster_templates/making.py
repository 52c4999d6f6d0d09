"""Objects that templates are made of, in short."""

from __future__ import annotations

from typing import Any

from apimachinery.meta import Obj


def namespace(name: str) -> Obj:
    """Return a Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def deployment(
    name: str,
    *,
    image: str,
    replicas: int = 1,
    port: int = 0,
    space: str = "default",
    container: dict[str, Any] | None = None,
    spec: dict[str, Any] | None = None,
    labels: dict[str, str] | None = None,
) -> Obj:
    """Return a Deployment of pods with one container, labelled app=NAME unless `labels` says."""
    labels = labels or {"app": name}
    made: Obj = {"name": name, "image": image, **(container or {})}
    if port:
        made["ports"] = [{"containerPort": port}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": space, "labels": dict(labels)},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": dict(labels)},
            "template": {
                "metadata": {"labels": dict(labels)},
                "spec": {"containers": [made], **(spec or {})},
            },
        },
    }


def service(
    name: str,
    *,
    port: int,
    space: str = "default",
    selector: dict[str, str] | None = None,
    target: int = 0,
) -> Obj:
    """Return a Service."""
    made: Obj = {"port": port, "protocol": "TCP", "targetPort": target or port}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": space},
        "spec": {"selector": selector or {"app": name}, "ports": [made]},
    }


def requests(cpu: str, memory: str) -> dict[str, Any]:
    """Return the part of a container that asks for resources."""
    return {"resources": {"requests": {"cpu": cpu, "memory": memory}}}
