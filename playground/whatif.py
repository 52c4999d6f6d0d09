"""What the scheduler would do with a pod if it, or the nodes, were other than they are.

    {"pod": {"namespace": "default", "name": "web-1"},
     "patch": {"spec": {"containers": [{"name": "web", "resources": {"requests": {"cpu": "1"}}}]}},
     "nodes": [{"name": "node-1", "patch": {"spec": {"unschedulable": true}}},
               {"name": "node-9", "like": "node-1", "patch": {"metadata": {"labels": {"a": "b"}}}},
               {"name": "node-2", "remove": true}]}

`pod` names one that there is, or is a whole Pod with a `spec`. Patches are strategic merge patches,
as kubectl patch takes them. What comes of them is read, completed and validated as if it were
written, in the API's own words. Admission is not asked, but for the priority of a class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apimachinery.errors import BadRequest, Invalid, NotFound
from apimachinery.meta import Obj
from apimachinery.patch import strategic
from apimachinery.schema.decode import decode
from apimachinery.schema.table import types
from apimachinery.structural.pruning import copied
from apiserver.registry.core.nodes import NODES
from apiserver.registry.core.pods import PODS
from apiserver.registry.resource import Resource
from apiserver.storage import Key
from nodes.scheduler.attempt import Attempt
from nodes.scheduler.config.reading import DEFAULT_SCHEDULER
from playground.cluster import RunningCluster

# Nodes that may be other than they are.
MOST_NODES = 100
_FIELDS = {"pod", "patch", "nodes"}
_NODE_FIELDS = {"name", "like", "patch", "remove"}


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A question to the scheduler."""

    cluster: RunningCluster
    pod: Obj
    nodes: Mapping[str, Obj | None]

    @property
    def key(self) -> Key:
        """Return the pod that it is about."""
        meta = self.pod["metadata"]
        return Key("pods", meta["namespace"], meta["name"])

    @classmethod
    def read(cls, cluster: RunningCluster, body: Mapping[str, Any]) -> WhatIf:
        """Read a question. Raises BadRequest, NotFound, Invalid."""
        _require_fields(body, _FIELDS, "")
        changes = body.get("nodes", [])
        if not isinstance(changes, list) or len(changes) > MOST_NODES:
            raise BadRequest(f"nodes: must be a list of at most {MOST_NODES}")
        nodes: dict[str, Obj | None] = {}
        for at, change in enumerate(changes):
            path = f"nodes[{at}]."
            given = _object(change, path.rstrip("."))
            _require_fields(given, _NODE_FIELDS, path)
            name = _text(given.get("name"), f"{path}name")
            nodes[name] = _node(cluster, name, given, path)
        return cls(cluster, _pod(cluster, body), nodes)

    def run(self) -> Attempt:
        """Ask the scheduler. Raises BadRequest where the pod names one that there is not."""
        scheduler = self.cluster.scheduler
        name = self.pod["spec"].get("schedulerName") or DEFAULT_SCHEDULER
        if name not in {profile.name for profile in scheduler.profiles}:
            raise BadRequest(f"spec.schedulerName: there is no scheduler {name}")
        return scheduler.what_if(self.pod, self.nodes)


def _pod(cluster: RunningCluster, body: Mapping[str, Any]) -> Obj:
    given = _object(body.get("pod"), "pod")
    patch = _object(body.get("patch", {}), "patch")
    if "spec" in given:
        meta = {"namespace": "default", **_object(given.get("metadata", {}), "pod.metadata")}
        found: Obj = {**given, "metadata": meta}
        _text(meta.get("name"), "pod.metadata.name")
    else:
        _require_fields(given, {"namespace", "name"}, "pod.")
        namespace = _text(given.get("namespace", "default"), "pod.namespace")
        found = _stored(cluster, PODS, namespace, _text(given.get("name"), "pod.name"))
    if not found["metadata"].get("uid"):
        found["metadata"]["uid"] = "what-if"
    patched = _patched(PODS, found, patch)
    patched["metadata"] |= {k: found["metadata"][k] for k in ("namespace", "name", "uid")}
    spec = patched["spec"]
    if "spec" in given or "priorityClassName" in (patch.get("spec") or {}):
        _prioritize(cluster, spec)
    return _checked(cluster, PODS, patched)


def _prioritize(cluster: RunningCluster, spec: Obj) -> None:
    """Let the pod's class say its priority."""
    name = spec.get("priorityClassName")
    if not name:
        return
    found = cluster.api.objects.get("priorityclasses.scheduling.k8s.io", "", name)
    if found is None:
        raise BadRequest(f"no PriorityClass with name {name} was found")
    spec["priority"] = found.get("value") or 0
    spec["preemptionPolicy"] = found.get("preemptionPolicy") or "PreemptLowerPriority"


def _node(cluster: RunningCluster, name: str, change: Mapping[str, Any], path: str) -> Obj | None:
    like = _text(change.get("like", name), f"{path}like")
    found = _stored(cluster, NODES, "", like)
    if change.get("remove"):
        return None
    if like != name:
        labels = {**(found["metadata"].get("labels") or {}), "kubernetes.io/hostname": name}
        found["metadata"] = {"name": name, "uid": f"what-if-{name}", "labels": labels}
    patched = _patched(NODES, found, _object(change.get("patch", {}), f"{path}patch"))
    patched["metadata"]["name"] = name
    return _checked(cluster, NODES, patched)


def _stored(cluster: RunningCluster, rules: Resource, namespace: str, name: str) -> Obj:
    """Return an object that may be changed."""
    found = cluster.api.objects.get(rules.key, namespace, name)
    if found is None:
        raise NotFound(rules.group_resource, name)
    obj: Obj = copied(found)
    return obj


def _patched(rules: Resource, obj: Obj, patch: Obj) -> Obj:
    patched = strategic.apply(obj, patch, types().type_of(rules.kind)) if patch else obj
    return decode(patched, rules.kind, "Strict").obj


def _checked(cluster: RunningCluster, rules: Resource, obj: Obj) -> Obj:
    """Complete an object and refuse what the API would refuse. Raises Invalid."""
    rules.strategy.default(obj)
    namespace = obj["metadata"].get("namespace") or ""
    context = cluster.api.registry.context("kubeground", namespace, dry_run=True)
    errors = list(rules.strategy.validate(obj, context))
    if errors:
        raise Invalid(rules.kind.group_kind, obj["metadata"]["name"], errors)
    return obj


def _object(given: Any, path: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise BadRequest(f"{path}: must be an object")
    return given


def _text(given: Any, path: str) -> str:
    if not isinstance(given, str) or not given or len(given) > 253:
        raise BadRequest(f"{path}: must be a name")
    return given


def _require_fields(given: Mapping[str, Any], known: set[str], path: str) -> None:
    if unknown := sorted(set(given) - known):
        raise BadRequest(f"{path}{unknown[0][:80]}: there is no such field")
