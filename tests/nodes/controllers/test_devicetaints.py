"""Pods and devices that are tainted: who leaves, when, and who is spared."""

import asyncio

import pytest

from apimachinery.features import TAINT_RULES
from apimachinery.meta import is_deleting
from nodes.client.resources import DEVICETAINTRULES, PODS, RESOURCESLICES
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


# --- rules --------------------------------------------------------------------------------------

RULES = "devicetaintrules"


def rule(effect="NoExecute", **selector):
    taint = {"key": "example.com/broken", "effect": effect}
    return obj(
        "DeviceTaintRule",
        "r",
        "",
        "resource.k8s.io/v1beta2",
        spec={"deviceSelector": selector, "taint": taint},
    ).meta(generation=1)


async def with_rule(rig, built, *tolerations):
    rig.features = frozenset([TAINT_RULES])
    await using(rig, *tolerations)
    built["spec"]["taint"]["timeAdded"] = rig.clock.timestamp()
    await rig.create(built)
    await rig.settle()


def said(rig):
    (condition,) = rig.need(RULES, "r")["status"]["conditions"]
    assert condition["type"] == "EvictionInProgress"
    assert condition["observedGeneration"] == 1
    return condition["status"], condition["reason"], condition["message"]


async def test_a_rule_drives_pods_from_devices_and_tells_when_they_have_left(rig):
    await with_rule(rig, rule(driver="gpu.example.com"))
    assert is_deleting(rig.need("pods", "p"))
    assert not is_deleting(rig.need("pods", "other"))
    await asyncio.sleep(11)
    assert said(rig) == ("False", "Completed", "1 pod evicted since starting the controller.")


async def test_while_pods_stay_the_rule_says_how_many(rig):
    tolerated = {"operator": "Exists", "tolerationSeconds": 60}
    await with_rule(rig, rule(device="gpu-0"), tolerated)
    words = "1 pod needs to be evicted in 1 namespace."
    assert said(rig) == ("True", "PodsPendingEviction", words)
    await asyncio.sleep(75)
    assert is_deleting(rig.need("pods", "p"))
    assert said(rig) == ("False", "Completed", "1 pod evicted since starting the controller.")


@pytest.mark.parametrize(
    ("built", "tolerations", "reason", "words"),
    [
        (
            rule("None", pool="n1"),
            (),
            "NoEffect",
            (
                "1 published device selected. 1 allocated device selected. "
                "1 pod would be evicted in 1 namespace if the effect was NoExecute. "
                "This information will not be updated again. "
                "Recreate the DeviceTaintRule to trigger an update."
            ),
        ),
        (
            rule("None", pool="n2"),
            (),
            "NoEffect",
            (
                "0 published devices selected. 0 allocated devices selected. "
                "0 pods would be evicted in 0 different namespaces if the effect was NoExecute. "
                "This information will not be updated again. "
                "Recreate the DeviceTaintRule to trigger an update."
            ),
        ),
        (
            rule("NoSchedule"),
            (),
            "OtherEffect",
            "Eviction only happens for the NoExecute effect.",
        ),
        (rule(driver="other.example.com"), (), "NotStarted", ""),
        (rule(), ({"operator": "Exists"},), "NotStarted", ""),
    ],
)
async def test_a_rule_that_drives_nobody_away_says_why(rig, built, tolerations, reason, words):
    await with_rule(rig, built, *tolerations)
    assert said(rig) == ("False", reason, words)
    await asyncio.sleep(30)
    assert not is_deleting(rig.need("pods", "p"))
    assert said(rig) == ("False", reason, words)


async def test_a_pod_that_goes_by_itself_is_waited_for_no_more(rig):
    await with_rule(rig, rule(), {"operator": "Exists", "tolerationSeconds": 600})
    assert said(rig)[1] == "PodsPendingEviction"
    await rig.client.delete(PODS, "default", "p")
    await asyncio.sleep(11)
    assert said(rig) == ("False", "NotStarted", "")


async def test_a_rule_that_is_taken_back_in_time_drives_nobody_away(rig):
    await with_rule(rig, rule(), {"operator": "Exists", "tolerationSeconds": 60})
    await rig.client.delete(DEVICETAINTRULES, "", "r")
    await asyncio.sleep(100)
    assert not is_deleting(rig.need("pods", "p"))
    assert rig.events()[-1] == "Normal DeviceTaintManagerEviction Cancelling deletion"
