"""The moments that schedules name."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from apimachinery.cron import CronError, parse_schedule


def moments(schedule, after, count, zone=UTC):
    """Return the next moments as the wall of the zone shows them."""
    found, moment = [], datetime.fromisoformat(after).replace(tzinfo=zone)
    for _ in range(count):
        moment = parse_schedule(schedule, zone).next(moment)
        found.append(moment.astimezone(zone).strftime("%Y-%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        ("* * * * *", "2026-01-01T00:00:30", ["2026-01-01 00:01", "2026-01-01 00:02"]),
        ("*/15 * * * *", "2026-01-01T00:00:00", ["2026-01-01 00:15", "2026-01-01 00:30"]),
        ("5-10/5 * * * *", "2026-01-01T00:06:00", ["2026-01-01 00:10", "2026-01-01 01:05"]),
        ("30 4 * * ?", "2026-01-01T04:30:00", ["2026-01-02 04:30", "2026-01-03 04:30"]),
        ("0 9-17/4 * * mon-fri", "2026-01-02T17:00:00", ["2026-01-05 09:00", "2026-01-05 13:00"]),
        ("0 0 1 JAN,jul *", "2026-01-01T00:00:00", ["2026-07-01 00:00", "2027-01-01 00:00"]),
        ("0 0 29 2 *", "2026-01-01T00:00:00", ["2028-02-29 00:00"]),
        # Days of the month or of the week, where both are restricted; both where one is not.
        ("0 0 13 * 5", "2026-03-01T00:00:00", ["2026-03-06 00:00", "2026-03-13 00:00"]),
        ("0 0 */2 * 1", "2026-03-02T00:00:00", ["2026-03-03 00:00", "2026-03-05 00:00"]),
        ("0 0 * * 1", "2026-03-02T00:00:00", ["2026-03-09 00:00"]),
        ("@hourly", "2026-01-01T00:59:59", ["2026-01-01 01:00"]),
        ("@weekly", "2026-01-01T00:00:00", ["2026-01-04 00:00"]),
        ("@yearly", "2026-01-01T00:00:00", ["2027-01-01 00:00"]),
        ("@every 90m", "2026-01-01T00:00:00", ["2026-01-01 01:30", "2026-01-01 03:00"]),
        ("TZ=Asia/Tokyo 0 9 * * *", "2026-01-01T00:00:00", ["2026-01-02 00:00"]),
    ],
)
def test_next(schedule, after, expected):
    assert moments(schedule, after, len(expected)) == expected


BERLIN = ZoneInfo("Europe/Berlin")


def test_an_hour_that_is_skipped_does_not_come():
    assert moments("30 2 * * *", "2026-03-28T12:00:00", 1, BERLIN) == ["2026-03-30 02:30"]
    assert moments("0 * * * *", "2026-03-29T01:00:00", 2, BERLIN) == [
        "2026-03-29 03:00",
        "2026-03-29 04:00",
    ]


def test_an_hour_that_is_repeated_comes_twice():
    assert moments("30 2 * * *", "2026-10-25T00:00:00", 3, BERLIN) == [
        "2026-10-25 02:30",
        "2026-10-25 02:30",
        "2026-10-26 02:30",
    ]


def test_days_begin_at_midnight_of_the_zone():
    assert moments("0 0 * * 0", "2026-03-28T23:00:00", 2, BERLIN) == [
        "2026-03-29 00:00",
        "2026-04-05 00:00",
    ]


def test_a_day_that_never_comes():
    assert parse_schedule("59 23 31 2 *").next(datetime(2026, 1, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        ("TZ=Mars/Base * * * * *", "provided bad location Mars/Base: unknown time zone Mars/Base"),
        ("@every x", 'failed to parse duration @every x: time: invalid duration "x"'),
        ("* * * * 7", "end of range (7) above maximum (6): 7"),
    ],
)
def test_refused(schedule, why):
    with pytest.raises(CronError) as error:
        parse_schedule(schedule)
    assert str(error.value) == why
