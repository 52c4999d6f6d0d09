"""Pods wait for devices that have to be made ready first."""

import asyncio

import pytest

from nodes.client.resources import RESOURCECLAIMS
from nodes.client.rest import MERGE_PATCH
from nodes.scheduler.devices.conditions import is_ready
from tests.nodes.scheduler.test_devices import (
    DRIVER,
    asking,
    claim,
    device,
    device_class,
    needing,
    slices,
)
from tests.nodes.scheduler.test_loop import Rig
from tests.support.builders import node
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME
CONDITIONS = {
    "bindingConditions": ["attached"],
    "bindingFailureConditions": ["broken"],
    "bindsToNode": True,
}
FABRIC = slices({**device("far"), **CONDITIONS}, on="", pool="fabric", name="f", allNodes=True)


@pytest.fixture
async def rig():
    made = Rig()
    await made.create(node("n1"), device_class(), FABRIC)
    yield made
    made.scheduler.stop()
    await made.tasks.close()


def given(rig):
    return (rig.api.need("resourceclaims", "c").get("status") or {}).get("allocation")


async def say(rig, kind, **more):
    (result,) = given(rig)["devices"]["results"]
    which = {key: result[key] for key in ("driver", "pool", "device")}
    conditions = [{"type": kind, "status": "True", **more}]
    patch = {"status": {"devices": [{**which, "conditions": conditions}]}}
    await rig.client.patch(RESOURCECLAIMS, "default", "c", patch, MERGE_PATCH, "status")


async def test_a_pod_is_bound_once_its_device_is_ready(rig):
    await rig.create(claim(asking()), needing())
    await eventually(lambda: given(rig))
    assert given(rig)["allocationTimestamp"]
    (result,) = given(rig)["devices"]["results"]
    assert (result["driver"], result["device"]) == (DRIVER, "far")
    assert result["bindingConditions"] == ["attached"]
    (term,) = given(rig)["nodeSelector"]["nodeSelectorTerms"]
    assert term["matchFields"][0]["values"] == ["n1"]
    note = "waiting for binding conditions for device on node n1"
    await eventually(lambda: rig.events("BindingConditionsPending") == [note])
    assert rig.node_of("p") is None
    await say(rig, "attached")
    await eventually(lambda: rig.node_of("p") == "n1")


async def test_a_device_that_fails_is_given_back(rig):
    await rig.create(claim(asking()), needing())
    await eventually(lambda: given(rig))
    await say(rig, "broken", reason="Cable", message="no link")
    await eventually(lambda: rig.condition("p"))
    assert rig.condition("p")["message"] == (
        'running PreBind plugin "DynamicResources": '
        'claim c binding failed: reason=Cable, message="no link"'
    )
    # Another one is there by now, which need not be made ready.
    await rig.create(slices(device("near")))
    await eventually(lambda: rig.node_of("p") == "n1", within=60)
    assert given(rig)["devices"]["results"][0]["device"] == "near"


async def test_a_device_that_is_not_ready_in_time_is_given_back(rig):
    await rig.create(claim(asking()), needing())
    late = 'running PreBind plugin "DynamicResources": device binding timeout'
    await asyncio.sleep(595)
    assert rig.condition("p") == {}
    await eventually(lambda: rig.condition("p").get("message") == late)
    await rig.create(slices(device("near")))
    await eventually(lambda: rig.node_of("p") == "n1", within=60)
    assert given(rig)["devices"]["results"][0]["device"] == "near"


async def test_each_share_of_a_device_has_to_be_ready():
    shares = [
        {"driver": DRIVER, "pool": "p", "device": "d", "shareID": one, **CONDITIONS} for one in "ab"
    ]
    attached = [{"type": "attached", "status": "True"}]
    told = [{**one, "conditions": attached} for one in shares]
    status = {"allocation": {"devices": {"results": shares}}, "devices": told[:1]}
    assert not is_ready({"status": status})
    assert is_ready({"status": {**status, "devices": told}})
