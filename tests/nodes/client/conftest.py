"""A cluster of nothing but an API in a dict, a clock on virtual time, and a set of tasks."""

import pytest

from nodes.client.loopclock import LoopClock
from nodes.client.supervise import TaskSet
from tests.support.fakeapi import FakeApi

EPOCH = 1_767_323_045.0


@pytest.fixture
async def clock():
    return LoopClock(epoch=EPOCH)


@pytest.fixture
async def tasks(clock):
    tasks = TaskSet(clock, "test")
    yield tasks
    await tasks.close()


@pytest.fixture
async def api(clock):
    return FakeApi(clock)
