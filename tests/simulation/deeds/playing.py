"""A history: one deed after the other, and in the end all is put in order."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from apimachinery.errors import ApiError, Conflict
from apimachinery.meta import controller_of, is_deleting, name_of, namespace_of
from nodes.client import resources
from nodes.client.rest import STRATEGIC_PATCH
from tests.simulation.deeds import changing, disturbing, machines, making
from tests.simulation.deeds.drawing import (
    BAD,
    BETTER,
    HELD,
    PRIORITIES,
    WORKLOADS,
    Deed,
    patch,
)
from tests.simulation.seeded import TROUBLES
from tests.simulation.world import World

_ALL_AT_ONCE = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%"}}

# Each with how likely it is among all.
DEEDS: tuple[tuple[Deed, int], ...] = (
    (making.make_deployment, 10),
    (making.make_twins, 2),
    (making.make_statefulset, 4),
    (making.make_daemonset, 3),
    (making.make_job, 5),
    (making.make_cronjob, 2),
    (making.make_autoscaler, 2),
    (making.make_service, 2),
    (making.budget, 4),
    (making.quota, 3),
    (making.make_namespace, 2),
    (changing.scale, 8),
    (changing.set_image, 8),
    (changing.undo, 2),
    (changing.set_strategy, 3),
    (changing.pause, 2),
    (changing.suspend, 2),
    (changing.set_parallelism, 1),
    (changing.remove, 5),
    (changing.put_back, 3),
    (changing.hold, 3),
    (changing.nonsense, 2),
    (disturbing.remove_pod, 5),
    (disturbing.evict, 5),
    (disturbing.relabel_pod, 2),
    (disturbing.kill, 3),
    (machines.stop_node, 3),
    (machines.cut_node, 2),
    (machines.lose_registry, 1),
    (machines.fill_disk, 1),
    (machines.mend, 4),
    (machines.cordon, 2),
    (machines.taint, 1),
    (machines.drain, 3),
    (machines.restart, 2),
    (machines.outage, 1),
    (machines.leap, 1),
    (machines.hold_time, 1),
    (machines.speed, 1),
    (machines.weather, 6),
)


async def play(world: World) -> str:
    """Do one thing after the other, then put all in order; return what never came to rest."""
    deeds, weights = zip(*DEEDS, strict=True)
    for name, value in PRIORITIES.items():
        body = {"metadata": {"name": name}, "value": value}
        await world.client.create(body, resources.PRIORITYCLASSES)
    await making.make_namespace(world)
    await making.make_deployment(world)
    for _ in range(world.steps):
        await _do(world, world.chance.choices(deeds, weights)[0])
        # Often at once, now and then after everything has had its time.
        await world.sleep(world.chance.choice((0.0, 0.01, 0.3, 2.0, 10.0, 60.0, 400.0)))
    await tidy(world)
    restless = await world.rest()
    # What has lost its owner in the meantime may have the name that another one needs.
    if not restless and await _remove_stuck(world):
        restless = await world.rest()
    return restless


async def _do(world: World, deed: Deed) -> None:
    began = world.cluster.clock.timestamp()
    try:
        told = await deed(world)
    except ApiError as error:
        if error.code >= 500 and not error.message.endswith(TROUBLES):
            world.wrong.append(f"{deed.__name__}: {error.message}")
        told = f"{deed.__name__}: {error.message}"
    world.deeds.append(f"{began} {told}")


async def tidy(world: World) -> None:
    """Mend what is broken, and ask for nothing that cannot be had or that never ends."""
    await machines.mend_all(world)
    for quota in world.all("resourcequotas", None):
        hard = {"hard": dict.fromkeys(quota["spec"]["hard"], "1k")}
        await patch(world, resources.RESOURCEQUOTAS, quota, {"spec": hard})
    for scaler in world.all("horizontalpodautoscalers.autoscaling", None):
        await world.client.delete(
            resources.HORIZONTALPODAUTOSCALERS, namespace_of(scaler), name_of(scaler)
        )
    await _let_go(world)
    for resource in (*WORKLOADS, resources.CRONJOBS):
        for obj in world.all(str(resource.group_resource), None):
            # What is being deleted may go at any moment.
            with suppress(ApiError):
                await patch(world, resource, obj, _startable(resource), STRATEGIC_PATCH)
    await _remove_stuck(world)


async def _let_go(world: World) -> None:
    for resource in (*WORKLOADS, resources.REPLICASETS, resources.PODS, resources.SERVICES):
        for obj in world.all(str(resource.group_resource), None):
            await _release(world, resource, namespace_of(obj), name_of(obj))


async def _release(world: World, resource: Any, namespace: str, name: str) -> None:
    """Let go of an object that others may be writing to."""
    while True:
        found = world.get(str(resource.group_resource), name, namespace)
        if found is None or HELD not in (found["metadata"].get("finalizers") or ()):
            return
        with suppress(Conflict):
            await changing.release(world, resource, found)


def _startable(resource) -> dict:
    """Return what lets a workload come to an end of its changes."""
    if resource is resources.CRONJOBS:
        return {"spec": {"suspend": True}}
    if resource is resources.JOBS:
        return {"spec": {"suspend": False}}
    spec: dict = {"template": {"spec": {"containers": [{"name": "c", "image": BETTER}]}}}
    if resource is resources.DEPLOYMENTS:
        # Where there is no room for one more, pods of a bad image make room for better ones.
        spec |= {"paused": None, "strategy": _ALL_AT_ONCE}
    else:
        spec["updateStrategy"] = {"type": "RollingUpdate", "rollingUpdate": None}
    return {"spec": spec}


async def _remove_stuck(world: World) -> int:
    """Nobody replaces what has no owner, and a StatefulSet waits for pods of a bad template."""
    removed = 0
    for resource in (resources.REPLICASETS, resources.PODS):
        for obj in world.all(str(resource.group_resource), None):
            alone = controller_of(obj) is None
            bad = BAD in str(obj["spec"]) and (alone or resource is resources.PODS)
            if not is_deleting(obj) and (bad or (alone and resource is resources.PODS)):
                removed += 1
                with suppress(ApiError):
                    await world.client.delete(
                        resource, namespace_of(obj), name_of(obj), propagation="Background"
                    )
    return removed
