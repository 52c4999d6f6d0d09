"""The API server's Lease, and what it says of its storage where that is switched on."""

import asyncio

import pytest

from apimachinery.features import STORAGE_VERSIONS
from apimachinery.nodes import condition
from apimachinery.storageversions import ALL_EQUAL, IDENTITY, KUBE_APISERVER, SERVER
from apiserver.registry import gates
from nodes.client.resources import LEASES, STORAGEVERSIONS
from tests.integration.conftest import Lab
from tests.support.builders import obj
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

VERSIONS = "storageversions.internal.apiserver.k8s.io"


def lease(lab, name=SERVER):
    return lab.get("leases.coordination.k8s.io", name, "kube-system")


async def test_the_server_holds_one_lease_over_restarts(lab, fleet):
    held = await eventually(lambda: lease(lab))
    assert held["metadata"]["labels"][IDENTITY] == KUBE_APISERVER
    await lab.quiet()
    await fleet.pause("lab")
    again = Lab(await fleet.resume("lab"))
    await again.quiet()
    assert lease(again) == held


async def test_nothing_of_storage_is_told_by_default(lab):
    await lab.quiet()
    assert lab.all(VERSIONS) == []
    assert "storageversion-garbage-collector-controller" not in lab.cluster.manager.controllers


@pytest.fixture
def feature():
    gates.switch({STORAGE_VERSIONS: True})
    yield
    gates.switch({})


@pytest.fixture
def telling(feature, lab):
    """A cluster that began with the feature."""
    return lab


def told(lab, name):
    return (lab.get(VERSIONS, name, "") or {}).get("status")


async def test_the_server_says_in_which_version_it_stores_each_kind(telling, fleet):
    await telling.quiet()
    about = told(telling, "core.events")
    assert about["commonEncodingVersion"] == "v1"
    assert about["storageVersions"] == [
        {
            "apiServerID": SERVER,
            "encodingVersion": "v1",
            "decodableVersions": ["v1", "events.k8s.io/v1"],
            "servedVersions": ["v1"],
        }
    ]
    assert condition({"status": about}, ALL_EQUAL)["reason"] == "CommonEncodingVersionSet"
    (scaling,) = told(telling, "autoscaling.horizontalpodautoscalers")["storageVersions"]
    assert scaling["servedVersions"] == ["autoscaling/v1", "autoscaling/v2"]
    # Reviews are stored nowhere.
    assert told(telling, "authorization.k8s.io.subjectaccessreviews") is None
    before = telling.all(VERSIONS)
    await fleet.pause("lab")
    again = Lab(await fleet.resume("lab"))
    await again.quiet()
    assert again.all(VERSIONS) == before


async def test_it_says_so_again_when_its_lease_is_back(telling):
    await telling.quiet()
    await telling.client.delete(STORAGEVERSIONS, "", "core.pods")
    await eventually(lambda: told(telling, "core.pods"))
    await telling.client.delete(LEASES, "kube-system", SERVER)
    await eventually(lambda: telling.all(VERSIONS) == [])
    await eventually(lambda: told(telling, "core.pods"))
    assert lease(telling) is not None


async def test_a_server_that_is_gone_is_forgotten(telling):
    await telling.quiet()
    other = dict(obj("Lease", "apiserver-other", "kube-system", LEASES.api_version))
    other["metadata"]["labels"] = {IDENTITY: KUBE_APISERVER}
    other["spec"] = {
        "renewTime": telling.cluster.clock.micro_timestamp(),
        "leaseDurationSeconds": 3600,
    }
    await telling.client.create(other)
    pods = await telling.client.get(STORAGEVERSIONS, "", "core.pods")
    theirs = {**pods["status"]["storageVersions"][0], "apiServerID": "apiserver-other"}
    theirs |= {"encodingVersion": "v2", "decodableVersions": ["v1", "v2"]}
    servers = [*pods["status"]["storageVersions"], theirs]
    status = {"storageVersions": servers, "conditions": pods["status"]["conditions"]}
    await telling.client.update_status({**pods, "status": status})
    await telling.quiet()
    assert len(told(telling, "core.pods")["storageVersions"]) == 2
    # Its Lease runs out after an hour.
    await asyncio.sleep(3600)
    await eventually(lambda: lease(telling, "apiserver-other") is None)
    await eventually(lambda: len(told(telling, "core.pods")["storageVersions"]) == 1)
    assert told(telling, "core.pods")["commonEncodingVersion"] == "v1"
