"""The stream of a list against a fake worker: pages, changes, coming back, and refusals."""

from __future__ import annotations

import asyncio
import json

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.urls import path

from playground.objects import feed, listing, rows
from playground.objects.listing import ListConsumer
from playground.topology import consumer
from playground.topology.upstream import Upstreams
from tests.playground.objects import large, pod
from tests.playground.stalling import Stalling

pytestmark = pytest.mark.django_db(transaction=True)
PODS = "/api/v1/pods"


@pytest.fixture
async def upstreams():
    made = Upstreams(linger=30)
    yield made
    await made.stop()


@pytest.fixture
def application(upstreams, worker):
    bound = type("ListConsumer", (ListConsumer,), {"upstreams": upstreams})
    return URLRouter([path("ws/clusters/<slug:name>/list/", bound.as_asgi())])


class List:
    """A list page, as far as the stream knows it."""

    def __init__(self, application, user, asked=PODS, rest="", cluster="demo"):
        address = f"/ws/clusters/{cluster}/list/?path={asked}{rest}"
        self.socket = WebsocketCommunicator(application, address)
        self.socket.scope["user"] = user
        self.rows = {}
        self.seen = []

    async def open(self, **hello):
        assert (await self.socket.connect(timeout=5))[0]
        await self.socket.send_to(text_data=json.dumps({"op": "hello", "v": 1, **hello}))
        return self

    async def next(self, *ops):
        while True:
            frame = json.loads(await self.socket.receive_from(timeout=5))
            self.seen.append(frame["op"])
            self.fold(frame)
            if frame["op"] in ops:
                return frame

    def fold(self, frame):
        if frame["op"] == "columns":
            self.rows.clear()
        for row in frame.get("rows", ()):
            self.rows[row[0]] = row
        for event in frame.get("ev", ()):
            if isinstance(event, str):
                self.rows.pop(event, None)
            else:
                self.rows[event[0]] = event

    @property
    def names(self):
        return sorted(row[2] for row in self.rows.values())


@pytest.fixture
async def listed(application, operator):
    opened = []

    async def open_(*args, hello=None, user=operator, **options):
        page = await List(application, user, *args, **options).open(**(hello or {}))
        opened.append(page)
        return page

    yield open_
    for page in opened:
        await page.socket.disconnect()


async def test_a_list_comes_with_the_columns_of_the_server(listed):
    page = await listed()
    columns = (await page.next("columns"))["columns"]
    assert [(c["name"], c["wide"]) for c in columns] == [
        ("Name", False),
        ("Status", False),
        ("Restarts", False),
        ("Node", True),
    ]
    ready = await page.next("ready")
    assert ready["rev"] > 1
    assert page.names[0] == "api-0"
    assert len(page.rows) == 6
    row = page.rows["pods-default-api-0"]
    assert row[1:3] == ["default", "api-0"]
    assert row[4] == {"app": "api"}


async def test_long_lists_come_in_pages_and_say_how_far_they_are(listed, worker):
    worker.change(large, worker.fake.add("big"), 1200, 3)
    page = await listed(cluster="big")
    first = await page.next("rows")
    assert (first["read"], first["total"]) == (500, 1200)
    await page.next("ready")
    assert page.seen.count("rows") == 3
    assert len(page.rows) == 1200


async def test_changes_come_folded_and_make_the_rows_those_of_the_api(listed, worker):
    page = await listed()
    await page.next("ready")
    demo = worker.fake.clusters["demo"]

    def change():
        for restarts in range(5):
            demo.put("pods", pod("api-0", "n2", app="api", restarts=restarts))
        demo.put("pods", pod("fresh-0", "n1"))
        demo.delete("pods", "default/big-0")

    worker.change(change)
    while page.names != ["api-0", "dns-0", "fresh-0", "web-7c9-0", "web-7c9-1", "web-7c9-2"]:
        batch = await page.next("batch")
    assert batch["rev"] == demo.revision
    assert page.seen.count("batch") <= 3


async def test_who_comes_back_gets_what_changed_meanwhile_alone(listed, worker):
    demo = worker.fake.clusters["demo"]
    seen = demo.revision
    worker.change(demo.put, "pods", pod("meanwhile-0", "n1"))
    page = await listed(hello={"rev": seen})
    batch = await page.next("batch", "rows")
    assert [row[2] for row in batch["ev"]] == ["meanwhile-0"]


async def test_what_the_log_no_longer_has_is_read_anew(listed, worker):
    demo = worker.fake.clusters["demo"]
    demo.oldest = demo.revision
    page = await listed(hello={"rev": 1})
    await page.next("ready")
    assert len(page.rows) == 6


async def test_pages_of_one_list_share_a_watch_and_others_do_not(listed, worker):
    watches = worker.fake.clusters["demo"].watchers
    first = await listed()
    await first.next("status")
    others = [await listed() for _ in range(3)]
    for page in others:
        await page.next("status")
    assert len(watches) == 1
    apart = await listed(rest="&fields=spec.nodeName=n1")
    await apart.next("status")
    assert len(watches) == 2
    worker.change(worker.fake.clusters["demo"].put, "pods", pod("new-0", "n1"))
    for page in (first, *others, apart):
        while "new-0" not in page.names:
            await page.next("batch")


async def test_who_comes_from_before_the_shared_watch_still_misses_nothing(listed, worker):
    demo = worker.fake.clusters["demo"]
    seen = demo.revision
    worker.change(demo.put, "pods", pod("meanwhile-0", "n1"))
    here = await listed()
    await here.next("status")
    back = await listed(hello={"rev": seen})
    batch = await back.next("batch", "rows")
    assert [row[2] for row in batch["ev"]] == ["meanwhile-0"]


async def test_a_page_that_reads_slowly_is_told_and_reads_the_list_again(
    application, operator, worker, monkeypatch
):
    monkeypatch.setattr(feed, "KEPT", 50)
    monkeypatch.setattr(consumer, "LATE_SECONDS", 0)
    serving = Stalling(application)
    page = List(serving, operator)
    await page.open()
    await page.next("status")
    demo = worker.fake.clusters["demo"]
    serving.reading.clear()
    worker.change(demo.put, "pods", pod("first-0", "n1"))
    await asyncio.wait_for(serving.full.wait(), 10)
    seen = demo.revision

    def churn():
        for number in range(100):
            demo.put("pods", pod("busy-0", "n1", app=f"a{number}"))

    worker.change(churn)
    (shared,) = [one for one in feed.FEEDS if one.readers]
    while shared.revision < demo.revision:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    serving.reading.set()
    behind = await page.next("behind")
    gap = await page.next("gap")
    assert "busy-0" not in page.names, "nothing was sent meanwhile"
    assert (gap["from"], gap["to"]) == (seen, demo.revision)
    assert behind["by"] == gap["skipped"]
    await page.next("ready")
    assert page.rows["pods-default-busy-0"][4] == {"app": "a99"}
    assert page.seen.count("columns") == 2
    await page.socket.disconnect()


async def test_a_list_that_changes_faster_than_it_is_read_is_read_again(
    application, operator, worker, monkeypatch
):
    monkeypatch.setattr(listing, "PAGE", 2)
    demo = worker.fake.clusters["demo"]
    demo.forgets = 2
    page = List(application, operator)
    await page.open()
    assert (await page.next("ready", "error"))["op"] == "ready"
    assert page.seen.count("columns") == 3
    assert len(page.rows) == len(demo.objects["pods"])
    await page.socket.disconnect()


async def test_fields_are_asked_of_the_api(listed):
    page = await listed(rest="&fields=spec.nodeName=n1")
    await page.next("ready")
    assert page.names == ["dns-0", "web-7c9-0"]


async def test_what_one_may_not_list_is_said_in_the_api_s_words(listed, worker):
    worker.fake.clusters["demo"].forbidden = {"pods"}
    page = await listed()
    frame = await page.next("error")
    assert (frame["code"], frame["reason"]) == (403, "Forbidden")
    assert 'cannot list resource "pods"' in frame["text"]
    assert (await page.socket.receive_output(5))["code"] == 4403


async def test_a_kind_that_is_not_served(listed):
    page = await listed("/apis/example.com/v1/castles")
    assert (await page.next("error"))["code"] == 404
    assert (await page.socket.receive_output(5))["code"] == 4422


@pytest.mark.parametrize(
    "wanted",
    ["/kubeground/v1/clusters", "/api/../../kubeground", "/api/v1/pods%3Fwatch=1", "/api/"],
)
async def test_no_other_address_can_be_listed(listed, worker, wanted):
    page = await listed(wanted)
    assert (await page.next("error"))["code"] == 400
    assert not [r for r in worker.fake.requests if r["user"]]


async def test_another_one_s_cluster_is_none(listed, learner):
    page = await listed(user=learner)
    assert (await page.socket.receive_output(5))["code"] == 4404


async def test_a_worker_that_goes_away_and_comes_back(listed, worker):
    page = await listed()
    await page.next("ready")
    demo = worker.fake.clusters["demo"]
    worker.fake.down = True
    worker.change(demo.cut_watches)
    while (await page.next("status"))["upstream"] != "down":
        pass
    worker.fake.down = False
    worker.change(demo.put, "pods", pod("after-0", "n1"))
    while "after-0" not in page.names:
        await page.next("batch", "ready")


def test_a_cell_is_no_longer_than_a_line_and_odd_values_are_text():
    table = {"rows": [{"cells": ["a", "x" * 400, {"odd": 1}, None, 3], "object": {}}]}
    (row,) = rows.rows(table)
    assert row[2] == "a"
    assert len(row[5][1]) == rows.LONGEST_CELL + 1
    assert row[5][2:] == ["{'odd': 1}", None, 3]
