"""Tasks of the site: what fails is logged, a service is started again, streams end when broken."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from playground.tasks import Tasks
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


@pytest.fixture
async def tasks():
    made = Tasks()
    yield made
    await made.stop()


async def test_a_service_that_fails_is_logged_and_started_again_after_longer_and_longer(
    tasks, caplog
):
    began = []

    async def service():
        began.append(asyncio.get_running_loop().time())
        if len(began) < 5:
            raise ValueError("this time not")

    tasks.serve(service, "flaky")
    await asyncio.sleep(10)
    pauses = [round(after - before, 3) for before, after in pairwise(began)]
    assert pauses == [0.1, 0.2, 0.4, 0.8]
    said = [record.message for record in caplog.records]
    assert said == ["task flaky failed, starting it again"] * 4


async def test_a_service_that_lived_long_is_started_again_soon(tasks):
    began = []

    async def service():
        began.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0 if len(began) < 9 else 60)
        raise ValueError("now")

    tasks.serve(service, "mostly well")
    await asyncio.sleep(200)
    pauses = [round(after - before, 3) for before, after in pairwise(began)]
    assert pauses[7:10] == [12.8, 60.1, 60.1]


async def test_a_task_that_is_done_once_is_logged_and_told_of(caplog):
    told = []
    tasks = Tasks(failed=lambda: told.append(True))

    async def work():
        raise ValueError("no")

    tasks.start(work(), "work")
    tasks.start(asyncio.sleep(1), "other")
    await asyncio.sleep(2)
    assert told == [True]
    assert [record.message for record in caplog.records] == ["task work failed"]


async def test_nothing_runs_on_after_the_end(tasks):
    ended = asyncio.Event()

    async def service():
        try:
            await asyncio.sleep(1e6)
        finally:
            ended.set()

    tasks.serve(service, "long")
    await asyncio.sleep(0)
    await tasks.stop()
    assert ended.is_set()
