"""The garbage collector: what goes with its owner, what stays, and in which order."""

import asyncio

import pytest

from tests.integration.conformance.conftest import NAMESPACE
from tests.integration.conftest import deployment
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

BASE = f"/api/v1/namespaces/{NAMESPACE}"
APPS = f"/apis/apps/v1/namespaces/{NAMESPACE}"
PODS = f"{BASE}/pods"
CONTROLLERS = f"{BASE}/replicationcontrollers"
GROUP = "[sig-api-machinery] Garbage collector "


def controller(name, replicas):
    labels = {"rc": name}
    spec = {"containers": [{"name": "nginx", "image": "nginx:1.27"}]}
    template = {"metadata": {"labels": labels}, "spec": spec}
    return {
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": labels, "template": template},
    }


async def made(world, replicas, name="simple"):
    """Make a replication controller and wait for its pods."""
    rc = await world.create(CONTROLLERS, controller(name, replicas))
    await world.until(PODS, lambda found: len(of(found, name)) == replicas)
    return rc


def of(pods, name):
    return [pod for pod in pods["items"] if pod["metadata"]["labels"].get("rc") == name]


async def pods_of(world, name="simple"):
    return of(await world.get(PODS), name)


async def deployed(world):
    body = deployment()
    body["metadata"]["namespace"] = NAMESPACE
    await world.create(f"{APPS}/deployments", body)
    found = await world.until(f"{APPS}/replicasets", lambda one: one["items"])
    await world.until(PODS, lambda one: len(one["items"]) == 3)
    return found["items"][0]["metadata"]["name"]


@pytest.mark.conformance(GROUP + "should delete pods created by rc when not orphaning")
async def test_background(world):
    await made(world, 2)
    await world.delete(f"{CONTROLLERS}/simple", {"propagationPolicy": "Background"})
    await world.get(f"{CONTROLLERS}/simple", expect=404)
    await world.until(PODS, lambda found: not of(found, "simple"))


@pytest.mark.conformance(
    GROUP + "should orphan pods created by rc if delete options say so [Serial]"
)
async def test_orphans_of_a_replication_controller(world):
    await made(world, 10)
    await world.delete(f"{CONTROLLERS}/simple", {"propagationPolicy": "Orphan"})
    await world.gone(f"{CONTROLLERS}/simple")
    await asyncio.sleep(30)  # virtual: the collector would have come by then
    left = await pods_of(world)
    assert len(left) == 10
    assert not any(pod["metadata"].get("ownerReferences") for pod in left)


@pytest.mark.conformance(GROUP + "should delete RS created by deployment when not orphaning")
async def test_background_of_a_deployment(world):
    await deployed(world)
    await world.delete(f"{APPS}/deployments/web", {"propagationPolicy": "Background"})
    await world.until(f"{APPS}/replicasets", lambda found: not found["items"])
    await world.until(PODS, lambda found: not found["items"])


@pytest.mark.conformance(
    GROUP + "should orphan RS created by deployment when deleteOptions.PropagationPolicy is Orphan"
)
async def test_orphans_of_a_deployment(world):
    name = await deployed(world)
    await world.delete(f"{APPS}/deployments/web", {"propagationPolicy": "Orphan"})
    await world.gone(f"{APPS}/deployments/web")
    await asyncio.sleep(30)  # virtual: the collector would have come by then
    left = await world.get(f"{APPS}/replicasets/{name}")
    assert not left["metadata"].get("ownerReferences")
    assert len((await world.get(PODS))["items"]) == 3


@pytest.mark.conformance(
    GROUP + "should keep the rc around until all its pods are deleted if the deleteOptions says so"
    " [Serial]"
)
async def test_foreground(world):
    await made(world, 10)
    watch = world.watch(f"{CONTROLLERS}?watch=true")
    pods = world.watch(f"{PODS}?watch=true&labelSelector=rc%3Dsimple")
    await world.delete(f"{CONTROLLERS}/simple", {"propagationPolicy": "Foreground"})
    kept = await world.get(f"{CONTROLLERS}/simple")
    assert kept["metadata"]["finalizers"] == ["foregroundDeletion"]
    gone = await watch.until("DELETED", "simple", within=120)
    last = max(
        int(obj["metadata"]["resourceVersion"]) for kind, _, obj in pods.events if kind == "DELETED"
    )
    assert len({name for kind, name in pods.seen if kind == "DELETED"}) == 10
    assert int(gone["metadata"]["resourceVersion"]) > last


@pytest.mark.conformance(
    GROUP + "should not delete dependents that have both valid owner and owner that's waiting for"
    " dependents to be deleted [Serial]"
)
async def test_a_second_owner_keeps_what_it_owns(world):
    await made(world, 10, "to-be-deleted")
    second = await world.create(CONTROLLERS, controller("to-stay", 0))
    owner = {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "name": "to-stay",
        "uid": second["metadata"]["uid"],
    }
    shared = [pod["metadata"]["name"] for pod in await pods_of(world, "to-be-deleted")][:5]
    add = [{"op": "add", "path": "/metadata/ownerReferences/-", "value": owner}]
    for name in shared:
        await world.patch(f"{PODS}/{name}", add, "application/json-patch+json")
    await world.delete(f"{CONTROLLERS}/to-be-deleted", {"propagationPolicy": "Foreground"})
    await world.gone(f"{CONTROLLERS}/to-be-deleted", within=120)
    left = await pods_of(world, "to-be-deleted")
    assert sorted(pod["metadata"]["name"] for pod in left) == sorted(shared)
    for pod in left:
        assert "deletionTimestamp" not in pod["metadata"]
        assert [one["name"] for one in pod["metadata"]["ownerReferences"]] == ["to-stay"]


@pytest.mark.conformance(GROUP + "should not be blocked by dependency circle")
async def test_a_circle_of_owners(world):
    uids = {}
    for name in ("pod1", "pod2", "pod3"):
        spec = {"containers": [{"name": "c", "image": "registry.k8s.io/pause:3.10"}]}
        made = await world.create(PODS, {"metadata": {"name": name}, "spec": spec})
        uids[name] = made["metadata"]["uid"]
    for name, owner in (("pod1", "pod3"), ("pod2", "pod1"), ("pod3", "pod2")):
        reference = {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": owner,
            "uid": uids[owner],
            "controller": True,
            "blockOwnerDeletion": True,
        }
        await world.patch(f"{PODS}/{name}", {"metadata": {"ownerReferences": [reference]}})
    await world.delete(f"{PODS}/pod1", {"propagationPolicy": "Foreground"})
    await world.until(PODS, lambda found: not found["items"], within=120)
