"""NodeRestriction: a node writes about itself and about what runs on it, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apimachinery.errors import NotFound
from apimachinery.gvk import GroupResource
from apimachinery.meta import Obj, annotations_of, labels_of, uid_of
from apiserver.admission.audiences import token_audiences
from apiserver.admission.interfaces import (
    CREATE,
    DELETE,
    UPDATE,
    AdmissionRequest,
    May,
    Rule,
    UserInfo,
)
from apiserver.admission.node_labels import forbidden_labels
from apiserver.admission.pod_specs import MIRROR, config_map_names, secret_names
from apiserver.registry.strategy import ObjectReader

NODES_GROUP = "system:nodes"
NODE_USER = "system:node:"
LEASES = "leases.coordination.k8s.io"
CSI_NODES = "csinodes.storage.k8s.io"
SLICES = "resourceslices.resource.k8s.io"
# The verb on an audience, as a resource, that lets a node ask for any pod's token for it.
REQUEST_AUDIENCE = "request-serviceaccounts-token-audience"
LEASE_NAMESPACE = "kube-node-lease"


class NodeRestriction:
    """Holds members of system:nodes to their own objects."""

    name = "NodeRestriction"
    handles = Rule(
        ("pods", "nodes", "persistentvolumeclaims", "serviceaccounts", LEASES, CSI_NODES, SLICES),
        (CREATE, UPDATE, DELETE),
        ("", "status", "eviction", "token", "ephemeralcontainers", "resize", "binding"),
    )

    def __init__(self, objects: ObjectReader, may: May) -> None:
        self._objects, self._may = objects, may
        self._checks: dict[str, Callable[[str, AdmissionRequest], str]] = {
            "pods": self._pods,
            "nodes": _node,
            "persistentvolumeclaims": _claim,
            "serviceaccounts": self._token,
            LEASES: _lease,
            CSI_NODES: _csi_node,
            SLICES: _slice,
        }

    def admit(self, request: AdmissionRequest) -> None:
        if NODES_GROUP not in request.user.groups:
            return
        node = _node_of(request.user)
        if not node:
            raise request.refusal(f'could not determine node from user "{request.user.name}"')
        why = self._checks[str(request.resource)](node, request)
        if why:
            raise request.refusal(why)

    def _pods(self, node: str, request: AdmissionRequest) -> str:
        if request.subresource == "status":
            return _pod_status(node, request)
        if request.subresource == "eviction":
            pod = self._pod(request)
            if _place(pod) != node:
                return f"node {node} can only evict pods with spec.nodeName set to itself"
            return ""
        if request.subresource:
            return (
                f"unexpected pod subresource \"{request.subresource}\", only 'status' and "
                "'eviction' are allowed"
            )
        if request.operation is CREATE:
            return self._mirror_pod(node, request.object or {})
        if request.operation is DELETE:
            if _place(self._pod(request)) != node:
                return f'node "{node}" can only delete pods with spec.nodeName set to itself'
            return ""
        operation = f'unexpected operation "{request.operation.value}"'
        return f'{operation}, node "{node}" can only create and delete mirror pods'

    def _pod(self, request: AdmissionRequest) -> Obj:
        found = self._objects.get("pods", request.namespace, request.name)
        if found is None:
            raise NotFound(GroupResource("", "pods"), request.name)
        return found

    def _mirror_pod(self, node: str, pod: Obj) -> str:
        if MIRROR not in annotations_of(pod):
            what = f'pod does not have "{MIRROR}" annotation'
            return f'{what}, node "{node}" can only create mirror pods'
        if _place(pod) != node:
            return f'node "{node}" can only create pods with spec.nodeName set to itself'
        owner = self._owner(node, (pod.get("metadata") or {}).get("ownerReferences") or [])
        return owner or _references(node, pod.get("spec") or {})

    def _owner(self, node: str, owners: list[Obj]) -> str:
        if len(owners) > 1:
            words = "a single owner reference set to itself"
            return f'node "{node}" can only create pods with {words}'
        own = {"apiVersion": "v1", "kind": "Node", "name": node}
        if not owners or any(owners[0].get(key) != value for key, value in own.items()):
            words = "an owner reference set to itself"
            return f'node "{node}" can only create pods with {words}'
        if not owners[0].get("controller"):
            words = "a controller owner reference set to itself"
            return f'node "{node}" can only create pods with {words}'
        if owners[0].get("blockOwnerDeletion"):
            return f'node "{node}" must not set blockOwnerDeletion on an owner reference'
        found = self._objects.get("nodes", "", node)
        if found is None:
            raise NotFound(GroupResource("", "nodes"), node)
        given = owners[0].get("uid") or ""
        if given != uid_of(found):
            return f"node {node} UID mismatch: expected {given} got {uid_of(found)}"
        return ""

    def _token(self, node: str, request: AdmissionRequest) -> str:
        if request.operation is not CREATE or request.subresource != "token":
            return ""
        spec = (request.object or {}).get("spec") or {}
        bound = spec.get("boundObjectRef") or {}
        name = bound.get("name")
        if bound.get("kind") != "Pod" or bound.get("apiVersion") != "v1" or not name:
            return "node requested token not bound to a pod"
        if not bound.get("uid"):
            return "node requested token with a pod binding without a uid"
        pod = self._objects.get("pods", request.namespace, name)
        if pod is None:
            raise NotFound(GroupResource("", "pods"), name)
        if uid_of(pod) != bound["uid"]:
            return (
                f"the UID in the bound object reference ({bound['uid']}) does not match the UID "
                "in record. The object might have been deleted and then recreated"
            )
        if _place(pod) != node:
            return "node requested token bound to a pod scheduled on a different node"
        return self._audience(request, spec.get("audiences") or [], pod)

    def _audience(self, request: AdmissionRequest, audiences: list[str], pod: Obj) -> str:
        """A node's tokens are for those alone whom the pod's volumes are for."""
        if len(audiences) > 1:
            return "node may only request 0 or 1 audiences"
        audience = audiences[0] if audiences else ""
        if audience in token_audiences(self._objects, pod):
            return ""
        user = request.user
        if self._may(user, REQUEST_AUDIENCE, "", audience, request.name, request.namespace):
            return ""
        return (
            f'audience "{audience}" not found in pod spec volume, {user.name} is not authorized '
            "to request tokens for this audience"
        )


def _node_of(user: UserInfo) -> str:
    return user.name.removeprefix(NODE_USER) if user.name.startswith(NODE_USER) else ""


def _place(pod: Obj) -> str:
    return (pod.get("spec") or {}).get("nodeName") or ""


def _pod_status(node: str, request: AdmissionRequest) -> str:
    if request.operation is not UPDATE:
        return f'unexpected operation "{request.operation.value}"'
    new, old = request.object or {}, request.old_object or {}
    if _place(old) != node:
        words = "pod status for pods with spec.nodeName set to itself"
        return f'node "{node}" can only update {words}'
    if labels_of(new) != labels_of(old):
        return f'node "{node}" cannot update labels through pod status'
    claims = [(each.get("status") or {}).get("resourceClaimStatuses") or [] for each in (new, old)]
    if claims[0] != claims[1]:
        return f'node "{node}" cannot update resource claim statues'
    return ""


def _references(node: str, spec: dict[str, Any]) -> str:
    words = f'node "{node}" can not create pods that reference'
    volumes = spec.get("volumes") or ()
    if spec.get("serviceAccountName"):
        return f"{words} a service account"
    if any(True for _ in secret_names(spec)):
        return f"{words} secrets"
    if any(True for _ in config_map_names(spec)):
        return f"{words} configmaps"
    sources = ((volume.get("projected") or {}).get("sources") or () for volume in volumes)
    if any("clusterTrustBundle" in source for listed in sources for source in listed):
        return f"{words} clustertrustbundles"
    if any("persistentVolumeClaim" in volume for volume in volumes):
        return f"{words} persistentvolumeclaims"
    return ""


def _node(node: str, request: AdmissionRequest) -> str:
    metadata = (request.object or {}).get("metadata") or {}
    asked = request.name or metadata.get("name") or ""
    if asked != node:
        return f'node "{node}" is not allowed to modify node "{asked}"'
    new, old = request.object or {}, request.old_object or {}
    if request.operation is CREATE:
        if (new.get("spec") or {}).get("configSource"):
            return f'node "{node}" is not allowed to create pods with a non-nil configSource'
        wrong = forbidden_labels(labels_of(new), {})
        words = f'node "{node}" is not allowed to set the following labels'
    elif request.operation is UPDATE:
        taints = [(each.get("spec") or {}).get("taints") or [] for each in (new, old)]
        if taints[0] != taints[1]:
            return f'node "{node}" is not allowed to modify taints'
        owners = [(e.get("metadata") or {}).get("ownerReferences") or [] for e in (new, old)]
        if owners[0] != owners[1]:
            return f'node "{node}" is not allowed to modify ownerReferences'
        wrong = forbidden_labels(labels_of(new), labels_of(old))
        words = "is not allowed to modify labels"
    else:
        return ""
    return f"{words}: {', '.join(wrong)}" if wrong else ""


def _claim(node: str, request: AdmissionRequest) -> str:
    if request.subresource != "status":
        return "may only update PVC status"
    if request.operation is not UPDATE:
        return f'unexpected operation "{request.operation.value}"'
    if _settled(request.object or {}) != _settled(request.old_object or {}):
        return (
            f'node "{node}" is not allowed to update fields other than status.capacity '
            "and status.conditions"
        )
    return ""


def _settled(claim: Obj) -> Obj:
    """Return the parts of a claim that a node must leave alone."""
    ours = {"capacity", "conditions", "allocatedResources", "allocatedResourceStatuses"}
    metadata, status = claim.get("metadata") or {}, claim.get("status") or {}
    kept = {k: v for k, v in metadata.items() if k not in {"resourceVersion", "managedFields"}}
    rest = {key: value for key, value in status.items() if key not in ours}
    return {**claim, "metadata": kept, "status": rest}


def _lease(node: str, request: AdmissionRequest) -> str:
    if request.namespace != LEASE_NAMESPACE:
        return f'can only access leases in the "{LEASE_NAMESPACE}" system namespace'
    metadata = (request.object or {}).get("metadata") or {}
    if (request.name or metadata.get("name")) != node:
        return "can only access node lease with the same name as the requesting node"
    return ""


def _slice(node: str, request: AdmissionRequest) -> str:
    verbs = {CREATE: ("create", request.object), DELETE: ("delete", request.old_object)}
    verb, found = verbs.get(request.operation, ("", None))
    if verb and ((found or {}).get("spec") or {}).get("nodeName") != node:
        return f"can only {verb} ResourceSlice with the same NodeName as the requesting node"
    return ""


def _csi_node(node: str, request: AdmissionRequest) -> str:
    metadata = (request.object or {}).get("metadata") or {}
    if (request.name or metadata.get("name")) != node:
        return "can only access CSINode with the same name as the requesting node"
    return ""
