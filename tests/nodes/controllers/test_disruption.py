"""How many pods may be disrupted, for each way of saying it."""

import asyncio

import pytest

from nodes.client.resources import PODDISRUPTIONBUDGETS, PODS
from tests.support.builders import deployment, obj, pod, replicaset

pytestmark = pytest.mark.looptime

PDB = "disruption-controller"


def budget(**spec):
    spec = {"selector": {"matchLabels": {"app": "x"}}, **spec}
    return obj("PodDisruptionBudget", "b", api_version="policy/v1", spec=spec)


def status(rig):
    found = dict(rig.need("poddisruptionbudgets", "b")["status"])
    (one,) = found.pop("conditions")
    return found, (one["type"], one["status"], one["reason"])


async def family(rig, wanted, healthy):
    web = await rig.create(deployment("web", wanted))
    middle = await rig.create(replicaset("web-1", wanted).owned_by(web))
    for index in range(wanted):
        one = pod(f"p{index}").labels(app="x").owned_by(middle).on("n1")
        await rig.create(one.ready() if index < healthy else one)


@pytest.mark.parametrize(
    ("spec", "healthy", "desired", "allowed"),
    [
        ({"minAvailable": 2}, 4, 2, 2),
        ({"minAvailable": 4}, 4, 4, 0),
        ({"minAvailable": "50%"}, 3, 2, 1),
        ({"minAvailable": "51%"}, 4, 3, 1),
        ({"maxUnavailable": 1}, 4, 3, 1),
        ({"maxUnavailable": 1}, 3, 3, 0),
        ({"maxUnavailable": "30%"}, 4, 2, 2),
        ({}, 2, 1, 1),
    ],
)
async def test_what_is_allowed(rig, spec, healthy, desired, allowed):
    await family(rig, 4, healthy)
    await rig.run(PDB)
    await rig.create(budget(**spec))
    await rig.settle()
    reason = ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
    assert status(rig) == (
        {
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "expectedPods": 4,
            "disruptionsAllowed": allowed,
            "observedGeneration": 1,
        },
        ("DisruptionAllowed", *reason),
    )


async def test_it_follows_its_pods(rig):
    await family(rig, 3, 3)
    await rig.run(PDB)
    await rig.create(budget(maxUnavailable=1))
    await rig.settle()
    assert status(rig)[0]["disruptionsAllowed"] == 1
    await rig.client.delete(PODS, "default", "p0")
    await rig.settle()
    assert status(rig)[0]["disruptionsAllowed"] == 0


async def test_an_eviction_under_way_counts_for_two_minutes(rig):
    await family(rig, 3, 3)
    await rig.run(PDB)
    await rig.create(budget(maxUnavailable=1))
    await rig.settle()
    noted = {"status": {"disruptedPods": {"p0": rig.clock.timestamp()}, "disruptionsAllowed": 0}}
    await rig.client.patch(PODDISRUPTIONBUDGETS, "default", "b", noted, subresource="status")
    await asyncio.sleep(60)
    assert status(rig)[0]["disruptionsAllowed"] == 0
    await asyncio.sleep(61)
    assert status(rig)[0]["disruptionsAllowed"] == 1
    assert "disruptedPods" not in status(rig)[0]
    assert [event.split()[1] for event in rig.events()] == ["NotDeleted"]


async def test_without_pods_nothing_is_allowed_and_it_says_so(rig):
    await rig.run(PDB)
    await rig.create(budget(minAvailable=0))
    await rig.settle()
    assert status(rig)[0]["disruptionsAllowed"] == 0
    assert rig.events() == ["Normal NoPods No matching pods found"]


async def test_a_number_that_is_none_allows_nothing(rig):
    await family(rig, 2, 2)
    await rig.run(PDB)
    await rig.create(budget(maxUnavailable="many"))
    await rig.settle()
    assert status(rig)[1] == ("DisruptionAllowed", "False", "SyncFailed")
    assert status(rig)[0]["disruptionsAllowed"] == 0
