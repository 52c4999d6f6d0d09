"""What people make: workloads of every kind, and what stands around them."""

from __future__ import annotations

from typing import Any

from apimachinery.meta import name_of, namespace_of
from nodes.client import resources
from tests.simulation.deeds.drawing import (
    AGNHOST,
    APPS,
    AWAY,
    BAD,
    BETTER,
    GOOD,
    Obj,
    metadata,
    one_of,
    place,
    rolling,
    said,
    template,
)
from tests.simulation.world import World


async def _make(world: World, res: Any, name: str, spec: Obj, namespace: str = "") -> str:
    """Make an object; return what to call it."""
    obj = {"metadata": metadata(name, namespace or place(world)), "spec": spec}
    await world.client.create(obj, res)
    return said(obj)


async def make_deployment(world: World) -> str:
    app, chance = world.chance.choice(APPS), world.chance
    strategy = (
        {"type": "Recreate"}
        if chance.random() < 0.2
        else {"type": "RollingUpdate", "rollingUpdate": rolling(world)}
    )
    spec = {
        "replicas": chance.randint(0, 6),
        "selector": {"matchLabels": {"app": app}},
        "strategy": strategy,
        "template": template(world, app, chance.choice((GOOD, GOOD, BETTER, BAD))),
        "minReadySeconds": chance.choice((0, 0, 5)),
        "revisionHistoryLimit": chance.choice((0, 1, 10)),
        "progressDeadlineSeconds": chance.choice((30, 600)),
    }
    made = await _make(world, resources.DEPLOYMENTS, app, spec)
    return f"deployment {made} {spec['replicas']} {strategy}"


async def make_twins(world: World) -> str:
    """Have two ReplicaSets that select the same pods, and make a pod that either may take."""
    namespace, labels = place(world), {"app": "twin"}
    pod = template(world, "twin", GOOD)
    selector = {"matchLabels": labels}
    for name in ("twin-1", "twin-2"):
        if world.get("replicasets.apps", name, namespace) is None:
            spec = {"replicas": world.chance.randint(0, 2), "selector": selector, "template": pod}
            await _make(world, resources.REPLICASETS, name, spec, namespace)
    meta = {"generateName": "alone-", "namespace": namespace, "labels": labels}
    return f"pod {said(await world.client.create({**pod, 'metadata': meta}, resources.PODS))}"


async def make_statefulset(world: World) -> str:
    chance = world.chance
    spec = {
        "replicas": chance.randint(0, 4),
        "serviceName": "db",
        "podManagementPolicy": chance.choice(("OrderedReady", "Parallel")),
        "selector": {"matchLabels": {"app": "db"}},
        "template": template(world, "db", GOOD),
        "minReadySeconds": chance.choice((0, 0, 5)),
        "updateStrategy": chance.choice(_UPDATES),
        "persistentVolumeClaimRetentionPolicy": {
            "whenDeleted": chance.choice(("Retain", "Delete")),
            "whenScaled": chance.choice(("Retain", "Delete")),
        },
    }
    if chance.random() < 0.5:
        size = {"requests": {"storage": "1Gi"}}
        claim = {"accessModes": ["ReadWriteOnce"], "resources": size}
        spec["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": claim}]
        container = spec["template"]["spec"]["containers"][0]
        container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    made = await _make(world, resources.STATEFULSETS, "db", spec)
    claims = " with claims" if "volumeClaimTemplates" in spec else ""
    return f"statefulset {made} {spec['replicas']} {spec['podManagementPolicy']}{claims}"


_UPDATES = (
    {"type": "RollingUpdate"},
    {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}},
    {"type": "OnDelete"},
)


async def make_daemonset(world: World) -> str:
    spec = {
        "selector": {"matchLabels": {"app": "agent"}},
        "template": template(world, "agent", GOOD),
        "updateStrategy": daemon_updates(world),
        "minReadySeconds": world.chance.choice((0, 0, 5)),
    }
    # An affinity apart from themselves would be in the way of their own update.
    spec["template"]["spec"].pop("affinity", None)
    made = await _make(world, resources.DAEMONSETS, "agent", spec)
    return f"daemonset {made} {spec['updateStrategy']}"


def daemon_updates(world: World) -> Obj:
    """Return how a DaemonSet rolls: with a surge, or with some that are away."""
    amount = world.chance.choice((1, 2, "50%"))
    most = world.chance.choice(
        ({"maxSurge": amount, "maxUnavailable": 0}, {"maxSurge": 0, "maxUnavailable": amount})
    )
    rolls = {"type": "RollingUpdate", "rollingUpdate": most}
    return world.chance.choice((rolls, rolls, {"type": "OnDelete"}))


def _job(world: World) -> Obj:
    """Return the spec of a Job that ends, if by nothing else then by its time limit."""
    chance = world.chance
    args = chance.choice((["echo", "done"], ["echo", "done"], ["fail"], ["pause"]))
    container = {
        "name": "c",
        "image": AGNHOST,
        "args": args,
        "resources": {"requests": {"cpu": "100m"}},
    }
    spec: Obj = {
        "parallelism": chance.randint(1, 3),
        "completions": chance.choice((None, 1, 4)),
        "backoffLimit": chance.randint(0, 3),
        "activeDeadlineSeconds": 300,
        "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
    }
    if chance.random() < 0.4:
        _by_index(world, spec)
    if chance.random() < 0.3:
        spec["podFailurePolicy"] = {"rules": [_failure_rule(world, spec)]}
    else:
        spec["podReplacementPolicy"] = chance.choice(("Failed", "TerminatingOrFailed"))
        spec["template"]["spec"]["restartPolicy"] = (
            "Never" if "backoffLimitPerIndex" in spec else chance.choice(("Never", "OnFailure"))
        )
    return spec


def _by_index(world: World, spec: Obj) -> None:
    chance = world.chance
    spec |= {"completionMode": "Indexed", "completions": chance.randint(1, 4)}
    if chance.random() < 0.5:
        spec["backoffLimitPerIndex"] = chance.randint(0, 1)
        spec["maxFailedIndexes"] = chance.choice((None, 1))
        del spec["backoffLimit"]
    if chance.random() < 0.3:
        spec["successPolicy"] = {"rules": [{"succeededCount": 1}]}


def _failure_rule(world: World, spec: Obj) -> Obj:
    actions = ["FailJob", "Ignore", "Count"]
    if "backoffLimitPerIndex" in spec:
        actions.append("FailIndex")
    about = world.chance.choice(
        (
            {"onExitCodes": {"operator": "NotIn", "values": [0, 137]}},
            {"onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        )
    )
    return {"action": world.chance.choice(actions), **about}


async def make_job(world: World) -> str:
    chance, spec = world.chance, _job(world)
    spec["suspend"] = chance.random() < 0.2
    spec["ttlSecondsAfterFinished"] = chance.choice((None, None, 0, 30))
    made = await _make(world, resources.JOBS, f"job-{chance.randint(1, 3)}", spec)
    container = spec["template"]["spec"]["containers"][0]
    indexed = " by index" if "completionMode" in spec else ""
    return f"{made} {container['args'][0]} {spec['parallelism']}{indexed}"


async def make_cronjob(world: World) -> str:
    chance = world.chance
    spec = {
        "schedule": chance.choice(("* * * * *", "*/3 * * * *", "*/10 * * * *")),
        "concurrencyPolicy": chance.choice(("Allow", "Forbid", "Replace")),
        "startingDeadlineSeconds": chance.choice((None, 30, 200)),
        "successfulJobsHistoryLimit": chance.choice((0, 1, 3)),
        "failedJobsHistoryLimit": chance.choice((0, 1)),
        "jobTemplate": {"spec": _job(world) | {"parallelism": 1}},
    }
    made = await _make(world, resources.CRONJOBS, "nightly", spec)
    return f"cronjob {made} {spec['schedule']} {spec['concurrencyPolicy']}"


async def make_autoscaler(world: World) -> str:
    app, chance = world.chance.choice(APPS), world.chance
    namespace = place(world)
    if world.get("horizontalpodautoscalers.autoscaling", app, namespace):
        await world.client.delete(resources.HORIZONTALPODAUTOSCALERS, namespace, app)
        return f"no autoscaler {app}"
    target = {"type": "Utilization", "averageUtilization": chance.choice((1, 50, 90))}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": app},
        "minReplicas": chance.randint(1, 3),
        "maxReplicas": chance.randint(3, 6),
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }
    made = await _make(world, resources.HORIZONTALPODAUTOSCALERS, app, spec, namespace)
    return f"autoscaler {made} {spec['minReplicas']}-{spec['maxReplicas']}"


async def make_service(world: World) -> str:
    app = world.chance.choice(APPS)
    spec = {"selector": {"app": app}, "ports": [{"port": 80}]}
    return f"service {await _make(world, resources.SERVICES, app, spec)}"


async def budget(world: World) -> str:
    if (found := one_of(world, resources.DEPLOYMENTS, resources.STATEFULSETS)) is None:
        return ""
    app, namespace, chance = name_of(found[1]), namespace_of(found[1]), world.chance
    if world.get("poddisruptionbudgets.policy", app, namespace):
        await world.client.delete(resources.PODDISRUPTIONBUDGETS, namespace, app)
        return f"no budget {app}"
    limit = chance.choice(("minAvailable", "maxUnavailable"))
    spec = {
        limit: chance.choice((1, 2, "50%")),
        "selector": {"matchLabels": {"app": app}},
        "unhealthyPodEvictionPolicy": chance.choice(("IfHealthyBudget", "AlwaysAllow")),
    }
    made = await _make(world, resources.PODDISRUPTIONBUDGETS, app, spec, namespace)
    return f"budget {made} {limit} {spec[limit]}"


async def quota(world: World) -> str:
    namespace, chance = place(world), world.chance
    if world.get("resourcequotas", "all", namespace):
        await world.client.delete(resources.RESOURCEQUOTAS, namespace, "all")
        return "no quota"
    hard = {"pods": str(chance.randint(3, 12))}
    hard |= chance.choice(({}, {}, {"requests.cpu": "2"}, {"count/jobs.batch": "2"}))
    made = await _make(world, resources.RESOURCEQUOTAS, "all", {"hard": hard}, namespace)
    return f"quota {made} {hard}"


async def make_namespace(world: World) -> str:
    if world.get("namespaces", AWAY, ""):
        policy = world.chance.choice(("Background", "Foreground"))
        await world.client.delete(resources.NAMESPACES, "", AWAY, propagation=policy)
        return f"delete namespace {AWAY}"
    await world.client.create({"metadata": {"name": AWAY}}, resources.NAMESPACES)
    return f"namespace {AWAY}"
