"""How busy an API was, from requests that ended at given times."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from apiserver.endpoints.pace import SLOTS, Pace, bounds_of, class_of, quantiles


@dataclass
class Ended:
    """What `Pace` asks of a trace."""

    began: float
    seconds: float = 0.001
    agent: str = ""
    of_people: bool = False
    code: int = 200
    wrote: list = field(default_factory=list)


@pytest.fixture
def pace():
    return Pace()


def test_requests_are_told_by_who_asked(pace):
    pace.add(Ended(100.1))
    pace.add(Ended(100.2, agent="kubectl", of_people=True, wrote=[1, 2]))
    pace.add(Ended(101.0, agent="kubeground-site"))
    pace.add(Ended(102.5, agent="kubectl", of_people=True, code=404))
    told = pace.read(104.5, 6)
    assert told["people"] == [0, 1, 1]
    assert told["workers"] == [0, 1, 0]
    assert told["pages"] == [0, 1, 0]
    assert told["refused"] == [0, 0, 1]
    assert told["writes"] == [0, 2, 0]
    assert told["age"] == pytest.approx(0.5)


def test_the_slot_that_runs_is_not_told(pace):
    pace.add(Ended(100.5))
    assert pace.read(101.9, 4)["workers"] == [0, 0]
    assert pace.read(102.0, 4)["workers"] == [0, 1]


def test_a_pause_is_nothing_and_not_the_past(pace):
    pace.add(Ended(10))
    pace.add(Ended(500))
    told = pace.read(503, 20)
    assert told["workers"] == [0] * 9 + [1]
    assert told["quantiles"]["p50"][:9] == [None] * 9


def test_old_slots_are_forgotten(pace):
    for at in range(0, 4 * SLOTS, 2):
        pace.add(Ended(float(at)))
    assert pace.read(4.0 * SLOTS, 10_000)["workers"] == [1] * SLOTS


def test_a_request_that_ends_late_is_counted_with_the_newest(pace):
    pace.add(Ended(10))
    pace.add(Ended(7))
    assert pace.read(12, 4)["workers"] == [0, 2]


@pytest.mark.parametrize("micros", [0, 1, 3, 4, 7, 8, 100, 999, 1500, 10**6, 30 * 10**6])
def test_a_latency_lies_between_the_bounds_of_its_class(micros):
    low, high = bounds_of(class_of((micros + 0.5) / 1e6))
    assert low <= micros / 1e6 <= high
    assert high - low <= max(1e-6, low / 4 + 1e-9)


def test_quantiles_are_off_by_an_eighth_at_most(pace):
    for milli in range(1, 1001):
        pace.add(Ended(100, seconds=milli / 1000))
    told = pace.read(110, 20)["whole"]
    assert told["p50"] == pytest.approx(0.5, rel=0.125)
    assert told["p95"] == pytest.approx(0.95, rel=0.125)
    assert told["p99"] == pytest.approx(0.99, rel=0.125)


def test_nothing_has_no_quantiles():
    assert quantiles([0] * 10) == {"p50": None, "p95": None, "p99": None}
