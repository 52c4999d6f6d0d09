"""CronJobs: which Jobs are made when, and what is said of them."""

import pytest

from apimachinery.clock import format_time, parse_time
from apimachinery.errors import Conflict
from nodes.client.resources import CRONJOBS, JOBS
from tests.support.builders import obj

pytestmark = pytest.mark.looptime

CJ = "cronjob-controller"
# The rig's clock starts at 2026-01-02T03:04:05Z.


def cronjob(schedule="* * * * *", **spec):
    defaults = {
        "schedule": schedule,
        "concurrencyPolicy": "Allow",
        "suspend": False,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
        "jobTemplate": {
            "metadata": {"labels": {"app": "x"}, "annotations": {"a": "b"}},
            "spec": {"template": {"spec": {"containers": []}}},
        },
    }
    return obj("CronJob", "c", api_version="batch/v1", spec=defaults | spec)


def status(rig):
    return rig.need("cronjobs", "c").get("status") or {}


def active(rig):
    return [one["name"] for one in status(rig).get("active", ())]


async def finish(rig, name, end="Complete"):
    at = rig.clock.timestamp()
    condition = {"type": end, "status": "True", "lastTransitionTime": at}
    body = {"status": {"conditions": [condition], "completionTime": at, "startTime": at}}
    await rig.client.patch(JOBS, "default", name, body, subresource="status")


async def test_a_job_at_each_moment(rig):
    await rig.run(CJ)
    await rig.create(cronjob())
    await rig.settle(50)
    assert rig.names("jobs") == []
    await rig.settle(6)
    [name] = rig.names("jobs")
    made = rig.need("jobs", name)
    minutes = int(parse_time("2026-01-02T03:05:00Z").timestamp()) // 60
    assert name == f"c-{minutes}"
    assert made["metadata"]["labels"] == {"app": "x"}
    assert made["metadata"]["annotations"] == {
        "a": "b",
        "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-02T03:05:00Z",
    }
    assert made["metadata"]["ownerReferences"][0]["kind"] == "CronJob"
    assert status(rig)["lastScheduleTime"] == "2026-01-02T03:05:00Z"
    assert status(rig)["active"] == [
        {
            "kind": "Job",
            "namespace": "default",
            "name": name,
            "uid": made["metadata"]["uid"],
            "apiVersion": "batch/v1",
            "resourceVersion": made["metadata"]["resourceVersion"],
        }
    ]
    assert rig.events() == [f"Normal SuccessfulCreate Created job {name}"]
    await rig.settle(60)
    assert len(rig.names("jobs")) == 2


async def test_a_job_that_is_over_is_seen(rig):
    await rig.run(CJ)
    await rig.create(cronjob("0 * * * *"))
    await rig.settle(3600)
    [name] = rig.names("jobs")
    await finish(rig, name)
    await rig.settle(1)
    assert "active" not in status(rig)
    assert status(rig)["lastSuccessfulTime"] == rig.need("jobs", name)["status"]["completionTime"]
    assert (
        rig.events()[-1] == f"Normal SawCompletedJob Saw completed job: {name}, condition: Complete"
    )


async def test_only_the_last_few_are_kept(rig):
    await rig.run(CJ)
    await rig.create(cronjob(successfulJobsHistoryLimit=1))
    for _ in range(3):
        await rig.settle(60)
        await finish(rig, active(rig)[-1])
    await rig.settle(1)
    assert len(rig.names("jobs")) == 1
    assert sum("SuccessfulDelete Deleted job c-" in one for one in rig.events()) == 2


@pytest.mark.parametrize("end", ["Complete", "Failed"])
async def test_a_job_stays_until_the_status_tells_of_its_moment(rig, end):
    await rig.run(CJ)
    await rig.create(cronjob(successfulJobsHistoryLimit=0, failedJobsHistoryLimit=0))
    behind = Conflict(CRONJOBS.group_resource, "c", "behind")
    rig.transport_for(rig.account(CJ)).fail("update", "cronjobs", behind, times=3)
    await rig.until(lambda: rig.names("jobs"), within=60)
    [name] = rig.names("jobs")
    assert "lastScheduleTime" not in status(rig)
    await finish(rig, name, end)
    await rig.until(lambda: not rig.names("jobs"))
    assert status(rig)["lastScheduleTime"] == "2026-01-02T03:05:00Z"
    await rig.settle(30)
    assert rig.names("jobs") == []
    assert sum("Created job" in one for one in rig.events()) == 1


@pytest.mark.parametrize("change", [{"suspend": True}, {"schedule": "0 0 1 1 *"}])
async def test_a_job_goes_where_its_moment_is_not_due_any_more(rig, change):
    await rig.run(CJ)
    await rig.create(cronjob(successfulJobsHistoryLimit=0))
    behind = Conflict(CRONJOBS.group_resource, "c", "behind")
    rig.transport_for(rig.account(CJ)).fail("update", "cronjobs", behind, times=3)
    await rig.until(lambda: rig.names("jobs"), within=60)
    await rig.client.patch(CRONJOBS, "default", "c", {"spec": change})
    [name] = rig.names("jobs")
    await finish(rig, name)
    await rig.until(lambda: not rig.names("jobs"))


async def test_forbid_waits_for_the_one_before(rig):
    await rig.run(CJ)
    await rig.create(cronjob(concurrencyPolicy="Forbid"))
    await rig.settle(119)
    [name] = rig.names("jobs")
    assert rig.events()[-1] == (
        "Normal JobAlreadyActive Not starting job because prior execution is running and"
        " concurrency policy is Forbid"
    )
    await finish(rig, name)
    await rig.settle(1)
    # The moment that was missed is made up for.
    assert len(rig.names("jobs")) == 2


async def test_replace_ends_the_one_before(rig):
    await rig.run(CJ)
    await rig.create(cronjob(concurrencyPolicy="Replace"))
    await rig.settle(56)
    [first] = rig.names("jobs")
    await rig.settle(60)
    [second] = rig.names("jobs")
    assert first != second
    assert active(rig) == [second]


async def test_a_suspended_one_rests(rig):
    await rig.run(CJ)
    await rig.create(cronjob(suspend=True))
    await rig.settle(200)
    assert rig.names("jobs") == []
    await rig.client.patch(CRONJOBS, "default", "c", {"spec": {"suspend": False}})
    await rig.settle(1)
    # Only the last of the missed moments.
    assert len(rig.names("jobs")) == 1


async def test_what_is_past_its_deadline_is_not_made_up_for(rig):
    made = cronjob("0 3 * * *", startingDeadlineSeconds=10)
    await rig.create(made.meta(creationTimestamp="2026-01-01T00:00:00Z"))
    await rig.run(CJ)
    await rig.settle(1)
    assert rig.names("jobs") == []


async def test_many_missed_moments_are_told_of_and_the_last_is_made_up_for(rig):
    await rig.create(cronjob().meta(creationTimestamp="2026-01-01T00:00:00Z"))
    await rig.run(CJ)
    await rig.settle(1)
    assert rig.events() == [
        (
            "Warning TooManyMissedTimes too many missed start times. Set or decrease"
            " .spec.startingDeadlineSeconds or check clock skew"
        ),
        f"Normal SuccessfulCreate Created job {rig.names('jobs')[0]}",
    ]
    assert status(rig)["lastScheduleTime"] == "2026-01-02T03:04:00Z"


async def test_time_zones(rig):
    await rig.run(CJ)
    await rig.create(cronjob("0 13 * * *", timeZone="Asia/Tokyo"))
    await rig.settle(3600)
    [name] = rig.names("jobs")
    notes = rig.need("jobs", name)["metadata"]["annotations"]
    assert notes["batch.kubernetes.io/cronjob-scheduled-timestamp"] == "2026-01-02T13:00:00+09:00"
    assert status(rig)["lastScheduleTime"] == "2026-01-02T04:00:00Z"


@pytest.mark.parametrize(
    ("spec", "event"),
    [
        (
            {"schedule": "61 * * * *"},
            (
                'UnparseableSchedule unparseable schedule: "61 * * * *" : end of range (61) above'
                " maximum (59): 61"
            ),
        ),
        (
            {"timeZone": "Mars/Base"},
            'UnknownTimeZone invalid timeZone: "Mars/Base": unknown time zone Mars/Base',
        ),
        (
            {"schedule": "0 0 31 2 *"},
            (
                "InvalidSchedule invalid schedule: 0 0 31 2 * : time difference between two"
                " schedules is less than 1 second"
            ),
        ),
    ],
)
async def test_what_cannot_be_kept_is_told_of(rig, spec, event):
    await rig.run(CJ)
    await rig.create(cronjob(**spec))
    await rig.settle(100)
    assert rig.events() == [f"Warning {event}"]
    assert rig.names("jobs") == []


async def test_an_active_job_that_is_gone_is_told_of(rig):
    await rig.run(CJ)
    await rig.create(cronjob("0 * * * *"))
    await rig.settle(3600)
    [name] = rig.names("jobs")
    await rig.client.delete(JOBS, "default", name)
    await rig.settle(1)
    assert rig.events()[-1] == f"Normal MissingJob Active job went missing: {name}"
    assert "active" not in status(rig)


async def test_it_costs_nothing_between_moments(rig):
    await rig.run(CJ)
    await rig.create(cronjob("0 * * * *"))
    await rig.settle(1)
    before = len(rig.api.calls)
    await rig.settle(3000)
    assert len(rig.api.calls) == before


# What goes after its time.


def ended_job(rig, ttl, end="Complete", ago=0):
    at = format_time(parse_time(rig.clock.timestamp())) if not ago else "2026-01-02T03:00:00Z"
    made = obj("Job", "j", api_version="batch/v1", spec={"ttlSecondsAfterFinished": ttl})
    return made.condition(end, "True", lastTransitionTime=at)


@pytest.mark.parametrize("end", ["Complete", "Failed"])
async def test_a_job_goes_after_its_time(rig, end):
    await rig.run("ttl-after-finished-controller")
    await rig.create(ended_job(rig, 60, end))
    await rig.settle(59)
    assert rig.names("jobs") == ["j"]
    await rig.settle(2)
    assert rig.need("jobs", "j")["metadata"]["finalizers"] == ["foregroundDeletion"]


async def test_a_job_that_runs_stays(rig):
    await rig.run("ttl-after-finished-controller")
    await rig.create(obj("Job", "j", api_version="batch/v1", spec={"ttlSecondsAfterFinished": 0}))
    await rig.settle(60)
    assert "deletionTimestamp" not in rig.need("jobs", "j")["metadata"]
