"""What deeds have in common: where they happen, what they draw, and to what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from apimachinery.meta import is_deleting, name_of, namespace_of
from nodes.client import resources
from nodes.client.rest import MERGE_PATCH
from tests.simulation.world import World

Obj = dict[str, Any]
Deed: TypeAlias = Callable[[World], Awaitable[str]]

GOOD, BETTER, BAD = "nginx:1.27", "nginx:1.28", "ngnix:1.28"
AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.53"
APPS = ("a", "b", "c")
HOME, AWAY = "default", "team"
HELD = "example.com/held"
PRIORITIES = {"low": -10, "high": 1000}

WORKLOADS = (resources.DEPLOYMENTS, resources.STATEFULSETS, resources.DAEMONSETS, resources.JOBS)


def place(world: World) -> str:
    """Return a namespace: mostly the one that is always there."""
    away = world.get("namespaces", AWAY, "")
    return AWAY if away and world.chance.random() < 0.2 else HOME


def metadata(name: str, namespace: str) -> Obj:
    return {"name": name, "namespace": namespace}


def template(world: World, app: str, image: str, **spec: Any) -> Obj:
    """Return a pod template: now and then large, hard to place, quick to leave or important."""
    chance = world.chance
    requests = {"cpu": chance.choice(("100m", "300m", "300m", "1200m"))}
    container = {"name": "c", "image": image, "resources": {"requests": requests}}
    if chance.random() < 0.3:
        spec["priorityClassName"] = chance.choice(tuple(PRIORITIES))
    if chance.random() < 0.3:
        spec["tolerations"] = [
            {
                "key": f"node.kubernetes.io/{trouble}",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": chance.choice((0, 5, 30)),
            }
            for trouble in ("not-ready", "unreachable")
        ]
    if chance.random() < 0.15:
        spec["affinity"] = {"podAntiAffinity": chance.choice(_APART)(app)}
    spec.setdefault("terminationGracePeriodSeconds", chance.choice((0, 5, 30, 30)))
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [container], **spec}}


def _term(app: str) -> Obj:
    return {
        "labelSelector": {"matchLabels": {"app": app}},
        "topologyKey": "kubernetes.io/hostname",
    }


_APART: tuple[Callable[[str], Obj], ...] = (
    lambda app: {"requiredDuringSchedulingIgnoredDuringExecution": [_term(app)]},
    lambda app: {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 100, "podAffinityTerm": _term(app)}
        ]
    },
)


def rolling(world: World) -> Obj:
    """Return how a Deployment rolls; one of the two is not 0."""
    surge, unavailable = _amount(world), _amount(world)
    if str(surge).rstrip("%") == "0" and str(unavailable).rstrip("%") == "0":
        surge = 1
    return {"maxSurge": surge, "maxUnavailable": unavailable}


def _amount(world: World) -> int | str:
    return world.chance.choice((0, 1, 2, "25%", "50%", "100%"))


def one_of(world: World, *found: Any) -> tuple[Any, Obj] | None:
    """Draw one object of some resources."""
    every = [
        (res, obj)
        for res in found
        for obj in world.all(str(res.group_resource), None)
        if namespace_of(obj) in {HOME, AWAY}
    ]
    return world.chance.choice(every) if every else None


def said(obj: Obj) -> str:
    """Return the name of an object, with its namespace where that is not the usual one."""
    namespace = namespace_of(obj)
    return name_of(obj) if namespace in {HOME, ""} else f"{namespace}/{name_of(obj)}"


async def patch(world: World, res: Any, obj: Obj, body: Obj, kind: str = MERGE_PATCH) -> None:
    await world.client.patch(res, namespace_of(obj), name_of(obj), body, kind)


async def evict(world: World, pod: Obj) -> None:
    """Ask for a pod's eviction. Raises ApiError where it is refused."""
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": metadata(name_of(pod), namespace_of(pod)),
    }
    await world.client.create(body, resources.PODS, subresource="eviction", name=name_of(pod))


def on_node(world: World, node: str) -> list[Obj]:
    """Return the pods of a node that are not on their way out."""
    return [
        pod
        for pod in world.all("pods", None)
        if pod["spec"].get("nodeName") == node and not is_deleting(pod)
    ]
