"""What happens to machines, to the line to the API, to the worker, and to time."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from apimachinery.errors import ApiError
from nodes.client import resources
from nodes.client.rest import MERGE_PATCH
from tests.simulation.deeds.drawing import evict, on_node, said
from tests.simulation.world import World

TAINT = {"key": "example.com/out", "effect": "NoExecute"}
ROUNDS = 6


def _node(world: World) -> str:
    return world.chance.choice(sorted(world.cluster.nodes))


async def change_node(world: World, node: str, **spec: object) -> None:
    await world.client.patch(resources.NODES, "", node, {"spec": spec}, MERGE_PATCH)


async def stop_node(world: World) -> str:
    node = _node(world)
    await world.cluster.failures.begin({"kind": "stop-node", "target": {"node": node}})
    return f"stop {node}"


async def cut_node(world: World) -> str:
    node = _node(world)
    target = {"from": f"node/{node}", "to": "node/control-plane"}
    await world.cluster.failures.begin({"kind": "cut-link", "target": target})
    return f"cut {node}"


async def lose_registry(world: World) -> str:
    await world.cluster.failures.begin({"kind": "registry-down", "target": {}})
    return "no registry"


async def fill_disk(world: World) -> str:
    node = _node(world)
    await world.cluster.failures.begin({"kind": "disk-full", "target": {"node": node}})
    return f"fill {node}"


async def mend(world: World) -> str:
    broken = list(world.cluster.failures.journal.failures)
    if not broken:
        return ""
    failure = world.chance.choice(broken)
    await world.cluster.failures.end(failure)
    return f"mend {failure}"


async def cordon(world: World) -> str:
    node = _node(world)
    cordoned = not world.get("nodes", node, "")["spec"].get("unschedulable")
    await change_node(world, node, unschedulable=cordoned or None)
    return f"{'cordon' if cordoned else 'uncordon'} {node}"


async def taint(world: World) -> str:
    node = _node(world)
    there = world.get("nodes", node, "")["spec"].get("taints") or []
    kept = [one for one in there if one["key"] != TAINT["key"]]
    await change_node(world, node, taints=kept if len(kept) < len(there) else [*there, TAINT])
    return f"{'untaint' if len(kept) < len(there) else 'taint'} {node}"


async def drain(world: World) -> str:
    """Empty a node as kubectl does: who may not go is asked again after five seconds."""
    node, refused = _node(world), 0
    await change_node(world, node, unschedulable=True)
    for _ in range(ROUNDS):
        if not (there := on_node(world, node)):
            break
        for pod in there:
            try:
                await evict(world, pod)
            except ApiError:
                refused += 1
        await world.sleep(5.0)
    left = [said(pod) for pod in on_node(world, node)]
    return f"drain {node}: {refused} refused, {left} left"


async def restart(world: World) -> str:
    await world.restart()
    return "restart"


async def outage(world: World) -> str:
    """Leave a cluster without its worker for a while: its time leaps."""
    seconds = world.chance.choice((60.0, 600.0, 7200.0))
    await world.restart(seconds)
    return f"outage of {seconds} s"


async def leap(world: World) -> str:
    """Move the clock on; what comes due on the way has its turn."""
    seconds = world.chance.choice((30.0, 400.0, 1800.0))
    await world.cluster.time.change(action="move", seconds=seconds)
    return f"leap of {seconds} s"


async def hold_time(world: World) -> str:
    """Hold the clock for a while that only the machine knows of."""
    await world.cluster.time.change(action="pause")
    await asyncio.sleep(60.0)
    await world.cluster.time.change(action="resume")
    return "time stood still"


async def speed(world: World) -> str:
    rate = world.chance.choice((1.0, 10.0, 100.0))
    await world.cluster.time.change(rate=rate)
    return f"time at {rate}"


async def weather(world: World) -> str:
    return world.weather.turn(world.chance)


async def mend_all(world: World) -> None:
    """Put all back in order that deeds of this file have changed."""
    world.weather.calm()
    await world.cluster.time.change(rate=1.0)
    await world.cluster.failures.end_all()
    for node in sorted(world.cluster.nodes):
        there = world.get("nodes", node, "")["spec"].get("taints") or []
        kept = [one for one in there if one["key"] != TAINT["key"]]
        with suppress(ApiError):
            await change_node(world, node, unschedulable=None, taints=kept or None)
