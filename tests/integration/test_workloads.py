"""Deployments, Services and pods through every part of a cluster."""

import asyncio

from nodes.client import resources
from nodes.client.rest import STRATEGIC_PATCH
from tests.integration.conftest import deployment, service
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


async def test_a_deployment_runs_behind_a_service(lab):
    await lab.client.create(deployment())
    await lab.client.create(service())
    await lab.available()
    assert len({p["spec"]["nodeName"] for p in lab.pods()}) == 3
    await eventually(lambda: len(_addresses(lab)) == 3)
    endpoints = lab.get("endpoints", "web")
    assert len(endpoints["subsets"][0]["addresses"]) == 3
    pod = lab.pods()[0]["metadata"]["name"]
    page = await lab.exec(pod, "wget", "-qO-", "http://web")
    assert "Welcome to nginx!" in page


def _addresses(lab, name="web"):
    found = [
        s
        for s in lab.all("endpointslices.discovery.k8s.io", "default")
        if s["metadata"]["labels"].get("kubernetes.io/service-name") == name
    ]
    return {
        e["addresses"][0]
        for s in found
        for e in s.get("endpoints") or ()
        if e["conditions"]["ready"]
    }


async def test_a_deleted_pod_is_replaced_and_leaves_the_endpoints(lab):
    await lab.client.create(deployment())
    await lab.client.create(service())
    await lab.available()
    victim = lab.pods()[0]
    await lab.client.delete(resources.PODS, "default", victim["metadata"]["name"])
    await eventually(lambda: lab.get("pods", victim["metadata"]["name"]) is None, within=60)
    await lab.available()
    await eventually(lambda: len(_addresses(lab)) == 3)
    assert victim["status"]["podIP"] not in _addresses(lab)


async def test_scaling_changes_the_endpoints(lab):
    await lab.client.create(deployment(replicas=1))
    await lab.client.create(service())
    await lab.available(replicas=1)
    scale = {"spec": {"replicas": 5}}
    await lab.client.patch(resources.DEPLOYMENTS, "default", "web", scale, subresource="scale")
    await lab.available(replicas=5)
    await eventually(lambda: len(_addresses(lab)) == 5)


async def test_a_bad_image_stops_the_roll_and_undo_repairs_it(lab):
    await lab.client.create(deployment(replicas=4))
    await lab.available(replicas=4)
    first = lab.get("deployments.apps", "web")["spec"]["template"]
    await _set_image(lab, "ngnix:1.27")
    await asyncio.sleep(60)
    # maxUnavailable 25 % of 4: one may be missing, and one more may be there (maxSurge).
    status = lab.get("deployments.apps", "web")["status"]
    assert status["availableReplicas"] == 3
    assert status["updatedReplicas"] == 2
    assert status["replicas"] == 5
    await lab.client.patch(
        resources.DEPLOYMENTS, "default", "web", {"spec": {"template": first}}, STRATEGIC_PATCH
    )
    await lab.available(replicas=4)
    revision = "deployment.kubernetes.io/revision"
    await eventually(
        lambda: lab.get("deployments.apps", "web")["metadata"]["annotations"][revision] == "3"
    )


async def _set_image(lab, image):
    change = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}}
    await lab.client.patch(resources.DEPLOYMENTS, "default", "web", change, STRATEGIC_PATCH)


async def test_deleting_a_deployment_takes_everything_with_it(lab):
    await lab.client.create(deployment())
    await lab.available()
    await lab.client.delete(resources.DEPLOYMENTS, "default", "web")
    await eventually(lambda: not lab.pods() and not lab.all("replicasets.apps"), within=60)


async def test_a_token_of_a_pod_is_its_service_accounts(lab):
    await lab.client.create(deployment(replicas=1))
    await lab.available(replicas=1)
    pod = lab.pods()[0]["metadata"]["name"]
    path = "/var/run/secrets/kubernetes.io/serviceaccount"
    token = await lab.exec(pod, "cat", f"{path}/token")
    user = lab.cluster.auth.authenticate({"authorization": f"Bearer {token.strip()}"}, None)
    assert user.name == "system:serviceaccount:default:default"
    assert user.extra["authentication.kubernetes.io/pod-name"] == (pod,)
    assert await lab.exec(pod, "cat", f"{path}/namespace") == "default"


async def test_an_idle_cluster_does_nothing(lab):
    await lab.client.create(deployment())
    await lab.available()
    await asyncio.sleep(30)
    before = lab.cluster.store.revision
    await asyncio.sleep(3600)
    assert lab.cluster.store.revision == before
