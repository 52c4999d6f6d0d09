"""Objects in sentences: pod("web").labels(app="x").image("nginx").on("n1").ready().

A builder is the object itself (a dict), so it goes wherever an object goes.
"""

from __future__ import annotations

from typing import Any

from apimachinery.meta import Obj, owner_reference

START = "2026-01-02T03:04:05Z"


class Built(dict[str, Any]):
    """An object with methods that change it in place and return it."""

    def meta(self, **fields: Any):
        self["metadata"].update(fields)
        return self

    def labels(self, **labels: str):
        self["metadata"].setdefault("labels", {}).update(labels)
        return self

    def annotations(self, annotations: dict[str, str]):
        self["metadata"].setdefault("annotations", {}).update(annotations)
        return self

    def finalizers(self, *names: str):
        return self.meta(finalizers=list(names))

    def owned_by(self, owner: Obj, **changes: Any):
        reference = {**owner_reference(owner), **changes}
        self["metadata"].setdefault("ownerReferences", []).append(reference)
        return self

    def spec(self, **fields: Any):
        self.setdefault("spec", {}).update(fields)
        return self

    def status(self, **fields: Any):
        self.setdefault("status", {}).update(fields)
        return self

    def condition(self, type_: str, status: str, **more: Any):
        conditions = self.setdefault("status", {}).setdefault("conditions", [])
        conditions[:] = [one for one in conditions if one["type"] != type_]
        conditions.append({"type": type_, "status": status, "lastTransitionTime": START, **more})
        return self


class PodBuilt(Built):
    """A pod."""

    def image(self, image: str, **more: Any):
        self["spec"]["containers"][0].update(image=image, **more)
        return self

    def requests(self, **resources: str):
        self["spec"]["containers"][0]["resources"] = {"requests": resources}
        return self

    def on(self, node: str):
        return self.spec(nodeName=node)

    def tolerates(self, **toleration: Any):
        self["spec"].setdefault("tolerations", []).append(toleration)
        return self

    def phase(self, phase: str):
        return self.status(phase=phase)

    def ip(self, address: str):
        return self.status(podIP=address, podIPs=[{"ip": address}])

    def ready(self, since: str = START):
        self.phase("Running")
        return self.condition("Ready", "True", lastTransitionTime=since)


class NodeBuilt(Built):
    """A node."""

    def cpu(self, amount: int | str):
        return self._resource("cpu", str(amount))

    def memory(self, amount: str):
        return self._resource("memory", amount)

    def pods(self, amount: int):
        return self._resource("pods", str(amount))

    def extended(self, name: str, amount: int):
        return self._resource(name, str(amount))

    def _resource(self, name: str, amount: str):
        for part in ("capacity", "allocatable"):
            self["status"].setdefault(part, {})[name] = amount
        return self

    def tainted(self, key: str, effect: str, value: str = ""):
        taint = {"key": key, "effect": effect} | ({"value": value} if value else {})
        self["spec"].setdefault("taints", []).append(taint)
        return self

    def ready(self, status: str = "True"):
        return self.condition("Ready", status)


def _metadata(name: str, namespace: str) -> Obj:
    return {"name": name} | ({"namespace": namespace} if namespace else {})


def obj(
    kind: str, name: str, namespace: str = "default", api_version: str = "v1", **parts: Any
) -> Built:
    return Built(apiVersion=api_version, kind=kind, metadata=_metadata(name, namespace), **parts)


def pod(name: str, namespace: str = "default") -> PodBuilt:
    return PodBuilt(
        apiVersion="v1",
        kind="Pod",
        metadata=_metadata(name, namespace),
        spec={"containers": [{"name": "c", "image": "busybox:1.36"}]},
        status={"phase": "Pending"},
    )


def node(name: str) -> NodeBuilt:
    built = NodeBuilt(
        apiVersion="v1",
        kind="Node",
        metadata={"name": name, "labels": {"kubernetes.io/hostname": name}},
        spec={},
        status={},
    )
    return built.cpu(4).memory("8Gi").pods(110).ready()


def template(**labels: str) -> Obj:
    return {
        "metadata": {"labels": labels or {"app": "x"}},
        "spec": {"containers": [{"name": "c", "image": "busybox:1.36"}]},
    }


def workload(kind: str, name: str, replicas: int | None, namespace: str = "default") -> Built:
    """Build an apps/v1 object that selects app=x."""
    spec: Obj = {"selector": {"matchLabels": {"app": "x"}}, "template": template()}
    if replicas is not None:
        spec["replicas"] = replicas
    return obj(kind, name, namespace, "apps/v1", spec=spec)


def replicaset(name: str, replicas: int = 1, namespace: str = "default") -> Built:
    return workload("ReplicaSet", name, replicas, namespace)


def deployment(name: str, replicas: int = 1, namespace: str = "default") -> Built:
    """Build a Deployment with the defaults that the API would fill in."""
    return workload("Deployment", name, replicas, namespace).spec(
        strategy={
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
        },
        revisionHistoryLimit=10,
        progressDeadlineSeconds=600,
    )


def service(name: str, namespace: str = "default", **selector: str) -> Built:
    ports = [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]
    spec: Obj = {
        "ports": ports,
        "type": "ClusterIP",
        "clusterIP": "10.96.0.10",
        "ipFamilies": ["IPv4"],
    }
    if selector:
        spec["selector"] = selector
    return obj("Service", name, namespace, spec=spec)


def namespace(name: str) -> Built:
    return obj(
        "Namespace",
        name,
        "",
        spec={"finalizers": ["kubernetes"]},
        status={"phase": "Active"},
    )
