"""Fair, stingy, one worker to a key, and a backoff whose length is known."""

import asyncio

import pytest

from nodes.client.workqueue import WorkQueue

pytestmark = pytest.mark.looptime


@pytest.fixture
def queue(clock):
    return WorkQueue(clock)


def drain(queue):
    taken = []
    while (key := queue.take()) is not None:
        taken.append(key)
        queue.done(key)
    return taken


async def test_keys_come_in_order_and_once(queue):
    for key in "abacb":
        queue.add(key)
    assert drain(queue) == ["a", "b", "c"]


async def test_a_key_added_while_worked_on_comes_again_after_it(queue):
    queue.add("a")
    key = queue.take()
    queue.add("a")
    assert queue.take() is None
    queue.done(key)
    assert queue.take() == "a"


async def test_a_key_not_added_meanwhile_does_not_come_again(queue):
    queue.add("a")
    queue.done(queue.take())
    assert queue.take() is None
    assert queue.idle


async def test_the_earliest_wish_for_later_holds(queue):
    queue.add_after("a", 10)
    queue.add_after("a", 5)
    queue.add_after("a", 7)
    await asyncio.sleep(5.01)
    assert drain(queue) == ["a"]
    await asyncio.sleep(10)
    assert drain(queue) == []


async def test_backoff_doubles_from_5_ms_to_1000_s(queue):
    loop = asyncio.get_running_loop()
    waits = []
    for _ in range(20):
        began = loop.time()
        queue.add_rate_limited("a")
        key = await queue.get()
        waits.append(round(loop.time() - began, 3))
        queue.done(key)
    assert waits[:4] == [0.005, 0.01, 0.02, 0.04]
    assert waits[17:] == [655.36, 1000.0, 1000.0]
    queue.forget("a")
    assert queue.retries("a") == 0


async def test_get_serves_several_workers_one_key_each(queue):
    loop = asyncio.get_running_loop()
    workers = [loop.create_task(queue.get()) for _ in range(3)]
    await asyncio.sleep(0)
    queue.add("a")
    queue.add("b")
    queue.add("c")
    assert sorted(await asyncio.gather(*workers)) == ["a", "b", "c"]


async def test_close_ends_those_who_wait_and_takes_no_more(queue):
    worker = asyncio.get_running_loop().create_task(queue.get())
    queue.add_after("late", 1)
    await asyncio.sleep(0)
    queue.close()
    assert await worker is None
    queue.add("a")
    await asyncio.sleep(2)
    assert queue.take() is None
