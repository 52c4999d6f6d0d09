"""PodGroups stay as long as pods of them are at work."""

import pytest

from apimachinery.features import GENERIC_WORKLOAD
from nodes.client.resources import PODGROUPS, PODS
from tests.support.builders import obj, pod

pytestmark = pytest.mark.looptime

PGC = "podgroup-protection-controller"
FINALIZER = "scheduling.k8s.io/podgroup-protection"


def group(name="g"):
    return obj("PodGroup", name, api_version="scheduling.k8s.io/v1alpha2").finalizers(FINALIZER)


def member(name, of="g"):
    return pod(name).spec(schedulingGroup={"podGroupName": of})


async def test_a_group_goes_when_its_last_pod_has_ended(rig):
    rig.features = frozenset({GENERIC_WORKLOAD})
    await rig.create(group(), group("other"), member("a"), member("b"))
    await rig.run(PGC)
    for name in ("g", "other"):
        await rig.client.delete(PODGROUPS, "default", name)
    await rig.settle()
    assert rig.names("podgroups") == ["g"]
    await rig.client.delete(PODS, "default", "a", grace=0)
    await rig.settle()
    assert rig.names("podgroups") == ["g"]
    ended = {"status": {"phase": "Succeeded"}}
    await rig.client.patch(PODS, "default", "b", ended, subresource="status")
    await rig.until(lambda: rig.names("podgroups") == [])


async def test_it_does_not_run_without_its_feature(rig):
    manager = await rig.run(PGC, "ttl-controller")
    assert list(manager.controllers) == ["ttl-controller"]
