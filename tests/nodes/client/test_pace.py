"""Token buckets."""

import pytest

from nodes.client.pace import CONTROLLER, Meter, Pace


def test_a_burst_and_then_so_many_a_second():
    meter = Meter(CONTROLLER)
    at_once = [meter.take(1000.0) for _ in range(40)]
    assert at_once == [True] * 30 + [False] * 10
    taken = sum(meter.take(1000.0 + moment / 1000) for moment in range(1, 1001))
    assert taken == 20


def test_what_is_not_used_is_saved_up_to_a_burst():
    meter = Meter(Pace(10.0, 5))
    assert [meter.take(0.0) for _ in range(6)] == [True] * 5 + [False]
    assert [meter.take(0.25) for _ in range(3)] == [True, True, False]
    assert [meter.take(900.0) for _ in range(6)] == [True] * 5 + [False]


@pytest.mark.parametrize(("tokens", "wait"), [(1, 0.1), (3, 0.3), (5, 0.5), (90, 0.5)])
def test_how_long_to_wait(tokens, wait):
    meter = Meter(Pace(10.0, 5))
    assert meter.wait(7.0, tokens) == 0
    for _ in range(5):
        meter.take(7.0)
    assert meter.wait(7.0, tokens) == pytest.approx(wait)
    assert meter.wait(7.0 + wait, tokens) == 0


def test_a_clock_that_is_set_back_silences_nobody():
    meter = Meter(CONTROLLER)
    assert meter.take(5000.0)
    assert [meter.take(100.0) for _ in range(31)] == [True] * 30 + [False]
