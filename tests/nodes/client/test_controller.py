"""The loop: one worker to a key, backoff after failures, nothing running when idle."""

import asyncio

import pytest

from apimachinery.errors import Conflict
from apimachinery.gvk import GroupResource
from nodes.client.controller import DONE, Context, Controller, Mapped, Owned, Result
from nodes.client.events import Recorder
from nodes.client.eventsink import EventSink
from nodes.client.informer import Informers
from nodes.client.lister import Key
from nodes.client.resources import NODES, PODS, REPLICASETS
from nodes.client.rest import Client
from tests.support.builders import node, pod, replicaset
from tests.support.eventually import eventually

pytestmark = pytest.mark.looptime


class Probe(Controller):
    """Notes what it is asked for, and does what the test says."""

    name = "probe"
    reconciles = REPLICASETS
    watches = (Owned(PODS), Mapped(NODES, lambda self, obj: [Key("default", "from-node")]))
    workers = 2
    rest = 0.0

    def __init__(self, context):
        super().__init__(context)
        self.seen, self.now, self.most, self.outcomes = [], 0, 0, {}

    async def reconcile(self, key):
        self.seen.append((round(asyncio.get_running_loop().time(), 3), key.name))
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.5)
        self.now -= 1
        outcome = self.outcomes.get(key.name, [])
        what = outcome.pop(0) if outcome else DONE
        if isinstance(what, Exception):
            raise what
        return what


@pytest.fixture
async def client(api):
    return Client(api.transport())


@pytest.fixture
async def probe(api, clock, tasks, client):
    informers = Informers(api.transport(), clock, tasks)
    recorder = Recorder(client, "probe", clock, EventSink(clock, tasks))
    probe = Probe(Context(client, informers, recorder, clock, tasks))
    probe.start()
    informers.start()
    await informers.synced()
    probe.release()
    yield probe
    probe.stop()


def names(probe):
    return [name for _, name in probe.seen]


async def test_changes_of_a_burst_are_one_reconcile(probe, client):
    created = await client.create(replicaset("r"))
    for name in "abc":
        await client.create(pod(name).owned_by(created))
    await asyncio.sleep(3)
    # The first for what was there, the second for all that came while it ran.
    assert names(probe) == ["r", "r"]


async def test_no_more_workers_than_allowed_and_none_when_idle(probe, client, tasks):
    for index in range(5):
        await client.create(replicaset(f"r{index}"))
    await asyncio.sleep(5)
    assert sorted(names(probe)) == [f"r{index}" for index in range(5)]
    assert probe.most == 2
    assert len(tasks) == 0
    assert probe.idle


async def test_failures_back_off_and_a_success_forgets_them(probe, client, caplog):
    conflict = Conflict(GroupResource("apps", "replicasets"), "r", "changed")
    probe.outcomes["r"] = [ValueError("broken"), conflict]
    await client.create(replicaset("r"))
    await asyncio.sleep(10)
    first, second, third = (when for when, _ in probe.seen)
    assert second - first == pytest.approx(0.5 + 0.005, abs=0.002)
    assert third - second == pytest.approx(0.5 + 0.010, abs=0.002)
    assert probe.queue.retries(Key("default", "r")) == 0
    assert caplog.text.count("reconcile failed") == 1


async def test_a_result_asks_for_another_look(probe, client):
    probe.outcomes["r"] = [Result(requeue_after=60)]
    await client.create(replicaset("r"))
    await asyncio.sleep(100)
    first, second = (when for when, _ in probe.seen)
    assert second - first == pytest.approx(60.5, abs=0.01)


async def test_only_owners_of_our_kind_are_woken(probe, client):
    await client.create(pod("loose"))
    other = replicaset("x")
    other["kind"] = "StatefulSet"
    await client.create(pod("other").owned_by(other))
    await client.create(pod("mine").owned_by(replicaset("ours")))
    await client.create(node("n1"))
    await eventually(lambda: sorted(names(probe)) == ["from-node", "ours"])


async def test_a_pod_that_changes_hands_wakes_both(probe, client):
    await client.create(pod("p").owned_by(replicaset("old")))
    await asyncio.sleep(2)
    moved = pod("p").owned_by(replicaset("new"))
    await client.update(moved)
    await asyncio.sleep(2)
    assert names(probe) == ["old", "old", "new"]


async def test_nothing_is_worked_on_before_the_release(api, clock, tasks, client):
    await client.create(replicaset("r"))
    informers = Informers(api.transport(), clock, tasks)
    recorder = Recorder(client, "probe", clock, EventSink(clock, tasks))
    probe = Probe(Context(client, informers, recorder, clock, tasks))
    probe.start()
    informers.start()
    await informers.synced()
    await asyncio.sleep(1)
    assert probe.seen == []
    probe.release()
    await asyncio.sleep(1)
    assert names(probe) == ["r"]


async def test_a_key_whose_work_took_long_rests_before_it_comes_again(probe, client):
    probe.loop._rest = 0.8
    await client.create(replicaset("r"))
    await asyncio.sleep(0.1)
    await client.patch(REPLICASETS, "default", "r", {"spec": {"replicas": 5}})
    await asyncio.sleep(5)
    first, second = (when for when, _ in probe.seen)
    assert second - first == pytest.approx(0.5 + 0.4, abs=0.002)
