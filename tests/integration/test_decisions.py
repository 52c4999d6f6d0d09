"""The scheduler's attempts at a pod: who may read them, and that they say what the Events say."""

from __future__ import annotations

import pytest

from apimachinery.errors import Forbidden, NotFound
from playground.control_call import Call
from playground.control_scheduling import decisions
from playground.placement.words import event_of, sentences
from tests.support.builders import obj
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


@pytest.fixture
def ask(lab, fleet):
    async def read(uid, *groups, user="ann"):
        headers = [(b"impersonate-user", user.encode())]
        headers += [(b"impersonate-group", group.encode()) for group in groups]
        call = Call(fleet, [lab.cluster.name, "decisions", uid], {}, b"", headers)
        return (await decisions(call))[1]

    return read


async def made(lab, name, **requests):
    container = {"name": "c", "image": "nginx", "resources": {"requests": requests}}
    await lab.ready()
    await lab.client.create(dict(obj("Pod", name, "default", spec={"containers": [container]})))
    await lab.quiet()
    return lab.get("pods", name)["metadata"]["uid"]


def told(lab, reason):
    return {one["message"] for one in lab.all("events") if one["reason"] == reason}


async def test_an_attempt_says_what_the_event_says(lab, ask):
    uid = await made(lab, "web", cpu="1")
    found = await ask(uid, "kubeground:viewers")
    (attempt,) = found["items"]
    assert (found["namespace"], found["name"]) == ("default", "web")
    assert attempt["fitting"] == len(lab.all("nodes"))
    assert {event_of(attempt)} == told(lab, "Scheduled")
    assert lab.get("pods", "web")["spec"]["nodeName"] in sentences(attempt, found["filters"])[-1]


async def test_so_it_does_where_no_node_fits(lab, ask):
    uid = await made(lab, "large", cpu="900")
    found = await ask(uid, "kubeground:viewers")
    assert {event_of(one) for one in found["items"]} == told(lab, "FailedScheduling")
    count = len(lab.all("nodes"))
    said = sentences(found["items"][-1], found["filters"])
    assert said[0].endswith("→ 0 after NodeResourcesFit")
    assert said[1].startswith(f"{count} node")
    assert "Insufficient cpu (NodeResourcesFit)" in said[1]


async def test_it_is_told_to_who_may_get_the_pod(lab, ask):
    uid = await made(lab, "web")
    with pytest.raises(Forbidden) as refused:
        await ask(uid, "system:authenticated")
    assert 'cannot get resource "pods" in API group "" in the namespace "default"' in str(
        refused.value
    )


async def test_a_pod_that_nobody_scheduled_has_no_attempt(lab, ask):
    await lab.ready()
    spec = {"nodeName": lab.all("nodes")[0]["metadata"]["name"]}
    spec["containers"] = [{"name": "c", "image": "nginx"}]
    await lab.client.create(dict(obj("Pod", "placed", "default", spec=spec)))
    uid = lab.get("pods", "placed")["metadata"]["uid"]
    assert (await ask(uid, "kubeground:viewers"))["items"] == []


async def test_an_unknown_uid_is_not_found(lab, ask):
    with pytest.raises(NotFound):
        await ask("no-such-uid", "system:masters")
