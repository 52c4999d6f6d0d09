"""What servers that are gone have said of their storage is forgotten."""

import pytest

from apimachinery.features import SERVER_IDENTITY, STORAGE_VERSIONS
from apimachinery.storageversions import IDENTITY, KUBE_APISERVER
from nodes.client.resources import LEASES, STORAGEVERSIONS
from tests.support.builders import obj

pytestmark = pytest.mark.looptime

GC = "storageversion-garbage-collector-controller"


def lease(name, labels=None):
    made = obj("Lease", name, "kube-system", "coordination.k8s.io/v1")
    made["metadata"]["labels"] = {IDENTITY: KUBE_APISERVER} if labels is None else labels
    return made


async def told(rig, **servers):
    """Have servers say in which version they store pods."""
    said = [{"apiServerID": name, "encodingVersion": one} for name, one in servers.items()]
    api = STORAGEVERSIONS.api_version
    made = await rig.create(obj("StorageVersion", "core.pods", "", api, spec={}))
    await rig.client.update_status({**made, "status": {"storageVersions": said}})


def servers(rig):
    found = rig.get("storageversions", "core.pods", "")
    if found is None:
        return None
    said = found["status"]
    return [one["apiServerID"] for one in said["storageVersions"]], said.get(
        "commonEncodingVersion"
    )


@pytest.fixture
async def begun(rig):
    rig.features = frozenset({SERVER_IDENTITY, STORAGE_VERSIONS})
    await rig.create(lease("a"), lease("b"))
    await rig.run(GC)
    return rig


async def test_a_server_that_goes_is_forgotten(begun):
    await told(begun, a="v1", b="v2")
    await begun.settle(1)
    assert servers(begun) == (["a", "b"], None)
    await begun.client.delete(LEASES, "kube-system", "b")
    await begun.settle(1)
    assert servers(begun) == (["a"], "v1")
    await begun.client.delete(LEASES, "kube-system", "a")
    await begun.settle(1)
    assert servers(begun) is None


async def test_a_server_that_is_there_again_is_not_forgotten(begun):
    await told(begun, a="v1")
    await begun.client.delete(LEASES, "kube-system", "a")
    await begun.create(lease("a"))
    await begun.settle(1)
    assert servers(begun)[0] == ["a"]


@pytest.mark.parametrize("strange", [None, {}, {IDENTITY: "extension-apiserver"}])
async def test_a_server_that_nobody_knows_is_forgotten(begun, strange):
    if strange is not None:
        await begun.create(lease("c", strange))
    await told(begun, a="v1", c="v1")
    await begun.settle(1)
    assert servers(begun) == (["a"], "v1")


async def test_servers_that_went_while_nobody_looked_are_forgotten(rig):
    rig.features = frozenset({SERVER_IDENTITY, STORAGE_VERSIONS})
    await rig.create(lease("a"))
    await told(rig, gone="v1")
    await rig.run(GC)
    await rig.settle(1)
    assert servers(rig) is None


async def test_it_takes_both_features(rig):
    rig.features = frozenset({STORAGE_VERSIONS})
    await told(rig, gone="v1")
    await rig.run(GC)
    await rig.settle(10)
    assert servers(rig)[0] == ["gone"]
