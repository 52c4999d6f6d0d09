"""The stream of pages without another: one question for all of them, and what they are told."""

from __future__ import annotations

import json

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.urls import path

from playground.topology.upstream import Upstreams
from playground.workspace import pulse
from playground.workspace.pulse import PULSES, PulseConsumer
from tests.playground.objects import pod

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def opened(operator, worker, monkeypatch):
    monkeypatch.setattr(pulse, "AGAIN", 0.05)
    upstreams = Upstreams(linger=30)
    bound = type("PulseConsumer", (PulseConsumer,), {"upstreams": upstreams})
    application = URLRouter([path("ws/clusters/<slug:name>/pulse/", bound.as_asgi())])
    sockets = []

    async def make():
        socket = WebsocketCommunicator(application, "/ws/clusters/demo/pulse/")
        socket.scope["user"] = operator
        assert (await socket.connect(timeout=5))[0]
        sockets.append(socket)
        return socket

    yield make
    for socket in sockets:
        await socket.disconnect(timeout=5)
    await upstreams.stop()


async def told(socket, op):
    while (frame := json.loads(await socket.receive_from(timeout=10)))["op"] != op:
        pass
    return frame


def asked(worker):
    return [one for one in worker.fake.requests if one["path"].endswith("/revision")]


async def test_all_pages_of_a_cluster_hear_the_same_of_one_question(opened, worker):
    demo = worker.fake.clusters["demo"]
    pages = [await opened() for _ in range(5)]
    for page in pages:
        assert (await told(page, "beat"))["rev"] == demo.revision
    before = len(asked(worker))
    worker.change(demo.put, "pods", pod("new-0", "n1"))
    for page in pages:
        assert (await told(page, "beat"))["rev"] == demo.revision
    assert len(asked(worker)) <= before + 2
    late = await opened()
    assert (await told(late, "beat"))["rev"] == demo.revision


async def test_a_worker_that_is_away_is_told_of_until_it_is_back(opened, worker):
    demo = worker.fake.clusters["demo"]
    pages = [await opened() for _ in range(2)]
    for page in pages:
        await told(page, "beat")
    worker.fake.down = True
    worker.change(demo.put, "pods", pod("new-0", "n1"))
    for page in pages:
        assert (await told(page, "status"))["upstream"] == "down"
    worker.fake.down = False
    for page in pages:
        assert (await told(page, "beat"))["rev"] == demo.revision


async def test_a_cluster_that_is_gone_ends_the_stream_and_the_last_page_the_questions(
    opened, worker
):
    demo = worker.fake.clusters["demo"]
    page = await opened()
    await told(page, "beat")
    assert len(PULSES._open) == 1
    del worker.fake.clusters["demo"]
    worker.change(demo.put, "pods", pod("new-0", "n1"))
    while (message := await page.receive_output(timeout=10))["type"] != "websocket.close":
        pass
    assert message["code"] == 4404
    await page.wait(timeout=5) if page.future.done() else await page.disconnect(timeout=5)
    assert not PULSES._open
