"""StorageVersionMigrations in a whole cluster whose operator has switched them on."""

import pytest

from apimachinery.features import MIGRATOR
from apimachinery.nodes import condition
from apiserver.registry import gates
from nodes.client.resources import CUSTOMRESOURCEDEFINITIONS, STORAGEVERSIONMIGRATIONS
from nodes.client.rest import MERGE_PATCH
from tests.integration.serving import definition
from tests.support.builders import obj
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

MIGRATIONS, DEFINITIONS = (
    "storageversionmigrations.storagemigration.k8s.io",
    "customresourcedefinitions.apiextensions.k8s.io",
)
GROUP = "example.com"
NAME = f"crontabs.{GROUP}"


@pytest.fixture(autouse=True)
def migrator():
    gates.switch({MIGRATOR: True})
    yield
    gates.switch({})


def migration(name, resource, group=""):
    wanted = {"resource": resource} | ({"group": group} if group else {})
    api = "storagemigration.k8s.io/v1beta1"
    return dict(obj("StorageVersionMigration", name, "", api, spec={"resource": wanted}))


def told(lab, name, kind):
    found = condition(lab.get(MIGRATIONS, name, "") or {}, kind)
    return found and (found["status"], found["reason"], found.get("message", ""))


async def test_all_of_a_custom_kind_is_stored_in_its_present_version(lab):
    def crontabs(first, second):
        versions = [("v1", first, None), ("v2", second, None)]
        return definition(GROUP, "crontabs", "CronTab", versions)

    kind = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    await lab.client.create({**kind, **crontabs(True, False)})
    await eventually(lambda: condition(lab.get(DEFINITIONS, NAME, ""), "Established"))
    resource = next(one for one in lab.cluster.resources() if one.plural == "crontabs")
    for name in ("a", "b"):
        await lab.client.create(dict(obj("CronTab", name, "default", f"{GROUP}/v1")), resource)
    changed = {"spec": {"versions": crontabs(False, True)["spec"]["versions"]}}
    await lab.client.patch(CUSTOMRESOURCEDEFINITIONS, "", NAME, changed, MERGE_PATCH)

    def versions():
        return lab.get(DEFINITIONS, NAME, "")["status"]["storedVersions"]

    await eventually(lambda: versions() == ["v1", "v2"])
    await lab.client.create(migration("tabs", "crontabs", GROUP))
    await eventually(lambda: told(lab, "tabs", "Succeeded"))
    assert told(lab, "tabs", "Succeeded") == ("True", "StorageVersionMigrationSucceeded", "")
    assert told(lab, "tabs", "Running") == ("False", "StorageVersionMigrationInProgress", "")
    await eventually(lambda: versions() == ["v2"])


async def test_what_is_stored_as_it_should_be_is_not_written_again(lab):
    await lab.client.create(dict(obj("ConfigMap", "a", data={"n": "1"})))
    before = lab.get("configmaps", "a")
    await lab.client.create(migration("maps", "configmaps"))
    await eventually(lambda: told(lab, "maps", "Succeeded"))
    assert lab.get("configmaps", "a") == before
    # It is over for good.
    labels = {"metadata": {"labels": {"a": "b"}}}
    done = await lab.client.patch(STORAGEVERSIONMIGRATIONS, "", "maps", labels, MERGE_PATCH)
    await lab.cluster.clock.sleep(60)
    assert lab.get(MIGRATIONS, "maps", "") == done


async def test_a_kind_that_there_is_not_fails_after_a_minute(lab):
    await lab.client.create(migration("none", "nothings", GROUP))
    await lab.cluster.clock.sleep(50)
    assert told(lab, "none", "Failed") is None
    await eventually(lambda: told(lab, "none", "Failed"), within=20)
    words = "resource does not exist in discovery"
    assert told(lab, "none", "Failed") == ("True", "StorageVersionMigrationFailed", words)
