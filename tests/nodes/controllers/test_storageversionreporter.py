"""The API server says how it stores what it serves, once it is known to live."""

import pytest

from apimachinery.features import SERVER_IDENTITY, STORAGE_VERSIONS
from apimachinery.storageversions import ALL_EQUAL, NAMESPACE, SERVER
from nodes.client.resources import LEASES, STORAGEVERSIONS
from nodes.controllers.common.conditions import is_true
from tests.support.builders import obj

pytestmark = pytest.mark.looptime

REPORTER = "kube-apiserver-storage-version-updater"


def server(version, name=SERVER):
    return {"apiServerID": name, "encodingVersion": version, "decodableVersions": [version]}


def lease():
    return obj("Lease", SERVER, NAMESPACE, LEASES.api_version)


@pytest.fixture
async def begun(rig):
    rig.features = frozenset({SERVER_IDENTITY, STORAGE_VERSIONS})
    rig.stored = {"core.pods": server("v1"), "apps.deployments": server("apps/v1")}
    await rig.run(REPORTER)
    await rig.settle()
    return rig


def told(rig, name="core.pods"):
    found = rig.get("storageversions", name, "")
    return found and found["status"]


async def test_nothing_is_said_before_the_lease_is_there(begun):
    assert begun.names("storageversions") == []
    await begun.create(lease())
    await begun.settle()
    assert begun.names("storageversions") == ["apps.deployments", "core.pods"]
    assert told(begun)["storageVersions"] == [server("v1")]
    assert told(begun)["commonEncodingVersion"] == "v1"
    assert is_true(told(begun)["conditions"], ALL_EQUAL)


async def test_what_others_say_stays(begun):
    api = STORAGEVERSIONS.api_version
    made = await begun.create(obj("StorageVersion", "core.pods", "", api, spec={}))
    said = [server("v0"), server("v2", "other")]
    await begun.client.update_status({**made, "status": {"storageVersions": said}})
    await begun.create(lease())
    await begun.settle()
    assert told(begun)["storageVersions"] == [server("v1"), server("v2", "other")]
    assert "commonEncodingVersion" not in told(begun)
    assert not is_true(told(begun)["conditions"], ALL_EQUAL)


async def test_what_is_deleted_or_changed_is_said_again(begun):
    await begun.create(lease())
    await begun.settle()
    await begun.client.delete(STORAGEVERSIONS, "", "core.pods")
    found = begun.need("storageversions", "apps.deployments", "")
    await begun.client.update_status({**found, "status": {"storageVersions": []}})
    await begun.settle()
    assert told(begun)["storageVersions"] == [server("v1")]
    assert told(begun, "apps.deployments")["storageVersions"] == [server("apps/v1")]


async def test_what_it_does_not_store_is_left_alone(begun):
    await begun.create(lease(), obj("StorageVersion", "x.ys", "", STORAGEVERSIONS.api_version))
    await begun.settle()
    assert "status" not in begun.need("storageversions", "x.ys", "")


async def test_nothing_is_written_twice(begun):
    await begun.create(lease())
    await begun.settle()
    before = begun.need("storageversions", "core.pods", "")
    await begun.client.delete(LEASES, NAMESPACE, SERVER)
    await begun.create(lease())
    await begun.settle(10_000)
    assert begun.need("storageversions", "core.pods", "") == before
