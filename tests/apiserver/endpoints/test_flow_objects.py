"""What the API server sees to: conditions of FlowSchemas, and what Kubernetes brings."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from apimachinery.clock import ManualClock
from apiserver.auth.user import MASTERS, User
from apiserver.endpoints.flow_objects import AUTOUPDATE, RESTORED_AFTER, FlowObjects
from tests.apiserver.endpoints.support import Client, make_api

FLOWS = "/apis/flowcontrol.apiserver.k8s.io/v1"
SCHEMAS, LEVELS = f"{FLOWS}/flowschemas", f"{FLOWS}/prioritylevelconfigurations"
MERGE = {"content-type": "application/merge-patch+json"}


class Lab:
    def __init__(self, client: Client) -> None:
        self.client = client
        self.tasks: list[asyncio.Future[None]] = []
        user = User("system:apiserver", (MASTERS,))
        self.care = FlowObjects(client.api, user, self._spawn)
        self.care.start()

    def _spawn(self, name: str, work: Any) -> None:
        self.tasks.append(asyncio.ensure_future(work))

    async def settle(self) -> None:
        """Wait until nothing is left to be written."""
        while self.tasks:
            await self.tasks.pop()
            await asyncio.sleep(0)

    async def later(self) -> None:
        """Let the time pass after which objects come back."""
        await self.settle()
        self.client.api.clock.advance(RESTORED_AFTER)  # type: ignore[attr-defined]
        await self.settle()

    async def get(self, path: str) -> Any:
        found = await self.client.get(path)
        return found.json() if found.status == 200 else None


@pytest.fixture
async def lab():
    made = Lab(Client(await make_api(ManualClock())))
    await made.settle()
    yield made
    made.care.stop()


def schema(name: str, level: str) -> dict[str, Any]:
    rule = {
        "subjects": [{"kind": "User", "user": {"name": "ann"}}],
        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/x"]}],
    }
    spec = {"priorityLevelConfiguration": {"name": level}, "rules": [rule]}
    return {"metadata": {"name": name}, "spec": spec}


async def test_nothing_is_written_where_all_is_well(lab: Lab):
    revision = lab.client.api.store.revision
    await lab.later()
    assert lab.client.api.store.revision == revision


async def test_a_schema_says_whether_its_level_is_there(lab: Lab):
    await lab.client.post(SCHEMAS, schema("s", "mine"))
    await lab.settle()

    async def condition() -> dict[str, str]:
        (found,) = (await lab.get(f"{SCHEMAS}/s"))["status"]["conditions"]
        assert found.pop("lastTransitionTime")
        return found

    about = 'This FlowSchema references the PriorityLevelConfiguration object named "mine"'
    assert await condition() == {
        "type": "Dangling",
        "status": "True",
        "reason": "NotFound",
        "message": f"{about} but there is no such object",
    }
    limited = {"limitResponse": {"type": "Reject"}}
    level = {"metadata": {"name": "mine"}, "spec": {"type": "Limited", "limited": limited}}
    await lab.client.post(LEVELS, level)
    await lab.settle()
    found = await condition()
    assert (found["status"], found["reason"]) == ("False", "Found")
    assert found["message"] == f"{about} and it exists"
    await lab.client.request("DELETE", f"{LEVELS}/mine")
    await lab.settle()
    assert (await condition())["status"] == "True"


async def test_what_is_deleted_comes_back(lab: Lab):
    await lab.client.request("DELETE", f"{SCHEMAS}/global-default")
    await lab.client.request("DELETE", f"{LEVELS}/catch-all")
    assert await lab.get(f"{SCHEMAS}/global-default") is None
    await lab.later()
    assert (await lab.get(f"{SCHEMAS}/global-default"))["spec"]["matchingPrecedence"] == 9900
    assert (await lab.get(f"{LEVELS}/catch-all"))["spec"]["limited"]["lendablePercent"] == 0


@pytest.mark.parametrize(
    ("name", "annotation", "shares"),
    [
        ("catch-all", "true", 5),
        ("catch-all", "false", 5),  # nobody may change what is mandatory
        ("workload-low", "true", 100),
        ("workload-low", "false", 7),
        ("workload-low", None, 7),  # it has been changed, and nobody has said that it is ours
    ],
)
async def test_specs_come_back_as_the_annotation_says(lab: Lab, name, annotation, shares):
    patch = {
        "metadata": {"annotations": {AUTOUPDATE: annotation}},
        "spec": {"limited": {"nominalConcurrencyShares": 7}},
    }
    await lab.client.request("PATCH", f"{LEVELS}/{name}", patch, MERGE)
    await lab.later()
    found = await lab.get(f"{LEVELS}/{name}")
    assert found["spec"]["limited"]["nominalConcurrencyShares"] == shares
    wanted = "true" if name == "catch-all" else annotation or "false"
    assert found["metadata"]["annotations"][AUTOUPDATE] == wanted


async def test_what_nobody_brings_any_more_goes(lab: Lab):
    old = schema("old", "exempt")
    old["metadata"]["annotations"] = {AUTOUPDATE: "true"}
    await lab.client.post(SCHEMAS, old)
    await lab.client.post(SCHEMAS, schema("mine", "exempt"))
    await lab.later()
    assert await lab.get(f"{SCHEMAS}/old") is None
    assert await lab.get(f"{SCHEMAS}/mine") is not None
