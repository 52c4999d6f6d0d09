"""How people change their minds: other numbers, other images, other ways, and an end."""

from __future__ import annotations

from typing import Any

from apimachinery.errors import ApiError, Invalid
from apimachinery.meta import controller_of, is_deleting, name_of, namespace_of
from nodes.client import resources
from nodes.client.rest import STRATEGIC_PATCH
from tests.simulation.deeds.drawing import (
    BAD,
    BETTER,
    GOOD,
    HELD,
    WORKLOADS,
    Obj,
    metadata,
    one_of,
    patch,
    rolling,
    said,
)
from tests.simulation.deeds.making import daemon_updates
from tests.simulation.world import World

# What the server decides it puts right in what it is sent, and refuses nothing for it.
_SERVERS_OWN = ("generation", "creationTimestamp", "deletionTimestamp")


async def scale(world: World) -> str:
    if (found := one_of(world, resources.DEPLOYMENTS, resources.STATEFULSETS)) is None:
        return ""
    replicas = world.chance.randint(0, 7)
    await patch(world, *found, {"spec": {"replicas": replicas}})
    return f"scale {said(found[1])} {replicas}"


async def set_image(world: World) -> str:
    if (found := one_of(world, *WORKLOADS[:3])) is None:
        return ""
    image = world.chance.choice((GOOD, BETTER, BETTER, BAD))
    containers = [{"name": "c", "image": image}]
    body = {"spec": {"template": {"spec": {"containers": containers}}}}
    await patch(world, *found, body, STRATEGIC_PATCH)
    return f"image {said(found[1])} {image}"


async def undo(world: World) -> str:
    """Go back to the template of any ReplicaSet that is kept."""
    if (found := one_of(world, resources.REPLICASETS)) is None:
        return ""
    kept = found[1]
    if (owner := controller_of(kept)) is None:
        return ""
    labels = {k: v for k, v in kept["metadata"]["labels"].items() if k != "pod-template-hash"}
    template = {**kept["spec"]["template"], "metadata": {"labels": labels}}
    deployment = world.get("deployments.apps", owner["name"], namespace_of(kept))
    if deployment is None:
        return ""
    body = {**deployment, "spec": {**deployment["spec"], "template": template}}
    await world.client.update(body, resource=resources.DEPLOYMENTS)
    return f"undo {said(deployment)} to {name_of(kept)}"


async def set_strategy(world: World) -> str:
    if (found := one_of(world, resources.DEPLOYMENTS, resources.DAEMONSETS)) is None:
        return ""
    if found[0] is resources.DAEMONSETS:
        # With another type what is said of rolling has to go.
        strategy = {"rollingUpdate": None, **daemon_updates(world)}
        await patch(world, *found, {"spec": {"updateStrategy": strategy}})
        return f"strategy {said(found[1])} {strategy}"
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling(world)}
    await patch(world, *found, {"spec": {"strategy": strategy}})
    return f"strategy {said(found[1])} {strategy}"


async def pause(world: World) -> str:
    if (found := one_of(world, resources.DEPLOYMENTS)) is None:
        return ""
    paused = not found[1]["spec"].get("paused")
    await patch(world, *found, {"spec": {"paused": paused or None}})
    return f"{'pause' if paused else 'resume'} {said(found[1])}"


async def suspend(world: World) -> str:
    if (found := one_of(world, resources.JOBS, resources.CRONJOBS)) is None:
        return ""
    suspended = not found[1]["spec"].get("suspend")
    await patch(world, *found, {"spec": {"suspend": suspended}})
    return f"{'suspend' if suspended else 'resume'} {said(found[1])}"


async def set_parallelism(world: World) -> str:
    if (found := one_of(world, resources.JOBS)) is None:
        return ""
    parallelism = world.chance.randint(0, 4)
    await patch(world, *found, {"spec": {"parallelism": parallelism}})
    return f"parallelism {said(found[1])} {parallelism}"


async def remove(world: World) -> str:
    if (found := one_of(world, *WORKLOADS, resources.CRONJOBS, resources.REPLICASETS)) is None:
        return ""
    policy = world.chance.choice(("Background", "Foreground", "Orphan"))
    resource, obj = found
    await world.client.delete(resource, namespace_of(obj), name_of(obj), propagation=policy)
    return f"delete {resource.kind} {said(obj)} {policy}"


async def put_back(world: World) -> str:
    """Write an object as a file has it, over what was done to it after the file was written."""
    if (found := one_of(world, *WORKLOADS, resources.CRONJOBS)) is None:
        return ""
    resource, file = found
    told = await _meanwhile(world, resource, file)
    # Without a revision the file wins whatever is there.
    meta = {k: v for k, v in file["metadata"].items() if k != "resourceVersion"}
    deed = f"replace {resource.kind} {said(file)} after {told}"
    try:
        await world.client.update({**file, "metadata": meta}, resource=resource)
    except Invalid as error:
        if any(f"metadata.{field}" in error.message for field in _SERVERS_OWN):
            world.wrong.append(f"{deed}: {error.message}")
        return f"{deed}: {error.message}"
    return deed


async def _meanwhile(world: World, resource: Any, file: Obj) -> str:
    """Delete an object, or change it: for good, or so that only its generation tells of it."""
    told = world.chance.choice(("a deletion", "a change", "a change and back"))
    if told == "a deletion":
        await world.client.delete(
            resource, namespace_of(file), name_of(file), propagation="Foreground"
        )
        return told
    runs_once = resource in (resources.JOBS, resources.CRONJOBS)
    field = "suspend" if runs_once else "minReadySeconds"
    was = file["spec"].get(field)
    await patch(world, resource, file, {"spec": {field: not was if runs_once else (was or 0) + 1}})
    if told == "a change and back":
        await patch(world, resource, file, {"spec": {field: was}})
    return told


async def hold(world: World) -> str:
    """Let something not go when it is deleted, or let go of it."""
    kinds = (*WORKLOADS, resources.REPLICASETS, resources.PODS, resources.SERVICES)
    if (found := one_of(world, *kinds)) is None:
        return ""
    obj = found[1]
    held = list(obj["metadata"].get("finalizers") or ())
    if HELD in held:
        await release(world, *found)
        return f"let go of {said(obj)}"
    if is_deleting(obj):
        return ""
    body = {**obj, "metadata": {**obj["metadata"], "finalizers": [*held, HELD]}}
    await world.client.update(body, resource=found[0])
    return f"hold {found[0].kind} {said(obj)}"


async def release(world: World, resource, obj) -> None:
    """Take away what `hold` has put there."""
    kept = [one for one in obj["metadata"].get("finalizers") or () if one != HELD]
    body = {**obj, "metadata": {**obj["metadata"], "finalizers": kept}}
    await world.client.update(body, resource=resource)


async def nonsense(world: World) -> str:
    """Ask for what makes no sense; the API says so, and finds no fault in itself."""
    if (found := one_of(world, *WORKLOADS, resources.PODS, resources.CRONJOBS)) is None:
        return ""
    resource, obj = found
    field = world.chance.choice(sorted(obj["spec"]))
    junk = world.chance.choice((-1, "", "junk", [], {}, [None], {"x": {"y": 1}}, 2**63, True))
    meta = metadata("junk", namespace_of(obj))
    try:
        await world.client.create({"metadata": meta, "spec": obj["spec"] | {field: junk}}, resource)
    except ApiError as error:
        if error.code >= 500:
            world.wrong.append(f"a {resource.kind} with {field}={junk!r}: {error.message}")
        return f"junk {resource.kind} {field}={junk!r}: {error.code}"
    await world.client.delete(resource, namespace_of(obj), "junk", propagation="Background")
    return f"junk {resource.kind} {field}={junk!r} is none"
