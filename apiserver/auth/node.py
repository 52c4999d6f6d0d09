"""The Node authorizer: what a node may do is decided by what runs on it.

A node reads the secrets, configmaps, claims and volumes that pods bound to it refer to, makes
tokens for those pods' service accounts, and writes its own Node, Lease, CSINode and status. The
rest of what nodes may do is the rules of the role `system:node`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from apimachinery.fields import FieldRequirement
from apimachinery.meta import Obj
from apiserver.auth.attributes import Attributes, Decision, quote
from apiserver.auth.bootstrap.policy import node_rules
from apiserver.auth.impersonation import NODE_USER, NODES
from apiserver.auth.rules import compile_rules
from apiserver.auth.source import Objects
from apiserver.auth.user import User
from apiserver.storage.types import Entry, Key

BY = "Node"
ALLOW = Decision(True, "", BY)
_READS = {"get", "list", "watch"}
_BY_RULES = "by rules"
_UNRELATED = "no relationship found between node '{node}' and this object"


def node_of(user: User) -> str | None:
    """Return the node that the user is, "" for one that names none, None for everybody else."""
    if NODES not in user.groups or not user.name.startswith(NODE_USER):
        return None
    return user.name.removeprefix(NODE_USER)


class NodeAuthorizer:
    """Decides for members of system:nodes that are named after a node."""

    def __init__(self, objects: Objects, parse: Callable[[Entry], Obj]) -> None:
        self._objects, self._parse = objects, parse
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
        if node is None:
            return None
        if not node:
            return Decision(False, f"unknown node for user {quote(wanted.user.name)}", BY)
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
        if wanted.verb == "create":
            return ""
        if wanted.verb in {"list", "watch", "deletecollection"}:
            if _selects(wanted, "nodeName", node):
                return ""
            return (
                "can only list/watch/deletecollection resourceslices with nodeName field selector"
            )
        if wanted.verb not in {"get", "update", "patch", "delete"}:
            return (
                "only the following verbs are allowed for a ResourceSlice: get, watch, list, "
                "create, update, patch, delete, deletecollection"
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
            which = f"'{wanted.name}'" if wanted.name else "all nodes"
            return f"node '{node}' cannot read {which}, only its own Node object"
        return _BY_RULES

    def _pod(self, node: str, wanted: Attributes) -> str:
        if wanted.verb not in _READS:
            return _BY_RULES
        if wanted.verb == "get" and wanted.subresource:
            return _BY_RULES
        if wanted.verb != "get" and _selects(wanted, "spec.nodeName", node):
            return ""
        if not wanted.name:
            if wanted.verb == "get":
                return "No Object name found"
            return "can only list/watch pods with spec.nodeName field selector"
        entry = self._objects.get(Key("pods", wanted.namespace, wanted.name))
        if entry is not None and entry.field("spec.nodeName") == node:
            return ""
        return _UNRELATED.format(node=node)

    def _related(self, node: str, wanted: Attributes) -> str:
        if not wanted.name:
            return "No Object name found"
        resource, namespace, name = wanted.resource, wanted.namespace, wanted.name
        if resource == "volumeattachments":
            found = self._attached(node, name)
        elif resource == "persistentvolumes":
            entry = self._objects.get(Key(resource, "", name))
            found = entry is not None and self._mounts(node, entry.obj())
        else:
            found = self._runs(node, resource, namespace, name)
            if not found and resource == "secrets":
                found = self._mounts_with(node, namespace, name)
        return "" if found else _UNRELATED.format(node=node)

    def _attached(self, node: str, name: str) -> bool:
        entry = self._objects.get(Key("volumeattachments.storage.k8s.io", "", name))
        return entry is not None and (entry.obj().get("spec") or {}).get("nodeName") == node

    def _runs(self, node: str, resource: str, namespace: str, name: str) -> bool:
        """Tell whether a pod on the node refers to an object of its namespace.

        The pods that changed last are those that the node asks for, and have been read lately.
        """
        there = sorted(self._objects.on_node(node), key=lambda entry: -entry.revision)
        return any(
            (resource, name) in _references(self._parse(entry))
            for entry in there
            if namespace in ("", entry.key.namespace)
        )

    def _mounts(self, node: str, volume: Obj) -> bool:
        """Tell whether a pod on the node uses the claim that a volume is bound to."""
        claim = (volume.get("spec") or {}).get("claimRef")
        if not claim:
            return False
        namespace, name = claim.get("namespace") or "", claim.get("name") or ""
        return self._runs(node, "persistentvolumeclaims", namespace, name)

    def _mounts_with(self, node: str, namespace: str, secret: str) -> bool:
        """Tell whether the node needs a secret to mount the volume of one of its pods."""
        return any(
            (namespace, secret) in _volume_secrets(entry.obj()) and self._mounts(node, entry.obj())
            for entry in self._objects.list("persistentvolumes")
        )


def _references(pod: Obj) -> Iterator[tuple[str, str]]:
    """Yield what a pod needs on its node: (resource, name)."""
    # A mirror pod only reflects what the node already runs; it must not open anything up.
    if "kubernetes.io/config.mirror" in (pod["metadata"].get("annotations") or {}):
        return
    spec = pod["spec"]
    yield "serviceaccounts", spec.get("serviceAccountName") or ""
    yield from pod_references(spec)
    status = pod.get("status") or {}
    for claim in status.get("resourceClaimStatuses") or ():
        yield "resourceclaims", claim.get("resourceClaimName") or ""
    if extended := status.get("extendedResourceClaimStatus"):
        yield "resourceclaims", extended.get("resourceClaimName") or ""
    for volume in spec.get("volumes") or ():
        if "ephemeral" in volume:
            yield "persistentvolumeclaims", f"{pod['metadata']['name']}-{volume['name']}"


def _volume_secrets(volume: Obj) -> Iterator[tuple[str, str]]:
    """Yield the secrets that a node needs for a volume: (namespace, name)."""
    spec = volume.get("spec") or {}
    home = (spec.get("claimRef") or {}).get("namespace") or ""
    for kind, source in spec.items():
        if not isinstance(source, dict):
            continue
        if kind == "azureFile":
            yield source.get("secretNamespace") or home, source.get("secretName") or ""
        for field in _SECRET_FIELDS:
            if isinstance(reference := source.get(field), dict):
                yield reference.get("namespace") or home, reference.get("name") or ""


def _selects(wanted: Attributes, field: str, value: str) -> bool:
    return FieldRequirement(field, "=", value) in wanted.fields


# The secrets of a volume that its node uses; those of controllers are none of its business.
_SECRET_FIELDS = (
    "secretRef",
    "nodeStageSecretRef",
    "nodePublishSecretRef",
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
