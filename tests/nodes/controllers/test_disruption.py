"""How many pods may be disrupted, for each way of saying it."""

import asyncio

import pytest

from apimachinery.errors import NotFound, PathNotFound
from apimachinery.gvk import GroupResource
from nodes.client.resources import PODDISRUPTIONBUDGETS, PODS, Res
from nodes.controllers.common.base import Served
from nodes.controllers.disruption.expected import NotExpected, Scales
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


async def test_pods_of_nobody_do_not_count_and_that_is_said(rig):
    await family(rig, 2, 2)
    await rig.create(pod("alone").labels(app="x").on("n1").ready())
    await rig.run(PDB)
    await rig.create(budget(maxUnavailable=1))
    await rig.settle()
    assert (status(rig)[0]["expectedPods"], status(rig)[0]["currentHealthy"]) == (2, 3)
    (event,) = rig.events()
    assert event.startswith(
        "Warning UnmanagedPods Pods selected by this PodDisruptionBudget (selector:"
        " &LabelSelector{MatchLabels:map[string]string{app: x,},"
        "MatchExpressions:[]LabelSelectorRequirement{},}) were found to be unmanaged."
    )


def crowd(kind, uid="u1", plural="crowds"):
    """Return a custom kind's resource, and a pod that one of them controls."""
    owner = {"apiVersion": "x.io/v1", "kind": kind, "name": "c", "uid": uid, "controller": True}
    one = pod("c-1").labels(app="x").on("n1").ready()
    return Res("x.io", "v1", plural, kind), {
        **one,
        "metadata": {**one["metadata"], "ownerReferences": [owner]},
    }


@pytest.mark.parametrize(
    ("scale", "expected", "why"),
    [
        (
            NotFound(GroupResource("x.io", "crowds"), "c"),
            None,
            'found no controllers for pod "c-1"',
        ),
        (PathNotFound(), None, "crowds.x.io does not implement the scale subresource"),
        ({"metadata": {"uid": "u1"}, "spec": {"replicas": 4}}, 4, ""),
        (
            {"metadata": {"uid": "u2"}, "spec": {"replicas": 4}},
            None,
            "found no controllers for pod",
        ),
    ],
)
async def test_others_are_asked_for_their_scale(rig, scale, expected, why):
    resource, one = crowd("Crowd")
    calls = []

    class Client:
        async def get(self, *call):
            calls.append(call)
            if isinstance(scale, Exception):
                raise scale
            return scale

    scales = Scales(Client(), rig, Served(lambda: [resource]))
    if expected is None:
        with pytest.raises(NotExpected, match=why):
            await scales.of([one, one])
    else:
        assert await scales.of([one, one]) == (expected, False)
    assert calls == [(resource, "default", "c", "scale")]


async def test_a_kind_that_is_not_served_is_named(rig):
    await rig.create(crowd("Crowd")[1])
    await rig.run(PDB)
    await rig.create(budget(maxUnavailable=1))
    await rig.settle()
    why = 'no matches for kind "Crowd" in version "x.io/v1"'
    assert rig.need("poddisruptionbudgets", "b")["status"]["conditions"][0]["message"] == why
    (event,) = rig.events()
    reason = "CalculateExpectedPodCountFailed"
    assert event == f"Warning {reason} Failed to calculate the number of expected pods: {why}"


async def test_a_pod_of_two_budgets_is_told_so(rig):
    await family(rig, 1, 1)
    await rig.run(PDB)
    both = budget(minAvailable=0)
    await rig.create(both, {**both, "metadata": {**both["metadata"], "name": "a"}})
    await rig.settle()
    await rig.client.patch(PODS, "default", "p0", {"metadata": {"labels": {"new": "one"}}})
    await rig.settle()
    (event,) = rig.events()
    said = 'Pod "default"/"p0" matches multiple PodDisruptionBudgets.  Chose "a" arbitrarily.'
    assert event == f"Warning MultiplePodDisruptionBudgets {said}"


@pytest.mark.parametrize(
    ("reason", "after"), [("EvictionByEvictionAPI", "False"), ("TerminationByKubelet", "True")]
)
async def test_a_disruption_that_did_not_come_is_taken_back(rig, reason, after):
    await rig.create(pod("p").on("n1").ready())
    await rig.run(PDB)
    target = {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": reason,
        "lastTransitionTime": rig.clock.timestamp(),
    }
    conditions = [*rig.need("pods", "p")["status"]["conditions"], target]
    patch = {"status": {"conditions": conditions}}
    await rig.client.patch(PODS, "default", "p", patch, subresource="status")

    def shown():
        return rig.need("pods", "p")["status"]["conditions"][-1]["status"]

    await asyncio.sleep(119)
    assert shown() == "True"
    await asyncio.sleep(2)
    assert shown() == after
