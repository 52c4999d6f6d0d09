"""Migrations: what is written, what is passed over, and what becomes of refusals."""

import pytest

from apimachinery.errors import Conflict, Forbidden, InternalError, NotFound
from apimachinery.features import MIGRATOR
from nodes.client.resources import CONFIGMAPS
from nodes.controllers.common.conditions import find
from tests.support.builders import obj

pytestmark = pytest.mark.looptime

SVM = "storage-version-migrator-controller"


class Writes:
    """What is asked to be written, and the answers that are errors: the first come first."""

    def __init__(self):
        self.tried, self.errors = [], []


@pytest.fixture
async def writes(rig):
    rig.features = frozenset({MIGRATOR})
    writes, way = Writes(), rig.transport_for(rig.account(SVM))
    others = way.call

    async def call(one):
        if one.verb != "patch":
            return await others(one)
        writes.tried.append(one.name)
        if writes.errors:
            raise writes.errors.pop(0)
        return rig.get(one.resource, one.name)

    way.call = call
    await rig.run(SVM)
    return writes


async def maps(rig, *names):
    for name in names:
        await rig.create(obj("ConfigMap", name, data={"a": "b"}))


async def migrate(rig, resource="configmaps"):
    spec = {"resource": {"resource": resource}}
    api = "storagemigration.k8s.io/v1beta1"
    await rig.create(obj("StorageVersionMigration", "m", "", api, spec=spec))


def told(rig, kind):
    status = rig.need("storageversionmigrations", "m", "").get("status") or {}
    found = find(status.get("conditions"), kind)
    return found and (found["status"], found["message"])


async def test_each_object_is_written_once(rig, writes):
    await maps(rig, "a", "b")
    await migrate(rig)
    await rig.until(lambda: told(rig, "Succeeded"))
    assert told(rig, "Running") == ("False", "")
    await maps(rig, "c")
    await rig.settle(60)
    assert sorted(writes.tried) == ["a", "b"]


@pytest.mark.parametrize(
    "error",
    [
        Conflict(CONFIGMAPS.group_resource, "a", "changed"),
        NotFound(CONFIGMAPS.group_resource, "a"),
    ],
)
async def test_what_has_changed_or_gone_meanwhile_is_passed_over(rig, writes, error):
    await maps(rig, "a", "b")
    writes.errors.append(error)
    await migrate(rig)
    await rig.until(lambda: told(rig, "Succeeded"))
    assert (sorted(writes.tried), told(rig, "Failed")) == (["a", "b"], None)


async def test_it_is_tried_again_where_that_may_help(rig, writes):
    await maps(rig, "a")
    writes.errors += [InternalError("busy"), InternalError("busy")]
    await migrate(rig)
    await rig.until(lambda: told(rig, "Succeeded"))
    assert (writes.tried, told(rig, "Failed")) == (["a"] * 3, None)


async def test_any_other_refusal_ends_it(rig, writes):
    await maps(rig, "a", "b")
    refused = Forbidden(CONFIGMAPS.group_resource, "a", "no")
    writes.errors.append(refused)
    await migrate(rig)
    await rig.until(lambda: told(rig, "Failed"))
    words = f"migration encountered unhandled error: {refused.message}"
    assert (told(rig, "Failed"), told(rig, "Running")) == (("True", words), ("False", ""))
    await rig.settle(60)
    assert len(writes.tried) == 1


async def test_a_definition_tells_of_one_version_before_it_has_succeeded(rig, writes):
    kind = {"name": "v2", "served": True, "storage": True}
    spec = {"group": "", "names": {"plural": "configmaps", "kind": "ConfigMap"}, "versions": [kind]}
    api = "apiextensions.k8s.io/v1"
    made = obj("CustomResourceDefinition", "configmaps.", "", api, spec=spec)
    made["status"] = {"storedVersions": ["v1", "v2"]}
    await rig.create(made)
    way = rig.transport_for(rig.account(SVM))
    way.fail("update", "customresourcedefinitions", InternalError("busy"), times=2)
    await migrate(rig)
    await rig.until(lambda: told(rig, "Succeeded"))
    found = rig.need("customresourcedefinitions", "configmaps.", "")
    assert found["status"]["storedVersions"] == ["v2"]
