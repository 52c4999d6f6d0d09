"""Events on their way to the API: of many at once, and of a node that is cut off."""

import asyncio
from collections import defaultdict

import pytest

from nodes.client import eventsink
from tests.integration.conftest import deployment
from tests.support.eventually import eventually
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


async def test_what_a_node_has_to_tell_while_it_is_cut_off_is_told_once_it_is_back(lab):
    machine = next(iter(lab.cluster.nodes.values()))

    def told(reason):
        return any(event["reason"] == reason for event in lab.all("events"))

    await machine.cut_off()
    machine.kubelet.tell("Normal", "Waits", "until it can be heard")
    await lab.cluster.clock.sleep(40)
    assert not told("Waits")
    await machine.join()
    await eventually(lambda: told("Waits"), within=15)
    # Who loses power forgets it.
    await machine.cut_off()
    machine.kubelet.tell("Normal", "Forgotten", "with all that was in memory")
    await machine.power_off()
    await machine.power_on()
    await machine.join()
    await lab.quiet()
    assert not told("Forgotten")
