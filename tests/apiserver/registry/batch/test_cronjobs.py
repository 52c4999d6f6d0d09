"""CronJobs: schedules, time zones, names that leave room, and rows."""

from __future__ import annotations

import pytest

from apimachinery.cron import CronError, parse_schedule
from apiserver.registry.batch import CRONJOBS
from tests.apiserver.registry.trying import cells, create_errors, created, update_errors

JOB = {
    "spec": {
        "template": {
            "spec": {"restartPolicy": "OnFailure", "containers": [{"name": "c", "image": "i:1"}]}
        }
    }
}


def spec(**more):
    return {"schedule": "*/5 * * * *", "jobTemplate": JOB, **more}


@pytest.mark.parametrize(
    "schedule",
    [
        "* * * * *",
        "*/5 0-6 1,15 jan-mar MON",
        "0 0 ? * *",
        "@hourly",
        "@every 1h30m",
        "5/15 * * * *",
    ],
)
def test_good_schedules(schedule):
    parse_schedule(schedule)


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        ("bad", "expected exactly 5 fields, found 1: [bad]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
        ("@often", "unrecognized descriptor: @often"),
        ("@every x", 'failed to parse duration @every x: time: invalid duration "x"'),
    ],
)
def test_bad_schedules(schedule, why):
    with pytest.raises(CronError) as error:
        parse_schedule(schedule)
    assert str(error.value) == why
    assert create_errors(CRONJOBS, spec=spec(schedule=schedule)) == [
        f'spec.schedule: Invalid value: "{schedule}": {why}'
    ]


@pytest.mark.parametrize(
    ("zone", "errors"),
    [
        ("Europe/Berlin", []),
        ("UTC", []),
        ("", ["timeZone must be nil or non-empty string"]),
        ("Mars/Olympus", ["unknown time zone Mars/Olympus"]),
        ("../etc", ["unknown time zone ../etc"]),
    ],
)
def test_time_zones(zone, errors):
    found = create_errors(CRONJOBS, spec=spec(timeZone=zone))
    assert found == [f'spec.timeZone: Invalid value: "{zone}": {why}' for why in errors]


def test_defaults_and_row():
    job = created(CRONJOBS, spec=spec())
    assert {k: v for k, v in job["spec"].items() if k not in ("schedule", "jobTemplate")} == {
        "concurrencyPolicy": "Allow",
        "suspend": False,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
    }
    row = cells(CRONJOBS, job)
    assert row[1:6] == ["*/5 * * * *", "<none>", "False", 0, "<none>"]
    assert row[7:] == ["c", "i:1", "<none>"]


def test_zone_in_the_schedule_is_refused_unless_it_was_there():
    zoned = "TZ=UTC 1 * * * *"
    why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
    assert create_errors(CRONJOBS, spec=spec(schedule=zoned)) == [
        f'spec.schedule: Invalid value: "{zoned}": {why}'
    ]
    old = created(CRONJOBS, spec=spec(schedule=zoned))
    assert update_errors(CRONJOBS, old, lambda job: job["spec"].update(suspend=True)) == []


def test_names_leave_room_for_those_of_jobs():
    assert create_errors(CRONJOBS, "a" * 53, spec=spec()) == [
        f'metadata.name: Invalid value: "{"a" * 53}": must be no more than 52 characters'
    ]


def test_job_template_has_no_selector():
    job = {"spec": JOB["spec"] | {"selector": {"matchLabels": {"a": "b"}}, "manualSelector": True}}
    assert create_errors(CRONJOBS, spec=spec(jobTemplate=job, concurrencyPolicy="No")) == [
        (
            'spec.concurrencyPolicy: Unsupported value: "No": '
            'supported values: "Allow", "Forbid", "Replace"'
        ),
        (
            'spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: '
            "`selector` will be auto-generated"
        ),
        (
            "spec.jobTemplate.spec.manualSelector: Unsupported value: true: "
            'supported values: "nil", "false"'
        ),
    ]
