"""DaemonSets: a pod on each node that they want, how it is replaced, and their revisions."""

import pytest

from tests.integration.conformance.workloads import (
    APPS,
    HTTPD,
    NGINX,
    NOWHERE,
    PODS,
    STRATEGIC,
    image_of,
    images,
    owner,
    pods_of,
    status_is,
    workload,
)
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

GROUP = "[sig-apps] Daemon set [Serial] "
SETS = f"{APPS}/daemonsets"
DAEMON = f"{SETS}/daemon"
HISTORY = f"{APPS}/controllerrevisions"
LABELS = {"app": "daemon"}
NODES = ["node-1", "node-2", "node-3"]


async def on(world, *nodes):
    """Wait until one available daemon runs on each of these nodes, and none elsewhere."""
    count = len(nodes)

    def check(found):
        status = found["status"]
        counts = [status.get(k, 0) for k in ("desiredNumberScheduled", "currentNumberScheduled")]
        return [*counts, status.get("numberAvailable", 0)] == [count] * 3

    await world.until(DAEMON, check)
    found = [one["spec"]["nodeName"] for one in (await pods_of(world, LABELS)).values()]
    assert sorted(found) == sorted(nodes)


async def run_everywhere(world, **spec):
    await world.create(SETS, workload("daemon", None, LABELS, **spec))
    await on(world, *NODES)


async def replaced(world, name):
    """Wait until a pod is gone and all nodes have their daemon."""
    await world.gone(f"{PODS}/{name}")
    await on(world, *NODES)


@pytest.mark.conformance(GROUP + "should run and stop simple daemon")
async def test_simple(world):
    await run_everywhere(world)
    name = next(iter(await pods_of(world, LABELS)))
    await world.delete(f"{PODS}/{name}")
    await replaced(world, name)


@pytest.mark.conformance(GROUP + "should retry creating failed daemon pods")
async def test_failed(world):
    await run_everywhere(world)
    name = next(iter(await pods_of(world, LABELS)))
    await world.patch(f"{PODS}/{name}/status", {"status": {"phase": "Failed"}})
    await replaced(world, name)


@pytest.mark.conformance(GROUP + "should run and stop complex daemon")
async def test_complex(world):
    async def paint(color):
        await world.patch("/api/v1/nodes/node-2", {"metadata": {"labels": {"color": color}}})

    made = workload("daemon", None, LABELS)
    made["spec"]["template"]["spec"]["nodeSelector"] = {"color": "blue"}
    await world.create(SETS, made)
    await on(world)
    await paint("blue")
    await on(world, "node-2")
    await paint("green")
    await on(world)
    change = {"template": {"spec": {"nodeSelector": {"color": "green"}}}}
    await world.patch(DAEMON, {"spec": change | {"updateStrategy": {"type": "RollingUpdate"}}})
    await on(world, "node-2")


async def current(world):
    """Return the newest revision."""
    return max((await world.get(HISTORY))["items"], key=lambda one: one["revision"])


async def hashes(world):
    found = (await pods_of(world, LABELS)).values()
    return {one["metadata"]["labels"]["controller-revision-hash"] for one in found}


@pytest.mark.conformance(
    GROUP + "should update pod when spec was updated and update strategy is RollingUpdate"
)
async def test_rolling(world):
    await run_everywhere(world)
    first = await current(world)
    assert first["revision"] == 1
    assert await hashes(world) == {first["metadata"]["labels"]["controller-revision-hash"]}

    watch = world.watch(f"{SETS}?watch=true")
    await world.patch(DAEMON, images(HTTPD), STRATEGIC)
    await world.until(DAEMON, status_is(updatedNumberScheduled=3, numberAvailable=3), within=180)
    assert {image_of(one) for one in (await pods_of(world, LABELS)).values()} == {HTTPD}
    assert max(one["status"].get("numberUnavailable", 0) for _, _, one in watch.events) == 1
    second = await current(world)
    assert second["revision"] == 2
    assert await hashes(world) == {second["metadata"]["labels"]["controller-revision-hash"]}


@pytest.mark.conformance(GROUP + "should rollback without unnecessary restarts")
async def test_rolling_back(world):
    await run_everywhere(world)
    await world.patch(DAEMON, images(NOWHERE), STRATEGIC)
    await world.until(PODS, lambda found: NOWHERE in [image_of(one) for one in found["items"]])
    kept = {n for n, one in (await pods_of(world, LABELS)).items() if image_of(one) == NGINX}
    assert len(kept) == 2
    await world.patch(DAEMON, images(NGINX), STRATEGIC)
    await world.until(DAEMON, status_is(updatedNumberScheduled=3, numberAvailable=3), within=180)
    found = await pods_of(world, LABELS)
    assert {image_of(one) for one in found.values()} == {NGINX}
    assert kept < set(found)


@pytest.mark.conformance(
    "[sig-apps] ControllerRevision [Serial] should manage the lifecycle of a ControllerRevision"
)
async def test_revisions(world):
    selected = "?labelSelector=app%3Ddaemon"

    async def count(number):
        found = await world.until(HISTORY + selected, lambda one: len(one["items"]) == number)
        return found["items"]

    await run_everywhere(world)
    daemon = await world.get(DAEMON)
    (first,) = (await world.get(f"/apis/apps/v1/controllerrevisions{selected}"))["items"]
    assert owner(first) == daemon["metadata"]["uid"]
    name = first["metadata"]["name"]
    change = {"metadata": {"labels": {name: "patched"}}}
    patched = await world.patch(f"{HISTORY}/{name}", change, STRATEGIC)
    assert patched["metadata"]["labels"][name] == "patched"

    # A revision that somebody else made is kept, as long as nothing else takes its number.
    metadata = {
        "name": "daemon-other",
        "labels": {**LABELS, "controller-revision-hash": "other"},
        "ownerReferences": first["metadata"]["ownerReferences"],
    }
    await world.create(
        HISTORY, {"metadata": metadata, "data": first["data"], "revision": first["revision"] + 1}
    )
    await count(2)
    await world.delete(f"{HISTORY}/{name}")
    (left,) = await count(1)
    name = left["metadata"]["name"]

    def label(found):
        found["metadata"]["labels"][name] = "updated"

    updated = await world.update(f"{HISTORY}/{name}", label)
    assert updated["metadata"]["labels"][name] == "updated"
    seconds = {"spec": {"terminationGracePeriodSeconds": 2}}
    await world.patch(DAEMON, {"spec": {"template": seconds}}, STRATEGIC)
    await count(2)
    await world.delete(f"{HISTORY}?labelSelector={name}%3Dupdated")
    (last,) = await count(1)
    assert last["revision"] == 3
