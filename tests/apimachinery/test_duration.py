"""Ages and Go durations."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apimachinery.duration import (
    format_duration,
    human_duration,
    parse_duration,
    translate_timestamp_since,
)

# The machine that runs this may be busy with other things.
QUICK = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


M, H, D, Y = 60, 3600, 86400, 365 * 86400


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-2, "<invalid>"),
        (-1.5, "0s"),
        (0, "0s"),
        (59.9, "59s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (10 * M + 5, "10m"),
        (3 * H - 1, "179m"),
        (3 * H, "3h"),
        (7 * H + 5 * M, "7h5m"),
        (8 * H + 5 * M, "8h"),
        (48 * H, "2d"),
        (49 * H, "2d1h"),
        (8 * D + H, "8d"),
        (729 * D, "729d"),
        (2 * Y, "2y"),
        (2 * Y + D, "2y1d"),
        (9 * Y + D, "9y"),
    ],
)
def test_ages(seconds, shown):
    assert human_duration(seconds) == shown


def test_timestamps():
    assert translate_timestamp_since("1970-01-01T00:00:10Z", 100.0) == "90s"
    assert translate_timestamp_since(None, 0) == "<unknown>"
    assert translate_timestamp_since("soon", 0) == "<unknown>"


@pytest.mark.parametrize(
    ("text", "seconds", "printed"),
    [
        ("0", 0, "0s"),
        ("1h30m", 5400, "1h30m0s"),
        ("1.5h", 5400, "1h30m0s"),
        ("300ms", 0.3, "300ms"),
        ("1500ms", 1.5, "1.5s"),
        ("-1.5s", -1.5, "-1.5s"),
        (".5s", 0.5, "500ms"),
        ("2us", 0.000002, "2µs"),
        ("720h", 2592000, "720h0m0s"),
        ("1m1.25s", 61.25, "1m1.25s"),
    ],
)
def test_go_durations(text, seconds, printed):
    assert parse_duration(text) == pytest.approx(seconds)
    assert format_duration(seconds) == printed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'time: invalid duration ""'),
        ("-", 'time: invalid duration "-"'),
        ("1", 'time: missing unit in duration "1"'),
        ("1d", 'time: unknown unit "d" in duration "1d"'),
        ("h", 'time: invalid duration "h"'),
        (".s", 'time: invalid duration ".s"'),
        ("9999999999h", 'time: invalid duration "9999999999h"'),
    ],
)
def test_refusals(text, message):
    with pytest.raises(ValueError, match="time:") as caught:
        parse_duration(text)
    assert str(caught.value) == message


@QUICK
@given(st.integers(0, 10**15))
def test_printing_and_reading_give_the_same_duration(micros):
    assert parse_duration(format_duration(micros / 10**6)) == pytest.approx(micros / 10**6)
