"""Events of many pods at once: none of them is lost."""

import asyncio
from collections import defaultdict

import pytest

from nodes.client import eventsink
from tests.integration.conftest import deployment
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

OF_A_POD = {"Scheduled", "Pulling", "Pulled", "Created", "Started"}


@pytest.fixture
def slow_commits(monkeypatch):
    """Let events wait for each other, as on a busy disk; a tenth may, so that few pods are many."""
    write = eventsink.write

    async def slowly(saying):
        await asyncio.sleep(0.5)
        await write(saying)

    monkeypatch.setattr(eventsink, "write", slowly)
    monkeypatch.setattr(eventsink, "WAITING", 100)


@pytest.mark.usefixtures("slow_commits")
async def test_each_of_many_pods_that_come_at_once_has_all_of_its_events(lab):
    made = deployment(replicas=48)
    made["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "Always"
    await lab.client.create(made)
    await lab.available(replicas=48, within=120)
    await lab.quiet()
    told = defaultdict(set)
    for event in lab.all("events"):
        told[event["involvedObject"]["name"]].add(event["reason"])
    names = [pod["metadata"]["name"] for pod in lab.pods()]
    missing = {name: left for name in names if (left := OF_A_POD - told[name])}
    assert (len(names), missing) == (48, {})
