"""Where a daemon belongs: on every node that its template fits and whose taints it bears."""

from __future__ import annotations

from typing import NamedTuple

from apimachinery.meta import Obj, name_of
from apimachinery.nodes import (
    NO_EXECUTE,
    NO_SCHEDULE,
    fits_node_requirements,
    taints_of,
    untolerated,
)
from apimachinery.pods import node_name

# A daemon stays whatever is wrong with its node.
_TOLERATED = (
    ("node.kubernetes.io/not-ready", NO_EXECUTE),
    ("node.kubernetes.io/unreachable", NO_EXECUTE),
    ("node.kubernetes.io/disk-pressure", NO_SCHEDULE),
    ("node.kubernetes.io/memory-pressure", NO_SCHEDULE),
    ("node.kubernetes.io/pid-pressure", NO_SCHEDULE),
    ("node.kubernetes.io/unschedulable", NO_SCHEDULE),
)
_HOST_NETWORK = ("node.kubernetes.io/network-unavailable", NO_SCHEDULE)


class Fit(NamedTuple):
    """Whether a daemon is to start on a node, and whether one that is there may stay."""

    run: bool
    stay: bool


def tolerations_of(spec: Obj) -> list[Obj]:
    """Return a pod's tolerations and those that every daemon has."""
    given = list(spec.get("tolerations") or ())
    wanted = [*_TOLERATED, *([_HOST_NETWORK] if spec.get("hostNetwork") else [])]
    for key, effect in wanted:
        toleration = {"key": key, "operator": "Exists", "effect": effect}
        if toleration not in given:
            given.append(toleration)
    return given


def pinned(spec: Obj, node: str) -> Obj:
    """Return a pod spec that fits one node alone, whatever node affinity it had besides."""
    affinity = spec.get("affinity") or {}
    by_node = affinity.get("nodeAffinity") or {}
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    # The controller has checked the given terms itself; only the node is left to say.
    terms = [{"matchFields": [field]}]
    by_node = {
        **by_node,
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms},
    }
    return {
        **spec,
        "affinity": {**affinity, "nodeAffinity": by_node},
        "tolerations": tolerations_of(spec),
    }


def fit(template: Obj, node: Obj) -> Fit:
    """Tell whether a daemon belongs on a node: selectors and affinity, then taints."""
    spec = {**template["spec"], "tolerations": tolerations_of(template["spec"])}
    if spec.get("nodeName") and spec["nodeName"] != name_of(node):
        return Fit(run=False, stay=False)
    if not fits_node_requirements({"spec": spec}, node):
        return Fit(run=False, stay=False)
    taints, tolerations = taints_of(node), spec["tolerations"]
    if untolerated(taints, tolerations, (NO_EXECUTE,)):
        return Fit(run=False, stay=False)
    return Fit(run=not untolerated(taints, tolerations), stay=True)


def target(pod: Obj) -> str:
    """Return the node that a pod is on, or is made for."""
    if node := node_name(pod):
        return node
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field.get("key") == "metadata.name" and field.get("values"):
                return str(field["values"][0])
    return ""
