"""What holds for several kinds of workloads: their scale, their status, their collections."""

import pytest

from tests.integration.conformance.workloads import (
    APPS,
    PODS,
    STRATEGIC,
    condition,
    owner,
    pods_of,
    ready,
    status_is,
    workload,
)
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

BASIC = "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] "
DAEMONS = "[sig-apps] Daemon set [Serial] "


@pytest.mark.parametrize(
    "plural",
    [
        pytest.param(
            "deployments",
            marks=pytest.mark.conformance(
                "[sig-apps] Deployment Deployment should have a working scale subresource"
            ),
        ),
        pytest.param(
            "replicasets",
            marks=pytest.mark.conformance(
                "[sig-apps] ReplicaSet Replicaset should have a working scale subresource"
            ),
        ),
        pytest.param(
            "statefulsets",
            marks=pytest.mark.conformance(BASIC + "should have a working scale subresource"),
        ),
    ],
)
async def test_scale(world, plural):
    path = f"{APPS}/{plural}/test"
    await world.create(f"{APPS}/{plural}", workload("test"))
    await ready(world, path, 1)
    scale = await world.get(f"{path}/scale")
    assert (scale["spec"]["replicas"], scale["status"]["replicas"]) == (1, 1)

    del scale["metadata"]["resourceVersion"]  # whatever happened meanwhile
    scale["spec"]["replicas"] = 2
    assert (await world.call("PUT", f"{path}/scale", scale))["spec"]["replicas"] == 2
    assert (await world.get(path))["spec"]["replicas"] == 2
    await ready(world, path, 2)

    await world.patch(f"{path}/scale", {"spec": {"replicas": 4}}, STRATEGIC)
    assert (await world.get(path))["spec"]["replicas"] == 4


@pytest.mark.parametrize(
    ("plural", "is_well"),
    [
        pytest.param(
            "deployments",
            status_is(availableReplicas=1),
            marks=pytest.mark.conformance(
                "[sig-apps] Deployment should validate Deployment Status endpoints"
            ),
        ),
        pytest.param(
            "replicasets",
            status_is(availableReplicas=1),
            marks=pytest.mark.conformance(
                "[sig-apps] ReplicaSet should validate Replicaset Status endpoints"
            ),
        ),
        pytest.param(
            "statefulsets",
            status_is(availableReplicas=1),
            marks=pytest.mark.conformance(BASIC + "should validate Statefulset Status endpoints"),
        ),
        pytest.param(
            "daemonsets",
            status_is(numberAvailable=3),
            marks=pytest.mark.conformance(DAEMONS + "should verify changes to a daemon set status"),
        ),
    ],
)
async def test_status(world, plural, is_well):
    path = f"{APPS}/{plural}/test"
    await world.create(f"{APPS}/{plural}", workload("test", None))
    await world.until(path, is_well)
    assert is_well(await world.get(f"{path}/status"))
    watch = world.watch(f"{APPS}/{plural}?watch=true&labelSelector=app%3Dtest")

    said = {"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Set by a test"}

    def add(found):
        found["status"].setdefault("conditions", []).append(said)

    updated = await world.update(path, add, to="/status")
    assert condition(updated, "StatusUpdate")["message"] == "Set by a test"
    await watch.sees(lambda kind, obj: condition(obj, "StatusUpdate"))

    body = {"status": {"conditions": [{"type": "StatusPatched", "status": "True"}]}}
    patched = await world.patch(f"{path}/status", body)
    assert condition(patched, "StatusPatched")["status"] == "True"
    await watch.sees(lambda kind, obj: condition(obj, "StatusPatched"))


@pytest.mark.parametrize(
    ("plural", "is_well"),
    [
        pytest.param(
            "replicasets",
            status_is(replicas=3),
            marks=pytest.mark.conformance(
                "[sig-apps] ReplicaSet should list and delete a collection of ReplicaSets"
            ),
        ),
        pytest.param(
            "daemonsets",
            status_is(numberReady=3),
            marks=pytest.mark.conformance(
                DAEMONS + "should list and delete a collection of DaemonSets"
            ),
        ),
    ],
)
async def test_collection(world, plural, is_well):
    counted = 3 if plural == "replicasets" else None
    labels = {"app": "test", "e2e": "yes"}
    await world.create(f"{APPS}/{plural}", workload("test", counted, labels))
    await world.until(f"{APPS}/{plural}/test", is_well)
    selected = "?labelSelector=e2e%3Dyes"
    assert len((await world.get(f"/apis/apps/v1/{plural}{selected}"))["items"]) == 1
    await world.delete(f"{APPS}/{plural}{selected}")
    assert (await world.get(f"/apis/apps/v1/{plural}{selected}"))["items"] == []
    await world.until(PODS, lambda found: not found["items"])


@pytest.mark.parametrize(
    ("path", "selector"),
    [
        pytest.param(
            f"{APPS}/replicasets",
            {"matchLabels": {"name": "adoption"}},
            marks=pytest.mark.conformance(
                "[sig-apps] ReplicaSet should adopt matching pods on creation and release no longer"
                " matching pods"
            ),
        ),
        pytest.param(
            "/api/v1/namespaces/conformance/replicationcontrollers",
            {"name": "adoption"},
            marks=[
                pytest.mark.conformance(
                    "[sig-apps] ReplicationController should adopt matching pods on creation"
                ),
                pytest.mark.conformance(
                    "[sig-apps] ReplicationController should release no longer matching pods"
                ),
            ],
        ),
    ],
)
async def test_adoption(world, path, selector):
    labels = {"name": "adoption"}
    made = workload("adoption", labels=labels)
    orphan = made["spec"]["template"] | {"metadata": {"name": "orphan", "labels": labels}}
    await world.create(PODS, orphan)
    made["spec"]["selector"] = selector
    uid = (await world.create(path, made))["metadata"]["uid"]
    await world.until(f"{PODS}/orphan", lambda found: owner(found) == uid)
    assert list(await pods_of(world, labels)) == ["orphan"]

    await world.patch(f"{PODS}/orphan", {"metadata": {"labels": {"name": "other"}}})
    await world.until(f"{PODS}/orphan", lambda found: owner(found) is None)
    await world.until(path + "/adoption", status_is(readyReplicas=1))
    (replacement,) = (await pods_of(world, labels)).values()
    assert owner(replacement) == uid


@pytest.mark.parametrize(
    ("path", "selector"),
    [
        pytest.param(
            f"{APPS}/replicasets",
            {"matchLabels": {"name": "hostnames"}},
            marks=pytest.mark.conformance(
                "[sig-apps] ReplicaSet should serve a basic image on each replica with a public"
                " image"
            ),
        ),
        pytest.param(
            "/api/v1/namespaces/conformance/replicationcontrollers",
            {"name": "hostnames"},
            marks=pytest.mark.conformance(
                "[sig-apps] ReplicationController should serve a basic image on each replica with a"
                " public image"
            ),
        ),
    ],
)
async def test_every_replica_answers(world, path, selector):
    container = {"args": ["serve-hostname"], "ports": [{"containerPort": 9376}]}
    labels, image = {"name": "hostnames"}, "registry.k8s.io/e2e-test-images/agnhost:2.53"
    made = workload("hostnames", 2, labels, image, container)
    made["spec"]["selector"] = selector
    await world.create(path, made)
    await ready(world, path + "/hostnames", 2)
    for name in await pods_of(world, labels):
        answer = await world.client.get(f"{PODS}/{name}/proxy/")
        assert answer.body.decode().strip() == name
