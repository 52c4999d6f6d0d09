"""Calls that wait for their turn."""

import asyncio

import pytest

from apimachinery.errors import NotFound
from apimachinery.gvk import GroupResource
from nodes.client.resources import CONFIGMAPS
from nodes.client.rest import Client
from nodes.client.turns import Turns
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


class Slow:
    """A transport that takes a second for each call."""

    def __init__(self):
        self.under_way = self.most = 0
        self.order = []

    async def call(self, call):
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.order.append(call.name)
        try:
            await asyncio.sleep(1)
            if call.name == "none":
                raise NotFound(GroupResource("", "configmaps"), "none")
            return {}
        finally:
            self.under_way -= 1

    def watch(self, *arguments):
        return arguments


async def test_so_many_are_under_way_and_the_others_wait_in_order():
    slow = Slow()
    client = Client(Turns(slow, 3))
    names = [f"c{number}" for number in range(10)]
    began = asyncio.get_running_loop().time()
    await asyncio.gather(*(client.get(CONFIGMAPS, "default", name) for name in names))
    assert (slow.most, slow.order) == (3, names)
    assert asyncio.get_running_loop().time() - began == pytest.approx(4)


async def test_a_refusal_and_one_who_gives_up_leave_their_turn():
    slow = Slow()
    client = Client(Turns(slow, 1))
    with pytest.raises(NotFound):
        await client.get(CONFIGMAPS, "default", "none")
    waiting = asyncio.ensure_future(client.get(CONFIGMAPS, "default", "first"))
    given_up = asyncio.ensure_future(client.get(CONFIGMAPS, "default", "second"))
    await asyncio.sleep(0.5)
    given_up.cancel()
    await client.get(CONFIGMAPS, "default", "third")
    assert waiting.done()
    assert slow.order == ["none", "first", "third"]


def test_watches_are_not_counted():
    assert Turns(Slow(), 1).watch(1, 2, 3, 4) == (1, 2, 3, 4)


async def test_several_share_turns_and_none_waits_for_its_own_first():
    slow, shared = Slow(), asyncio.Semaphore(4)
    clients = [Client(Turns(Turns(slow, shared), 3)) for _ in range(3)]
    await asyncio.gather(
        *(client.get(CONFIGMAPS, "default", "a") for client in clients for _ in range(4))
    )
    assert slow.most == 4
