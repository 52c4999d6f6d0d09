"""CronJobs: what they do when their last Job still runs."""

import asyncio

import pytest

from tests.integration.conformance.conftest import NAMESPACE
from tests.integration.conformance.test_operations import discovered, lives
from tests.integration.conformance.workloads import template
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

GROUP = "[sig-apps] CronJob "
BATCH = f"/apis/batch/v1/namespaces/{NAMESPACE}"
CRON = f"{BATCH}/cronjobs/cron"


def cron_job(name="cron", policy="Allow", schedule="*/1 * * * ?", labels=None, **spec):
    pods = template({}, "busybox:1.37", {"command": ["sleep", "300"]}, restartPolicy="OnFailure")
    return {
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {
            "schedule": schedule,
            "concurrencyPolicy": policy,
            "jobTemplate": {"spec": {"template": pods}},
            **spec,
        },
    }


async def active(world, count, within=300):
    """Wait until so many Jobs are active; return their names."""

    def check(found):
        return len(found.get("status", {}).get("active") or ()) >= count

    found = await world.until(CRON, check, within)
    return [one["name"] for one in found["status"]["active"]]


async def unfinished(world):
    items = (await world.get(f"{BATCH}/jobs"))["items"]
    return [o["metadata"]["name"] for o in items if not o["status"].get("completionTime")]


@pytest.mark.conformance(GROUP + "should schedule multiple jobs concurrently")
async def test_allow(world):
    await world.create(f"{BATCH}/cronjobs", cron_job())
    names = await active(world, 2)
    assert sorted(await unfinished(world)) == sorted(names)


@pytest.mark.conformance(GROUP + "should not schedule jobs when suspended [Slow]")
async def test_suspended(world):
    await world.create(f"{BATCH}/cronjobs", cron_job(suspend=True))
    await asyncio.sleep(300)  # virtual
    assert not (await world.get(CRON))["status"].get("active")
    assert not (await world.get(f"{BATCH}/jobs"))["items"]


@pytest.mark.conformance(GROUP + "should not schedule new jobs when ForbidConcurrent [Slow]")
async def test_forbid(world):
    await world.create(f"{BATCH}/cronjobs", cron_job(policy="Forbid"))
    first = await active(world, 1)
    assert len(first) == 1
    await asyncio.sleep(240)  # virtual: its Job runs for five minutes
    assert await active(world, 1) == first == await unfinished(world)


@pytest.mark.conformance(GROUP + "should replace jobs when ReplaceConcurrent")
async def test_replace(world):
    await world.create(f"{BATCH}/cronjobs", cron_job(policy="Replace"))
    (first,) = await active(world, 1)
    assert await unfinished(world) == [first]
    await world.gone(f"{BATCH}/jobs/{first}", within=120)
    (second,) = await active(world, 1)
    assert second != first


@pytest.mark.conformance(GROUP + "should support CronJob API operations")
async def test_operations(world):
    await discovered(world, "batch", "v1", "cronjobs", "cronjobs/status")
    # Not before next year, so that nothing happens to it meanwhile.
    yearly = {"schedule": "0 0 1 1 *", "labels": {"conformance": "yes"}, "suspend": True}
    await lives(world, f"{BATCH}/cronjobs", lambda name: cron_job(name, **yearly))

    await world.create(f"{BATCH}/cronjobs", cron_job(**yearly))
    stamps = ["2026-01-02T03:04:00Z", "2026-01-02T03:05:00Z"]
    body = {"metadata": {"annotations": {"p": "1"}}, "status": {"lastScheduleTime": stamps[0]}}
    patched = await world.patch(f"{CRON}/status", body)
    assert patched["status"]["lastScheduleTime"] == stamps[0]
    assert patched["metadata"]["annotations"]["p"] == "1"

    def later(found):
        found["status"]["lastScheduleTime"] = stamps[1]

    await world.update(CRON, later, to="/status")
    assert (await world.get(f"{CRON}/status"))["status"]["lastScheduleTime"] == stamps[1]
