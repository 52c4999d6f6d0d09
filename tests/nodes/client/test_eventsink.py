"""The way of events to the API: a queue for each component, what is lost, and what waits."""

import asyncio
from collections import Counter

import pytest

from apimachinery.errors import ApiError, InternalError
from nodes.client.eventlog import EventLog
from nodes.client.events import NORMAL, Recorder
from nodes.client.eventsink import EventSink
from nodes.client.klog import Klog
from nodes.client.rest import Client
from nodes.client.transport import Unreached
from tests.support.builders import pod
from tests.support.faults import Faulty

pytestmark = pytest.mark.looptime


@pytest.fixture
async def transport(api):
    return Faulty(api.transport("system:kubelet"))


@pytest.fixture
async def sink(clock, tasks):
    return EventSink(clock, tasks)


@pytest.fixture
def recorder(transport, clock, sink):
    def build(host, component="kubelet"):
        return Recorder(Client(transport), component, clock, sink, host=host)

    return build


def told(api):
    """Return what was written, in order: who tells it, and of what."""
    events = sorted(api.all("events"), key=lambda one: int(one["metadata"]["resourceVersion"]))
    return [(one["source"]["host"], one["involvedObject"]["name"]) for one in events]


async def test_each_component_may_have_a_thousand_waiting(api, recorder):
    one, other = recorder("n1"), recorder("n2")
    for index in range(1100):
        one.event(pod(f"a{index}"), NORMAL, "Started", "")
    for index in range(600):
        other.event(pod(f"b{index}"), NORMAL, "Started", "")
    await asyncio.sleep(60)
    written = told(api)
    assert Counter(host for host, _ in written) == {"n1": 1000, "n2": 600}
    # In order, and in turn: nobody waits until another one has told all.
    assert [name for host, name in written if host == "n1"] == [f"a{i}" for i in range(1000)]
    assert Counter(host for host, _ in written[:32]) == {"n1": 16, "n2": 16}


@pytest.fixture
def said(clock):
    """Return what is logged, and a log that does."""
    lines = []
    klog = Klog(clock, lambda _, record: lines.append(bytes(record).decode()))
    return lines, EventLog(klog, "a-controller")


async def test_what_is_dropped_is_logged(recorder, said):
    lines, log = said
    one = recorder("n1")
    one.log = log
    for index in range(1001):
        one.event(pod(f"a{index}").meta(uid="u"), NORMAL, "Started", 'Said "so"')
    one.event(pod("b"), NORMAL, "Started", "", action="Binding")
    lost = [line for line in lines if "Event occurred" not in line]
    (line,) = lost
    assert line.startswith("E0")
    head, _, event = line.partition(" event=")
    assert head.endswith(
        'event.go:468] "Unable to record event: too many queued events, dropped event"'
        ' logger="a-controller"'
    )
    assert event.startswith('"&Event{ObjectMeta:{a1000.')
    assert (
        "InvolvedObject:ObjectReference{Kind:Pod,Namespace:default,Name:a1000,UID:u,APIVersion:v1,"
        'ResourceVersion:,FieldPath:,},Reason:Started,Message:Said \\"so\\",'
        "Source:EventSource{Component:kubelet,Host:n1,}"
    ) in event


async def test_there_is_room_again_once_some_are_written(api, recorder, sink):
    one = recorder("n1")
    for _ in range(2):
        for index in range(900):
            one.event(pod(f"a{index}"), NORMAL, "Started", "")
        await asyncio.sleep(60)
    assert sink.idle
    assert Counter(event["count"] for event in api.all("events")) == {2: 900}


async def test_each_component_has_a_pace_of_its_own(api, recorder):
    one, other = recorder("n1"), recorder("n2")
    for index in range(300):
        one.event(pod(f"a{index}"), NORMAL, "Started", "")
    await asyncio.sleep(1)
    # A hundred at once and fifty a second; they come by eight once those are used up.
    assert 142 <= len(told(api)) <= 150
    other.event(pod("b"), NORMAL, "Started", "")
    await asyncio.sleep(0.001)
    assert told(api)[-1] == ("n2", "b")
    await asyncio.sleep(2)
    assert 242 <= len(told(api)) - 1 <= 250
    await asyncio.sleep(1)
    assert Counter(host for host, _ in told(api)) == {"n1": 300, "n2": 1}
    # Silence saves up for another burst, and not for more.
    await asyncio.sleep(60)
    for index in range(150):
        one.event(pod(f"c{index}"), NORMAL, "Started", "")
    await asyncio.sleep(0.1)
    assert 100 <= len(told(api)) - 301 <= 108


async def test_a_component_that_comes_back_has_no_new_burst(api, recorder, sink):
    one = recorder("n1")
    for index in range(100):
        one.event(pod(f"a{index}"), NORMAL, "Started", "")
    await asyncio.sleep(0.01)
    assert (len(told(api)), sink.idle) == (100, True)
    one.event(pod("b"), NORMAL, "Started", "")
    one.event(pod("c"), NORMAL, "Started", "")
    await asyncio.sleep(0.005)
    assert len(told(api)) == 100
    await asyncio.sleep(0.1)
    assert len(told(api)) == 102


async def test_what_cannot_reach_the_api_waits_while_others_go_on(api, transport, recorder, clock):
    cut, well = recorder("n1"), recorder("n2")
    transport.fail("create", "events", Unreached("cut"), times=3)
    for index in range(3):
        cut.event(pod(f"a{index}"), NORMAL, "Started", "")
    await asyncio.sleep(0)
    well.event(pod("b"), NORMAL, "Started", "")
    await asyncio.sleep(0.1)
    assert told(api) == [("n2", "b")]
    await asyncio.sleep(10)  # the first wait is a part of ten seconds
    assert told(api)[1:] == [("n1", f"a{index}") for index in range(3)]
    assert clock.next_due() is None


async def test_an_event_is_given_up_after_twelve_tries(api, transport, recorder, said):
    one, (lines, log) = recorder("n1"), said
    one.log = log
    transport.fail("create", "events", Unreached("cut"), times=12)
    for name in ("first", "second"):
        one.event(pod(name), NORMAL, "Started", "")
        await asyncio.sleep(0.1)
    await asyncio.sleep(99)  # ten waits of ten seconds, after the first
    assert told(api) == []
    await asyncio.sleep(11)
    assert told(api) == [("n1", "second")]
    lost = [line for line in lines if "&Event{ObjectMeta:{first." in line]
    tried = '"Unable to write event (may retry after sleeping)" err="cut"'
    assert [tried in line for line in lost] == [True] * 12 + [False]
    assert '"Unable to write event (retry limit exceeded!)" logger=' in lost[-1]


async def test_what_is_refused_is_not_tried_again(api, transport, recorder, said):
    terminating = {"causes": [{"reason": "NamespaceTerminating"}]}
    one, (lines, log) = recorder("n1"), said
    one.log = log
    for error in (InternalError("no"), ApiError("gone", details=terminating)):
        transport.fail("create", "events", error)
        one.event(pod("a"), NORMAL, error.message, "")
        await asyncio.sleep(200)
    assert told(api) == []
    # That a namespace goes is no news.
    (line,) = [line for line in lines if "Event occurred" not in line]
    said_why = 'err="Internal error occurred: no" logger="a-controller"'
    assert f'"Server rejected event (will not retry!)" {said_why}' in line


async def test_what_a_host_had_to_say_is_gone_with_it(api, transport, recorder, sink):
    lost, well = recorder("n1"), recorder("n2")
    transport.fail("create", "events", Unreached("cut"), times=2)
    for one in (lost, well):
        one.event(pod("a"), NORMAL, "Started", "")
    await asyncio.sleep(0.1)
    sink.forget("n1")
    await asyncio.sleep(20)
    assert told(api) == [("n2", "a")]
    lost.event(pod("b"), NORMAL, "Started", "")
    await asyncio.sleep(1)
    assert told(api)[1:] == [("n1", "b")]
