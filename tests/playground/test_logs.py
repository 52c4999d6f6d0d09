"""The stream of a pod's logs: all its containers, those that wait, and those that start again."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import httpx
import orjson
import pytest

from playground.objects import consumer
from playground.objects.consumer import LogConsumer, containers, default_container, starts_again
from tests.playground.fakeanswers import status

WAITS = 'container "main" in pod "web-1" is waiting to start: ContainerCreating'


def pod(state=None, restarts=0, policy="Always", **meta):
    statuses = [{"name": "main", "restartCount": restarts, "state": state or {}}]
    return {
        "metadata": {"name": "web-1", **meta},
        "spec": {
            "restartPolicy": policy,
            "initContainers": [{"name": "prepare"}],
            "containers": [{"name": "main"}, {"name": "side"}],
            "ephemeralContainers": [{"name": "debug"}],
        },
        "status": {"phase": "Running", "containerStatuses": statuses},
    }


def ended(code=1):
    return {"terminated": {"exitCode": code}}


def running(at="2026-11-23T09:00:05Z"):
    return {"running": {"startedAt": at}}


class Heard(LogConsumer):
    """Keeps what it would send; the worker's answers are scripted."""

    def __init__(self, query, pods, logs):
        super().__init__()
        self.scope = {"query_string": query.encode()}
        self.said, self.asked, self.closed = [], [], None
        self._pods, self._logs = iter(pods), iter(logs)
        self._now = None
        client = httpx.AsyncClient(
            transport=httpx.MockTransport(self.answer), base_url="http://worker"
        )
        self.upstreams = SimpleNamespace(client=lambda: client)
        self._headers, self._pod = httpx.Headers(), "/pods/web-1"

    def answer(self, request):
        if not request.url.path.endswith("/log"):
            self._now = next(self._pods, self._now)
            return httpx.Response(200 if self._now else 404, json=self._now or gone())
        self.asked.append(dict(request.url.params))
        found = next(self._logs)
        if isinstance(found, str):
            return httpx.Response(200, text=found)
        return httpx.Response(found["code"], json=found)

    async def send(self, text_data=None, bytes_data=None, close=False):
        self.said.append(orjson.loads(text_data))

    async def close(self, code=None, reason=None):
        self.closed = code


def gone():
    return status(404, "NotFound", 'pods "web-1" not found')


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(consumer, "LOOK_EVERY", 0)


def heard(query, pods, logs):
    stream = Heard(query, pods, logs)
    asyncio.run(stream._run(SimpleNamespace(name="demo")))
    return stream


def frames(stream):
    return [{key: value for key, value in one.items() if key != "v"} for one in stream.said]


def ops(stream):
    return [one["op"] for one in stream.said]


def test_containers_stand_in_the_order_in_which_they_start():
    assert containers(pod()) == [
        ("prepare", "init"),
        ("main", "main"),
        ("side", "main"),
        ("debug", "ephemeral"),
    ]
    assert default_container(pod()) == "main"
    chosen = {"kubectl.kubernetes.io/default-container": "side"}
    assert default_container(pod(annotations=chosen)) == "side"


@pytest.mark.parametrize(
    ("item", "container", "again"),
    [
        (pod(ended()), "main", True),
        (pod(ended(0)), "main", True),
        (pod(ended(0), policy="OnFailure"), "main", False),
        (pod(ended(3), policy="OnFailure"), "main", True),
        (pod(ended(), policy="Never"), "main", False),
        (pod(ended(), deletionTimestamp="2026-11-23T09:00:00Z"), "main", False),
        (pod(), "debug", False),
    ],
)
def test_who_starts_again(item, container, again):
    assert starts_again(item, container) is again


def test_a_container_that_has_not_started_is_waited_for():
    waits = status(400, "BadRequest", WAITS)
    after = [pod(ended(0), policy="Never")]
    stream = heard("pod=web-1", [pod(), *after], [waits, waits, "T1 hello\n"])
    assert frames(stream)[1:] == [
        {"op": "waiting", "container": "main", "reason": "ContainerCreating", "text": WAITS},
        {"op": "log", "container": "main", "text": "T1 hello\n"},
        {"op": "ended", "container": "main", "code": 0, "again": False},
        {"op": "end"},
    ]
    assert stream.closed == 1000
    assert stream.asked[0]["tailLines"] == "1000"
    assert stream.asked[0]["follow"] == "true"


def test_the_next_run_is_followed_from_its_beginning():
    pods = [pod(), pod(ended()), pod(ended()), pod(running(), restarts=1)]
    done = pod(ended(0), restarts=1, policy="Never")
    stream = heard("pod=web-1", [*pods, done], ["one\n", "two\n"])
    assert ops(stream) == ["containers", "log", "ended", "again", "log", "ended", "end"]
    assert stream.said[2]["again"] is True
    assert stream.asked[1]["sinceTime"] == "2026-11-23T09:00:05Z"
    assert "tailLines" not in stream.asked[1]


def test_all_containers_come_in_one_stream():
    done = pod(ended(0), policy="Never")
    stream = heard("pod=web-1&container=*", [pod(), done], ["a\n"] * 4)
    assert {one["container"] for one in stream.asked} == {"prepare", "main", "side", "debug"}
    assert stream.said[0]["chosen"] == "*"


def test_a_connection_that_was_lost_goes_on_where_it_was():
    done = pod(ended(0), policy="Never")
    query = "pod=web-1&container=side&since_time=2026-11-23T09:00:01.5Z"
    stream = heard(query, [pod(), done], ["a\n"])
    assert stream.asked == [
        {
            "container": "side",
            "timestamps": "true",
            "follow": "true",
            "sinceTime": "2026-11-23T09:00:01.5Z",
        }
    ]


def test_since_a_revision(monkeypatch):
    found = SimpleNamespace(moment=lambda name, rev: {"at": 1_795_424_400 + rev})
    monkeypatch.setattr(consumer, "gateway", lambda: found)
    done = pod(ended(0), policy="Never")
    stream = heard("pod=web-1&rev=7", [pod(), done], ["a\n"])
    assert stream.asked[0]["sinceTime"] == "2026-11-23T09:00:07+00:00"


def test_the_run_before_is_not_followed_and_one_that_never_was_is_told():
    missing = 'previous terminated container "main" in pod "web-1" not found'
    stream = heard("pod=web-1&previous=1", [pod()], [status(400, "BadRequest", missing)])
    assert frames(stream)[-1] == {"op": "error", "code": "BadRequest", "text": missing}
    assert "follow" not in stream.asked[0]
    assert heard("pod=web-1&previous=1", [pod()], ["old\n"]).said[-1]["op"] == "end"


def test_a_pod_that_is_not_there_and_one_that_goes_away():
    assert frames(heard("pod=web-1", [None], []))[-1]["text"] == 'pods "web-1" not found'
    stream = heard("pod=web-1", [pod(), None], ["a\n"])
    assert ops(stream) == ["containers", "log", "end"]
