"""The API server's Lease is there, and those of servers that are gone are not for long."""

import pytest

from apimachinery.features import SERVER_IDENTITY
from apimachinery.storageversions import IDENTITY, KUBE_APISERVER, SERVER
from nodes.client.leases import RENEWED_WHEN_READ
from nodes.client.resources import LEASES
from tests.support.builders import obj

pytestmark = pytest.mark.looptime

CONTROLLER = "kube-apiserver-identity-lease-controller"
LABELS = {IDENTITY: KUBE_APISERVER, "kubernetes.io/hostname": "control-plane"}


@pytest.fixture
async def begun(rig):
    rig.features = frozenset({SERVER_IDENTITY})
    await rig.create(obj("Namespace", "kube-system", ""))
    await rig.run(CONTROLLER)
    await rig.settle()
    return rig


def lease(name="other", labels=LABELS, namespace="kube-system", **spec):
    made = obj("Lease", name, namespace, "coordination.k8s.io/v1", spec=spec)
    made["metadata"]["labels"] = labels
    return made


def own(rig):
    return rig.get("leases", SERVER, "kube-system")


async def test_it_says_that_the_server_lives(begun):
    held = own(begun)
    assert held["metadata"]["labels"] == LABELS
    assert RENEWED_WHEN_READ in held["metadata"]["annotations"]
    assert held["spec"]["holderIdentity"].startswith(f"{SERVER}_")
    assert held["spec"]["leaseDurationSeconds"] == 3600
    revision = held["metadata"]["resourceVersion"]
    await begun.settle(20_000)
    assert own(begun)["metadata"]["resourceVersion"] == revision


async def test_it_comes_again_when_the_server_looks_after_it(begun):
    holder = own(begun)["spec"]["holderIdentity"]
    await begun.client.delete(LEASES, "kube-system", SERVER)
    await begun.settle(9)
    assert own(begun) is None
    await begun.settle(2)
    assert own(begun)["spec"]["holderIdentity"] == holder


async def test_its_labels_are_put_right(begun):
    wrong = {"metadata": {"labels": {IDENTITY: "me", "mine": "a"}, "annotations": None}}
    await begun.client.patch(LEASES, "kube-system", SERVER, wrong)
    await begun.settle(11)
    held = own(begun)["metadata"]
    assert held["labels"] == {**LABELS, "mine": "a"}
    assert RENEWED_WHEN_READ in held["annotations"]


async def test_a_lease_that_has_run_out_goes(begun):
    now = begun.clock.micro_timestamp()
    await begun.create(
        lease(renewTime=now, leaseDurationSeconds=60),
        lease("never-renewed", leaseDurationSeconds=60),
        lease("endless", renewTime=now),
    )
    await begun.settle(1)
    assert begun.names("leases") == [SERVER, "other"]
    await begun.settle(60)
    assert begun.names("leases") == [SERVER]


async def test_a_server_that_renews_its_lease_keeps_it(begun):
    await begun.create(lease(renewTime=begun.clock.micro_timestamp(), leaseDurationSeconds=60))
    await begun.settle(50)
    renewed = {"spec": {"renewTime": begun.clock.micro_timestamp()}}
    await begun.client.patch(LEASES, "kube-system", "other", renewed)
    await begun.settle(50)
    assert begun.names("leases") == [SERVER, "other"]


async def test_leases_of_others_are_left_alone(begun):
    await begun.create(
        lease("elected", labels={}),
        lease("elsewhere", namespace="default"),
        lease("of-an-extension", labels={IDENTITY: "extension-apiserver"}),
    )
    await begun.settle(10_000)
    assert begun.names("leases") == [SERVER, "elected", "elsewhere", "of-an-extension"]


async def test_without_the_feature_there_is_none(rig):
    await rig.create(obj("Namespace", "kube-system", ""))
    await rig.run(CONTROLLER)
    await rig.settle(100)
    assert rig.names("leases") == []
