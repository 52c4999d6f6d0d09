"""What a worker does with a refusal that names a time, and with one that does not."""

import pytest

from apimachinery.errors import TooManyRequests
from nodes.client import resources
from nodes.client.rest import Client
from tests.integration.conftest import deployment
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


async def test_an_eviction_waits_for_a_budget_that_is_not_seen_yet_and_not_for_its_pods(lab):
    await lab.client.create(deployment())
    await lab.available()
    clock = lab.cluster.clock
    worker = Client(lab.cluster.transport("system:apiserver"))
    names = [pod["metadata"]["name"] for pod in lab.pods()]

    async def evict(name):
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": "default"},
        }
        await worker.create(body, resources.PODS, subresource="eviction", name=name)

    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}},
    }
    began = clock.seconds()
    await lab.client.create(budget)
    await evict(names[0])  # the answer was to come back in ten seconds
    assert clock.seconds() - began >= 10
    await eventually(lambda: lab.get("pods", names[0]) is None, within=60)
    await lab.client.patch(
        resources.PODDISRUPTIONBUDGETS, "default", "web", {"spec": {"minAvailable": 3}}
    )
    await lab.quiet()
    left = [pod["metadata"]["name"] for pod in lab.pods()]
    began = clock.seconds()
    with pytest.raises(TooManyRequests):
        await evict(left[0])
    assert clock.seconds() - began < 1
