"""Components say by Lease who leads, once, and renew without writes."""

import asyncio

import pytest

from nodes.client import resources
from nodes.client.leases import RENEWED_WHEN_READ
from tests.integration.conftest import Lab
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

COMPONENTS = ("kube-controller-manager", "kube-scheduler")


def lease(lab, component):
    return lab.get("leases.coordination.k8s.io", component, "kube-system")


@pytest.mark.parametrize("component", COMPONENTS)
async def test_a_component_holds_its_lease_and_says_so(lab, component):
    held = await eventually(lambda: lease(lab, component))
    spec = held["spec"]
    assert spec["holderIdentity"].startswith("control-plane_")
    assert (spec["leaseDurationSeconds"], spec["leaseTransitions"]) == (15, 0)
    assert spec["renewTime"] == spec["acquireTime"]
    assert RENEWED_WHEN_READ in held["metadata"]["annotations"]

    def told():
        return [
            (one["reason"], one["message"], one["source"]["component"])
            for one in lab.all("events", "kube-system")
            if one["involvedObject"]["name"] == component
        ]

    message = f"{spec['holderIdentity']} became leader"
    await eventually(lambda: told() == [("LeaderElection", message, component)])


async def test_a_restart_changes_no_leader_and_nothing_is_renewed_by_writing(lab, fleet):
    await lab.quiet()
    before = {one: lease(lab, one) for one in COMPONENTS}
    await asyncio.sleep(3600)
    await fleet.pause("lab")
    again = Lab(await fleet.resume("lab"))
    await again.quiet()
    assert {one: lease(again, one) for one in COMPONENTS} == before
    holders = {one["spec"]["holderIdentity"] for one in before.values()}
    assert len(holders) == 2


async def test_a_lease_of_somebody_else_is_left_alone(lab, fleet):
    await lab.quiet()
    theirs = {"spec": {"holderIdentity": "me"}}
    await lab.client.patch(resources.LEASES, "kube-system", "kube-scheduler", theirs)
    await fleet.pause("lab")
    again = Lab(await fleet.resume("lab"))
    await again.quiet()
    assert lease(again, "kube-scheduler")["spec"]["holderIdentity"] == "me"
