"""Pods and devices that are tainted: who leaves, when, and who is spared."""

import asyncio

import pytest

from apimachinery.meta import is_deleting
from nodes.client.resources import RESOURCESLICES
from tests.support.builders import obj, pod

pytestmark = pytest.mark.looptime

EVICTION = "device-taint-eviction-controller"
V1 = "resource.k8s.io/v1"
BROKEN = {"key": "example.com/broken", "effect": "NoExecute"}


def slices(*taints):
    device = {"name": "gpu-0", "taints": list(taints)}
    spec = {"driver": "gpu.example.com", "pool": {"name": "n1"}, "devices": [device]}
    return obj("ResourceSlice", "s", "", V1, spec=spec)


async def using(rig, *tolerations):
    asked = [{"name": "gpu", "resourceClaimName": "c"}]
    made = await rig.create(pod("p").spec(resourceClaims=asked).on("n1").ready())
    result = {"driver": "gpu.example.com", "pool": "n1", "device": "gpu-0", "request": "gpu"}
    result |= {"tolerations": list(tolerations)} if tolerations else {}
    users = [{"resource": "pods", "name": "p", "uid": made["metadata"]["uid"]}]
    claim = obj("ResourceClaim", "c", api_version=V1, spec={})
    claim.status(allocation={"devices": {"results": [result]}}, reservedFor=users)
    await rig.create(claim, pod("other").on("n1").ready(), slices())
    await rig.run(EVICTION)


async def taint(rig, *taints):
    stamped = [{**one, "timeAdded": rig.clock.timestamp()} for one in taints]
    body = {"spec": {"devices": [{"name": "gpu-0", "taints": stamped}]}}
    await rig.client.patch(RESOURCESLICES, "", "s", body)
    await rig.settle()


async def test_who_does_not_tolerate_it_leaves_at_once(rig):
    await using(rig)
    await taint(rig, BROKEN)
    gone = rig.need("pods", "p")
    assert is_deleting(gone)
    assert not is_deleting(rig.need("pods", "other"))
    (condition,) = [one for one in gone["status"]["conditions"] if one["type"] != "Ready"]
    assert condition.pop("lastTransitionTime")
    assert condition == {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "DeletionByDeviceTaintManager",
        "message": "Device Taint manager: deleting due to NoExecute taint",
    }
    assert rig.events() == ["Normal DeviceTaintManagerEviction Marking for deletion"]


@pytest.mark.parametrize(("seconds", "stays"), [(None, float("inf")), (60, 60.0), (0, 0.0)])
async def test_a_toleration_is_for_ever_or_for_a_while(rig, seconds, stays):
    toleration = {"key": BROKEN["key"], "operator": "Exists"}
    await using(rig, toleration | ({"tolerationSeconds": seconds} if seconds is not None else {}))
    await taint(rig, BROKEN)
    await asyncio.sleep(50)
    assert is_deleting(rig.need("pods", "p")) == (stays < 50)
    await asyncio.sleep(20)
    assert is_deleting(rig.need("pods", "p")) == (stays < 70)


async def test_other_effects_drive_nobody_away(rig):
    await using(rig)
    await taint(rig, BROKEN | {"effect": "NoSchedule"})
    await asyncio.sleep(100)
    assert not is_deleting(rig.need("pods", "p"))


async def test_a_taint_that_goes_in_time_spares_the_pod(rig):
    await using(rig, {"operator": "Exists", "tolerationSeconds": 60})
    await taint(rig, BROKEN)
    await asyncio.sleep(30)
    await taint(rig)
    await asyncio.sleep(100)
    assert not is_deleting(rig.need("pods", "p"))
    assert rig.events() == ["Normal DeviceTaintManagerEviction Cancelling deletion"]
