"""What happens to pods: they are deleted, evicted, renamed in their owners' eyes, killed."""

from __future__ import annotations

from apimachinery.errors import ApiError
from apimachinery.meta import labels_of, name_of, namespace_of
from nodes.client import resources
from tests.simulation.deeds import drawing
from tests.simulation.deeds.drawing import APPS, Obj, one_of, patch, said
from tests.simulation.world import World


async def remove_pod(world: World) -> str:
    if (found := one_of(world, resources.PODS)) is None:
        return ""
    grace, pod = world.chance.choice((None, None, 0, 3)), found[1]
    await world.client.delete(found[0], namespace_of(pod), name_of(pod), grace=grace)
    return f"delete {said(pod)} {grace}"


async def evict(world: World) -> str:
    """Ask a pod to go, or one after the other all of its app."""
    if (found := one_of(world, resources.PODS)) is None:
        return ""
    pods, refused = [found[1]], 0
    if world.chance.random() < 0.5:
        pods = _of_its_app(world, found[1])
    for pod in pods:
        try:
            await drawing.evict(world, pod)
        except ApiError:
            refused += 1
    return f"evict {', '.join(map(said, pods))}: {refused} refused"


def _of_its_app(world: World, pod: Obj) -> list[Obj]:
    app = labels_of(pod).get("app")
    return [one for one in world.all("pods", namespace_of(pod)) if labels_of(one).get("app") == app]


async def relabel_pod(world: World) -> str:
    """Take a pod out of its owner's sight, or put it into somebody's."""
    if (found := one_of(world, resources.PODS)) is None:
        return ""
    app = world.chance.choice((*APPS, "db", None))
    await patch(world, *found, {"metadata": {"labels": {"app": app}}})
    return f"label {said(found[1])} {app}"


async def kill(world: World) -> str:
    if (found := one_of(world, resources.PODS)) is None:
        return ""
    pod = found[1]
    target = {"pod": f"{namespace_of(pod)}/{name_of(pod)}"}
    await world.cluster.failures.begin({"kind": "kill-container", "target": target})
    return f"kill {target['pod']}"
