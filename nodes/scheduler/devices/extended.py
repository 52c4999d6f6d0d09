"""Extended resources that devices stand for: which a pod asks for, and the claim made for them.

A class of devices names such a resource, and has one by its own name besides. A pod that asks for
it needs no claim: on a node that has none of the resource, devices of the class are as good.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apimachinery.meta import Obj, annotations_of, is_controlled_by, name_of
from apimachinery.quantity import parse
from apimachinery.resourceclaims import EXTENDED_CLAIM, IMPLICIT
from nodes.client.resources import RESOURCECLAIMS
from nodes.scheduler.framework import CycleState, Reader
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo

# The name of a claim that is not made yet.
UNMADE = "<extended-resources>"
_KEPT = "extended resources"
_NONE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Extended:
    """The claim for a pod's extended resources on a node, and which container has which part."""

    claim: Obj
    mappings: Sequence[Obj]


def class_of(resource: str, classes: Reader) -> str:
    """Return the class that stands for a resource, the newest of several; "" where none does."""
    if resource.startswith(IMPLICIT):
        name = resource.removeprefix(IMPLICIT)
        return name if classes.get("", name) is not None else ""
    named = [one for one in classes.list() if one["spec"].get("extendedResourceName") == resource]
    named.sort(key=name_of)
    newest = max(named, key=lambda one: one["metadata"].get("creationTimestamp") or "", default={})
    return name_of(newest)


def stand_ins(state: CycleState, pod: PodInfo) -> Mapping[str, str]:
    """Return what a pod asks for that devices may stand for: resource -> class."""
    names = [name for name, _ in pod.requests.amounts if "/" in name]
    if not names:
        return _NONE
    found: Mapping[str, str] | None = state.data.get(_KEPT)
    if found is None:
        classes = state.readers["deviceclasses"]
        found = state.data[_KEPT] = {n: c for n in names if (c := class_of(n, classes))}
    return found


def on_node(resources: Mapping[str, str], node: NodeInfo) -> Mapping[str, str]:
    """Return those of which a node itself has none."""
    return {name: one for name, one in resources.items() if not node.allocatable.get(name)}


def made_for(pod: PodInfo, claims: Reader) -> Obj | None:
    """Return the claim that an earlier attempt has made for a pod."""
    for one in claims.list(pod.namespace):
        if annotations_of(one).get(EXTENDED_CLAIM) == "true" and is_controlled_by(one, pod.obj):
            return one
    return None


def build(pod: PodInfo, classes: Mapping[str, str]) -> Extended:
    """Build the claim for a pod's extended resources; it gets its name when it is made."""
    requests, mappings = requests_of(pod.spec, classes)
    owner = {"apiVersion": "v1", "kind": "Pod", "name": pod.name, "uid": pod.uid}
    claim = {
        "apiVersion": RESOURCECLAIMS.api_version,
        "kind": RESOURCECLAIMS.kind,
        "metadata": {
            "name": UNMADE,
            "generateName": f"{pod.name}-extended-resources-",
            "namespace": pod.namespace,
            "uid": f"{pod.uid}/{UNMADE}",
            "ownerReferences": [{**owner, "controller": True}],
            "annotations": {EXTENDED_CLAIM: "true"},
        },
        "spec": {"devices": {"requests": requests}},
    }
    return Extended(claim, mappings)


def requests_of(spec: Obj, classes: Mapping[str, str]) -> tuple[list[Obj], list[Obj]]:
    """Return the requests for devices, and which containers use which of them.

    An init container that ends before others start uses their devices. What such ones need
    besides is asked for once, as much as the one needs that needs most.
    """
    requests: list[Obj] = []
    mappings: list[Obj] = []
    for resource in sorted(classes):
        lasting: dict[int, Obj] = {}
        for at, container in _containers(spec, brief=False):
            if amount := _amount(container, resource):
                lasting[at] = _request(at, container, resource, classes[resource], amount)
                mappings.append(_mapping(container, resource, lasting[at]))
        brief, theirs = [], []
        for at, container in _containers(spec, brief=True):
            missing = _amount(container, resource)
            for later, request in sorted(lasting.items(), key=lambda item: item[0]):
                if later > at and missing > 0:
                    theirs.append(_mapping(container, resource, request))
                    missing -= request["exactly"]["count"]
            if missing > 0:
                brief.append(_request(at, container, resource, classes[resource], missing))
                theirs.append(_mapping(container, resource, brief[-1]))
        if brief:
            most = max(brief, key=lambda one: int(one["exactly"]["count"]))
            own = {one["name"] for one in brief}
            theirs = [
                {**one, "requestName": most["name"]} if one["requestName"] in own else one
                for one in theirs
            ]
            requests.append(most)
        requests += lasting.values()
        mappings += theirs
    return sorted(requests, key=lambda one: str(one["name"])), mappings


def _containers(spec: Obj, *, brief: bool) -> Iterator[tuple[int, Obj]]:
    """Yield init containers that end before others start, or all others, with their numbers."""
    init = spec.get("initContainers") or []
    for at, container in enumerate([*init, *(spec.get("containers") or ())]):
        if (at < len(init) and container.get("restartPolicy") != "Always") is brief:
            yield at, container


def _asked(container: Obj) -> Mapping[str, Any]:
    return (container.get("resources") or {}).get("requests") or {}


def _amount(container: Obj, resource: str) -> int:
    return parse(_asked(container).get(resource)).value()


def _request(at: int, container: Obj, resource: str, device_class: str, count: int) -> Obj:
    exactly = {"deviceClassName": device_class, "allocationMode": "ExactCount", "count": count}
    index = sorted(_asked(container)).index(resource)
    return {"name": f"container-{at}-request-{index}", "exactly": exactly}


def _mapping(container: Obj, resource: str, request: Obj) -> Obj:
    return {
        "containerName": container["name"],
        "resourceName": resource,
        "requestName": request["name"],
    }
