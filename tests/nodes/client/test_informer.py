"""The cache follows the API, tells of each change, and mends itself."""

import asyncio

import pytest

from apimachinery.errors import Forbidden, Overloaded, PathNotFound, ServiceUnavailable
from apimachinery.gvk import GroupResource
from apimachinery.labels import parse_selector
from apimachinery.meta import name_of
from nodes.client.informer import Informers
from nodes.client.resources import NODES, PODS
from nodes.client.rest import Client
from tests.support.builders import node, pod, replicaset
from tests.support.eventually import eventually
from tests.support.faults import Faulty

pytestmark = pytest.mark.looptime


@pytest.fixture
async def client(api):
    return Client(api.transport())


@pytest.fixture
async def informers(api, clock, tasks):
    return Informers(api.transport(), clock, tasks)


def names(objects):
    return sorted(map(name_of, objects))


class Changes(list):
    def __call__(self, old, new):
        self.append((old and name_of(old), new and name_of(new)))


async def test_it_lists_then_follows(client, informers):
    await client.create(pod("a"))
    pods, seen = informers.get(PODS), Changes()
    pods.on_change(seen)
    informers.start()
    await informers.synced()
    await client.create(pod("b"))
    await client.patch(PODS, "default", "a", {"metadata": {"labels": {"x": "1"}}})
    await client.delete(PODS, "default", "b")
    await eventually(lambda: len(seen) == 4)
    assert seen == [(None, "a"), (None, "b"), ("a", "a"), ("b", None)]
    assert pods.get("default", "a")["metadata"]["labels"] == {"x": "1"}
    assert pods.get("default", "b") is None


async def test_a_late_handler_hears_of_what_is_there(client, informers):
    await client.create(pod("a"))
    pods, seen = informers.get(PODS), Changes()
    informers.start()
    await informers.synced()
    pods.on_change(seen)
    assert seen == [(None, "a")]


async def test_a_failing_handler_leaves_the_others(client, informers, caplog):
    pods, seen = informers.get(PODS), Changes()
    pods.on_change(lambda old, new: 1 / 0)
    pods.on_change(seen)
    informers.start()
    await client.create(pod("a"))
    await eventually(lambda: seen == [(None, "a")])
    assert "handler of pods failed" in caplog.text


async def test_a_lost_watch_lists_again_and_tells_of_the_differences(api, client, informers):
    for name in ("gone", "kept", "changed"):
        await client.create(pod(name))
    pods, seen = informers.get(PODS), Changes()
    informers.start()
    await informers.synced()
    pods.on_change(seen)
    seen.clear()
    # All of this happens while nobody watches.
    watches, api._watches = api._watches, []
    await client.delete(PODS, "default", "gone")
    await client.create(pod("new"))
    await client.patch(PODS, "default", "changed", {"metadata": {"labels": {"x": "1"}}})
    api._watches = watches
    api.compact()
    await eventually(lambda: len(seen) == 3)
    assert sorted(seen, key=str) == [("changed", "changed"), ("gone", None), (None, "new")]
    await client.create(pod("after"))
    await eventually(lambda: seen[-1] == (None, "after"))


async def test_a_refused_list_is_tried_again_after_a_wait(api, clock, tasks, client):
    faulty = Faulty(api.transport())
    faulty.fail("list", "pods", ServiceUnavailable("away"), times=2)
    informers = Informers(faulty, clock, tasks)
    await client.create(pod("a"))
    pods = informers.get(PODS)
    began = asyncio.get_running_loop().time()
    informers.start()
    await informers.synced()
    assert asyncio.get_running_loop().time() - began == pytest.approx(0.8 + 1.6, abs=0.01)
    assert names(pods.list()) == ["a"]


async def test_indexes_follow_each_change(client, informers):
    owner = await client.create(replicaset("r"))
    await client.create(pod("a").owned_by(owner).on("n1"))
    await client.create(pod("b").owned_by(owner, controller=False))
    await client.create(pod("c", "other").labels(app="x"))
    pods = informers.get(PODS)
    informers.start()
    await informers.synced()
    assert names(pods.owned_by(owner)) == ["a"]
    assert names(pods.by_index("node", "n1")) == ["a"]
    assert names(pods.list("other")) == ["c"]
    assert names(pods.list(selector=parse_selector("app=x"))) == ["c"]
    await client.patch(PODS, "default", "a", {"metadata": {"ownerReferences": None}})
    await eventually(lambda: pods.owned_by(owner) == [])
    assert names(pods.by_index("node", "n1")) == ["a"]


async def test_an_index_added_later_holds_what_was_there(client, informers):
    await client.create(pod("a").labels(app="x"))
    pods = informers.get(PODS)
    informers.start()
    await informers.synced()
    pods.add_index("app", lambda obj: (obj["metadata"]["labels"]["app"],))
    assert names(pods.by_index("app", "x")) == ["a"]


async def test_a_field_selector_shows_only_its_own(client, informers):
    await client.create(pod("a").on("n1"))
    mine = informers.get(PODS, "spec.nodeName=n1")
    informers.start()
    await informers.synced()
    await client.create(pod("b").on("n2"))
    await client.create(pod("c").on("n1"))
    await eventually(lambda: names(mine.list()) == ["a", "c"])


async def test_one_watch_serves_all_who_ask(api, informers):
    assert informers.get(NODES) is informers.get(NODES)
    informers.start()
    await informers.synced()
    assert [call.resource for _, call in api.calls] == ["nodes"]


async def test_items_without_a_kind_are_given_it(api, clock, tasks):
    class Bare:
        async def call(self, call):
            bare = {k: v for k, v in node("n1").items() if k not in ("kind", "apiVersion")}
            return {"items": [bare], "metadata": {"resourceVersion": "7"}}

        def watch(self, call, after, deliver, closed):
            assert after == 7
            return api.watch(call, api.revision, deliver, closed)

    informers = Informers(Bare(), clock, tasks)
    nodes = informers.get(NODES)
    informers.start()
    await informers.synced()
    assert nodes.get("", "n1")["kind"] == "Node"


async def test_a_kind_that_is_not_served_holds_nobody_up_and_may_come(api, clock, tasks, client):
    faulty = Faulty(api.transport())
    faulty.fail("list", "pods", PathNotFound(), times=2)
    informers = Informers(faulty, clock, tasks)
    await client.create(pod("a"))
    pods = informers.get(PODS)
    informers.start()
    await informers.synced()
    assert not pods.synced.is_set()
    await eventually(lambda: names(pods.list()) == ["a"])


async def test_a_watch_that_is_refused_is_not_tried_without_pause(api, clock, tasks):
    class Refusing:
        lists = 0

        async def call(self, call):
            self.lists += 1
            return {"items": [], "metadata": {"resourceVersion": "1"}}

        def watch(self, call, after, deliver, closed):
            error = Forbidden(GroupResource("", "pods"), "", "no")
            asyncio.get_running_loop().call_soon(closed, error)
            return api.watch(call, after, lambda events: None, lambda error: None)

    refusing = Refusing()
    informers = Informers(refusing, clock, tasks)
    informers.get(PODS)
    informers.start()
    await asyncio.sleep(60)
    assert 4 <= refusing.lists <= 8


async def test_a_watch_for_which_there_are_too_many_is_taken_up_without_a_list(
    api, clock, tasks, client
):
    class Full:
        lists, watches = 0, []

        async def call(self, call):
            self.lists += 1
            return await api.transport().call(call)

        def watch(self, call, after, deliver, closed):
            self.watches.append(clock.seconds())
            if len(self.watches) > 3:
                return api.transport().watch(call, after, deliver, closed)
            asyncio.get_running_loop().call_soon(closed, Overloaded(2))
            return api.watch(call, after, lambda events: None, lambda error: None)

    full = Full()
    informers = Informers(full, clock, tasks)
    pods = informers.get(PODS)
    informers.start()
    await informers.synced()
    await client.create(pod("a"))
    await eventually(lambda: names(pods.list()) == ["a"], within=30)
    assert full.lists == 1
    waits = [later - before for before, later in zip(full.watches, full.watches[1:], strict=False)]
    # As long as it is told, or longer each time: 0.8, 1.6 and 3.2 seconds.
    assert waits == pytest.approx([2, 2, 3.2])


async def test_a_fault_does_not_end_an_informer(api, clock, tasks, client, caplog):
    faulty = Faulty(api.transport())
    faulty.fail("list", "pods", ValueError("broken"))
    informers = Informers(faulty, clock, tasks)
    await client.create(pod("a"))
    pods = informers.get(PODS)
    informers.start()
    await eventually(lambda: names(pods.list()) == ["a"])
    assert "broken" in caplog.text


async def test_an_outline_becomes_whole_when_somebody_asks(client, informers):
    await client.create(pod("a").labels(app="x"))
    outlined, seen = informers.get(PODS, whole=False), []
    outlined.on_change(lambda old, new: seen.append(new))
    informers.start()
    await informers.synced()
    assert set(seen[0]) == {"apiVersion", "kind", "metadata"}
    assert seen[0]["metadata"]["labels"] == {"app": "x"}

    assert informers.get(PODS) is outlined
    await eventually(lambda: "spec" in (outlined.get("default", "a") or {}))
    await client.patch(PODS, "default", "a", {"spec": {"nodeName": "n1"}})
    await eventually(lambda: seen[-1].get("spec", {}).get("nodeName") == "n1")
    # Nobody has less afterwards because somebody is content with less.
    assert "spec" in (informers.get(PODS, whole=False).get("default", "a") or {})


async def test_who_asks_for_whole_objects_never_sees_outlines(api, clock, tasks, client):
    faulty = Faulty(api.transport())
    informers = Informers(faulty, clock, tasks)
    for name in ("a", "gone"):
        await client.create(pod(name).on("n1"))
    outlined, early = informers.get(PODS, whole=False), Changes()
    outlined.on_change(early)
    informers.start()
    await informers.synced()

    faulty.fail("list", "pods", ServiceUnavailable("not now"))
    whole, late = informers.get(PODS), []
    whole.on_change(lambda old, new: late.append((old and old["spec"], new and new["spec"])))
    whole.add_index("node", lambda one: [one["spec"]["nodeName"]])
    assert not late
    assert not whole.by_index("node", "n1")
    assert not whole.settled.is_set()
    await client.delete(PODS, "default", "gone", grace=0)
    await client.create(pod("b").on("n2"))
    await whole.settled.wait()

    assert [new["nodeName"] for _, new in late] == ["n1", "n2"]
    assert names(whole.by_index("node", "n1")) == ["a"]
    assert early[-2:] == [(None, "b"), ("gone", None)]
    await client.delete(PODS, "default", "a", grace=0)
    await eventually(lambda: late[-1][1] is None)
    assert late[-1][0]["nodeName"] == "n1"
    assert not whole.by_index("node", "n1")
