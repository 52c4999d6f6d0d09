"""How busy a control plane is: who asked what, and what waits."""

from __future__ import annotations

import asyncio

import pytest

from apimachinery.errors import Forbidden
from nodes.client import resources
from playground.control_activity import ROUTES
from playground.control_call import Call
from tests.integration.conftest import deployment
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


@pytest.fixture
def activity(lab):
    class Fleet:
        find = {lab.cluster.name: lab.cluster}.get

    async def asked(user="", groups=(), **query):
        headers = [(b"impersonate-user", user.encode())] if user else []
        headers += [(b"impersonate-group", group.encode()) for group in groups]
        given = {name: [str(value)] for name, value in query.items()}
        code, found = await ROUTES["GET", 2, "activity"](
            Call(Fleet, ["lab", "activity"], given, b"", headers)
        )
        assert code == 200
        return found

    return asked


async def test_a_deployment_is_felt_everywhere(lab, activity):
    before = await activity()
    assert before["requests"] == 0
    await lab.client.create(deployment(replicas=3), resources.DEPLOYMENTS)
    await lab.available(replicas=3)
    after = await activity(after=before["count"])
    assert after["requests"] == after["count"] - before["count"] > 0
    assert after["revision"] > before["revision"]
    assert set(after["from"]) >= {"people", "controllers", "scheduler", "kubelet"}
    assert sum(after["from"].values()) == after["requests"]
    assert after["watches"] > 0
    assert after["kubelets"] == {"running": len(lab.cluster.nodes), "all": len(lab.cluster.nodes)}


async def test_an_idle_cluster_answers_when_something_comes(lab, activity):
    await lab.quiet()
    count = (await activity())["count"]
    waiting = asyncio.ensure_future(activity(after=count, wait=10))
    await asyncio.sleep(1)
    assert not waiting.done()
    await lab.client.create(deployment(replicas=0), resources.DEPLOYMENTS)
    assert (await waiting)["requests"] > 0


async def test_an_idle_cluster_answers_nothing_after_a_while(lab, activity):
    await lab.quiet()
    found = await activity(after=(await activity())["count"], wait=5)
    assert found["requests"] == 0
    assert found["controllers"] == {}
    assert found["scheduler"] == {"active": 0, "backoff": 0, "unschedulable": 0, "gated": 0}


async def test_what_waits_is_told_by_queue(lab, activity):
    large = deployment(replicas=1)
    container = large["spec"]["template"]["spec"]["containers"][0]
    container["resources"] = {"requests": {"cpu": "999"}}
    await lab.client.create(large, resources.DEPLOYMENTS)
    await eventually(lambda: lab.cluster.scheduler.queue.depths()["unschedulable"], within=5)
    assert (await activity())["scheduler"]["unschedulable"] == 1


async def test_a_node_without_power_is_not_counted(lab, activity):
    await next(iter(lab.cluster.nodes.values())).power_off()
    kubelets = (await activity())["kubelets"]
    assert kubelets["running"] == kubelets["all"] - 1


async def test_controllers_tell_how_much_they_have_to_do(lab, activity):
    await lab.quiet()
    lab.cluster.manager.controllers["deployment-controller"].queue.add(("default", "one"))
    assert (await activity())["controllers"] == {"deployment-controller": 1}


async def test_it_is_for_those_who_may_read_metrics_as_the_overview_is(lab, activity):
    await lab.ready()
    assert (await activity("ann", ("kubeground:viewers", "system:authenticated")))["watches"]
    with pytest.raises(Forbidden) as refused:
        await activity("mallory", ("system:authenticated",))
    assert 'User "mallory" cannot get path "/metrics"' in refused.value.message
