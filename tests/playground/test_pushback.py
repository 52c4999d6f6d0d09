"""A page that does not read, over a real socket: it is not sent the past, and is not cut off."""

from __future__ import annotations

import json
import re
import socket
import time
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.client import ClientProtocol
from websockets.frames import Opcode
from websockets.uri import parse_uri

from playground.pushback import PatientProtocol
from tests.browser.serving import running_site
from tests.playground.fakecluster import Fake, served
from tests.playground.objects import node, pod

PODS, ROUNDS, PATIENCE = 200, 8, 60.0
# What a kernel makes of it is more, and little beside what a page would be sent.
SMALL_BUFFER = 64 * 1024
LIST = "list/?path=/api/v1/pods"


@pytest.fixture(scope="module")
def worker():
    with served(Fake()) as running:
        demo = running.fake.add("demo")
        running.change(demo.put, "nodes", node("n1"))
        running.change(_change, demo, 0)
        yield running


@pytest.fixture(scope="module")
def site(worker, tmp_path_factory):
    with running_site(tmp_path_factory.mktemp("site"), worker.url) as running:
        with httpx.Client(base_url=running.url, follow_redirects=True) as client:
            client.get(running.link).raise_for_status()
            running.cookie = "; ".join(f"{k}={v}" for k, v in client.cookies.items())
        yield running


def _change(demo, mark, size=2000):
    """Change every pod, so that what a page has to hear of it is more than all buffers hold."""
    for number in range(PODS):
        demo.put("pods", pod(f"pod-{number}", "n1", app=f"{'x' * size}-{mark}-end"))


class Page:
    """A websocket of which as little is taken as its reader asks for."""

    def __init__(self, site, rest):
        where = urlsplit(site.url)
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        self._socket.settimeout(PATIENCE)
        self._socket.connect((where.hostname, where.port))
        uri = parse_uri(f"ws://{where.netloc}/ws/clusters/demo/{rest}")
        self._protocol = ClientProtocol(uri, origin=site.url, max_size=None)
        request = self._protocol.connect()
        request.headers["Cookie"] = site.cookie
        self._protocol.send_request(request)
        self._flush()
        assert self._events().__next__().status_code == 101
        self._protocol.send_text(b'{"op":"hello","v":1,"cursor":null,"rev":null}')
        self._flush()
        self.read = 0

    def _flush(self):
        self._socket.sendall(b"".join(self._protocol.data_to_send()))

    def _events(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            yield from self._protocol.events_received()
            data = self._socket.recv(64 * 1024)
            assert data, "the site has ended the stream"
            self._protocol.receive_data(data)
        raise AssertionError("what was waited for did not come")

    def close(self):
        self._socket.close()

    def next(self, *ops):
        """Return the next frame of these kinds, and the marks of the pods in it."""
        for event in self._events():
            if event.opcode is not Opcode.TEXT:
                self._flush()  # the answer to a ping
                continue
            self.read += len(event.data)
            frame = json.loads(event.data)
            if frame["op"] in ops:
                return frame, set(re.findall(rb"x-(\d+)-end", event.data))
        raise AssertionError

    def until(self, mark):
        """Read until every pod has been seen with a mark."""
        while self.next("batch", "snapshot", "rows")[1] != {b"%d" % mark}:
            pass


def test_pages_that_stop_to_read_are_sent_the_last_of_each_object_when_they_read_on(site, worker):
    demo = worker.fake.clusters["demo"]
    slow, quick = [[Page(site, rest) for rest in ("", LIST)] for _ in range(2)]
    try:
        for page in (*slow, *quick):
            page.next("snapshot", "ready")
            page.next("beat", "status")
        for mark in range(1, ROUNDS):
            worker.change(_change, demo, mark)
            for page in quick:
                page.until(mark)  # so it would have been sent to all
        for page in slow:
            page.read = 0
            page.until(ROUNDS - 1)
            # A round is 0.4 MB: one filled the line, the last one came when there was room.
            assert page.read < 3 * PODS * 2200
    finally:
        for page in (*slow, *quick):
            page.close()


class Pinged(PatientProtocol):
    """A websocket without a network; `end` is what ends it."""

    def __init__(self):
        super().__init__()
        self.sent, self.timers, self.ended = 0, [], False
        self.autoPingPending, self.autoPingPendingSeq = None, 0
        self.autoPingSize, self.autoPingTimeout = 12, 30
        self.factory = SimpleNamespace(_batched_timer=self)
        self.transport = SimpleNamespace(dataBuffer=b"", offset=0, _tempDataLen=0)

    def call_later(self, seconds, then):
        self.timers.append((seconds, then))

    def sendPing(self, payload):  # noqa: N802 - autobahn's name
        self.sent += 1
        self.transport._tempDataLen += len(payload)
        self._written += len(payload)

    def dropConnection(self, abort):  # noqa: N802 - autobahn's name
        self.ended = abort


def test_a_page_that_takes_what_it_is_sent_is_alive_however_late_its_answer():
    page = Pinged()
    page._written = page.transport._tempDataLen = 100_000
    page._sendAutoPing()
    page._sendAutoPing()
    assert (page.sent, len(page.timers)) == (1, 1), "the first one is still to be answered"
    for _ in range(5):
        page.transport._tempDataLen -= 1000
        seconds, expire = page.timers.pop()
        expire()
        assert seconds == 30
        assert not page.ended
    _, expire = page.timers.pop()
    expire()
    assert page.ended, "it took nothing for half a minute"
