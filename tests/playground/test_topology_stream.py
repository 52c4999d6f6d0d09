"""The topology's websocket against a fake worker: what a page is told, and when it is cut off."""

from __future__ import annotations

import asyncio
import json
from collections import deque

import httpx
import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser
from django.urls import path

from playground.accounts.models import Role, User
from playground.accounts.viewing import Viewing
from playground.objects.consumer import LogConsumer
from playground.sandboxes.gateway import Identity
from playground.topology import consumer
from playground.topology.activity import Activity
from playground.topology.consumer import TopologyConsumer
from playground.topology.projection import KINDS
from playground.topology.upstream import Upstreams
from tests.playground.objects import pod, small
from tests.playground.stalling import Stalling

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def upstreams():
    made = Upstreams(linger=30)
    yield made
    await made.stop()


@pytest.fixture
def application(upstreams, worker):
    def served(consumer):
        return consumer.as_asgi()

    bound = [type(c.__name__, (c,), {"upstreams": upstreams}) for c in CONSUMERS]
    return URLRouter(
        [
            path("ws/clusters/<slug:name>/", served(bound[0])),
            path("ws/clusters/<slug:name>/logs/", served(bound[1])),
        ]
    )


CONSUMERS = (TopologyConsumer, LogConsumer)


class Page:
    """A browser's page, as far as the stream knows it."""

    def __init__(self, application, user, cluster="demo", rest=""):
        self.socket = WebsocketCommunicator(application, f"/ws/clusters/{cluster}/{rest}")
        self.socket.scope["user"] = user
        self.tables = {}
        self.last = None

    async def open(self, **hello):
        assert (await self.socket.connect(timeout=5))[0]
        await self.send(op="hello", v=1, **{"cursor": None, "rev": None, **hello})
        return self

    async def send(self, **frame):
        await self.socket.send_to(text_data=json.dumps(frame))

    async def next(self, *ops):
        """Return the next frame of these kinds, folding what passes."""
        while True:
            frame = json.loads(await self.socket.receive_from(timeout=5))
            self.fold(frame)
            if frame["op"] in ops:
                return frame

    def fold(self, frame):
        if frame["op"] == "snapshot":
            self.tables = {
                table: {row[0]: row for row in frame[table]["rows"]}
                for table in ("nodes", "pods", "owners", "services", "warnings")
            }
            self.last = int(frame["cursor"].split(".")[1])
        elif frame["op"] == "batch":
            assert frame["from"] == self.last + 1
            self.last = frame["to"]
            for event in frame["ev"]:
                rows = self.tables[event["k"]]
                if event["t"] == "D":
                    del rows[event["o"]]
                else:
                    rows[event["o"][0]] = event["o"]

    async def until(self, condition):
        while not condition(self.tables):
            await self.next("batch", "snapshot")

    async def close(self):
        await self.socket.disconnect(timeout=5)


@pytest.fixture
async def page(application, operator):
    opened = await Page(application, operator).open()
    yield opened
    await opened.close()


SHOWN = ("nodes", "pods", "owners", "services", "warnings")


async def all_tables(page):
    """Wait until every kind was read: those that are not essential come after the snapshot."""
    await page.until(lambda tables: tables and all(map(tables.get, SHOWN)))
    return page.tables


async def settled(page, worker):
    """Wait until every kind is watched, too."""
    await all_tables(page)
    while len(worker.fake.clusters["demo"].watchers) < len(KINDS):  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def closed_with(socket):
    while True:
        message = await socket.receive_output(timeout=5)
        if message["type"] == "websocket.close":
            return message["code"]


async def test_a_page_gets_the_whole_picture_then_the_changes(page, worker):
    frame = await page.next("snapshot")
    assert len(frame["pods"]["rows"]) == 6
    tables = await all_tables(page)
    assert {row[1] for row in tables["nodes"].values()} == {"n1", "n2", "n3"}
    worker.change(worker.fake.clusters["demo"].put, "pods", pod("new-0", "n3"))
    await page.until(lambda tables: "pods-default-new-0" in tables["pods"])
    worker.change(worker.fake.clusters["demo"].delete, "pods", "default/new-0")
    await page.until(lambda tables: "pods-default-new-0" not in tables["pods"])


async def test_two_pages_of_one_user_share_one_watcher(page, application, operator, worker):
    await settled(page, worker)
    asked = len(worker.fake.requests)
    other = await Page(application, operator).open()
    await other.next("snapshot")
    watched = [one for one in worker.fake.requests[asked:] if "/api/" in one["path"]]
    await other.close()
    assert watched == []


def asked_after(worker, count):
    """Whom lists and watches were asked for, since so many requests."""
    found = worker.fake.requests[count:]
    return {one["user"] for one in found if "/api/" in one["path"] or "/apis/" in one["path"]}


async def test_pages_of_those_who_may_read_the_same_share_a_watcher(
    application, operator, learner, worker
):
    small(worker.fake.add("leas", owner=learner.username))
    teacher = await User.objects.acreate(username="ina", role=Role.INSTRUCTOR)
    first = await Page(application, learner, "leas").open()
    tables = await all_tables(first)
    asked = len(worker.fake.requests)
    for user in (operator, teacher):
        page = await Page(application, user, "leas").open()
        await page.next("snapshot")
        assert page.tables["pods"] == tables["pods"]
        await page.close()
    assert asked_after(worker, asked) <= {learner.username}
    await first.close()


async def test_who_looks_as_somebody_else_shares_nothing_with_those_who_may_more(
    application, operator, worker
):
    demo = worker.fake.clusters["demo"]
    first = await Page(application, operator).open()
    await all_tables(first)
    looking = await User.objects.acreate(username="olaf", role=Role.OPERATOR)
    looking.viewing = Viewing(demo.uid, "demo", "ann", ("system:authenticated",))
    asked = len(worker.fake.requests)
    # The worker of these tests knows no rights of hers.
    page = await Page(application, looking).open()
    assert (await page.next("error"))["code"] == "forbidden"
    assert (await page.next("snapshot"))["pods"]["rows"] == []
    assert "ann" in asked_after(worker, asked)
    for each in (page, first):
        await each.close()


async def test_many_changes_at_once_come_folded(page, worker):
    await all_tables(page)
    cluster = worker.fake.clusters["demo"]

    def churn():
        for count in range(50):
            cluster.put("pods", pod("web-7c9-0", "n1", owner="rs-web-7c9", restarts=count))

    worker.change(churn)
    events = []
    while sum(event.get("n", 1) for event in events) < 49:
        events += (await page.next("batch"))["ev"]
    assert len(events) < 10
    assert events[-1]["o"][6] == 49


async def test_a_page_that_comes_back_gets_what_it_missed(page, application, operator, worker):
    await all_tables(page)
    first = Page(application, operator)
    await first.open()
    cursor = (await first.next("snapshot"))["cursor"]
    await first.close()
    worker.change(worker.fake.clusters["demo"].put, "pods", pod("late", "n1"))
    await page.until(lambda tables: "pods-default-late" in tables["pods"])
    again = Page(application, operator)
    again.tables, again.last = first.tables, first.last
    await again.open(cursor=cursor)
    frame = await again.next("batch", "snapshot", "gap")
    assert frame["op"] == "batch"
    assert [event["o"][2] for event in frame["ev"]] == ["late"]
    await again.close()


async def test_a_page_of_another_process_is_told_how_much_it_missed(page, application, operator):
    await all_tables(page)
    again = await Page(application, operator).open(cursor="gone.12", rev=3)
    gap = await again.next("gap")
    snapshot = await again.next("snapshot")
    assert gap["skipped"] == snapshot["rev"] - 3
    await again.close()


async def test_a_page_may_ask_for_everything_again(page):
    await page.next("snapshot")
    await page.send(op="resync")
    assert len((await page.next("snapshot"))["pods"]["rows"]) == 6


async def test_a_ping_is_answered_and_nonsense_is_not(page):
    await page.socket.send_to(text_data="no json")
    await page.socket.send_to(text_data="[]")
    await page.send(op="ping", t=12.5)
    assert (await page.next("pong"))["t"] == 12.5


async def test_watches_that_break_off_go_on(page, worker):
    await all_tables(page)
    cluster = worker.fake.clusters["demo"]
    worker.change(cluster.cut_watches)
    worker.change(cluster.put, "pods", pod("after", "n2"))
    await page.until(lambda tables: "pods-default-after" in tables["pods"])


async def test_a_watch_that_is_too_old_lists_again(page, worker):
    await all_tables(page)
    cluster = worker.fake.clusters["demo"]

    def lose():
        cluster.oldest = cluster.revision + 1
        cluster.cut_watches()
        cluster.log.clear()
        cluster.put("pods", pod("after", "n2"))
        cluster.delete("pods", "default/api-0")
        cluster.log.clear()

    worker.change(lose)
    await page.until(lambda tables: "pods-default-after" in tables["pods"])
    await page.until(lambda tables: "pods-default-api-0" not in tables["pods"])


async def test_what_one_may_not_list_is_said_in_the_apis_words(application, operator, worker):
    worker.fake.clusters["demo"].forbidden = {"pods"}
    page = await Page(application, operator).open()
    frame = await page.next("error")
    assert (frame["code"], frame["kind"]) == ("forbidden", "pods")
    assert 'cannot list resource "pods"' in frame["text"]
    assert (await page.next("snapshot"))["pods"]["rows"] == []
    await page.close()


async def test_strangers_are_cut_off(application, worker):
    page = await Page(application, AnonymousUser()).open()
    assert await closed_with(page.socket) == 4401


async def test_another_ones_cluster_is_not_there(application, learner, worker):
    page = await Page(application, learner).open()
    assert await closed_with(page.socket) == 4404


async def test_a_deleted_cluster_ends_its_pages(page, worker):
    await page.next("snapshot")
    worker.change(lambda: worker.fake.clusters.pop("demo").end())
    assert await closed_with(page.socket) == 4404


async def test_logs_are_followed(application, operator, worker):
    page = await Page(
        application, operator, rest="logs/?ns=default&pod=web-7c9-0&container=main"
    ).open()
    assert (await page.next("log"))["text"] == "ready to serve\n"
    assert (await page.next("log"))["text"] == "tick\n"
    await page.close()


async def test_logs_of_a_pod_that_is_not_there(application, operator, worker):
    page = await Page(application, operator, rest="logs/?ns=default&pod=none").open()
    frame = await page.next("error")
    assert frame["text"] == 'pods "none" not found'


async def test_a_revision_is_shown_and_nothing_follows(application, worker, operator):
    page = await Page(application, operator).open(at=worker.fake.clusters["demo"].revision)
    frame = await page.next("snapshot")
    assert frame["rev"] == worker.fake.clusters["demo"].revision
    assert len(page.tables["pods"]) == 6
    worker.change(worker.fake.clusters["demo"].put, "pods", pod("new-0", "n1"))
    assert await page.socket.receive_nothing(timeout=0.5)
    await page.close()


async def test_a_revision_that_is_not_kept_is_told_in_the_apis_words(application, worker, operator):
    page = await Page(application, operator).open(at=999_999)
    frame = await page.next("error")
    assert (frame["code"], frame["text"]) == ("past", "Too large resource version")
    await page.close()


def activities(worker):
    return [one for one in worker.fake.requests if one["path"].endswith("/activity")]


async def test_a_page_that_shows_the_control_plane_is_told_how_busy_it_is(page, worker):
    await page.next("snapshot")
    assert activities(worker) == []
    await page.send(op="activity", on=True)
    assert (await page.next("activity"))["kubelets"] == {"running": 3, "all": 3}
    worker.change(lambda: worker.fake.clusters["demo"].ask(scheduler=2, people=1))
    while not (frame := await page.next("activity"))["requests"]:
        pass
    assert (frame["requests"], frame["from"]) == (3, {"scheduler": 2, "people": 1})


async def test_who_may_not_read_metrics_is_told_so_instead(page, worker):
    worker.fake.clusters["demo"].secretive = True
    await page.send(op="activity", on=True)
    told = 'forbidden: User "operator" cannot get path "/metrics"'
    assert await page.next("activity") == {"op": "activity", "forbidden": told}


async def test_nobody_is_asked_how_busy_it_is_once_no_page_shows_it(monkeypatch):
    monkeypatch.setattr("playground.topology.activity.PAUSE", 0)
    told, asked = [], 0
    activity: Activity

    def answer(request):
        nonlocal asked
        asked += 1
        activity.want(wanted=asked < 3)
        idle = {"count": asked, "controllers": {}, "scheduler": {"active": 0}}
        return httpx.Response(200, json=idle)

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://worker")
    activity = Activity(client, "demo", Identity("lea", ()), told.append)
    running = asyncio.ensure_future(activity.run())
    activity.want(wanted=True)
    for _ in range(200):
        await asyncio.sleep(0)
    running.cancel()
    assert (asked, len(told)) == (3, 2)


async def test_a_second_page_learns_at_once_how_it_stands(page, application, operator, worker):
    await page.send(op="activity", on=True)
    worker.change(lambda: worker.fake.clusters["demo"].ask(people=1))
    await page.next("activity")
    other = await Page(application, operator).open()
    await other.send(op="activity", on=True)
    frame = await other.next("activity")
    assert (frame["revision"] > 0, frame["requests"]) == (True, 0)
    await other.close()


@pytest.fixture
async def slow(application, operator, worker):
    """A page that stops to read once a first change is on its way; what serves it, and the page."""
    serving = Stalling(application)
    page = await Page(serving, operator).open()
    await settled(page, worker)
    serving.reading.clear()
    worker.change(worker.fake.clusters["demo"].put, "pods", pod("first-0", "n1"))
    await asyncio.wait_for(serving.full.wait(), 10)
    yield serving, page
    serving.reading.set()
    await page.close()


async def followed(upstreams, demo):
    (upstream,) = upstreams._open.values()
    while upstream.world.revision < demo.revision:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_a_page_that_reads_slowly_is_told_and_sees_the_present(
    slow, worker, upstreams, monkeypatch
):
    monkeypatch.setattr(consumer, "LATE_SECONDS", 0)
    serving, page = slow
    demo, seen = worker.fake.clusters["demo"], worker.fake.clusters["demo"].revision
    (upstream,) = upstreams._open.values()
    upstream.world._log = deque(upstream.world._log, maxlen=50)

    def churn():
        for number in range(100):
            demo.put("pods", pod("busy-0", "n1", restarts=number % 7 + 1, app=f"a{number}"))

    worker.change(churn)
    await followed(upstreams, demo)
    serving.reading.set()
    behind = await page.next("behind")
    gap = await page.next("gap")
    assert "pods-default-busy-0" not in page.tables["pods"], "nothing was sent meanwhile"
    assert (gap["from"], gap["to"]) == (seen, demo.revision)
    assert gap["skipped"] == behind["by"] == gap["to"] - gap["from"]
    await page.next("snapshot")
    assert page.tables["pods"]["pods-default-busy-0"][12] == {"app": "a99"}


async def test_a_page_that_was_slow_for_a_moment_gets_the_last_of_each_alone(
    slow, worker, upstreams
):
    serving, page = slow
    demo = worker.fake.clusters["demo"]
    for number in range(20):
        worker.change(demo.put, "pods", pod("busy-0", "n1", restarts=number + 1))
    await followed(upstreams, demo)
    serving.reading.set()
    seen = []
    while "pods-default-busy-0" not in page.tables["pods"]:
        seen.append(await page.next("batch", "snapshot", "gap", "behind"))
    assert {frame["op"] for frame in seen} == {"batch"}, "a moment is nothing to speak of"
    assert seen[-1]["ev"][-1]["n"] == 20


async def test_of_what_a_page_has_not_read_yet_the_last_is_kept(slow, worker, upstreams):
    serving, page = slow
    (upstream,) = upstreams._open.values()
    (subscriber,) = upstream._subscribers
    for number in range(1000):
        subscriber.tell("activity", f'{{"op":"activity","count":{number}}}')
        subscriber.tell("status", '{"op":"status","upstream":"ok","text":""}')
    assert len(subscriber.notices) == 2
    serving.reading.set()
    assert (await page.next("activity"))["count"] == 999


async def test_a_stream_of_which_something_fails_ends_so_that_the_page_opens_another(
    page, monkeypatch, worker
):
    await settled(page, worker)

    def fail(*_):
        raise ValueError("a fault of ours")

    monkeypatch.setattr("playground.topology.consumer.Upstream.frame_after", fail)
    worker.change(worker.fake.clusters["demo"].put, "pods", pod("new-0", "n3"))
    assert await closed_with(page.socket) == 4500
