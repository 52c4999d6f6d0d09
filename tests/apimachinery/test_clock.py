"""How moments are printed."""

import pytest

from apimachinery.clock import ManualClock

NEW_YEAR = 1_767_225_600.0


@pytest.mark.parametrize(
    ("seconds", "second", "micro"),
    [
        (0.0, "00:00:00", "00:00:00.000000"),
        (5.000006, "00:00:05", "00:00:05.000006"),
        (5.25, "00:00:05", "00:00:05.250000"),
        # So near to the next second that it is that one, to the microsecond.
        (59.9999997, "00:00:59", "00:01:00.000000"),
    ],
)
def test_a_moment_to_the_second_and_to_the_microsecond(seconds, second, micro):
    clock = ManualClock(NEW_YEAR + seconds)
    for _ in range(2):
        assert clock.timestamp() == f"2026-01-01T{second}Z"
        assert clock.micro_timestamp() == f"2026-01-01T{micro}Z"
