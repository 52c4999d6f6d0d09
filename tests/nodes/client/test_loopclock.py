"""Cluster time follows the loop, faster, slower or not at all."""

import asyncio
import time

import pytest

from nodes.client.loopclock import LoopClock
from tests.nodes.client.conftest import EPOCH

pytestmark = pytest.mark.looptime


async def test_seconds_follow_the_loop(clock):
    assert clock.seconds() == EPOCH
    await asyncio.sleep(90)
    assert clock.seconds() == pytest.approx(EPOCH + 90, abs=0.001)
    assert clock.timestamp() == "2026-01-02T03:05:35Z"


async def test_timers_fire_in_order_of_their_moment(clock):
    seen = []
    for delay in (3, 1, 2):
        clock.call_later(delay, seen.append, delay)
    await clock.sleep(2.5)
    assert seen == [1, 2]
    await clock.sleep(1)
    assert seen == [1, 2, 3]


async def test_a_cancelled_timer_is_silent_even_at_its_own_moment(clock):
    seen = []
    late = clock.call_later(1, seen.append, "late")
    clock.call_later(0.5, late.cancel)
    await clock.sleep(2)
    assert seen == []


async def test_a_failing_timer_leaves_the_others(clock, caplog):
    seen = []
    clock.call_later(1, lambda: 1 / 0)
    clock.call_later(1, seen.append, "after")
    await clock.sleep(2)
    assert seen == ["after"]
    assert "timer failed" in caplog.text


async def test_rate_shortens_what_already_waits(clock):
    loop = asyncio.get_running_loop()
    started = loop.time()
    waiting = loop.create_task(clock.sleep(100))
    await asyncio.sleep(10)
    clock.set_rate(9)
    await waiting
    assert loop.time() - started == pytest.approx(20, abs=0.01)
    assert clock.seconds() == pytest.approx(EPOCH + 100, abs=0.01)


async def test_pause_holds_timers_and_resume_lets_them_go(clock):
    seen = []
    clock.call_later(5, seen.append, "x")
    clock.pause()
    await asyncio.sleep(1000)
    assert (seen, clock.seconds()) == ([], EPOCH)
    clock.resume()
    await asyncio.sleep(5.1)
    assert seen == ["x"]


async def test_step_moves_a_paused_clock(clock):
    seen = []
    clock.call_later(5, seen.append, "x")
    clock.pause()
    clock.step(4)
    assert seen == []
    clock.step(1)
    assert seen == ["x"]
    assert clock.seconds() == EPOCH + 5


async def test_what_a_step_sets_off_at_once_is_called_although_the_clock_is_paused(clock):
    seen = []

    def first():
        clock.call_later(0, seen.append, "at once")
        clock.call_later(1, seen.append, "later")

    clock.call_later(5, first)
    clock.pause()
    clock.step(6)
    await asyncio.sleep(1000)
    assert (seen, clock.seconds()) == (["at once"], EPOCH + 6)


async def test_a_rate_of_nothing_is_refused(clock):
    with pytest.raises(ValueError, match="more than nothing"):
        clock.set_rate(0)


async def test_time_that_is_sped_up_stops_at_each_timer(clock):
    """A busy loop comes late to a timer: what it was late by is nobody's time."""
    seen = []
    clock.set_rate(100)
    clock.call_later(10, lambda: seen.append(clock.seconds() - EPOCH))
    clock.call_later(11, lambda: seen.append(clock.seconds() - EPOCH))
    time.sleep(0.2)  # noqa: ASYNC251 - nothing else of the loop has its turn
    assert clock.seconds() - EPOCH <= 10
    await asyncio.sleep(0.2)
    assert seen == [pytest.approx(10), pytest.approx(11)]


async def test_a_hundred_times_as_fast_is_a_hundred_times_as_fast(clock):
    loop = asyncio.get_running_loop()
    clock.set_rate(100)
    seen, began = [], loop.time()

    def again():
        seen.append(loop.time() - began)
        if len(seen) < 10:
            clock.call_later(60, again)

    clock.call_later(60, again)
    await asyncio.sleep(6.1)
    assert len(seen) == 10
    assert seen[-1] == pytest.approx(6, abs=0.05)


async def test_it_is_told_how_far_ahead_it_is():
    clock = LoopClock(epoch=EPOCH, ahead=100)
    assert clock.seconds() == EPOCH + 100
    assert clock.ahead() == pytest.approx(100)
    clock.set_rate(10)
    await asyncio.sleep(10)
    assert clock.ahead() == pytest.approx(190)
    clock.pause()
    await asyncio.sleep(200)
    assert clock.ahead() == pytest.approx(-10)


async def test_advance_goes_to_the_next_timer_and_no_further(clock):
    seen = []
    clock.pause()
    for delay in (5, 7):
        clock.call_later(delay, seen.append, delay)
    clock.call_later(1, seen.append, "cancelled").cancel()
    assert clock.advance(60) == pytest.approx(5)
    assert seen == [5]
    assert clock.advance(1) == pytest.approx(1)
    assert seen == [5]
    assert clock.next_due() == pytest.approx(EPOCH + 7)
    assert clock.advance(60) == pytest.approx(1)
    assert clock.advance(60) == pytest.approx(60)
    assert seen == [5, 7]


async def test_who_looks_again_when_time_is_up_comes_to_an_end(clock):
    # As far into an epoch as we are, the smallest steps of a float are a tenth of a microsecond.
    end, looks = clock.seconds() + 60.0000004, []

    def look():
        looks.append(clock.seconds())
        if (left := end - clock.seconds()) > 0:
            clock.call_later(left, look)

    clock.call_later(59.9999995, look)
    await clock.sleep(61)
    assert len(looks) < 10
    assert looks[-1] >= end


async def test_a_timer_that_makes_another_lets_the_loop_turn(clock):
    turns = []

    def again():
        turns.append("timer")
        if turns.count("timer") == 1:
            asyncio.get_running_loop().call_soon(turns.append, "loop")
        if turns.count("timer") < 4:
            clock.call_later(0, again)

    clock.call_later(1, again)
    await clock.sleep(2)
    assert turns.index("loop") < 3
