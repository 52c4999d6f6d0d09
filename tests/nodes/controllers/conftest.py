"""One or several controllers against an API in a dict, on virtual time."""

import asyncio

import pytest

from apimachinery.meta import name_of
from nodes.client.events import EventSink
from nodes.client.loopclock import LoopClock
from nodes.client.resources import ALL
from nodes.client.rest import Client
from nodes.client.supervise import TaskSet
from nodes.controllers.manager import Manager
from tests.support.eventually import eventually
from tests.support.fakeapi import FakeApi
from tests.support.faults import Faulty


class Rig:
    """The controllers of a test, and short ways to look at what they did."""

    def __init__(self):
        self.clock = LoopClock(epoch=1_767_323_045.0)
        self.tasks = TaskSet(self.clock, "test")
        self.api = FakeApi(self.clock)
        self.client = Client(self.api.transport())
        self.faults = {}
        self.manager = None
        self.resources = list(ALL)

    def transport_for(self, user):
        return self.faults.setdefault(user, Faulty(self.api.transport(user)))

    async def run(self, *names):
        self.manager = Manager(
            self.transport_for,
            self.clock,
            self.tasks,
            events=EventSink(self.clock, self.tasks),
            resources=lambda: self.resources,
            root_ca="PEM",
            only=names,
        )
        await self.manager.run()
        return self.manager

    async def create(self, *objects):
        made = [await self.client.create(obj) for obj in objects]
        return made[0] if len(made) == 1 else made

    async def settle(self, seconds=0.2):
        """Let the controllers do what they can in a while."""
        await asyncio.sleep(seconds)

    async def until(self, check, within=30.0):
        return await eventually(check, within)

    def get(self, plural, name, namespace="default"):
        return self.api.get(plural, name, namespace)

    def need(self, plural, name, namespace="default"):
        return self.api.need(plural, name, namespace)

    def names(self, plural, namespace=""):
        return sorted(map(name_of, self.api.all(plural, namespace)))

    def events(self):
        """Return the events so far as "type reason message", in order."""
        events = sorted(
            self.api.all("events"), key=lambda e: int(e["metadata"]["uid"].split("-")[1])
        )
        return [f"{e['type']} {e['reason']} {e['message']}" for e in events]

    def account(self, name):
        return f"system:serviceaccount:kube-system:{name}"


@pytest.fixture
async def rig():
    rig = Rig()
    yield rig
    if rig.manager is not None:
        rig.manager.stop()
    await rig.tasks.close()
