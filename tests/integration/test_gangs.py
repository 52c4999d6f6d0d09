"""A gang in a whole cluster whose operator has switched the feature on."""

from __future__ import annotations

import pytest

from apimachinery.errors import ApiError
from apiserver.registry import gates
from nodes.client.resources import PODGROUPS, PODS
from tests.support.builders import obj
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


@pytest.fixture(autouse=True)
def gangs():
    gates.switch([gates.GENERIC_WORKLOAD, gates.GANG_SCHEDULING])
    yield
    gates.switch([])


def member(name):
    spec = {
        "schedulingGroup": {"podGroupName": "g"},
        "containers": [{"name": "c", "image": "nginx"}],
    }
    return dict(obj("Pod", name, spec=spec))


async def test_a_gang_is_bound_when_it_is_complete(lab):
    await lab.ready()
    policy = {"schedulingPolicy": {"gang": {"minCount": 2}}}
    group = obj("PodGroup", "g", api_version="scheduling.k8s.io/v1alpha2", spec=policy)
    await lab.client.create(dict(group), PODGROUPS)
    await lab.client.create(member("a"))
    await lab.cluster.clock.sleep(10)
    assert "nodeName" not in lab.get("pods", "a")["spec"]
    other = {"spec": {"schedulingGroup": {"podGroupName": "h"}}}
    with pytest.raises(ApiError, match="pod updates may not change fields"):
        await lab.client.patch(PODS, "default", "a", other)
    await lab.client.create(member("b"))
    await eventually(lambda: all(lab.get("pods", n)["spec"].get("nodeName") for n in "ab"))

    def scheduled():
        found = lab.get("podgroups.scheduling.k8s.io", "g").get("status") or {}
        return [one["status"] for one in found.get("conditions") or ()] == ["True"]

    await eventually(scheduled)
