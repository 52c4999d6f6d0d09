"""The Node authorizer: what a node may do is decided by what runs on it.

A node reads the secrets, configmaps, claims and volumes that pods bound to it refer to, makes
tokens for those pods' service accounts, and writes its own Node, Lease, CSINode and status. The
rest of what nodes may do is the rules of the role `system:node`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from apimachinery.meta import Obj
from apiserver.auth.attributes import Attributes, Decision
from apiserver.auth.bootstrap.policy import node_rules
from apiserver.auth.impersonation import NODES, node_name
from apiserver.auth.rules import compile_rules
from apiserver.auth.source import Objects
from apiserver.auth.user import User
from apiserver.storage.types import Key

BY = "Node"
ALLOW = Decision(True, "", BY)
_READS = {"get", "list", "watch"}
_UNRELATED = "no relationship found between node '{node}' and this object"


def node_of(user: User) -> str:
    """Return the node that the user is, "" if it is none."""
    return node_name(user.name) if NODES in user.groups else ""


class NodeAuthorizer:
    """Decides for members of system:nodes that are named after a node."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._rules = compile_rules(node_rules())
        self._checks: dict[tuple[str, str], Callable[[str, Attributes], str]] = {
            ("", "secrets"): self._read_named,
            ("", "configmaps"): self._read_named,
            ("", "persistentvolumeclaims"): self._claim,
            ("", "persistentvolumes"): self._get_related,
            ("resource.k8s.io", "resourceclaims"): self._get_related,
            ("storage.k8s.io", "volumeattachments"): self._get_related,
            ("", "serviceaccounts"): self._create_token,
            ("coordination.k8s.io", "leases"): self._lease,
            ("storage.k8s.io", "csinodes"): self._csi_node,
            ("resource.k8s.io", "resourceslices"): self._resource_slice,
            ("", "nodes"): self._node,
            ("", "pods"): self._pod,
        }

    def decide(self, wanted: Attributes) -> Decision | None:
        """Return None for users who are no nodes."""
        node = node_of(wanted.user)
        if not node:
            return None
        if wanted.resource_request:
            check = self._checks.get((wanted.group, wanted.resource))
            if check is not None:
                refusal = check(node, wanted)
                if refusal != _BY_RULES:
                    return ALLOW if not refusal else Decision(False, refusal, BY)
        return ALLOW if self._rules.allow(wanted) else Decision(False, "", BY)

    # Each check returns "" for yes, _BY_RULES for "the role decides", or why not.

    def _read_named(self, node: str, wanted: Attributes) -> str:
        if wanted.verb not in _READS:
            return "can only read resources of this type"
        if wanted.subresource:
            return "cannot read subresource"
        if not wanted.namespace:
            return "can only read namespaced object of this type"
        return self._related(node, wanted)

    def _claim(self, node: str, wanted: Attributes) -> str:
        if wanted.subresource == "status":
            if wanted.verb not in {"update", "patch"}:
                return "can only update and patch"
            return self._related(node, wanted)
        return self._get_related(node, wanted)

    def _get_related(self, node: str, wanted: Attributes) -> str:
        if wanted.verb != "get":
            return "can only get individual resources of this type"
        if wanted.subresource:
            return "cannot get subresource"
        return self._related(node, wanted)

    def _create_token(self, node: str, wanted: Attributes) -> str:
        if wanted.verb == "get" and not wanted.subresource:
            return self._related(node, wanted)
        if wanted.verb != "create" or wanted.subresource != "token":
            return "can only get, create 'token' subresource"
        return self._related(node, wanted)

    def _lease(self, node: str, wanted: Attributes) -> str:
        if wanted.verb not in {"get", "create", "update", "patch", "delete"}:
            return "can only get, create, update, patch, or delete a node lease"
        if wanted.namespace != "kube-node-lease":
            return 'can only access leases in the "kube-node-lease" system namespace'
        if wanted.verb != "create" and wanted.name != node:
            return "can only access node lease with the same name as the requesting node"
        return ""

    def _csi_node(self, node: str, wanted: Attributes) -> str:
        if wanted.verb not in {"get", "create", "update", "patch", "delete"}:
            return "can only get, create, update, patch, or delete a CSINode"
        if wanted.subresource:
            return "cannot authorize CSINode subresources"
        if wanted.verb != "create" and wanted.name != node:
            return "can only access CSINode with the same name as the requesting node"
        return ""

    def _resource_slice(self, node: str, wanted: Attributes) -> str:
        if wanted.subresource:
            return "cannot authorize ResourceSlice subresources"
        if wanted.verb in {"create", "list", "watch", "deletecollection"}:
            return ""
        if wanted.verb not in {"get", "update", "patch", "delete"}:
            return "only the following verbs are allowed for a ResourceSlice: " + ", ".join(
                ("get", "watch", "list", "create", "update", "patch", "delete")
            )
        entry = self._objects.get(Key("resourceslices.resource.k8s.io", "", wanted.name))
        if entry is not None and (entry.obj().get("spec") or {}).get("nodeName") == node:
            return ""
        return _UNRELATED.format(node=node)

    def _node(self, node: str, wanted: Attributes) -> str:
        if not wanted.subresource and wanted.verb in _READS:
            # A list or watch of one name arrives here with that name.
            if wanted.name == node:
                return ""
            return f"node '{node}' cannot read '{wanted.name}', only its own Node object"
        return _BY_RULES

    def _pod(self, node: str, wanted: Attributes) -> str:
        if wanted.verb in {"list", "watch"} or not wanted.name:
            return _BY_RULES
        if wanted.verb == "get" and not wanted.subresource:
            entry = self._objects.get(Key("pods", wanted.namespace, wanted.name))
            if entry is not None and entry.field("spec.nodeName") != node:
                return _UNRELATED.format(node=node)
        return _BY_RULES

    def _related(self, node: str, wanted: Attributes) -> str:
        if not wanted.name:
            return "No Object name found"
        if wanted.resource == "volumeattachments":
            entry = self._objects.get(Key("volumeattachments.storage.k8s.io", "", wanted.name))
            if entry is not None and (entry.obj().get("spec") or {}).get("nodeName") == node:
                return ""
            return _UNRELATED.format(node=node)
        for pod in self._pods(node, wanted.namespace):
            if any(what == (wanted.resource, wanted.name) for what in self._references(pod)):
                return ""
        return _UNRELATED.format(node=node)

    def _pods(self, node: str, namespace: str) -> Iterator[Obj]:
        for entry in self._objects.list("pods", namespace or None):
            if entry.field("spec.nodeName") == node:
                yield entry.obj()

    def _references(self, pod: Obj) -> Iterator[tuple[str, str]]:
        """Yield what a pod needs on its node: (resource, name)."""
        # A mirror pod only reflects what the node already runs; it must not open anything up.
        if "kubernetes.io/config.mirror" in (pod["metadata"].get("annotations") or {}):
            return
        spec = pod["spec"]
        yield "serviceaccounts", spec.get("serviceAccountName") or ""
        yield from pod_references(spec)
        for status in (pod.get("status") or {}).get("resourceClaimStatuses") or ():
            yield "resourceclaims", status.get("resourceClaimName") or ""
        for resource, name in list(pod_references(spec)):
            if resource == "persistentvolumeclaims":
                key = Key(resource, pod["metadata"]["namespace"], name)
                yield from self._behind_claim(key)
        for volume in spec.get("volumes") or ():
            if "ephemeral" in volume:
                name = f"{pod['metadata']['name']}-{volume['name']}"
                yield "persistentvolumeclaims", name
                key = Key("persistentvolumeclaims", pod["metadata"]["namespace"], name)
                yield from self._behind_claim(key)

    def _behind_claim(self, key: Key) -> Iterator[tuple[str, str]]:
        claim = self._objects.get(key)
        if claim is None:
            return
        name = (claim.obj().get("spec") or {}).get("volumeName") or ""
        volume = self._objects.get(Key("persistentvolumes", "", name)) if name else None
        if volume is None:
            return
        yield "persistentvolumes", name
        for source in (volume.obj().get("spec") or {}).values():
            if isinstance(source, dict):
                for field in _SECRET_FIELDS:
                    if isinstance(reference := source.get(field), dict):
                        yield "secrets", reference.get("name") or ""


_BY_RULES = "by rules"
_SECRET_FIELDS = (
    "secretRef",
    "userSecretRef",
    "controllerPublishSecretRef",
    "nodeStageSecretRef",
    "nodePublishSecretRef",
    "controllerExpandSecretRef",
    "nodeExpandSecretRef",
)
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
_ENV = {
    "secretKeyRef": "secrets",
    "configMapKeyRef": "configmaps",
    "secretRef": "secrets",
    "configMapRef": "configmaps",
}
_VOLUME = {
    "secret": ("secrets", "secretName"),
    "configMap": ("configmaps", "name"),
    "persistentVolumeClaim": ("persistentvolumeclaims", "claimName"),
}
_PROJECTED = {"secret": "secrets", "configMap": "configmaps"}


def pod_references(spec: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the secrets, configmaps and claims that a pod's spec names."""
    for reference in spec.get("imagePullSecrets") or ():
        yield "secrets", reference.get("name") or ""
    for kind in _CONTAINERS:
        for container in spec.get(kind) or ():
            yield from _environment(container)
    for volume in spec.get("volumes") or ():
        yield from _volume(volume)
    for claim in spec.get("resourceClaims") or ():
        if claim.get("resourceClaimName"):
            yield "resourceclaims", claim["resourceClaimName"]


def _environment(container: dict[str, Any]) -> Iterator[tuple[str, str]]:
    sources = [each.get("valueFrom") or {} for each in container.get("env") or ()]
    for source in (*sources, *(container.get("envFrom") or ())):
        for field, resource in _ENV.items():
            if reference := source.get(field):
                yield resource, reference.get("name") or ""


def _volume(volume: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for kind, (resource, field) in _VOLUME.items():
        if source := volume.get(kind):
            yield resource, source.get(field) or ""
    for source in (volume.get("projected") or {}).get("sources") or ():
        for kind, resource in _PROJECTED.items():
            if named := source.get(kind):
                yield resource, named.get("name") or ""
    for source in volume.values():
        if isinstance(source, dict):
            for field in ("secretRef", "nodePublishSecretRef"):
                if isinstance(reference := source.get(field), dict):
                    yield "secrets", reference.get("name") or ""
