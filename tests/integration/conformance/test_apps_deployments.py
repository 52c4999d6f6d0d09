"""Deployments: how one set of pods becomes another."""

import pytest

from tests.integration.conformance.conftest import NAMESPACE
from tests.integration.conformance.workloads import (
    APPS,
    HTTPD,
    NGINX,
    NOWHERE,
    PAUSE,
    PODS,
    STRATEGIC,
    image_of,
    images,
    owner,
    pods_of,
    ready,
    status_is,
    workload,
)
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

GROUP = "[sig-apps] Deployment "
DEPLOYMENTS = f"{APPS}/deployments"
SETS = f"{APPS}/replicasets"
REVISION = "deployment.kubernetes.io/revision"


def rolling(surge, unavailable):
    return {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable},
    }


def complete(replicas, revision=None):
    """Check that all replicas are of the wanted template and available, and no other is left."""
    counts = status_is(
        replicas=replicas, updatedReplicas=replicas, availableReplicas=replicas,
        unavailableReplicas=0,
    )  # fmt: skip

    def check(found):
        seen = found["status"].get("observedGeneration") == found["metadata"]["generation"]
        notes = found["metadata"].get("annotations") or {}
        return seen and counts(found) and revision in (None, notes.get(REVISION))

    return check


async def sets_of(world, name):
    """Return the ReplicaSets of a Deployment, by the image that they run."""
    uid = (await world.get(f"{DEPLOYMENTS}/{name}"))["metadata"]["uid"]
    items = (await world.get(SETS))["items"]
    return {image_of(one): one for one in items if owner(one) == uid}


async def wanted_of(world, name):
    """Return how many pods each ReplicaSet of a Deployment is to have, by the image they run."""
    found = await sets_of(world, name)
    return {image: one["spec"]["replicas"] for image, one in found.items()}


async def earlier_set(world, name, labels, revision=None):
    """Make a ReplicaSet that a Deployment of fewer labels will adopt."""
    made = workload(name, 1, {**labels, "pod": "httpd"}, HTTPD)
    made["metadata"]["annotations"] = {REVISION: revision} if revision else {}
    await world.create(SETS, made)
    await ready(world, f"{SETS}/{name}", 1)


@pytest.mark.conformance(GROUP + "RecreateDeployment should delete old pods and create new ones")
async def test_recreate(world):
    labels = {"app": "web"}
    await world.create(DEPLOYMENTS, workload("web", 2, strategy={"type": "Recreate"}))
    await world.until(f"{DEPLOYMENTS}/web", complete(2, "1"))
    old = set(await pods_of(world, labels))
    watch = world.watch(f"{PODS}?watch=true&labelSelector=app%3Dweb")
    await world.patch(f"{DEPLOYMENTS}/web", images(HTTPD), STRATEGIC)
    await world.until(f"{DEPLOYMENTS}/web", complete(2, "2"))
    new = set(await pods_of(world, labels))
    assert old.isdisjoint(new)
    made = min(watch.seen.index(("ADDED", name)) for name in new)
    assert all(watch.seen.index(("DELETED", name)) < made for name in old)


@pytest.mark.conformance(
    GROUP + "RollingUpdateDeployment should delete old pods and create new ones"
)
async def test_the_revision_follows_that_of_an_adopted_set(world):
    labels = {"app": "sample"}
    await earlier_set(world, "adopted", labels, revision="3546343826724305832")
    await world.create(DEPLOYMENTS, workload("web", 1, labels))
    await world.until(f"{DEPLOYMENTS}/web", complete(1, "3546343826724305833"))
    found = await sets_of(world, "web")
    assert sorted(found) == [HTTPD, NGINX]
    assert found[HTTPD]["metadata"]["name"] == "adopted"
    assert found[HTTPD]["spec"]["replicas"] == 0
    assert [image_of(pod) for pod in (await pods_of(world, labels)).values()] == [NGINX]


@pytest.mark.conformance(GROUP + "deployment should delete old replica sets")
async def test_old_sets_go(world):
    labels = {"app": "cleanup"}
    await earlier_set(world, "old", labels)
    before = set(await pods_of(world, labels))
    watch = world.watch(f"{PODS}?watch=true")
    await world.create(DEPLOYMENTS, workload("web", 1, labels, revisionHistoryLimit=0))
    await world.until(f"{DEPLOYMENTS}/web", complete(1))
    await world.gone(f"{SETS}/old")
    assert list(await sets_of(world, "web")) == [NGINX]
    added = [(name, image_of(pod)) for kind, name, pod in watch.events if kind == "ADDED"]
    assert [image for name, image in added if name not in before] == [NGINX]


@pytest.mark.conformance(GROUP + "deployment should support rollover")
async def test_rollover(world):
    labels = {"app": "rollover"}
    await earlier_set(world, "old", labels)
    slowly = {"strategy": rolling(1, 0), "minReadySeconds": 10}
    await world.create(DEPLOYMENTS, workload("web", 1, labels, NOWHERE, **slowly))
    found = await world.until(f"{DEPLOYMENTS}/web", status_is(updatedReplicas=1, replicas=2))
    assert found["metadata"]["annotations"][REVISION] == "1"
    counts = {
        image: (one["spec"]["replicas"], one["status"]["replicas"])
        for image, one in (await sets_of(world, "web")).items()
    }
    assert counts == {HTTPD: (1, 1), NOWHERE: (1, 1)}

    watch = world.watch(f"{DEPLOYMENTS}?watch=true")
    await world.patch(f"{DEPLOYMENTS}/web", images(NGINX), STRATEGIC)
    await world.until(f"{DEPLOYMENTS}/web", complete(1, "2"))
    for _, _, shown in watch.events:
        assert shown["status"]["replicas"] <= 2
        assert shown["status"]["availableReplicas"] >= 1
    left = {
        image: (one["spec"]["replicas"], one["status"]["replicas"])
        for image, one in (await sets_of(world, "web")).items()
    }
    assert left == {HTTPD: (0, 0), NOWHERE: (0, 0), NGINX: (1, 1)}


@pytest.mark.conformance(GROUP + "deployment should support proportional scaling")
async def test_proportional_scaling(world):
    path = f"{DEPLOYMENTS}/web"
    await world.create(DEPLOYMENTS, workload("web", 10, image=PAUSE, strategy=rolling(3, 2)))
    await world.until(path, complete(10))
    await world.patch(path, images(NOWHERE), STRATEGIC)
    await world.until(path, status_is(availableReplicas=8, updatedReplicas=5, replicas=13))
    counts = {
        image: one["spec"]["replicas"] for image, one in (await sets_of(world, "web")).items()
    }
    assert counts == {PAUSE: 8, NOWHERE: 5}

    # Of 20 more those with 8 of 13 pods get 12, those with 5 get 8.
    await world.patch(path, {"spec": {"replicas": 30}})
    await world.until(path, status_is(replicas=33, availableReplicas=20))
    counts = {
        image: one["spec"]["replicas"] for image, one in (await sets_of(world, "web")).items()
    }
    assert counts == {PAUSE: 20, NOWHERE: 13}


@pytest.mark.conformance(GROUP + "should run the lifecycle of a Deployment")
async def test_lifecycle(world):
    labels = {"app": "test", "static": "true"}
    path, selected = f"{DEPLOYMENTS}/test", "labelSelector=static%3Dtrue"
    watch = world.watch(f"{DEPLOYMENTS}?watch=true&{selected}")
    first = workload("test", 2, labels)
    await world.create(DEPLOYMENTS, first)
    await watch.until("ADDED", "test")
    await watch.sees(lambda kind, obj: status_is(readyReplicas=2)(obj))

    change = {"metadata": {"labels": {"step": "patched"}}, **images(PAUSE)}
    change["spec"] |= {"replicas": 1}
    change["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 2
    await world.patch(path, change, STRATEGIC)
    await watch.sees(lambda kind, obj: kind == "MODIFIED" and image_of(obj) == PAUSE)
    shown = await watch.sees(lambda kind, obj: image_of(obj) == PAUSE and complete(1)(obj))
    assert shown["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 2
    everywhere = (await world.get(f"/apis/apps/v1/deployments?{selected}"))["items"]
    assert [(o["metadata"]["name"], o["metadata"]["namespace"]) for o in everywhere] == [
        ("test", NAMESPACE)
    ]

    first["metadata"]["labels"] = {**labels, "step": "updated"}
    first["spec"]["template"]["spec"]["containers"][0]["image"] = HTTPD
    await world.call("PUT", path, first)
    status = await world.get(f"{path}/status")
    assert image_of(status) == HTTPD
    assert status["metadata"]["labels"]["step"] == "updated"
    await world.until(path, complete(2))

    # What is said in the controller's place is put right, and labels are not part of a status.
    lie = {"readyReplicas": 0, "availableReplicas": 0}
    body = {"metadata": {"labels": {"step": "patched-status"}}, "status": lie}
    await world.patch(f"{path}/status", body, STRATEGIC)
    status = await world.get(f"{path}/status")
    assert status["metadata"]["labels"]["step"] == "updated"
    await world.until(path, complete(2))

    await world.delete(f"{DEPLOYMENTS}?{selected}", {"gracePeriodSeconds": 1})
    await watch.until("DELETED", "test")
