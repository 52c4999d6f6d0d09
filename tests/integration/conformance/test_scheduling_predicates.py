"""Scheduling: where pods do not fit, and what LimitRanges make of what they ask for."""

import pytest

from tests.integration.conformance.conftest import NAMESPACE
from tests.integration.conformance.workloads import BASE, PODS, STRATEGIC, condition, pod, running
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

GROUP = "[sig-scheduling] SchedulerPredicates [Serial] "
RANGES = f"{BASE}/limitranges"
NODE = "/api/v1/nodes/node-2"


def asking(name, **requests):
    return pod(name, container={"resources": {"requests": requests, "limits": requests}})


async def left_out(world, name):
    """Wait until a pod could not be scheduled; return why."""
    found = await world.until(
        f"{PODS}/{name}",
        lambda one: (condition(one, "PodScheduled") or {}).get("reason") == "Unschedulable",
    )
    assert not found["spec"].get("nodeName")
    said = condition(found, "PodScheduled")["message"]
    listed = await world.get(f"{BASE}/events?fieldSelector=reason%3DFailedScheduling")
    assert said in [one["message"] for one in listed["items"]]
    return said


@pytest.mark.conformance(GROUP + "validates resource limits of pods that are allowed to run")
async def test_resources(world):
    free = 0
    for node in (await world.get("/api/v1/nodes"))["items"]:
        name, cpu = node["metadata"]["name"], int(node["status"]["allocatable"]["cpu"])
        free = cpu * 3 // 10
        filler = asking(f"fill-{name}", cpu=str(cpu - free))
        filler["spec"]["nodeSelector"] = {"kubernetes.io/hostname": name}
        await world.create(PODS, filler)
        await running(world, f"fill-{name}")
    await world.create(PODS, asking("more", cpu=f"{free * 1000 + 500}m"))
    assert (await left_out(world, "more")).startswith(
        "0/3 nodes are available: 3 Insufficient cpu."
    )


@pytest.mark.conformance(GROUP + "validates that NodeSelector is respected if matching")
async def test_a_selector_that_matches(world):
    await world.patch(NODE, {"metadata": {"labels": {"e2e": "42"}}})
    await world.create(PODS, pod("one", nodeSelector={"e2e": "42"}))
    assert (await running(world, "one"))["spec"]["nodeName"] == "node-2"


@pytest.mark.conformance(GROUP + "validates that NodeSelector is respected if not matching")
async def test_a_selector_that_matches_nothing(world):
    await world.create(PODS, pod("one", nodeSelector={"label": "nonempty"}))
    assert (await left_out(world, "one")).startswith(
        "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector."
    )


@pytest.mark.conformance(
    GROUP + "validates that there exists conflict between pods with same hostPort and protocol but"
    " one using 0.0.0.0 hostIP"
)
async def test_host_ports(world):
    await world.patch(NODE, {"metadata": {"labels": {"e2e": "95"}}})
    addresses = (await world.get(NODE))["status"]["addresses"]
    port = {"containerPort": 8080, "hostPort": 54322, "protocol": "TCP"}
    where = {"nodeSelector": {"e2e": "95"}}
    await world.create(PODS, pod("one", container={"ports": [port]}, **where))
    await running(world, "one")
    port = {**port, "hostIP": addresses[0]["address"]}
    await world.create(PODS, pod("two", container={"ports": [port]}, **where))
    assert "1 node(s) didn't have free ports" in await left_out(world, "two")
    other = {**port, "protocol": "UDP"}
    await world.create(PODS, pod("three", container={"ports": [other]}, **where))
    await running(world, "three")


def amounts(cpu, memory, storage):
    given = {"cpu": cpu, "memory": memory, "ephemeral-storage": storage}
    return {name: amount for name, amount in given.items() if amount}


LIMITS = {
    "type": "Container",
    "min": amounts("50m", "100Mi", "100Gi"),
    "max": amounts("500m", "500Mi", "500Gi"),
    "default": amounts("500m", "500Mi", "500Gi"),
    "defaultRequest": amounts("100m", "200Mi", "200Gi"),
}


def limit_range(name="range", **about):
    return {"metadata": {"name": name, **about}, "spec": {"limits": [LIMITS]}}


def limited(name, requests=None, limits=None):
    resources = {"requests": requests or {}, "limits": limits or {}}
    return pod(name, container={"resources": resources})


@pytest.mark.conformance(
    "[sig-scheduling] LimitRange should create a LimitRange with defaults and ensure pod has those"
    " defaults applied."
)
async def test_defaults_of_a_range(world):
    watch = world.watch(f"{RANGES}?watch=true")
    await world.create(RANGES, limit_range())
    shown = await watch.until("ADDED", "range")
    assert shown["spec"]["limits"] == [LIMITS]

    async def given(name, **asked):
        made = await world.create(PODS, limited(name, **asked))
        return made["spec"]["containers"][0]["resources"]

    wanted = {"requests": LIMITS["defaultRequest"], "limits": LIMITS["default"]}
    assert await given("none") == wanted
    # A limit of one's own is one's request too, before the default for requests is asked.
    asked = {"requests": amounts("", "150Mi", "150Gi"), "limits": amounts("300m", "", "")}
    assert await given("some", **asked) == {
        "requests": amounts("300m", "150Mi", "150Gi"),
        "limits": amounts("300m", "500Mi", "500Gi"),
    }
    little, much = amounts("10m", "50Mi", "50Gi"), amounts("600m", "600Mi", "600Gi")
    # More than the default limit is no valid pod before it is asked what the range allows.
    for name, asked, code in (("little", little, 403), ("much", much, 422)):
        await world.create(PODS, limited(name, asked), expect=code)

    def lower(found):
        found["spec"]["limits"][0]["min"] = amounts("9m", "49Mi", "49Gi")

    await world.update(f"{RANGES}/range", lower)
    await world.create(PODS, limited("little", little))
    await world.create(PODS, limited("much", much), expect=422)
    await world.delete(f"{RANGES}/range", {"gracePeriodSeconds": 30})
    await world.gone(f"{RANGES}/range")
    await world.create(PODS, limited("much", much))


@pytest.mark.conformance(
    "[sig-scheduling] LimitRange should list, patch and delete a LimitRange by collection"
)
async def test_ranges_by_collection(world):
    labels = {"e2e": "range", "step": "created"}
    await world.create("/api/v1/namespaces", {"metadata": {"name": "other"}})
    await world.create(RANGES, limit_range(labels=labels))
    await world.create("/api/v1/namespaces/other/limitranges", limit_range(labels=labels))

    async def where(selector):
        items = (await world.get(f"/api/v1/limitranges?labelSelector={selector}"))["items"]
        return sorted(one["metadata"]["namespace"] for one in items)

    assert await where("e2e%3Drange") == [NAMESPACE, "other"]
    lower = {**LIMITS, "min": amounts("9m", "49Mi", "49Gi")}
    body = {"metadata": {"labels": {"step": "patched"}}, "spec": {"limits": [lower]}}
    patched = await world.patch(f"{RANGES}/range", body, STRATEGIC)
    assert patched["metadata"]["labels"]["step"] == "patched"
    assert patched["spec"]["limits"] == [lower]
    await world.delete(f"{RANGES}?labelSelector=step%3Dpatched")
    assert await where("step%3Dpatched") == []
    assert await where("e2e%3Drange") == ["other"]
