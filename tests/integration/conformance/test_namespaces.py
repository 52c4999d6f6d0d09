"""Namespaces: their updates, their finalizers, and what goes with them."""

import pytest

from tests.integration.conformance.conftest import NAMESPACE
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

SPACES = "/api/v1/namespaces"


def pod(name, **about):
    spec = {"containers": [{"name": "c", "image": "registry.k8s.io/pause:3.10"}]}
    return {"metadata": {"name": name, **about}, "spec": spec}


async def running(world, namespace, name):
    path = f"{SPACES}/{namespace}/pods/{name}"
    return await world.until(path, lambda found: found["status"]["phase"] == "Running")


@pytest.mark.conformance("[sig-api-machinery] Namespaces [Serial] should patch a Namespace")
async def test_patch(world):
    patched = await world.patch(f"{SPACES}/{NAMESPACE}", {"metadata": {"labels": {"l": "v"}}})
    assert patched["metadata"]["labels"]["l"] == "v"
    assert (await world.get(f"{SPACES}/{NAMESPACE}"))["metadata"]["labels"]["l"] == "v"


@pytest.mark.conformance(
    "[sig-api-machinery] Namespaces [Serial] should apply an update to a Namespace"
)
async def test_update(world):
    def change(found):
        found["metadata"]["labels"][NAMESPACE] = "updated"

    await world.update(f"{SPACES}/{NAMESPACE}", change)
    labels = (await world.get(f"{SPACES}/{NAMESPACE}"))["metadata"]["labels"]
    assert labels == {NAMESPACE: "updated", "kubernetes.io/metadata.name": NAMESPACE}


@pytest.mark.conformance(
    "[sig-api-machinery] Namespaces [Serial] should apply changes to a namespace status"
)
async def test_status(world):
    path = f"{SPACES}/{NAMESPACE}/status"
    assert (await world.get(path))["status"]["phase"] == "Active"

    def condition(by):
        return {"type": "Status" + by, "status": "True", "reason": "E2E", "message": by}

    body = {"status": {"conditions": [condition("Patch")]}}
    patched = await world.patch(path, body)
    assert [one["type"] for one in patched["status"]["conditions"]] == ["StatusPatch"]

    def change(found):
        found["status"]["conditions"].append(condition("Update"))

    updated = await world.update(path, change)
    assert [one["message"] for one in updated["status"]["conditions"]] == ["Patch", "Update"]
    assert updated["status"]["phase"] == "Active"


@pytest.mark.conformance(
    "[sig-api-machinery] Namespaces [Serial] should apply a finalizer to a Namespace"
)
async def test_finalizer(world):
    fake = "example.com/fake-finalizer"

    def add(found):
        found["spec"]["finalizers"].append(fake)

    def remove(found):
        found["spec"]["finalizers"].remove(fake)

    path = f"{SPACES}/{NAMESPACE}"
    updated = await world.update(path, add, to="/finalize")
    assert updated["spec"]["finalizers"] == ["kubernetes", fake]
    assert fake in (await world.get(path))["spec"]["finalizers"]
    await world.update(path, remove, to="/finalize")
    assert (await world.get(path))["spec"]["finalizers"] == ["kubernetes"]


@pytest.mark.conformance(
    "[sig-api-machinery] Namespaces [Serial] should ensure that all pods are removed when a"
    " namespace is deleted"
)
@pytest.mark.conformance(
    "[sig-api-machinery] Namespaces [Serial] should ensure that all services are removed when a"
    " namespace is deleted"
)
async def test_all_goes_with_a_namespace(world):
    base = f"{SPACES}/{NAMESPACE}"
    await world.create(f"{base}/pods", pod("p"))
    service = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}
    await world.create(f"{base}/services", service)
    await running(world, NAMESPACE, "p")
    await world.delete(base)
    await world.gone(base, within=120)
    await world.create(SPACES, {"metadata": {"name": NAMESPACE}})
    for plural in ("pods", "services"):
        assert (await world.get(f"{base}/{plural}"))["items"] == []


@pytest.mark.conformance(
    "[sig-api-machinery] OrderedNamespaceDeletion namespace deletion should delete pod first"
)
async def test_pods_go_first(world):
    base = f"{SPACES}/{NAMESPACE}"
    await world.create(f"{base}/pods", pod("p", finalizers=["example.com/keep"]))
    await world.create(f"{base}/configmaps", {"metadata": {"name": "c"}})
    await running(world, NAMESPACE, "p")
    await world.delete(base)
    await world.until(f"{base}/pods/p", lambda found: "deletionTimestamp" in found["metadata"])

    def remaining(found):
        conditions = found["status"].get("conditions") or ()
        kinds = {one["type"]: one["status"] for one in conditions}
        return kinds.get("NamespaceContentRemaining") == "True"

    await world.until(base, remaining)
    # The pod is kept, so nothing else is deleted yet.
    assert "deletionTimestamp" not in (await world.get(f"{base}/configmaps/c"))["metadata"]
    await world.patch(f"{base}/pods/p", {"metadata": {"finalizers": None}})
    await world.gone(base, within=120)
