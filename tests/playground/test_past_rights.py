"""Who looks at a cluster's past: the user themselves, or whom they look as, and nobody else."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest

from playground.sandboxes.gateway import gateway

pytestmark = pytest.mark.django_db
API = "/api/clusters/demo"
PLACE = "resource=secrets&namespace=default&name=s"
# Every question about the log, and what the worker is asked for it.
QUESTIONS = (
    "history",
    "history/changes",
    "history/facts",
    "history/difference?a=1&b=2",
    f"history/object?{PLACE}",
    f"history/lines?{PLACE}",
    "recording?secrets=1",
)


class Log:
    """Notes as whom the log is asked, and answers as an empty one does."""

    def __init__(self, monkeypatch, gateway):
        self.asked = []
        monkeypatch.setattr(type(gateway), "history", self.answer)

    def answer(self, cluster, identity, page="", **params):
        self.asked.append((cluster, identity.user, identity.groups))
        ends = {"oldest": 0, "newest": 9, "template": "bare", "nodes": 1, "next": None}
        range_ = {"after": 0, "upto": 9, "width": 1, "compacted": False, "now": 0.0}
        lists = {"density": [], "moments": [], "warnings": [], "failures": []}
        about = {"a": 1, "b": 2, "touched": 0, "more": False, "left_out": 0, "revision": 9}
        return {**ends, **range_, **lists, **about, "items": [], "changes": []}


@pytest.fixture
def log(worker, monkeypatch):
    return Log(monkeypatch, gateway())


def read(client, path):
    answer = client.get(f"{API}/{path}")
    assert answer.status_code == 200, answer.content
    return asyncio.run(whole(answer.streaming_content)) if answer.streaming else answer.content


async def whole(pieces):
    return b"".join([piece async for piece in pieces])


def test_the_log_is_asked_as_the_user(log, as_operator):
    for question in QUESTIONS:
        read(as_operator, question)
    owner = ("demo", "operator", ("system:masters", "system:authenticated"))
    assert log.asked == [owner] * len(QUESTIONS)


def test_who_looks_as_somebody_else_reads_their_past(log, as_operator):
    as_operator.post("/clusters/demo/access/view-as", {"user": "ann", "group": "devs"})
    for question in QUESTIONS:
        read(as_operator, question)
    ann = ("demo", "ann", ("devs", "system:authenticated"))
    assert log.asked == [ann] * len(QUESTIONS)
    file = json.loads(gzip.decompress(read(as_operator, "recording?secrets=1")))
    assert file["changes"] == []


def test_and_takes_no_copy_of_what_they_may_not_see(worker, log, as_operator):
    page = "/clusters/demo/timeline"
    assert " fork" in as_operator.get(page).content.decode().partition("<kp-timeline")[2][:400]
    as_operator.post("/clusters/demo/access/view-as", {"user": "ann"})
    assert " fork" not in as_operator.get(page).content.decode().partition("<kp-timeline")[2][:400]
    body = json.dumps({"name": "copy", "revision": 3})
    refused = as_operator.post(f"{API}/fork", body, "application/json")
    assert refused.status_code == 403
    assert "Be yourself again to fork it." in refused.json()["error"]["message"]
    assert as_operator.post("/clusters/demo/fork", {"name": "copy"}).status_code == 403
    assert "copy" not in worker.fake.clusters


def test_another_cluster_is_compared_as_one_sees_it(worker, log, as_operator):
    worker.fake.add("other")
    as_operator.post("/clusters/demo/access/view-as", {"user": "ann"})
    found = read(as_operator, "history/difference?other=other&a=1")
    assert json.loads(found)["other"] == "other"
    assert [(cluster, user) for cluster, user, _ in log.asked] == [
        ("demo", "ann"),
        ("other", "operator"),
    ]


def test_nobody_elses_cluster_can_be_compared_with(worker, log, as_learner, learner):
    worker.fake.add("mine", learner.username)
    for stranger in ("demo", "none"):
        answer = as_learner.get(f"/api/clusters/mine/history/difference?other={stranger}")
        assert answer.status_code == 404
        assert f"no cluster “{stranger}”" in answer.json()["error"]["message"]
    assert log.asked == []
