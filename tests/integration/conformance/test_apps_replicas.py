"""ReplicaSets and ReplicationControllers: their lives, and what they say of a quota."""

import pytest

from tests.integration.conformance.workloads import (
    APPS,
    BASE,
    PAUSE,
    STRATEGIC,
    condition,
    image_of,
    images,
    pods_of,
    ready,
    status_is,
    workload,
)
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

SETS = f"{APPS}/replicasets"
CONTROLLERS = f"{BASE}/replicationcontrollers"
GROUP = "[sig-apps] ReplicationController "


def controller(name, replicas=1):
    made = workload(name, replicas)
    made["spec"]["selector"] = made["metadata"]["labels"]
    return made


@pytest.mark.conformance("[sig-apps] ReplicaSet Replace and Patch tests")
async def test_replace_and_patch(world):
    path = f"{SETS}/test"
    await world.create(SETS, workload("test"))
    await ready(world, path, 1)

    def two(found):
        found["spec"]["replicas"] = 2

    await world.update(path, two)
    await ready(world, path, 2)
    change = {"metadata": {"labels": {"test-rs": "patched"}}, **images(PAUSE)}
    change["spec"]["replicas"] = 3
    change["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 3
    watch = world.watch(f"{SETS}?watch=true")
    await world.patch(path, change, STRATEGIC)
    shown = await watch.sees(
        lambda kind, obj: (
            obj["metadata"]["labels"].get("test-rs") == "patched"
            and status_is(readyReplicas=3)(obj)
        )
    )
    assert image_of(shown) == PAUSE
    assert shown["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 3
    found = [image_of(pod) for pod in (await pods_of(world, {"app": "test"})).values()]
    assert found.count(PAUSE) == 1  # the two that there were stay as they are
    assert len(found) == 3


@pytest.mark.conformance(GROUP + "should get and update a ReplicationController scale")
async def test_scale(world):
    path = f"{CONTROLLERS}/test"
    await world.create(CONTROLLERS, controller("test"))
    await ready(world, path, 1)
    scale = await world.get(f"{path}/scale")
    assert (scale["spec"]["replicas"], scale["status"]["replicas"]) == (1, 1)
    scale["spec"]["replicas"] = 2
    del scale["metadata"]["resourceVersion"]
    assert (await world.call("PUT", f"{path}/scale", scale))["spec"]["replicas"] == 2
    assert (await world.get(path))["spec"]["replicas"] == 2
    await ready(world, path, 2)


@pytest.mark.conformance(
    GROUP + "should surface a failure condition on a common issue like exceeded quota"
)
async def test_an_exceeded_quota_shows(world):
    path = f"{CONTROLLERS}/test"
    body = {"metadata": {"name": "two"}, "spec": {"hard": {"pods": "2"}}}
    await world.create(f"{BASE}/resourcequotas", body)
    hard = {"pods": "2"}
    await world.until(
        f"{BASE}/resourcequotas/two", lambda found: found.get("status", {}).get("hard") == hard
    )
    await world.create(CONTROLLERS, controller("test", 3))
    found = await world.until(path, lambda one: condition(one, "ReplicaFailure"))
    said = condition(found, "ReplicaFailure")
    assert (said["status"], said["reason"]) == ("True", "FailedCreate")
    assert "exceeded quota: two" in said["message"]
    assert len(await pods_of(world, {"app": "test"})) == 2

    await world.patch(path, {"spec": {"replicas": 2}})
    await world.until(path, lambda one: condition(one, "ReplicaFailure") is None)


@pytest.mark.conformance(GROUP + "should test the lifecycle of a ReplicationController")
async def test_lifecycle(world):
    path, selected = f"{CONTROLLERS}/test", "labelSelector=app%3Dtest"
    watch = world.watch(f"{CONTROLLERS}?watch=true&{selected}")
    await world.create(CONTROLLERS, controller("test"))
    await watch.until("ADDED", "test")
    await watch.sees(lambda kind, obj: status_is(replicas=1, readyReplicas=1)(obj))

    patched = await world.patch(path, {"metadata": {"labels": {"rc": "patched"}}}, STRATEGIC)
    assert patched["metadata"]["labels"]["rc"] == "patched"
    await watch.sees(lambda kind, obj: obj["metadata"]["labels"].get("rc") == "patched")

    lie = {"status": {"readyReplicas": 0, "availableReplicas": 0}}
    told = await world.patch(f"{path}/status", lie, STRATEGIC)
    assert told["status"].get("readyReplicas", 0) == 0
    await world.until(f"{path}/status", status_is(replicas=1, readyReplicas=1))

    await world.patch(f"{path}/scale", {"spec": {"replicas": 2}}, STRATEGIC)
    await watch.sees(lambda kind, obj: status_is(replicas=2, readyReplicas=2)(obj))

    def claim(found):
        found["status"] |= {"readyReplicas": 1, "availableReplicas": 1}

    told = await world.update(path, claim, to="/status")
    assert told["status"]["readyReplicas"] == 1
    (found,) = (await world.get(f"/api/v1/replicationcontrollers?{selected}"))["items"]
    assert found["metadata"]["labels"] == {"app": "test", "rc": "patched"}
    await world.delete(f"{CONTROLLERS}?{selected}")
    await watch.until("DELETED", "test")
