"""PodDisruptionBudgets: what they allow, and evictions that ask them."""

import pytest

from tests.integration.conformance.conftest import NAMESPACE
from tests.integration.conformance.workloads import (
    APPS,
    BASE,
    PAUSE,
    PODS,
    pod,
    pods_of,
    ready,
    running,
    workload,
)
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

GROUP = "[sig-apps] DisruptionController "
BUDGETS = f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets"
BUDGET = f"{BUDGETS}/budget"
LABELS = {"app": "web"}


def budget(name="budget", available=1, labels=None):
    return {
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"minAvailable": available, "selector": {"matchLabels": LABELS}},
    }


async def evict(world, name, expect):
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    return await world.create(f"{PODS}/{name}/eviction", body, expect=expect)


async def refused(world, name):
    answer = await evict(world, name, 429)
    assert [one["reason"] for one in answer["details"]["causes"]] == ["DisruptionBudget"]


def allows(count, healthy):
    def check(found):
        status = found.get("status") or {}
        seen = status.get("observedGeneration") == found["metadata"]["generation"]
        counts = status.get("disruptionsAllowed"), status.get("currentHealthy")
        return seen and counts == (count, healthy)

    return check


@pytest.mark.conformance(GROUP + "should create a PodDisruptionBudget")
async def test_operations(world):
    await world.create(BUDGETS, budget(available="1%"))

    def more(found):
        found["spec"]["minAvailable"] = "2%"

    assert (await world.update(BUDGET, more))["spec"]["minAvailable"] == "2%"
    patched = await world.patch(BUDGET, {"spec": {"minAvailable": "3%"}})
    assert patched["spec"]["minAvailable"] == "3%"
    await world.delete(BUDGET)
    await world.gone(BUDGET)


@pytest.mark.conformance(
    GROUP + "Listing PodDisruptionBudgets for all namespaces should list and delete a collection of"
    " PodDisruptionBudgets"
)
async def test_collection(world):
    labels, selected = {"e2e": "yes"}, "?labelSelector=e2e%3Dyes"
    await world.create("/api/v1/namespaces", {"metadata": {"name": "other"}})
    others = "/apis/policy/v1/namespaces/other/poddisruptionbudgets"
    await world.create(BUDGETS, budget("one", 2, labels))
    await world.create(BUDGETS, budget("two", "1%", labels))
    await world.create(others, budget("three", 2, labels))

    async def names(path):
        return sorted(o["metadata"]["name"] for o in (await world.get(path + selected))["items"])

    assert await names("/apis/policy/v1/poddisruptionbudgets") == ["one", "three", "two"]
    assert await names(BUDGETS) == ["one", "two"]
    await world.delete(BUDGETS)
    assert await names(BUDGETS) == []
    assert await names(others) == ["three"]


@pytest.mark.conformance(GROUP + "should observe PodDisruptionBudget status updated")
async def test_what_is_allowed(world):
    await world.create(BUDGETS, budget())
    for name in ("one", "two", "three"):
        await world.create(PODS, pod(name, labels=LABELS))
    found = await world.until(BUDGET, allows(2, 3))
    assert found["status"]["desiredHealthy"] == 1


@pytest.mark.conformance(GROUP + "should update/patch PodDisruptionBudget status")
async def test_status(world):
    await world.create(BUDGETS, budget())
    await world.create(PODS, pod("one", labels=LABELS))
    await running(world, "one")
    moment = world.lab.cluster.clock.timestamp()

    def claim(found):
        found["status"]["disruptedPods"] = {"one": moment}

    await world.update(BUDGET, claim, to="/status")
    assert (await world.get(f"{BUDGET}/status"))["status"]["disruptedPods"] == {"one": moment}
    patched = await world.patch(f"{BUDGET}/status", {"status": {"disruptedPods": None}})
    assert not patched["status"].get("disruptedPods")


@pytest.mark.conformance(GROUP + "should block an eviction until the PDB is updated to allow it")
async def test_evictions(world):
    path = f"{APPS}/replicasets/web"
    await world.create(BUDGETS, budget(available=3))
    await world.create(f"{APPS}/replicasets", workload("web", 3, LABELS, PAUSE))
    await ready(world, path, 3)
    await world.until(BUDGET, allows(0, 3))
    name = next(iter(await pods_of(world, LABELS)))
    await refused(world, name)

    await world.patch(BUDGET, {"spec": {"minAvailable": 2}})
    await world.until(BUDGET, allows(1, 3))
    await evict(world, name, 201)

    body = {"spec": {"minAvailable": None, "maxUnavailable": 0}}
    await world.patch(BUDGET, body)
    await world.gone(f"{BASE}/pods/{name}")
    await ready(world, path, 3)
    name = next(iter(await pods_of(world, LABELS)))
    await refused(world, name)
    await world.delete(BUDGET)
    await world.gone(BUDGET)
    await evict(world, name, 201)
