"""Facts read off nodes: readiness, roles, addresses, taints, and which pods may go there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from apimachinery.meta import Obj, labels_of, name_of
from apimachinery.restarts import RESTART_ALL_FEATURE, may_restart_everything

NO_SCHEDULE = "NoSchedule"
PREFER_NO_SCHEDULE = "PreferNoSchedule"
NO_EXECUTE = "NoExecute"

TAINT_NOT_READY = "node.kubernetes.io/not-ready"
TAINT_UNREACHABLE = "node.kubernetes.io/unreachable"
TAINT_UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
TAINT_OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"

HOSTNAME_LABEL = "kubernetes.io/hostname"
ZONE_LABEL = "topology.kubernetes.io/zone"
REGION_LABEL = "topology.kubernetes.io/region"
_ROLE_PREFIX = "node-role.kubernetes.io/"
_ROLE_LABEL = "kubernetes.io/role"


def condition(obj: Mapping[str, Any], kind: str) -> Obj | None:
    """Return the status condition of a type; works for every object that has conditions."""
    for found in (obj.get("status") or {}).get("conditions") or ():
        if found.get("type") == kind:
            return dict(found)
    return None


def condition_status(obj: Mapping[str, Any], kind: str) -> str:
    """Return "True", "False" or "Unknown", "" where there is no such condition."""
    for found in (obj.get("status") or {}).get("conditions") or ():
        if found.get("type") == kind:
            return str(found.get("status") or "")
    return ""


def is_ready(node: Mapping[str, Any]) -> bool:
    return condition_status(node, "Ready") == "True"


def is_unschedulable(node: Mapping[str, Any]) -> bool:
    """Tell whether the node is cordoned."""
    return bool((node.get("spec") or {}).get("unschedulable"))


def taints_of(node: Mapping[str, Any]) -> Sequence[Obj]:
    return (node.get("spec") or {}).get("taints") or ()


def declared_features(node: Mapping[str, Any]) -> Sequence[str]:
    """Return what the node's kubelet says that it can, of what not every one can."""
    return (node.get("status") or {}).get("declaredFeatures") or ()


def needed_features(spec: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a pod needs of a kubelet that not every one can."""
    if may_restart_everything(spec):
        yield RESTART_ALL_FEATURE
    if spec.get("hostNetwork") and spec.get("hostUsers") is False:
        yield "UserNamespacesHostNetworkSupport"


def is_out_of_service(node: Mapping[str, Any]) -> bool:
    """Tell whether somebody has said that the node is down for good: it uses nothing."""
    return any(taint.get("key") == TAINT_OUT_OF_SERVICE for taint in taints_of(node))


def display_status(node: Mapping[str, Any]) -> str:
    """Return the STATUS column: Ready, NotReady or Unknown, and SchedulingDisabled."""
    status = condition_status(node, "Ready")
    shown = ("Ready" if status == "True" else "NotReady") if status else "Unknown"
    return f"{shown},SchedulingDisabled" if is_unschedulable(node) else shown


def roles(node: Mapping[str, Any]) -> list[str]:
    """Return the roles that the node's labels name, sorted."""
    found = set()
    for key, value in labels_of(node).items():
        if key.startswith(_ROLE_PREFIX):
            found.add(key.removeprefix(_ROLE_PREFIX))
        elif key == _ROLE_LABEL and value:
            found.add(value)
    return sorted(role for role in found if role)


def address(node: Mapping[str, Any], kind: str) -> str:
    """Return the first address of a type (InternalIP, ExternalIP, Hostname), or ""."""
    for found in (node.get("status") or {}).get("addresses") or ():
        if found.get("type") == kind:
            return str(found.get("address") or "")
    return ""


def tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    """Tell whether one toleration is good for one taint."""
    effect, key = toleration.get("effect"), toleration.get("key")
    if effect and effect != taint.get("effect"):
        return False
    if key and key != taint.get("key"):
        return False
    match toleration.get("operator") or "Equal":
        case "Exists":
            return True
        case "Equal":
            return (toleration.get("value") or "") == (taint.get("value") or "")
        case _:
            return False


def tolerated(taint: Mapping[str, Any], tolerations: Iterable[Mapping[str, Any]] | None) -> bool:
    return any(tolerates(toleration, taint) for toleration in tolerations or ())


def untolerated(
    taints: Iterable[Obj] | None,
    tolerations: Sequence[Mapping[str, Any]] | None,
    effects: Iterable[str] = (NO_SCHEDULE, NO_EXECUTE),
) -> list[Obj]:
    """Return the taints with one of the effects that no toleration is good for, in order."""
    wanted = tuple(effects)
    return [
        taint
        for taint in taints or ()
        if taint.get("effect") in wanted and not tolerated(taint, tolerations)
    ]


def matches_node_selector(selector: Mapping[str, Any] | None, node: Mapping[str, Any]) -> bool:
    """Tell whether a v1.NodeSelector selects a node: one of its terms has to."""
    terms = (selector or {}).get("nodeSelectorTerms") or ()
    return any(matches_node_selector_term(term, node) for term in terms)


def matches_node_selector_term(term: Mapping[str, Any], node: Mapping[str, Any]) -> bool:
    """Tell whether all of a term's requirements hold; an empty term matches nothing."""
    expressions, fields = term.get("matchExpressions"), term.get("matchFields")
    if not expressions and not fields:
        return False
    labels = labels_of(node)
    for expression in expressions or ():
        if not _holds(expression, labels.get(expression.get("key") or "")):
            return False
    for expression in fields or ():
        if expression.get("key") != "metadata.name" or not _holds(expression, name_of(node)):
            return False
    return True


def _holds(expression: Mapping[str, Any], value: str | None) -> bool:
    given = expression.get("values") or ()
    match expression.get("operator"):
        case "In":
            return value is not None and value in given
        case "NotIn":
            return value is None or value not in given
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" as operator:
            return value is not None and _compares(value, operator, given)
        case _:
            return False


def _compares(value: str, operator: str, given: Sequence[str]) -> bool:
    try:
        number, limit = int(value), int(given[0])
    except (ValueError, IndexError):
        return False
    return number > limit if operator == "Gt" else number < limit


def has_node_requirements(pod: Mapping[str, Any]) -> bool:
    """Tell whether a pod's nodeSelector or node affinity may leave a node out."""
    spec = pod.get("spec") or {}
    return bool(spec.get("nodeSelector") or (spec.get("affinity") or {}).get("nodeAffinity"))


def fits_node_requirements(pod: Mapping[str, Any], node: Mapping[str, Any]) -> bool:
    """Tell whether a pod's nodeSelector and required node affinity allow a node."""
    spec = pod.get("spec") or {}
    labels = labels_of(node)
    for key, value in (spec.get("nodeSelector") or {}).items():
        if labels.get(key) != value:
            return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or matches_node_selector(required, node)
