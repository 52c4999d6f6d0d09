"""A cluster that is paused: what it says, what it costs, and that it comes back as it was."""

from __future__ import annotations

import orjson
import pytest

from apimachinery.errors import AlreadyExists, NotFound, ServiceUnavailable
from apiserver.watch.hub import WatchHub
from nodes.client.loopclock import LoopClock
from playground.api import Application
from playground.cluster import Surface
from playground.control import PREFIX
from playground.fleet import Fleet
from playground.housekeeping import end_of_time
from playground.resting import now
from playground.secure_server import ClientTrust
from tests.integration.conftest import Lab, deployment
from tests.support.inline import InlineStorage
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


async def ask(fleet, method, path, body=None, token="admin-token"):
    """Ask the worker's application; return the code and the document."""
    sent = []
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {token}".encode())],
    }

    async def receive():
        return {"type": "http.request", "body": orjson.dumps(body) if body is not None else b""}

    async def send(message):
        sent.append(message)

    scope["path"], _, query = path.partition("?")
    scope["query_string"] = query.encode()
    await Application(fleet, "admin-token", "default")(scope, receive, send)
    return sent[0]["status"], orjson.loads(b"".join(m.get("body", b"") for m in sent[1:]))


def control(fleet, method, path, body=None):
    return ask(fleet, method, f"{PREFIX}clusters{path}", body)


async def test_it_says_so_and_comes_back_as_it_was(fleet):
    lab = await Lab(await fleet.create("lab", nodes=2, template="default", owner="lea")).ready()
    await lab.client.create(deployment())
    await lab.available()
    uids = {pod["metadata"]["uid"] for pod in lab.all("pods")}
    code, rested = await control(fleet, "POST", "/lab/pause")
    assert (code, rested["state"], rested["pods"], rested["nodes"]) == (200, "paused", 3 + 4, 2)

    code, status = await ask(fleet, "GET", "/clusters/lab/api/v1/pods")
    assert (code, status["reason"]) == (503, "ServiceUnavailable")
    assert "is paused: somebody paused it. Nothing of it is lost." in status["message"]
    assert status["details"]["causes"][0]["reason"] == "ClusterPaused"
    assert (await control(fleet, "GET", "/lab/connections"))[0] == 503
    assert fleet.find("lab") is None

    code, waked = await control(fleet, "POST", "/lab/resume", {})
    assert (code, waked["state"]) == (200, "running")
    again = Lab(fleet.find("lab"))
    await again.available()
    assert {pod["metadata"]["uid"] for pod in again.all("pods")} == uids


async def test_nothing_of_it_is_in_memory(fleet):
    await fleet.create("lab", nodes=1, template="bare")
    await fleet.pause("lab")
    assert list(fleet) == []
    assert fleet._storage._stores == {}
    await fleet.pause("lab")  # once more changes nothing
    assert [each.record.name for each in fleet.sleepers()] == ["lab"]


async def test_its_name_stays_taken_and_it_can_be_deleted(fleet):
    await fleet.create("lab", nodes=0, template="bare")
    await fleet.pause("lab")
    with pytest.raises(AlreadyExists):
        await fleet.create("lab", nodes=0, template="bare")
    assert (await control(fleet, "DELETE", "/lab"))[0] == 200
    assert (await control(fleet, "GET", "/lab"))[0] == 404
    for work in (fleet.pause, fleet.resume):
        with pytest.raises(NotFound):
            await work("lab")


async def test_it_rests_over_a_restart(sqlite, monkeypatch):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

    def instance():
        surface = Surface("https://127.0.0.1:6443", "CA", "admin-token")
        return Fleet(
            InlineStorage(clock=LoopClock(), hub=WatchHub, alias=sqlite), surface, ClientTrust()
        )

    first = instance()
    await first.create("lab", nodes=0, template="bare", owner="lea")
    await first.pause("lab")
    await first.close()
    second = instance()
    await second.open_all()
    assert second.find("lab") is None
    assert (await control(second, "GET", "/lab"))[1]["owner"] == "lea"
    assert (await second.resume("lab")).name == "lab"
    await second.close()


async def test_it_is_given_away_awake_and_asleep(fleet):
    await fleet.create("lab", nodes=0, template="bare", owner="lea")
    assert (await control(fleet, "PATCH", "/lab", {"owner": "max"}))[1]["owner"] == "max"
    await fleet.pause("lab")
    assert (await control(fleet, "PATCH", "/lab", {"owner": "eva"}))[1]["owner"] == "eva"
    assert (await control(fleet, "PATCH", "/lab", {"owner": 7}))[0] == 422
    assert (await control(fleet, "PATCH", "/lab", {"expires": "soon"}))[0] == 422


async def test_it_is_paused_when_its_time_is_up_and_says_so(fleet):
    moment = now()
    await fleet.create("lab", nodes=0, template="bare", expires=moment + 60)
    await end_of_time(fleet, moment + 59)
    assert fleet.find("lab") is not None
    await end_of_time(fleet, moment + 61)
    sleeper = fleet.sleeper("lab")
    sleeper.record.settings = {**sleeper.record.settings, "paused": moment + 61}
    refused = sleeper.refusal()
    assert isinstance(refused, ServiceUnavailable)
    assert "its time was up" in refused.message
    await fleet.resume("lab", expires=moment + 500)
    assert (await control(fleet, "GET", "/lab"))[1]["expires"]


async def test_the_picture_is_letters_by_node(fleet):
    lab = await Lab(await fleet.create("lab", nodes=2, template="bare")).ready()
    await lab.client.create(deployment())
    await lab.available()
    code, found = await control(fleet, "GET", "/lab/picture")
    assert code == 200
    assert found["nodes"][0] == ["", ""]
    assert "".join(letters for _, letters in found["nodes"]) == "rrr"
    same = (await control(fleet, "GET", f"/lab/picture?since={found['revision']}"))[1]
    assert same == {"revision": found["revision"]}


async def test_a_request_is_a_use(fleet):
    await fleet.create("lab", nodes=0, template="bare")
    assert (await control(fleet, "GET", "/lab"))[1]["used"] is None
    await ask(fleet, "GET", "/clusters/lab/version")
    assert (await control(fleet, "GET", "/lab"))[1]["used"]
