"""ResourceQuotas: what is counted, released, refused; scopes; status."""

import pytest

from tests.integration.conformance.conftest import NAMESPACE
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

BASE = f"/api/v1/namespaces/{NAMESPACE}"
QUOTAS = f"{BASE}/resourcequotas"
GROUP = "[sig-api-machinery] ResourceQuota "


def quota(name="test", hard=None, scopes=(), **about):
    return {
        "metadata": {"name": name, **about},
        "spec": {"hard": hard or {"cpu": "1", "memory": "500Mi"}}
        | ({"scopes": list(scopes)} if scopes else {}),
    }


def pod(name, requests=None, limits=None, **spec):
    resources = {"requests": requests or {}} | ({"limits": limits} if limits else {})
    container = {"name": "c", "image": "registry.k8s.io/pause:3.10", "resources": resources}
    return {"metadata": {"name": name}, "spec": {"containers": [container], **spec}}


async def used(world, name="test", /, **amounts):
    """Wait until a quota says that so much is used of what is named."""
    wanted = {key.replace("_", "."): value for key, value in amounts.items()}

    def check(found):
        shown = found.get("status", {}).get("used") or {}
        return all(shown.get(key) == value for key, value in wanted.items())

    return await world.until(f"{QUOTAS}/{name}", check)


@pytest.mark.conformance(
    GROUP + "should create a ResourceQuota and ensure its status is promptly calculated."
)
async def test_status_is_calculated(world):
    await world.create(QUOTAS, quota(hard={"pods": "5", "services": "10"}))
    found = await used(world, pods="0", services="0")
    assert found["status"]["hard"] == {"pods": "5", "services": "10"}


REPLICAS = {
    "replicas": 0,
    "selector": {"matchLabels": {"a": "b"}},
    "template": {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "nginx"}]},
    },
}
# What is made, where, and what the quota calls it.
LIVES = [
    ("configMap", f"{BASE}/configmaps", {"data": {"a": "b"}}, "configmaps"),
    ("secret", f"{BASE}/secrets", {"stringData": {"a": "b"}}, "secrets"),
    ("service", f"{BASE}/services", {"spec": {"ports": [{"port": 80}]}}, "services"),
    (
        "replication controller",
        f"{BASE}/replicationcontrollers",
        {"spec": REPLICAS | {"selector": {"a": "b"}}},
        "replicationcontrollers",
    ),
    (
        "replica set",
        f"/apis/apps/v1/namespaces/{NAMESPACE}/replicasets",
        {"spec": REPLICAS},
        "count/replicasets.apps",
    ),
]


@pytest.mark.parametrize(
    ("path", "body", "counted"),
    [
        pytest.param(
            *case[1:],
            marks=pytest.mark.conformance(
                GROUP + f"should create a ResourceQuota and capture the life of a {case[0]}."
            ),
        )
        for case in LIVES
    ],
)
async def test_the_life_of_an_object(world, path, body, counted):
    await world.create(QUOTAS, quota(hard={counted: "20"}))
    before = (await world.until(f"{QUOTAS}/test", lambda o: o.get("status", {}).get("used")))[
        "status"
    ]["used"][counted]
    await world.create(path, {"metadata": {"name": "counted"}, **body})
    await used(world, **{counted: str(int(before) + 1)})
    await world.delete(f"{path}/counted")
    await used(world, **{counted: before})


@pytest.mark.conformance(GROUP + "should create a ResourceQuota and capture the life of a pod.")
async def test_the_life_of_a_pod(world):
    extended = "example.com/dongle"
    hard = {
        "pods": "5",
        "cpu": "1",
        "memory": "500Mi",
        "requests.ephemeral-storage": "50Gi",
        f"requests.{extended}": "3",
    }
    await world.create(QUOTAS, quota(hard=hard))
    await used(world, pods="0")
    wanted = {"cpu": "500m", "memory": "252Mi", "ephemeral-storage": "30Gi", extended: "2"}
    await world.create(f"{BASE}/pods", pod("fits", wanted, {extended: "2"}))
    found = (await used(world, pods="1"))["status"]["used"]
    assert (found["cpu"], found["memory"]) == ("500m", "252Mi")
    assert found["requests.ephemeral-storage"] == "30Gi"
    assert found[f"requests.{extended}"] == "2"

    for more in (pod("large", {"cpu": "600m", "memory": "100Mi", "ephemeral-storage": "1Gi"}),
                 pod("dongles", wanted | {"cpu": "1m", "memory": "1Mi", "ephemeral-storage": "1Gi"},
                     {extended: "2"})):  # fmt: skip
        refused = await world.create(f"{BASE}/pods", more, expect=403)
        assert "exceeded quota: test" in refused["message"]
    await used(world, pods="1", cpu="500m")

    change = {"spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "600m"}}}]}}
    strategic = "application/strategic-merge-patch+json"
    await world.patch(f"{BASE}/pods/fits", change, strategic, expect=422)
    await world.delete(f"{BASE}/pods/fits", {"gracePeriodSeconds": 0})
    await used(world, pods="0", cpu="0", memory="0")


@pytest.mark.conformance(GROUP + "should be able to update and delete ResourceQuota.")
async def test_update_and_delete(world):
    await world.create(QUOTAS, quota())

    def change(found):
        found["spec"]["hard"] = {"cpu": "2", "memory": "1Gi"}

    await world.update(f"{QUOTAS}/test", change)
    assert (await world.get(f"{QUOTAS}/test"))["spec"]["hard"] == {"cpu": "2", "memory": "1Gi"}
    await world.delete(f"{QUOTAS}/test")
    await world.get(f"{QUOTAS}/test", expect=404)


@pytest.mark.conformance(GROUP + "should manage the lifecycle of a ResourceQuota")
async def test_lifecycle(world):
    labels = {"test-quota": "patched"}
    await world.create(QUOTAS, quota())
    every = await world.get("/api/v1/resourcequotas")
    assert [one["metadata"]["name"] for one in every["items"]] == ["test"]
    body = {"metadata": {"labels": labels}, "spec": {"hard": {"memory": "750Mi"}}}
    patched = await world.patch(f"{QUOTAS}/test", body)
    assert patched["spec"]["hard"] == {"cpu": "1", "memory": "750Mi"}
    selected = f"{QUOTAS}?labelSelector=test-quota%3Dpatched"
    assert len((await world.get(selected))["items"]) == 1
    await world.delete(selected)
    assert (await world.get(selected))["items"] == []


@pytest.mark.conformance(GROUP + "should apply changes to a resourcequota status")
async def test_status_can_be_changed(world):
    hard = {"cpu": "500m", "memory": "500Mi"}
    await world.create(QUOTAS, quota(hard=hard))
    await used(world, cpu="0")
    path = f"{QUOTAS}/test/status"

    def change(found):
        found["status"]["hard"] = hard

    assert (await world.update(path, change))["status"]["hard"] == hard
    more = {"cpu": "1", "memory": "1Gi"}
    assert (await world.patch(f"{QUOTAS}/test", {"spec": {"hard": more}}))["spec"]["hard"] == more
    await world.patch(path, {"status": {"hard": more}})
    await world.until(path, lambda found: found["status"]["hard"] == more)
    again = await world.patch(path, {"spec": {"hard": hard}, "status": {"hard": more}})
    assert again["spec"]["hard"] == more


@pytest.mark.conformance(GROUP + "should verify ResourceQuota with best effort scope.")
async def test_best_effort(world):
    await world.create(QUOTAS, quota("best", {"pods": "5"}, ["BestEffort"]))
    await world.create(QUOTAS, quota("other", {"pods": "5"}, ["NotBestEffort"]))
    amounts = {"cpu": "100m", "memory": "100Mi"}
    for body, counts, ignores in (
        (pod("p1"), "best", "other"),
        (pod("p2", amounts, amounts), "other", "best"),
    ):
        await used(world, counts, pods="0")
        await used(world, ignores, pods="0")
        await world.create(f"{BASE}/pods", body)
        await used(world, counts, pods="1")
        await used(world, ignores, pods="0")
        await world.delete(f"{BASE}/pods/{body['metadata']['name']}", {"gracePeriodSeconds": 0})
        await used(world, counts, pods="0")


@pytest.mark.conformance(GROUP + "should verify ResourceQuota with terminating scopes.")
async def test_terminating(world):
    hard = {
        "requests.cpu": "1",
        "requests.memory": "500Mi",
        "limits.cpu": "2",
        "limits.memory": "1Gi",
    }
    await world.create(QUOTAS, quota("ending", {"pods": "5", **hard}, ["Terminating"]))
    await world.create(QUOTAS, quota("lasting", {"pods": "5", **hard}, ["NotTerminating"]))
    amounts = {"cpu": "500m", "memory": "200Mi"}, {"cpu": "1", "memory": "400Mi"}
    for body, counts, ignores in (
        (pod("p1", *amounts), "lasting", "ending"),
        (pod("p2", *amounts, activeDeadlineSeconds=3600), "ending", "lasting"),
    ):
        await used(world, counts, pods="0")
        await used(world, ignores, pods="0")
        await world.create(f"{BASE}/pods", body)
        found = (await used(world, counts, pods="1"))["status"]["used"]
        assert (found["requests.cpu"], found["requests.memory"]) == ("500m", "200Mi")
        assert (found["limits.cpu"], found["limits.memory"]) == ("1", "400Mi")
        await used(world, ignores, pods="0", requests_cpu="0")
        await world.delete(f"{BASE}/pods/{body['metadata']['name']}", {"gracePeriodSeconds": 0})
        await used(world, counts, pods="0")
