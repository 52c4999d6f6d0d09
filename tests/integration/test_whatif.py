"""What the scheduler would do: asked of a whole cluster, which stays as it is."""

from __future__ import annotations

import orjson
import pytest

from apimachinery.errors import ApiError, BadRequest, Forbidden, Invalid, NotFound
from playground.control_call import Call
from playground.control_scheduling import overview, pod, what_if
from tests.support.builders import obj
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME
VIEWERS = (b"impersonate-group", b"kubeground:viewers")


async def prepared(lab):
    """Make a pod `big` that fits nowhere, and a pod `web`."""
    await lab.ready()
    for name, cpu in (("big", "900"), ("web", "1")):
        container = {"name": "c", "image": "nginx", "resources": {"requests": {"cpu": cpu}}}
        await lab.client.create(dict(obj("Pod", name, "default", spec={"containers": [container]})))
    await lab.quiet()


@pytest.fixture
def asked(lab, fleet):
    """A way to ask, which sees to it that nothing is written."""

    async def ask(handler, *path, group=VIEWERS, **body):
        headers = [(b"impersonate-user", b"ann"), group]
        call = Call(fleet, [lab.cluster.name, *path], {}, orjson.dumps(body), headers)
        before = lab.cluster.store.revision
        try:
            return (await handler(call))[1]
        finally:
            assert lab.cluster.store.revision == before

    return ask


def cpu(amount):
    return {"spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": amount}}}]}}


BIG = {"namespace": "default", "name": "big"}


async def test_a_pod_as_it_is_answers_as_its_attempt_did(lab, asked):
    await prepared(lab)
    found = await asked(what_if, "scheduling", "what-if", pod=BIG)
    uid = lab.get("pods", "big")["metadata"]["uid"]
    (attempt,) = (await asked(pod, "scheduling", "pods", uid))["items"]
    for field in ("message", "refused", "unresolvable", "node", "evaluated"):
        assert found[field] == attempt[field]
    assert found["message"].startswith("0/")


async def test_with_less_cpu_it_would_fit(lab, asked):
    await prepared(lab)
    found = await asked(what_if, "scheduling", "what-if", pod=BIG, patch=cpu("1"))
    assert found["node"] in {node["metadata"]["name"] for node in lab.all("nodes")}
    assert found["fitting"] == found["evaluated"] == len(lab.all("nodes"))
    assert set(found["scores"][found["node"]]) >= {"NodeResourcesFit"}
    assert not lab.get("pods", "big")["spec"].get("nodeName")


async def test_with_another_node_it_would_fit(lab, asked):
    await prepared(lab)
    first = lab.all("nodes")[0]["metadata"]["name"]
    room = {"status": {"allocatable": {"cpu": "1000"}}}
    new = {"name": "huge", "like": first, "patch": room}
    found = await asked(what_if, "scheduling", "what-if", pod=BIG, nodes=[new])
    assert found["node"] == "huge"
    assert found["evaluated"] == len(lab.all("nodes")) + 1


async def test_nodes_can_be_cordoned_tainted_and_gone(lab, asked):
    await prepared(lab)
    names = [node["metadata"]["name"] for node in lab.all("nodes")]
    web = {"name": "web"}
    cordoned = [{"name": name, "patch": {"spec": {"unschedulable": True}}} for name in names]
    found = await asked(what_if, "scheduling", "what-if", pod=web, nodes=cordoned)
    assert found["message"].startswith(f"0/{len(names)} nodes are available: {len(names)} node(s)")
    assert {plugin for plugin, _ in found["refused"].values()} == {"NodeUnschedulable"}
    taint = {"spec": {"taints": [{"key": "gpu", "effect": "NoSchedule"}]}}
    tainted = [{"name": name, "patch": taint} for name in names]
    found = await asked(what_if, "scheduling", "what-if", pod=web, nodes=tainted)
    assert "had untolerated taint" in found["message"]
    gone = [{"name": name, "remove": True} for name in names]
    found = await asked(what_if, "scheduling", "what-if", pod=web, nodes=gone)
    assert found["message"] == "no nodes available to schedule pods"


async def test_a_pod_that_is_not_there(lab, asked):
    await prepared(lab)
    new = {"metadata": {"name": "new"}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    found = await asked(what_if, "scheduling", "what-if", pod=new)
    assert found["node"]
    assert found["pod"] == "default/new"


async def test_of_higher_priority_it_would_send_others_away(lab, asked):
    await prepared(lab)
    most = max(int(node["status"]["allocatable"]["cpu"]) for node in lab.all("nodes"))
    urgent = {"spec": {"priorityClassName": "system-cluster-critical", **cpu(str(most))["spec"]}}
    gone = [{"name": n["metadata"]["name"], "remove": True} for n in lab.all("nodes")]
    node = lab.get("pods", "web")["spec"]["nodeName"]
    gone = [one for one in gone if one["name"] != node]
    found = await asked(what_if, "scheduling", "what-if", pod=BIG, patch=urgent, nodes=gone)
    (candidate,) = found["candidates"]
    assert candidate["node"] == node
    assert "default/web" in {victim["pod"] for victim in candidate["victims"]}
    assert lab.get("pods", "web") is not None


WRONG = [
    ({}, BadRequest, "pod: must be an object"),
    ({"pod": {"name": "no"}}, NotFound, 'pods "no" not found'),
    ({"pod": BIG, "patch": cpu("x")}, BadRequest, "quantities must match"),
    ({"pod": BIG, "patch": {"spec": {"nope": 1}}}, BadRequest, 'unknown field "spec.nope"'),
    ({"pod": BIG, "patch": cpu("-1")}, Invalid, "must be greater than or equal to 0"),
    ({"pod": BIG, "nodes": [{"name": "no"}]}, NotFound, 'nodes "no" not found'),
    ({"pod": BIG, "nodes": {}}, BadRequest, "nodes: must be a list of at most 100"),
    ({"pod": BIG, "nodes": [{}]}, BadRequest, "nodes[0].name: must be a name"),
    ({"pod": BIG, "what": 1}, BadRequest, "what: there is no such field"),
]


async def test_what_makes_no_sense_is_refused(lab, asked):
    await prepared(lab)
    for body, error, words in WRONG:
        with pytest.raises(ApiError) as refused:
            await asked(what_if, "scheduling", "what-if", **body)
        assert isinstance(refused.value, error), body
        assert words in str(refused.value)


async def test_it_is_told_to_who_may_get_the_pod(lab, asked):
    await prepared(lab)
    nobody = (b"impersonate-group", b"system:authenticated")
    with pytest.raises(Forbidden):
        await asked(what_if, "scheduling", "what-if", group=nobody, pod=BIG)
    found = await asked(overview, "scheduling", group=nobody)
    assert found["attempts"] == found["waiting"] == []


async def test_the_overview_tells_who_waits_and_by_which_plugins_is_scheduled(lab, asked):
    await prepared(lab)
    found = await asked(overview, "scheduling")
    assert {one["pod"]: one["refusedBy"] for one in found["waiting"]} == {
        "default/big": ["NodeResourcesFit"]
    }
    assert {"default/big", "default/web"} <= {one["pod"] for one in found["attempts"]}
    (scheduler,) = found["schedulers"]
    assert scheduler["name"] == "default-scheduler"
    assert {"name": "TaintToleration", "weight": 3} in scheduler["plugins"]["score"]
