"""What people do to a cluster, and what happens to its machines: each deed drawn by chance."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from apimachinery.errors import ApiError, NotFound
from apimachinery.meta import controller_of, is_deleting, name_of
from nodes.client import resources
from nodes.client.rest import MERGE_PATCH, STRATEGIC_PATCH
from tests.simulation.world import World

GOOD, BETTER, BAD = "nginx:1.27", "nginx:1.28", "ngnix:1.28"
APPS = ("a", "b", "c")
STEPS = 25

Deed = Callable[[World], Awaitable[str]]


def _template(app: str, image: str, **spec: Any) -> dict:
    container = {"name": "c", "image": image, "resources": {"requests": {"cpu": "300m"}}}
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [container], **spec}}


def _amount(world: World) -> int | str:
    return world.chance.choice((0, 1, 2, "25%", "50%", "100%"))


def _rolling(world: World) -> dict:
    surge, unavailable = _amount(world), _amount(world)
    if str(surge).rstrip("%") == "0" and str(unavailable).rstrip("%") == "0":
        surge = 1
    return {"maxSurge": surge, "maxUnavailable": unavailable}


async def make_deployment(world: World) -> str:
    app = world.chance.choice(APPS)
    strategy = (
        {"type": "Recreate"}
        if world.chance.random() < 0.2
        else {"type": "RollingUpdate", "rollingUpdate": _rolling(world)}
    )
    spec = {
        "replicas": world.chance.randint(0, 6),
        "selector": {"matchLabels": {"app": app}},
        "strategy": strategy,
        "template": _template(app, world.chance.choice((GOOD, GOOD, BETTER, BAD))),
        "minReadySeconds": world.chance.choice((0, 0, 5)),
        "revisionHistoryLimit": world.chance.choice((0, 1, 10)),
    }
    await world.client.create(
        {"metadata": {"name": app, "namespace": "default"}, "spec": spec}, resources.DEPLOYMENTS
    )
    return f"deployment {app} {spec['replicas']} {strategy}"


async def make_statefulset(world: World) -> str:
    spec = {
        "replicas": world.chance.randint(0, 4),
        "serviceName": "db",
        "podManagementPolicy": world.chance.choice(("OrderedReady", "Parallel")),
        "selector": {"matchLabels": {"app": "db"}},
        "template": _template("db", GOOD),
    }
    await world.client.create(
        {"metadata": {"name": "db", "namespace": "default"}, "spec": spec}, resources.STATEFULSETS
    )
    return f"statefulset {spec['replicas']} {spec['podManagementPolicy']}"


async def make_daemonset(world: World) -> str:
    spec = {
        "selector": {"matchLabels": {"app": "agent"}},
        "template": _template("agent", GOOD),
        "updateStrategy": {"type": world.chance.choice(("RollingUpdate", "OnDelete"))},
    }
    await world.client.create(
        {"metadata": {"name": "agent", "namespace": "default"}, "spec": spec}, resources.DAEMONSETS
    )
    return "daemonset"


async def make_job(world: World) -> str:
    name = f"job-{world.chance.randint(1, 3)}"
    container = {
        "name": "c",
        "image": "registry.k8s.io/e2e-test-images/agnhost:2.53",
        "args": world.chance.choice((["echo", "done"], ["echo", "done"], ["fail"], ["pause"])),
    }
    spec = {
        "parallelism": world.chance.randint(1, 3),
        "completions": world.chance.choice((None, 1, 4)),
        "backoffLimit": world.chance.randint(0, 3),
        "activeDeadlineSeconds": 300,
        "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
    }
    await world.client.create(
        {"metadata": {"name": name, "namespace": "default"}, "spec": spec}, resources.JOBS
    )
    return f"{name} {container['args'][0]} {spec['parallelism']}"


_WORKLOADS = (resources.DEPLOYMENTS, resources.STATEFULSETS, resources.DAEMONSETS, resources.JOBS)


def _one_of(world: World, *found: Any) -> tuple[Any, dict] | None:
    """Draw one object of some resources."""
    every = [(res, obj) for res in found for obj in world.all(str(res.group_resource))]
    return world.chance.choice(every) if every else None


async def _patch(world: World, res: Any, obj: dict, patch: dict, kind: str = MERGE_PATCH) -> None:
    await world.client.patch(res, obj["metadata"]["namespace"], name_of(obj), patch, kind)


async def scale(world: World) -> str:
    if (found := _one_of(world, resources.DEPLOYMENTS, resources.STATEFULSETS)) is None:
        return ""
    replicas = world.chance.randint(0, 7)
    await _patch(world, *found, {"spec": {"replicas": replicas}})
    return f"scale {name_of(found[1])} {replicas}"


async def set_image(world: World) -> str:
    if (found := _one_of(world, *_WORKLOADS[:3])) is None:
        return ""
    image = world.chance.choice((GOOD, BETTER, BETTER, BAD))
    containers = [{"name": "c", "image": image}]
    patch = {"spec": {"template": {"spec": {"containers": containers}}}}
    await _patch(world, *found, patch, STRATEGIC_PATCH)
    return f"image {name_of(found[1])} {image}"


async def set_strategy(world: World) -> str:
    if (found := _one_of(world, resources.DEPLOYMENTS)) is None:
        return ""
    patch = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": _rolling(world)}}}
    await _patch(world, *found, patch)
    return f"strategy {name_of(found[1])} {patch['spec']['strategy']}"


async def pause(world: World) -> str:
    if (found := _one_of(world, resources.DEPLOYMENTS)) is None:
        return ""
    paused = not found[1]["spec"].get("paused")
    await _patch(world, *found, {"spec": {"paused": paused or None}})
    return f"{'pause' if paused else 'resume'} {name_of(found[1])}"


async def remove(world: World) -> str:
    if (found := _one_of(world, *_WORKLOADS)) is None:
        return ""
    policy = world.chance.choice(("Background", "Foreground", "Orphan"))
    await world.client.delete(found[0], "default", name_of(found[1]), propagation=policy)
    return f"delete {name_of(found[1])} {policy}"


async def remove_pod(world: World) -> str:
    if (found := _one_of(world, resources.PODS)) is None:
        return ""
    grace = world.chance.choice((None, None, 0, 3))
    await world.client.delete(*_address(found), grace=grace)
    return f"delete {name_of(found[1])} {grace}"


def _address(found: tuple[Any, dict]) -> tuple[Any, str, str]:
    return found[0], "default", name_of(found[1])


async def evict(world: World) -> str:
    if (found := _one_of(world, resources.PODS)) is None:
        return ""
    return await _evict(world, found[1])


async def _evict(world: World, pod: dict) -> str:
    meta = {"name": name_of(pod), "namespace": "default"}
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta}
    try:
        await world.client.create(
            body,
            resources.PODS,
            subresource="eviction",
            name=name_of(pod),
        )
    except ApiError as error:
        return f"evict {name_of(pod)} refused {error.code}"
    return f"evict {name_of(pod)}"


async def relabel_pod(world: World) -> str:
    """Take a pod out of its owner's sight, or put it into somebody's."""
    if (found := _one_of(world, resources.PODS)) is None:
        return ""
    app = world.chance.choice((*APPS, "db", None))
    await _patch(world, *found, {"metadata": {"labels": {"app": app}}})
    return f"label {name_of(found[1])} {app}"


async def budget(world: World) -> str:
    app = world.chance.choice((*APPS, "db"))
    if world.get("poddisruptionbudgets.policy", app):
        await world.client.delete(resources.PODDISRUPTIONBUDGETS, "default", app)
        return f"no budget {app}"
    limit = world.chance.choice(("minAvailable", "maxUnavailable"))
    spec = {
        limit: world.chance.choice((1, 2, "50%")),
        "selector": {"matchLabels": {"app": app}},
    }
    await world.client.create(
        {"metadata": {"name": app, "namespace": "default"}, "spec": spec},
        resources.PODDISRUPTIONBUDGETS,
    )
    return f"budget {app} {limit} {spec[limit]}"


async def quota(world: World) -> str:
    if world.get("resourcequotas", "pods"):
        await world.client.delete(resources.RESOURCEQUOTAS, "default", "pods")
        return "no quota"
    hard = {"pods": str(world.chance.randint(3, 12))}
    await world.client.create(
        {"metadata": {"name": "pods", "namespace": "default"}, "spec": {"hard": hard}},
        resources.RESOURCEQUOTAS,
    )
    return f"quota {hard['pods']}"


async def make_service(world: World) -> str:
    app = world.chance.choice(APPS)
    spec = {"selector": {"app": app}, "ports": [{"port": 80}]}
    await world.client.create(
        {"metadata": {"name": app, "namespace": "default"}, "spec": spec}, resources.SERVICES
    )
    return f"service {app}"


def _node(world: World) -> str:
    return world.chance.choice(sorted(world.cluster.nodes))


async def stop_node(world: World) -> str:
    node = _node(world)
    await world.cluster.failures.begin({"kind": "stop-node", "target": {"node": node}})
    return f"stop {node}"


async def cut_node(world: World) -> str:
    node = _node(world)
    target = {"from": f"node/{node}", "to": "node/control-plane"}
    await world.cluster.failures.begin({"kind": "cut-link", "target": target})
    return f"cut {node}"


async def mend(world: World) -> str:
    broken = list(world.cluster.failures.journal.failures)
    if not broken:
        return ""
    failure = world.chance.choice(broken)
    await world.cluster.failures.end(failure)
    return f"mend {failure}"


async def kill(world: World) -> str:
    if (found := _one_of(world, resources.PODS)) is None:
        return ""
    target = {"pod": f"default/{name_of(found[1])}"}
    await world.cluster.failures.begin({"kind": "kill-container", "target": target})
    return f"kill {target['pod']}"


async def cordon(world: World) -> str:
    node = _node(world)
    cordoned = not world.get("nodes", node, "")["spec"].get("unschedulable")
    patch = {"spec": {"unschedulable": cordoned or None}}
    await world.client.patch(resources.NODES, "", node, patch, MERGE_PATCH)
    return f"{'cordon' if cordoned else 'uncordon'} {node}"


async def drain(world: World) -> str:
    node = _node(world)
    patch = {"spec": {"unschedulable": True}}
    await world.client.patch(resources.NODES, "", node, patch, MERGE_PATCH)
    on_it = [p for p in world.all("pods") if p["spec"].get("nodeName") == node]
    said = [await _evict(world, pod) for pod in on_it if not is_deleting(pod)]
    return f"drain {node}: {'; '.join(said)}"


async def restart(world: World) -> str:
    await world.restart()
    return "restart"


async def weather(world: World) -> str:
    return world.weather.turn(world.chance)


# Each with how likely it is among all.
DEEDS: tuple[tuple[Deed, int], ...] = (
    (make_deployment, 10),
    (make_statefulset, 3),
    (make_daemonset, 2),
    (make_job, 4),
    (scale, 8),
    (set_image, 8),
    (set_strategy, 2),
    (pause, 2),
    (remove, 4),
    (remove_pod, 5),
    (evict, 5),
    (relabel_pod, 2),
    (budget, 4),
    (quota, 2),
    (make_service, 2),
    (stop_node, 2),
    (cut_node, 2),
    (mend, 4),
    (kill, 3),
    (cordon, 2),
    (drain, 2),
    (restart, 2),
    (weather, 5),
)


async def play(world: World) -> str:
    """Do one thing after the other, then put all in order; return what never came to rest."""
    deeds, weights = zip(*DEEDS, strict=True)
    await make_deployment(world)
    for _ in range(STEPS):
        deed = world.chance.choices(deeds, weights)[0]
        began = world.cluster.clock.timestamp()
        try:
            said = await deed(world)
        except ApiError as error:
            said = f"{deed.__name__}: {error.message}"
        world.deeds.append(f"{began} {said}")
        # Often at once, now and then after everything has had its time.
        await world.sleep(world.chance.choice((0.0, 0.01, 0.3, 2.0, 10.0, 60.0, 400.0)))
    await tidy(world)
    return await world.rest()


async def tidy(world: World) -> None:
    """Mend what is broken, and ask for nothing that cannot be had."""
    world.weather.calm()
    await world.cluster.failures.end_all()
    for node in sorted(world.cluster.nodes):
        patch = {"spec": {"unschedulable": None}}
        await world.client.patch(resources.NODES, "", node, patch, MERGE_PATCH)
    for quota in world.all("resourcequotas"):
        await world.client.delete(resources.RESOURCEQUOTAS, "default", name_of(quota))
    for res in _WORKLOADS[:3]:
        for obj in world.all(str(res.group_resource)):
            # What is being deleted may go at any moment.
            with suppress(NotFound):
                await _patch(world, res, obj, _startable(res), STRATEGIC_PATCH)
    await _remove_stuck(world)


def _startable(res: Any) -> dict:
    spec: dict = {"template": {"spec": {"containers": [{"name": "c", "image": BETTER}]}}}
    if res is resources.DEPLOYMENTS:
        spec["paused"] = None
    if res is resources.DAEMONSETS:
        spec["updateStrategy"] = {"type": "RollingUpdate"}
    return {"spec": spec}


async def _remove_stuck(world: World) -> None:
    """Nobody replaces what has no owner, and a StatefulSet waits for pods of a bad template."""
    for res in (resources.REPLICASETS, resources.PODS):
        for obj in world.all(str(res.group_resource)):
            alone = controller_of(obj) is None
            bad = BAD in str(obj["spec"]) and (alone or res is resources.PODS)
            if bad or (alone and res is resources.PODS):
                with suppress(ApiError):
                    await world.client.delete(
                        res, "default", name_of(obj), propagation="Background"
                    )
