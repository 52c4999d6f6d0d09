"""StatefulSets: the order of their pods, and their revisions."""

import asyncio

import pytest

from tests.integration.conformance.workloads import (
    APPS,
    BASE,
    HTTPD,
    NGINX,
    PAUSE,
    PODS,
    STRATEGIC,
    image_of,
    images,
    pod,
    pods_of,
    ready,
    running,
    status_is,
    workload,
)
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

GROUP = "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] "
SETS = f"{APPS}/statefulsets"
SET = f"{SETS}/ss"
PAGES = f"{BASE}/configmaps/pages"
LABELS = {"app": "ss"}


async def with_pages(world, **spec):
    """Make a set whose pods are ready as long as they have a page, and wait for its one pod."""
    await world.create(
        f"{BASE}/configmaps", {"metadata": {"name": "pages"}, "data": {"index.html": "well"}}
    )
    container = {
        "readinessProbe": {
            "httpGet": {"path": "/index.html", "port": 80},
            "periodSeconds": 1,
            "failureThreshold": 1,
        },
        "volumeMounts": [{"name": "pages", "mountPath": "/usr/share/nginx/html"}],
    }
    made = workload("ss", 1, LABELS, container=container, **spec)
    made["spec"]["template"]["spec"]["volumes"] = [
        {"name": "pages", "configMap": {"name": "pages"}}
    ]
    await world.create(SETS, made)
    await ready(world, SET, 1)


async def break_pages(world, replicas):
    """Take the page away, so that every pod runs on and is not ready."""
    await world.patch(PAGES, {"data": {"index.html": None}})
    found = await world.until(SET, status_is(readyReplicas=0), within=180)
    assert found["status"]["replicas"] == replicas


async def restore_pages(world):
    await world.patch(PAGES, {"data": {"index.html": "well"}})


async def scale(world, replicas):
    await world.patch(SET, {"spec": {"replicas": replicas}})


def order(watch, kind):
    return [name for type_, name in watch.seen if type_ == kind]


@pytest.mark.conformance(
    GROUP + "Scaling should happen in predictable order and halt if any stateful pod is unhealthy"
    " [Slow]"
)
async def test_order(world):
    watch = world.watch(f"{PODS}?watch=true&labelSelector=app%3Dss")
    await with_pages(world)
    await break_pages(world, 1)
    await scale(world, 3)
    await asyncio.sleep(10)  # virtual: long enough for more pods, were there to be any
    assert len(await pods_of(world, LABELS)) == 1
    await restore_pages(world)
    await ready(world, SET, 3, within=240)
    assert order(watch, "ADDED") == ["ss-0", "ss-1", "ss-2"]

    await break_pages(world, 3)
    await scale(world, 0)
    await asyncio.sleep(10)
    assert len(await pods_of(world, LABELS)) == 3
    await restore_pages(world)
    await world.until(SET, status_is(replicas=0), within=240)
    assert order(watch, "DELETED") == ["ss-2", "ss-1", "ss-0"]


@pytest.mark.conformance(
    GROUP + "Burst scaling should run to completion even with unhealthy pods [Slow]"
)
async def test_burst(world):
    await with_pages(world, podManagementPolicy="Parallel")
    await break_pages(world, 1)
    await scale(world, 3)
    await world.until(SET, status_is(replicas=3, readyReplicas=0), within=10)
    await restore_pages(world)
    await ready(world, SET, 3, within=240)
    await break_pages(world, 3)
    await scale(world, 0)
    await world.until(SET, status_is(replicas=0), within=10)
    await world.until(PODS, lambda found: not found["items"])


@pytest.mark.conformance(GROUP + "Should recreate evicted statefulset")
async def test_a_pod_that_its_node_refuses_is_made_again(world):
    container = {"ports": [{"containerPort": 21017, "hostPort": 21017}]}
    await world.create(PODS, pod("first", HTTPD, container, nodeName="node-1"))
    await running(world, "first")
    watch = world.watch(f"{PODS}?watch=true&fieldSelector=metadata.name%3Dss-0")
    made = workload("ss", 1, LABELS, container=container)
    made["spec"]["template"]["spec"]["nodeName"] = "node-1"
    await world.create(SETS, made)
    refused = await watch.sees(lambda kind, obj: obj["status"]["phase"] == "Failed")
    assert refused["status"]["reason"] == "NodePorts"
    await watch.until("DELETED", "ss-0")

    await world.delete(f"{PODS}/first", {"gracePeriodSeconds": 0})
    found = await world.until(
        f"{PODS}/ss-0", lambda one: one["status"].get("phase") == "Running", within=120
    )
    assert found["metadata"]["uid"] != refused["metadata"]["uid"]


@pytest.mark.conformance(GROUP + "should list, patch and delete a collection of StatefulSets")
async def test_collection(world):
    await world.create(SETS, workload("ss", 1, LABELS))
    await ready(world, SET, 1)
    change = {"metadata": {"labels": {"test-ss": "patched"}}, **images(PAUSE)}
    change["spec"]["replicas"] = 2
    patched = await world.patch(SET, change, STRATEGIC)
    assert (patched["spec"]["replicas"], image_of(patched)) == (2, PAUSE)
    await ready(world, SET, 2)
    selected = "?labelSelector=test-ss%3Dpatched"
    assert len((await world.get(f"/apis/apps/v1/statefulsets{selected}"))["items"]) == 1
    await world.delete(f"{SETS}{selected}", {"gracePeriodSeconds": 1})
    assert (await world.get(f"/apis/apps/v1/statefulsets{selected}"))["items"] == []


def revisions(found):
    return found["status"]["currentRevision"], found["status"]["updateRevision"]


async def run(world):
    """Return what each pod runs: its image, and the revision that it is of."""
    return {
        name: (image_of(one), one["metadata"]["labels"]["controller-revision-hash"])
        for name, one in (await pods_of(world, LABELS)).items()
    }


@pytest.mark.conformance(
    GROUP + "should perform rolling updates and roll backs of template modifications"
)
async def test_rolling_back(world):
    await world.create(SETS, workload("ss", 3, LABELS))
    first, second = revisions(await ready(world, SET, 3))
    assert first == second
    assert await run(world) == {f"ss-{i}": (NGINX, first) for i in range(3)}

    async def update(image):
        watch = world.watch(f"{PODS}?watch=true&labelSelector=app%3Dss")
        await world.patch(SET, images(image), STRATEGIC)
        seen = await world.until(SET, lambda one: one["status"]["updateRevision"] != current)
        new = seen["status"]["updateRevision"]
        done = await world.until(
            SET,
            lambda one: one["status"]["currentRevision"] == new and status_is(readyReplicas=3)(one),
            within=120,
        )
        assert await run(world) == {f"ss-{i}": (image, new) for i in range(3)}
        assert order(watch, "DELETED") == ["ss-2", "ss-1", "ss-0"]
        assert done["status"]["updatedReplicas"] == 3
        return new

    current = first
    current = await update(HTTPD)
    assert current != first
    assert await update(NGINX) == first  # not a third revision
    items = (await world.get(f"{APPS}/controllerrevisions"))["items"]
    assert sorted(one["revision"] for one in items) == [2, 3]


@pytest.mark.conformance(
    GROUP + "should perform canary updates and phased rolling updates of template modifications"
)
async def test_partitions(world):
    def partition(number):
        return {"type": "RollingUpdate", "rollingUpdate": {"partition": number}}

    await world.create(SETS, workload("ss", 3, LABELS, updateStrategy=partition(3)))
    old, _ = revisions(await ready(world, SET, 3))
    await world.patch(SET, images(HTTPD), STRATEGIC)
    found = await world.until(SET, lambda one: one["status"]["updateRevision"] != old)
    new = found["status"]["updateRevision"]
    await asyncio.sleep(10)  # virtual: a roll would have begun
    assert await run(world) == {f"ss-{i}": (NGINX, old) for i in range(3)}

    async def phase(number):
        """Have all pods from this ordinal on be of the new revision, and no other."""
        await world.patch(SET, {"spec": {"updateStrategy": partition(number)}})
        await world.until(SET, status_is(updatedReplicas=3 - number, readyReplicas=3))
        await is_at(number)

    async def is_at(number):
        wanted = {f"ss-{i}": (HTTPD, new) if i >= number else (NGINX, old) for i in range(3)}
        assert await run(world) == wanted

    await phase(2)
    before = await pods_of(world, LABELS)
    for name in ("ss-0", "ss-2"):
        await world.delete(f"{PODS}/{name}")
        uid = before[name]["metadata"]["uid"]
        await world.until(
            f"{PODS}/{name}", lambda one, uid=uid: one.get("metadata", {}).get("uid") != uid
        )
    await world.until(SET, status_is(replicas=3, readyReplicas=3))
    await is_at(2)

    await phase(1)
    await phase(0)
    assert revisions(await world.get(SET)) == (new, new)
