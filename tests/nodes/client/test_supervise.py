"""Tasks fail loudly, services come back, all end at close."""

import asyncio
import itertools

import pytest

pytestmark = pytest.mark.looptime


async def test_a_failure_is_logged(tasks, caplog):
    async def work():
        raise ValueError("broken")

    tasks.spawn("work", work())
    await asyncio.sleep(1)
    assert "task failed: test work" in caplog.text
    assert len(tasks) == 0


async def test_a_service_comes_back_after_growing_pauses(tasks, caplog):
    starts = []

    async def service():
        starts.append(asyncio.get_running_loop().time())
        if len(starts) < 4:
            raise ValueError("broken")

    tasks.serve("service", service)
    await asyncio.sleep(5)
    pauses = [round(b - a, 2) for a, b in itertools.pairwise(starts)]
    assert pauses == [0.1, 0.2, 0.4]
    assert len(tasks) == 0


async def test_close_ends_all_and_takes_no_more(tasks):
    ended = []

    async def work():
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append("work")

    tasks.spawn("work", work())
    await asyncio.sleep(0)
    await tasks.close()
    assert ended == ["work"]
    tasks.spawn("late", work())
    assert len(tasks) == 0
