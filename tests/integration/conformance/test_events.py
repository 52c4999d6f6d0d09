"""Events in both of their groups."""

import pytest

from tests.integration.conformance.conftest import NAMESPACE
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

CORE = f"/api/v1/namespaces/{NAMESPACE}/events"
EVENTS = f"/apis/events.k8s.io/v1/namespaces/{NAMESPACE}/events"
NOW = "2026-01-01T00:00:00.000000Z"


def core_event(name, **about):
    place = {"kind": "Pod", "namespace": NAMESPACE, "name": "p"}
    return {
        "metadata": {"name": name, **about},
        "involvedObject": place,
        "reason": "Test",
        "message": "This is a test event",
        "type": "Normal",
        "source": {"component": "conformance"},
    }


def event(name, **about):
    return {
        "metadata": {"name": name, **about},
        "regarding": {"kind": "Pod", "namespace": NAMESPACE, "name": "p"},
        "reportingController": "conformance",
        "reportingInstance": "conformance-1",
        "action": "Do",
        "reason": "Test",
        "type": "Normal",
        "note": "This is a test note",
        "eventTime": NOW,
    }


def names(found):
    return sorted(one["metadata"]["name"] for one in found["items"])


@pytest.mark.conformance("[sig-instrumentation] Events should manage the lifecycle of an event")
async def test_a_core_event(world):
    await world.create(CORE, core_event("e", labels={"testevent": "constant"}))
    everywhere = "/api/v1/events?labelSelector=testevent%3Dconstant"
    assert names(await world.get(everywhere)) == ["e"]
    patched = await world.patch(f"{CORE}/e", {"message": "This is a patched event"})
    assert patched["message"] == "This is a patched event"
    series = {"count": 100, "lastObservedTime": NOW}

    def change(found):
        found["series"] = series
        found["eventTime"] = None

    assert (await world.update(f"{CORE}/e", change))["series"] == series
    assert (await world.get(f"{CORE}/e"))["series"] == series
    await world.delete(f"{CORE}/e")
    assert names(await world.get(everywhere)) == []


@pytest.mark.conformance("[sig-instrumentation] Events should delete a collection of events")
async def test_many_core_events(world):
    for name in ("a", "b", "c"):
        await world.create(CORE, core_event(name, labels={"testevent": "set"}))
    await world.create(CORE, core_event("other"))
    selected = f"{CORE}?labelSelector=testevent%3Dset"
    assert names(await world.get(selected)) == ["a", "b", "c"]
    await world.delete(selected)
    assert names(await world.get(selected)) == []
    assert "other" in names(await world.get(CORE))


@pytest.mark.conformance(
    "[sig-instrumentation] Events API should ensure that an event can be fetched, patched, deleted,"
    " and listed"
)
async def test_an_event(world):
    made = await world.create(EVENTS, event("e", labels={"testevent": "one"}))
    assert made["note"] == "This is a test note"
    assert "e" in names(await world.get("/apis/events.k8s.io/v1/events"))
    # The same event, as the core group has it.
    assert (await world.get(f"{CORE}/e"))["message"] == "This is a test note"
    series = {"count": 2, "lastObservedTime": NOW}
    patched = await world.patch(f"{EVENTS}/e", {"series": series})
    assert patched["series"] == series

    def change(found):
        found["series"]["count"] = 100

    updated = await world.update(f"{EVENTS}/e", change)
    assert (await world.get(f"{EVENTS}/e"))["series"]["count"] == 100
    assert updated["metadata"]["uid"] == made["metadata"]["uid"]
    await world.delete(f"{EVENTS}/e")
    assert names(await world.get(f"{EVENTS}?labelSelector=testevent%3Done")) == []


@pytest.mark.conformance("[sig-instrumentation] Events API should delete a collection of events")
async def test_many_events(world):
    for name in ("a", "b", "c"):
        await world.create(EVENTS, event(name, labels={"testevent": "set"}))
    selected = f"{EVENTS}?labelSelector=testevent%3Dset"
    assert names(await world.get(selected)) == ["a", "b", "c"]
    await world.delete(selected)
    assert names(await world.get(selected)) == []
