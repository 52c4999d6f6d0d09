"""Events are written as client-go writes them, repeated by count, combined and held back."""

import asyncio
from uuid import UUID

import pytest

from apimachinery.errors import ServiceUnavailable
from nodes.client.events import NORMAL, WARNING, Recorder
from nodes.client.eventsink import EventSink
from nodes.client.resources import EVENTS
from nodes.client.rest import Client
from tests.support.builders import node, pod
from tests.support.faults import Faulty

pytestmark = pytest.mark.looptime


@pytest.fixture
async def transport(api):
    return Faulty(api.transport("system:kubelet"))


@pytest.fixture
async def recorder(transport, clock, tasks):
    sink = EventSink(clock, tasks)
    return Recorder(Client(transport), "kubelet", clock, sink, host="n1")


async def test_an_event_has_the_form_of_core_v1(api, recorder):
    about = pod("web").meta(uid="u1", resourceVersion="5")
    recorder.event(about, NORMAL, "Pulled", "There", field_path="spec.containers{c}")
    await asyncio.sleep(1)
    (event,) = api.all("events")
    metadata = event.pop("metadata")
    assert metadata["namespace"] == "default"
    assert metadata["name"].startswith("web.")
    assert event == {
        "apiVersion": "v1",
        "kind": "Event",
        "involvedObject": {
            "kind": "Pod",
            "namespace": "default",
            "name": "web",
            "uid": "u1",
            "apiVersion": "v1",
            "resourceVersion": "5",
            "fieldPath": "spec.containers{c}",
        },
        "reason": "Pulled",
        "message": "There",
        "type": "Normal",
        "source": {"component": "kubelet", "host": "n1"},
        "reportingComponent": "kubelet",
        "reportingInstance": "n1",
        "firstTimestamp": "2026-01-02T03:04:05Z",
        "lastTimestamp": "2026-01-02T03:04:05Z",
        "count": 1,
        "eventTime": None,
    }


async def test_an_event_with_an_action_has_the_newer_form(api, recorder):
    recorder.event(pod("web"), NORMAL, "Scheduled", "To n1", action="Binding")
    await asyncio.sleep(0.5)
    recorder.event(pod("web"), NORMAL, "Scheduled", "To n1", action="Binding")
    await asyncio.sleep(0.5)
    (event,) = api.all("events")
    assert event["eventTime"] == "2026-01-02T03:04:05.000000Z"
    assert event["source"] == {}
    assert "count" not in event
    assert event["series"] == {"count": 2, "lastObservedTime": "2026-01-02T03:04:05.500000Z"}


async def test_events_of_what_has_no_namespace_stand_in_default(api, recorder):
    recorder.event(node("n1"), NORMAL, "Starting", "")
    await asyncio.sleep(1)
    (event,) = api.all("events")
    assert event["metadata"]["namespace"] == "default"
    assert "namespace" not in event["involvedObject"]


async def test_the_same_again_raises_the_count(api, recorder):
    for _ in range(3):
        recorder.event(pod("web"), WARNING, "BackOff", "again")
        await asyncio.sleep(10)
    (event,) = api.all("events")
    assert event["count"] == 3
    assert event["firstTimestamp"] == "2026-01-02T03:04:05Z"
    assert event["lastTimestamp"] == "2026-01-02T03:04:25Z"


async def test_an_event_that_expired_is_written_anew(api, recorder):
    recorder.event(pod("web"), WARNING, "BackOff", "again")
    await asyncio.sleep(1)
    (event,) = api.all("events")
    await Client(api.transport()).delete(EVENTS, "default", event["metadata"]["name"])
    recorder.event(pod("web"), WARNING, "BackOff", "again")
    await asyncio.sleep(1)
    assert [event["count"] for event in api.all("events")] == [2]


async def test_many_messages_of_one_reason_are_combined(api, recorder):
    for index in range(14):
        recorder.event(pod("web"), NORMAL, "Created", f"pod {index}")
    await asyncio.sleep(1)
    messages = [event["message"] for event in api.all("events")]
    assert messages[:9] == [f"pod {index}" for index in range(9)]
    assert messages[9:] == ["(combined from similar events): pod 13"]


async def test_a_source_says_25_things_of_an_object_and_then_one_in_5_minutes(api, recorder):
    for index in range(40):
        recorder.event(pod("web"), NORMAL, f"Reason{index}", "")
        recorder.event(pod("other"), NORMAL, "Once", "")
    await asyncio.sleep(1)
    about_web = [e for e in api.all("events") if e["involvedObject"]["name"] == "web"]
    assert len(about_web) == 25
    await asyncio.sleep(300)
    recorder.event(pod("web"), NORMAL, "Later", "")
    recorder.event(pod("web"), NORMAL, "TooSoon", "")
    await asyncio.sleep(1)
    reasons = [event["reason"] for event in api.all("events")]
    assert "Later" in reasons
    assert "TooSoon" not in reasons


async def test_what_is_held_back_is_counted(api, recorder):
    for _ in range(30):
        recorder.event(pod("web"), WARNING, "BackOff", "again")
    await asyncio.sleep(1)
    assert [event["count"] for event in api.all("events")] == [25]
    await asyncio.sleep(300)
    recorder.event(pod("web"), WARNING, "BackOff", "again")
    await asyncio.sleep(1)
    assert [event["count"] for event in api.all("events")] == [31]


@pytest.mark.parametrize("name", ["fd00::7", "a" * 250])
async def test_an_event_has_a_uuid_for_a_name_where_that_of_its_object_does_not_do(
    api, recorder, name
):
    for message in ("first", "second"):
        recorder.event(pod(name), NORMAL, "R", message)
    await asyncio.sleep(1)
    names = {one["metadata"]["name"] for one in api.all("events")}
    assert len(names) == 2
    assert all(UUID(one).version == 5 for one in names)


async def test_messages_of_long_ago_are_not_combined_with(api, recorder):
    for index in range(9):
        recorder.event(pod("web"), NORMAL, "Created", f"pod {index}")
    await asyncio.sleep(601)
    recorder.event(pod("web"), NORMAL, "Created", "pod 9")
    await asyncio.sleep(1)
    assert "pod 9" in [event["message"] for event in api.all("events")]


async def test_parts_of_a_pod_have_events_of_their_own(api, recorder):
    for name in ("a", "b"):
        recorder.event(
            pod("web"), NORMAL, "Created", "made", field_path=f"spec.containers{{{name}}}"
        )
    await asyncio.sleep(1)
    assert [event["count"] for event in api.all("events")] == [1, 1]


async def test_a_series_tells_its_count_when_it_is_over(api, recorder):
    about = pod("web").meta(resourceVersion="5")
    for index in range(40):
        # What is said may differ: the first words stay.
        recorder.event(about, WARNING, "FailedScheduling", f"no {index}", action="Scheduling")
        await asyncio.sleep(1)
    (event,) = api.all("events")
    assert (event["message"], event["series"]["count"]) == ("no 0", 2)
    await asyncio.sleep(361)
    (event,) = api.all("events")
    assert event["series"] == {"count": 40, "lastObservedTime": "2026-01-02T03:04:44.000000Z"}
    # The next one is another event, as it is when the object has changed.
    recorder.event(about, WARNING, "FailedScheduling", "no", action="Scheduling")
    changed = pod("web").meta(resourceVersion="6")
    recorder.event(changed, WARNING, "FailedScheduling", "no", action="Scheduling")
    await asyncio.sleep(1)
    assert ["series" in one for one in api.all("events")] == [True, False, False]


async def test_a_series_that_goes_on_tells_its_count_every_half_hour(api, recorder):
    about = pod("web").meta(resourceVersion="5")
    told = set()
    for _ in range(80):
        recorder.event(about, WARNING, "FailedScheduling", "no", action="Scheduling")
        await asyncio.sleep(30)
        (event,) = api.all("events")
        told.add((event.get("series") or {}).get("count", 1))
    first, second, third = sorted(told)
    # It is looked at every six minutes, or less.
    assert (first, second) == (1, 2)
    assert 60 <= third <= 74


async def test_a_refusal_loses_the_event_and_nothing_else(api, transport, recorder, tasks):
    transport.fail("create", "events", ServiceUnavailable("away"))
    transport.fail("create", "events", ValueError("broken"))
    for reason in ("A", "B", "C"):
        recorder.event(pod("web"), NORMAL, reason, "")
    await asyncio.sleep(1)
    assert [event["reason"] for event in api.all("events")] == ["C"]
    assert len(tasks) == 0
