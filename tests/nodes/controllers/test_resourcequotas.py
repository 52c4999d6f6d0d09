"""What of a quota is used."""

from datetime import timedelta

import pytest

from apimachinery.clock import format_time
from nodes.client.resources import PERSISTENTVOLUMECLAIMS, PODS, RESOURCEQUOTAS, Res
from tests.support.builders import obj, pod, service

pytestmark = pytest.mark.looptime

RQ = "resourcequota-controller"
DRA = "resource.k8s.io/v1"


def quota(hard, **spec):
    return obj("ResourceQuota", "q", spec={"hard": hard, **spec})


def used(rig):
    return (rig.need("resourcequotas", "q").get("status") or {}).get("used")


async def test_what_is_there_is_counted(rig):
    hard = {"pods": "5", "requests.cpu": "1", "limits.memory": "1Gi", "services": "3"}
    hard |= {"count/configmaps": "9", "configmaps": "9", "services.nodeports": "0"}
    await rig.create(
        pod("a").requests(cpu="100m"),
        pod("b").requests(cpu="250m").phase("Running"),
        pod("over").requests(cpu="500m").phase("Succeeded"),
        pod("elsewhere", "other").requests(cpu="1"),
        service("s"),
        obj("ConfigMap", "c"),
    )
    await rig.run(RQ)
    await rig.create(quota(hard))
    await rig.settle(1)
    assert rig.need("resourcequotas", "q")["status"] == {
        "hard": hard,
        "used": {
            "pods": "2",
            "requests.cpu": "350m",
            "limits.memory": "0",
            "services": "1",
            "services.nodeports": "0",
            "configmaps": "1",
            "count/configmaps": "1",
        },
    }


async def test_it_follows_what_comes_and_goes(rig):
    await rig.run(RQ)
    await rig.create(quota({"pods": "5", "requests.memory": "1Gi"}))
    await rig.settle(1)
    assert used(rig) == {"pods": "0", "requests.memory": "0"}
    await rig.create(pod("a").requests(memory="512Mi"), pod("b").requests(memory="100Mi"))
    await rig.settle(1)
    assert used(rig) == {"pods": "2", "requests.memory": "612Mi"}
    body = {"status": {"phase": "Failed"}}
    await rig.client.patch(PODS, "default", "a", body, subresource="status")
    await rig.settle(1)
    assert used(rig) == {"pods": "1", "requests.memory": "100Mi"}
    await rig.client.delete(PODS, "default", "b", grace=0)
    await rig.settle(1)
    assert used(rig) == {"pods": "0", "requests.memory": "0"}


async def test_a_pod_that_a_lost_node_keeps_takes_no_share_for_ever(rig):
    await rig.run(RQ)
    ends = format_time(rig.clock.now() + timedelta(seconds=30))
    going = pod("a").on("n1").meta(deletionTimestamp=ends, deletionGracePeriodSeconds=30)
    await rig.create(quota({"pods": "5"}), going.finalizers("example.com/held"))
    await rig.settle(50)
    assert used(rig) == {"pods": "1"}
    await rig.settle(15)
    assert used(rig) == {"pods": "0"}


async def test_a_new_limit_is_taken_over(rig):
    await rig.run(RQ)
    await rig.create(quota({"pods": "5", "secrets": "1"}))
    await rig.settle(1)
    await rig.client.patch(
        RESOURCEQUOTAS, "default", "q", {"spec": {"hard": {"pods": "7", "secrets": None}}}
    )
    await rig.settle(1)
    assert rig.need("resourcequotas", "q")["status"] == {
        "hard": {"pods": "7"},
        "used": {"pods": "0"},
    }


async def test_only_pods_in_scope_count(rig):
    await rig.run(RQ)
    await rig.create(pod("best"), pod("burst").requests(cpu="1"), service("s"))
    await rig.create(quota({"pods": "5"}, scopes=["BestEffort"]))
    await rig.settle(1)
    assert used(rig) == {"pods": "1"}


async def test_devices_count_by_their_class(rig):
    name = "gpu.deviceclass.resource.k8s.io/devices"
    asked = {"deviceClassName": "gpu", "allocationMode": "ExactCount", "count": 2}
    spec = {"devices": {"requests": [{"exactly": asked}]}}
    claim = obj("ResourceClaim", "c", api_version="resource.k8s.io/v1", spec=spec)
    await rig.run(RQ)
    await rig.create(quota({name: "5"}), claim)
    await rig.settle(1)
    assert used(rig) == {name: "2"}


async def test_devices_count_as_the_resource_that_their_class_stands_for(rig):
    gpus, own = "requests.example.com/gpu", "requests.deviceclass.resource.kubernetes.io/gpu"
    asked = {"deviceClassName": "gpu", "allocationMode": "ExactCount", "count": 2}
    spec = {"devices": {"requests": [{"exactly": asked}]}}
    await rig.run(RQ)
    await rig.create(
        quota({gpus: "5", own: "5"}),
        obj("ResourceClaim", "c", api_version=DRA, spec=spec),
        pod("p").requests(**{"example.com/gpu": "1"}),
    )
    await rig.settle(1)
    assert used(rig) == {gpus: "1", own: "0"}
    named = {"extendedResourceName": "example.com/gpu"}
    await rig.create(obj("DeviceClass", "gpu", "", DRA, spec=named))
    await rig.settle(3)
    assert used(rig) == {gpus: "3", own: "2"}


async def test_a_claim_that_changes_its_class_comes_into_scope(rig):
    gold = {"scopeName": "VolumeAttributesClass", "operator": "In", "values": ["gold"]}
    await rig.run(RQ)
    held = quota({"persistentvolumeclaims": "5"}, scopeSelector={"matchExpressions": [gold]})
    await rig.create(held, obj("PersistentVolumeClaim", "c", spec={}))
    await rig.settle(1)
    assert used(rig) == {"persistentvolumeclaims": "0"}
    body = {"spec": {"volumeAttributesClassName": "gold"}}
    await rig.client.patch(PERSISTENTVOLUMECLAIMS, "default", "c", body)
    await rig.settle(3)
    assert used(rig) == {"persistentvolumeclaims": "1"}


async def test_custom_kinds_are_counted_and_unknown_ones_are_not(rig):
    rig.resources.append(Res("example.com", "v1", "foos", "Foo"))
    await rig.run(RQ)
    await rig.create(quota({"count/foos.example.com": "1", "count/bars.example.com": "1"}))
    await rig.settle(1)
    assert used(rig) == {"count/foos.example.com": "0"}


async def test_changes_that_use_nothing_cost_nothing(rig):
    await rig.run(RQ)
    await rig.create(quota({"pods": "5"}), pod("a"))
    await rig.settle(1)
    before = len(rig.api.calls)
    await rig.client.patch(
        PODS, "default", "a", {"status": {"phase": "Running"}}, subresource="status"
    )
    await rig.settle(100)
    assert len(rig.api.calls) == before + 1
