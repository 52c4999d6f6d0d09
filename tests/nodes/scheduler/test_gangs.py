"""Pods that are scheduled together: all that are needed, or none."""

import asyncio

import orjson
import pytest

from apimachinery.meta import uid_of
from nodes.client.resources import PODGROUPS, PODS
from nodes.scheduler.attempt import Trigger
from nodes.scheduler.config.reading import Configuration, Extender, ProfileConfig
from nodes.scheduler.extenders import ExtenderError
from nodes.scheduler.framework import SUCCESS, Code, Status
from nodes.scheduler.plugins.gang_scheduling import GangScheduling
from nodes.scheduler.plugins.node_resources_fit import NodeResourcesFit
from nodes.scheduler.podgroup import GroupFeatures
from tests.nodes.scheduler.test_loop import Rig
from tests.support.builders import node, obj, pod
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


@pytest.fixture
async def rig():
    made = Rig(groups=GroupFeatures())
    yield made
    made.scheduler.stop()
    await made.tasks.close()


def group(minimum=None, name="g"):
    policy = {"basic": {}} if minimum is None else {"gang": {"minCount": minimum}}
    return obj(
        "PodGroup",
        name,
        api_version="scheduling.k8s.io/v1alpha2",
        spec={"schedulingPolicy": policy},
        status={},
    )


async def form(rig, minimum=None):
    await rig.client.create(group(minimum), PODGROUPS)


def member(name, cpu="2", group="g", **spec):
    return pod(name).requests(cpu=cpu).spec(schedulingGroup={"podGroupName": group}, **spec)


def gate(rig, name):
    (waiting,) = (one for one in rig.scheduler.queue if one.pod.name == name)
    return rig.scheduler.kept_out(waiting.pod)


def word(rig):
    found = rig.api.need("podgroups", "g").get("status", {}).get("conditions") or [{}]
    return found[0].get("status"), found[0].get("reason"), found[0].get("message")


def attempts(rig, name):
    return rig.scheduler.decisions.of(uid_of(rig.api.need("pods", name)))


async def test_a_gang_waits_for_its_group_and_for_all_that_are_needed(rig):
    await rig.create(node("n1"), member("a"))
    await asyncio.sleep(5)
    words = 'waiting for pods\'s pod group "g" to appear in scheduling queue'
    assert gate(rig, "a") == ("GangScheduling", words)
    await form(rig, 2)
    await asyncio.sleep(5)
    words = "waiting for minCount pods from a gang to appear in scheduling queue"
    assert gate(rig, "a") == ("GangScheduling", words)
    assert rig.scheduler.queue.depths()["gated"] == 1
    await rig.create(member("b"))
    await eventually(lambda: rig.node_of("a") and rig.node_of("b"))
    await eventually(lambda: word(rig) == ("True", "Scheduled", ""))
    because = {name: attempts(rig, name)[-1].because for name in "ab"}
    assert because["a"] == Trigger("UnscheduledPod/Add", "default/b", "GangScheduling")


async def test_where_not_all_fit_nobody_keeps_a_node_until_there_is_room(rig):
    await form(rig, 3)
    await rig.create(node("n1"), *(member(name) for name in "abc"))
    await eventually(lambda: word(rig)[0] == "False")
    assert word(rig) == ("False", "Unschedulable", "pod group is unschedulable")
    await eventually(lambda: all(rig.condition(name).get("message") for name in "abc"))
    said = sorted(rig.condition(name)["message"] for name in "abc")
    assert said[0].startswith("0/1 nodes are available: 1 Insufficient cpu.")
    assert len(said) == 3
    for words in said[1:]:
        assert words.startswith("pod group is unschedulable, one or more plugins asked to wait")
    assert not any(rig.node_of(name) for name in "abc")
    assert rig.scheduler.cache.node("n1").pods == {}
    # Those that fit alone are tried after each backoff, and the others with them.
    await asyncio.sleep(30)
    assert {len(attempts(rig, name)) for name in "abc"} == {6}
    assert {attempts(rig, name)[-1].because.event for name in "abc"} == {"ScheduleAttemptFailure"}
    assert sorted(attempts(rig, name)[-1].held_back for name in "abc") == [False, True, True]
    await rig.create(node("n2"))
    await eventually(lambda: all(rig.node_of(name) for name in "abc"))
    await eventually(lambda: word(rig)[0] == "True")


async def test_more_than_are_needed_may_wait(rig):
    await form(rig, 2)
    await rig.create(node("n1"), *(member(name) for name in "abc"))
    await eventually(lambda: sum(bool(rig.node_of(name)) for name in "abc") == 2)
    await eventually(lambda: word(rig)[0] == "True")
    late = next(name for name in "abc" if not rig.node_of(name))
    await eventually(lambda: "Insufficient cpu" in rig.condition(late).get("message", ""))
    await rig.create(node("n2"))
    await eventually(lambda: rig.node_of(late) == "n2")


async def test_a_group_that_is_no_gang_gets_what_there_is(rig):
    await form(rig)
    await rig.create(node("n1"), *(member(name) for name in "abc"))
    await eventually(lambda: sum(bool(rig.node_of(name)) for name in "abc") == 2)
    await eventually(lambda: word(rig)[0] == "True")


async def test_room_is_made_for_a_gang_that_fits_then_and_not_otherwise(rig):
    low = pod("low").requests(cpu="3").on("n1").spec(priority=0)
    await form(rig, 2)
    await rig.create(node("n1"), low)
    await eventually(lambda: rig.scheduler.cache.place_of(uid_of(rig.api.need("pods", "low"))))
    await rig.create(*(member(name, cpu="3", priority=10) for name in "ab"))
    await eventually(lambda: word(rig)[1] == "Unschedulable")
    assert rig.events("Preempted") == [], "one would fit, and that is not enough"
    await rig.create(node("n2"))
    await eventually(lambda: rig.events("Preempted"))
    assert word(rig) == (
        "False",
        "Unschedulable",
        "pod group is unschedulable, pod group is waiting for preemption to complete",
    )
    assert not any(rig.node_of(name) for name in "ab")
    await rig.client.delete(PODS, "default", "low", grace=0)
    await eventually(lambda: {rig.node_of(name) for name in "ab"} == {"n1", "n2"})
    await eventually(lambda: word(rig)[0] == "True")


async def test_who_goes_leaves_the_gang_too_small(rig):
    await form(rig, 2)
    await rig.create(member("a"), member("b"))
    await eventually(lambda: rig.condition("a").get("message"))
    await rig.client.delete(PODS, "default", "b", grace=0)
    await rig.create(node("n1"))
    await asyncio.sleep(5)
    assert rig.node_of("a") is None
    assert gate(rig, "a")[0] == "GangScheduling"


async def test_no_room_is_made_for_a_member_that_goes_while_others_are_tried(rig):
    asked, on_n1 = asyncio.Event(), {"nodeSelector": {"kubernetes.io/hostname": "n1"}}

    async def extender(_extender, _url, body):
        asked.set()
        await asyncio.sleep(1)
        return orjson.dumps({"NodeNames": orjson.loads(body)["NodeNames"]})

    rig.scheduler._ask = extender
    used = Extender("http://extender.default.svc", filter="filter", node_cache=True)
    rig.scheduler.configure(Configuration(extenders=(used,)))
    await form(rig, 2)
    low = pod("low").requests(cpu="3").on("n1").spec(priority=0)
    await rig.create(node("n1"), node("n2").labels(free="yes"), low)
    await eventually(lambda: rig.scheduler.cache.place_of(uid_of(rig.api.need("pods", "low"))))
    others = [member(name, cpu="1", nodeSelector={"free": "yes"}) for name in "bd"]
    await rig.create(member("a", cpu="3", priority=10, **on_n1), *others)
    await asked.wait()
    await rig.client.delete(PODS, "default", "a", grace=0)
    await eventually(lambda: rig.condition("b").get("message"))
    # Nothing is kept for it either.
    await rig.create(pod("c").requests(cpu="1").spec(**on_n1))
    await eventually(lambda: rig.node_of("c") == "n1")
    assert rig.events("Preempted") == []


async def test_members_of_different_schedulers_are_tried_by_none(rig):
    rig.scheduler.configure(Configuration((ProfileConfig(), ProfileConfig("other"))))
    await form(rig, 2)
    await rig.create(node("n1"), member("a"), member("b", schedulerName="other"))
    await eventually(lambda: word(rig)[1] == "SchedulerError")
    words = "all pods in a single pod group should have the same .spec.schedulerName set, got: "
    assert word(rig)[2].startswith(words)
    await eventually(lambda: rig.condition("b").get("reason") == "SchedulerError")
    assert rig.condition("a")["message"].startswith(words)


async def test_where_one_goes_wrong_all_say_so(rig):
    await form(rig, 2)

    async def down(_extender, _url, body):
        raise ExtenderError("it is away")

    rig.scheduler._ask = down
    used = Extender("http://extender.default.svc", filter="filter", node_cache=True)
    rig.scheduler.configure(Configuration(extenders=(used,)))
    await rig.create(node("n1"), member("a"), member("b"))
    await eventually(lambda: word(rig)[1] == "SchedulerError")
    assert word(rig)[2] == "failed to schedule other pod from a pod group: it is away"
    await eventually(lambda: all(rig.condition(name).get("message") for name in "ab"))
    assert {rig.condition(name)["reason"] for name in "ab"} == {"SchedulerError"}
    assert rig.condition("b")["message"] == word(rig)[2]


async def test_a_plugin_that_fails_loses_no_member(rig, monkeypatch):
    await form(rig, 2)
    failures = iter([False, True])
    real = NodeResourcesFit.filter

    def fails(*given):
        if next(failures, False):
            raise RuntimeError("a bug")
        return real(*given)

    monkeypatch.setattr(NodeResourcesFit, "filter", fails)
    await rig.create(node("n1"), member("a"), member("b"))
    await eventually(lambda: rig.node_of("a") and rig.node_of("b"))


async def test_who_waits_to_be_bound_is_given_up_after_a_time(rig, monkeypatch):
    wait = Status(Code.WAIT, ("wait",)), 300.0
    monkeypatch.setattr(GangScheduling, "permit", lambda *_: wait)
    await rig.create(node("n1"), pod("a"), pod("b"))
    uids = [uid_of(rig.api.need("pods", name)) for name in "ab"]
    await eventually(lambda: all(uid in rig.scheduler.waiters for uid in uids))
    rig.scheduler.waiters.allow(uids[0])
    await eventually(lambda: rig.node_of("a") == "n1")
    await asyncio.sleep(301)
    words = "0/1 nodes are available: 1 rejected due to timeout after waiting 5m0s at plugin "
    assert attempts(rig, "b")[-1].message == f"{words}GangScheduling."
    assert not rig.node_of("b")


async def test_who_completes_a_gang_lets_those_go_on_who_wait_for_it(rig, monkeypatch):
    answers = iter([(SUCCESS, 0.0), (Status(Code.WAIT, ("wait",)), 300.0)])
    monkeypatch.setattr(GangScheduling, "permit", lambda *_: next(answers, (SUCCESS, 0.0)))
    await form(rig)
    await rig.create(node("n1"), member("a"))
    await eventually(lambda: uid_of(rig.api.need("pods", "a")) in rig.scheduler.waiters)
    assert not rig.node_of("a")
    await rig.create(member("b"))
    await eventually(lambda: rig.node_of("a") and rig.node_of("b"))


@pytest.mark.parametrize("plugins", [(), (GangScheduling.name,)])
async def test_without_the_feature_groups_are_nothing(plugins):
    rig = Rig()
    more = {"multiPoint": {"enabled": [{"name": name} for name in plugins]}}
    rig.scheduler.configure(Configuration((ProfileConfig(plugins=more),)))
    await rig.create(node("n1"), member("a"))
    await eventually(lambda: rig.node_of("a") == "n1")
    rig.scheduler.stop()
    await rig.tasks.close()
