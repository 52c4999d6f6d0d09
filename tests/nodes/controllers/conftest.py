"""One or several controllers against an API in a dict, on virtual time."""

import asyncio

import pytest

from apimachinery.meta import is_deleting, name_of
from nodes.client.eventsink import EventSink
from nodes.client.loopclock import LoopClock
from nodes.client.resources import ALL, PODS
from nodes.client.rest import Client, list_call
from nodes.client.supervise import TaskSet
from nodes.controllers.common.base import Served
from nodes.controllers.manager import Manager
from tests.support.eventually import eventually
from tests.support.fakeapi import FakeApi
from tests.support.faults import Faulty


def pinned_node(pod):
    """Return the node that a pod's affinity names, as a daemon's does; else the first."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if not required:
        return "n1"
    return required["nodeSelectorTerms"][0]["matchFields"][0]["values"][0]


class Pods:
    """Starts and stops pods, as scheduler and kubelets together would."""

    def __init__(self, rig, start=1.0, stop=1.0):
        self.rig, self.start, self.stop = rig, start, stop
        self.broken = set()  # images that never get ready
        rig.api.watch(list_call(PODS), rig.api.revision, self._deliver, lambda error: None)

    def _deliver(self, events):
        for event in events:
            pod = event.object
            key = (pod["metadata"]["namespace"], pod["metadata"]["name"])
            if event.type == "ADDED" and not pod["spec"].get("nodeName"):
                self.rig.clock.call_later(self.start, self._do, self._run, key)
            if event.type == "MODIFIED" and is_deleting(pod):
                self.rig.clock.call_later(self.stop, self._do, self._end, key)

    def _do(self, what, key):
        self.rig.tasks.spawn("pod", what(*key))

    async def _run(self, namespace, name):
        client = self.rig.client
        pod = self.rig.get("pods", name, namespace)
        if pod is None:
            return
        node = pinned_node(pod)
        pod = await client.patch(PODS, namespace, name, {"spec": {"nodeName": node}})
        ready = pod["spec"]["containers"][0]["image"] not in self.broken
        condition = {
            "type": "Ready",
            "status": str(ready),
            "lastTransitionTime": self.rig.clock.timestamp(),
        }
        status = {"phase": "Running" if ready else "Pending", "conditions": [condition]}
        await client.patch(PODS, namespace, name, {"status": status}, subresource="status")

    async def _end(self, namespace, name):
        if self.rig.get("pods", name, namespace) is not None:
            await self.rig.client.delete(PODS, namespace, name, grace=0)


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
        self.features = frozenset()
        self.stored = {}
        self.discard_volume = lambda name: None
        self.authority = None

    def transport_for(self, user):
        return self.faults.setdefault(user, Faulty(self.api.transport(user)))

    async def run(self, *names):
        self.manager = Manager(
            self.transport_for,
            self.clock,
            self.tasks,
            events=EventSink(self.clock, self.tasks),
            served=Served(
                lambda: self.resources, features=self.features, stored=lambda: self.stored
            ),
            root_ca="PEM",
            discard_volume=self.discard_volume,
            authority=self.authority,
            only=names or None,
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
