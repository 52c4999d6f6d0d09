"""The whole scheduler against an API in a dict, on virtual time."""

import asyncio

import pytest

from apimachinery.errors import InternalError
from nodes.client import resources
from nodes.client.events import Recorder
from nodes.client.eventsink import EventSink
from nodes.client.informer import Informers
from nodes.client.loopclock import LoopClock
from nodes.client.resources import PERSISTENTVOLUMECLAIMS, PODS
from nodes.client.rest import Client
from nodes.client.supervise import TaskSet
from nodes.scheduler.attempt import Trigger
from nodes.scheduler.config.reading import Configuration, ProfileConfig
from nodes.scheduler.loop import Scheduler
from tests.support.builders import node, obj, pod
from tests.support.eventually import eventually
from tests.support.fakeapi import FakeApi
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


class Rig:
    def __init__(self, **more):
        self.clock = LoopClock()
        self.api = FakeApi(self.clock)
        self.tasks = TaskSet(self.clock)
        self.client = Client(self.api.transport("admin"))
        sink = EventSink(self.clock, self.tasks)
        transport = self.api.transport("system:kube-scheduler")
        client = Client(transport)
        informers = Informers(transport, self.clock, self.tasks)
        recorder = Recorder(client, "default-scheduler", self.clock, sink)
        self.scheduler = Scheduler(client, informers, recorder, self.clock, self.tasks, **more)
        self.scheduler.start()
        informers.start()

    async def create(self, *objects):
        for one in objects:
            await self.client.create(one, resources.of(one))

    def node_of(self, name):
        return self.api.need("pods", name)["spec"].get("nodeName")

    def condition(self, name):
        found = self.api.need("pods", name)["status"].get("conditions") or []
        return next((c for c in found if c["type"] == "PodScheduled"), {})

    def events(self, reason):
        return [e["message"] for e in self.api.all("events") if e["reason"] == reason]


@pytest.fixture
async def rig():
    made = Rig()
    yield made
    made.scheduler.stop()
    await made.tasks.close()


async def test_pods_are_bound_and_told_of(rig):
    await rig.create(node("n1"), node("n2"), *(pod(f"p{i}").requests(cpu="1") for i in range(4)))
    await eventually(lambda: all(rig.node_of(f"p{i}") for i in range(4)))
    # Evenly, since each assumed pod counts at once.
    placed = sorted(rig.node_of(f"p{i}") for i in range(4))
    assert placed == ["n1", "n1", "n2", "n2"]
    await eventually(lambda: len(rig.events("Scheduled")) == 4)
    assert f"Successfully assigned default/p0 to {rig.node_of('p0')}" in rig.events("Scheduled")


async def test_a_pod_that_fits_nowhere_says_why_and_goes_when_room_comes(rig):
    await rig.create(node("n1"), node("n2").tainted("gpu", "NoSchedule"))
    await rig.create(pod("big").requests(cpu="6"))
    await eventually(lambda: rig.condition("big").get("status") == "False")
    sentence = (
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). "
        "no new claims to deallocate, preemption: 0/2 nodes are available: "
        "2 Preemption is not helpful for scheduling."
    )
    assert rig.condition("big")["reason"] == "Unschedulable"
    assert rig.condition("big")["message"] == sentence
    await eventually(lambda: rig.events("FailedScheduling") == [sentence])
    await rig.create(node("n3").cpu(8))
    await eventually(lambda: rig.node_of("big") == "n3")
    attempts = rig.scheduler.decisions.of(rig.api.need("pods", "big")["metadata"]["uid"])
    assert [a.node for a in attempts] == ["", "n3"]
    assert attempts[0].refused["n1"] == ("NodeResourcesFit", ("Insufficient cpu",))


async def test_without_nodes(rig):
    await rig.create(pod("p"))
    await eventually(lambda: rig.condition("p").get("message"))
    assert rig.condition("p")["message"] == "no nodes available to schedule pods"


async def test_other_schedulers_pods_are_left_alone(rig):
    await rig.create(node("n1"), pod("p").spec(schedulerName="other"))
    await asyncio.sleep(60)
    assert rig.node_of("p") is None
    assert rig.condition("p") == {}


async def test_a_gated_pod_goes_once_the_gate_is_gone(rig):
    await rig.create(node("n1"), pod("p").spec(schedulingGates=[{"name": "g"}]))
    await asyncio.sleep(60)
    assert rig.node_of("p") is None
    await rig.client.patch(PODS, "default", "p", {"spec": {"schedulingGates": []}})
    await eventually(lambda: rig.node_of("p") == "n1")


async def test_room_that_a_deleted_pod_leaves_is_used(rig):
    await rig.create(node("n1"), pod("a").requests(cpu="3"))
    await eventually(lambda: rig.node_of("a"))
    await rig.create(pod("b").requests(cpu="3"))
    await eventually(lambda: rig.condition("b").get("message"))
    assert "No preemption victims found for incoming pod" in rig.condition("b")["message"]
    await rig.client.delete(PODS, "default", "a", grace=0)
    await eventually(lambda: rig.node_of("b") == "n1")


async def test_a_pod_goes_to_the_one_that_it_wants_to_be_with_once_that_has_a_node(rig):
    term = {
        "labelSelector": {"matchLabels": {"app": "web"}},
        "topologyKey": "kubernetes.io/hostname",
    }
    affinity = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    await rig.create(node("n1"), pod("p").spec(affinity=affinity))
    await eventually(lambda: rig.condition("p").get("message"))
    await rig.create(pod("api").labels(app="api"), pod("web").labels(app="web"))
    await eventually(lambda: rig.node_of("p") == "n1", within=5)
    last = rig.scheduler.decisions.of(rig.api.need("pods", "p")["metadata"]["uid"])[-1]
    assert last.because == Trigger("AssignedPod/Add", "default/web", "InterPodAffinity")


async def test_a_pod_is_not_tried_for_a_change_that_cannot_help(rig):
    await rig.create(node("n1"), pod("big").requests(cpu="6"))
    await eventually(lambda: rig.condition("big").get("message"))
    await rig.create(node("n2"), node("n3").tainted("gpu", "NoSchedule"))
    await asyncio.sleep(60)
    uid = rig.api.need("pods", "big")["metadata"]["uid"]
    assert len(rig.scheduler.decisions.of(uid)) == 1
    (waiting,) = rig.scheduler.queue
    assert (waiting.ignored.count, waiting.ignored.last.obj) == (2, "n3")


async def test_a_pod_that_goes_while_it_waits_for_volumes_gives_its_place_back(rig):
    await rig.create(node("n1"), LATER, waiting_claim(), mounting().requests(cpu="4"))
    await eventually(lambda: rig.scheduler.cache.node("n1").pods)
    await rig.create(pod("q").requests(cpu="4"))
    await eventually(lambda: rig.condition("q").get("message"))
    await rig.client.delete(PODS, "default", "p", grace=0)
    await eventually(lambda: rig.node_of("q") == "n1", within=5)


async def test_a_refused_binding_gives_the_room_back(rig):
    real, failures = rig.api.handle, iter([True])

    def handle(call):
        if call.subresource == "binding" and next(failures, False):
            raise InternalError("etcd is away")
        return real(call)

    rig.api.handle = handle
    await rig.create(node("n1"), pod("p").requests(cpu="4"))
    await eventually(lambda: rig.node_of("p") == "n1", within=30)


async def test_a_pod_of_a_daemon_is_told_of_its_own_node_alone(rig):
    await rig.create(*(node(f"n{i}") for i in range(3)))
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    await rig.create(
        pod("d").requests(cpu="3").spec(affinity={"nodeAffinity": required}),
        pod("e").requests(cpu="3").spec(affinity={"nodeAffinity": required}),
    )
    await eventually(lambda: rig.events("FailedScheduling"))
    (message,) = rig.events("FailedScheduling")
    assert message == (
        "0/3 nodes are available: 1 Insufficient cpu, "
        "2 node(s) didn't satisfy plugin(s) [NodeAffinity]. "
        "no new claims to deallocate, preemption: 0/3 nodes are available: "
        "1 No preemption victims found for incoming pod, "
        "2 Preemption is not helpful for scheduling."
    )


LATER = obj(
    "StorageClass",
    "later",
    "",
    "storage.k8s.io/v1",
    provisioner="example.com/d",
    volumeBindingMode="WaitForFirstConsumer",
)
SELECTED = "volume.kubernetes.io/selected-node"


def waiting_claim():
    return obj("PersistentVolumeClaim", "c", spec={"storageClassName": "later"}, status={})


def mounting(name="p"):
    return pod(name).spec(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}])


async def test_a_pod_is_bound_once_its_volume_is_made_where_it_will_be(rig):
    await rig.create(node("n1"), LATER, waiting_claim(), mounting())

    def selected():
        return rig.api.need("persistentvolumeclaims", "c")["metadata"].get("annotations", {})

    await eventually(lambda: selected().get(SELECTED) == "n1")
    await asyncio.sleep(60)
    assert rig.node_of("p") is None
    bound = {"spec": {"volumeName": "pv"}, "status": {"phase": "Bound"}}
    for subresource in ("", "status"):
        await rig.client.patch(
            PERSISTENTVOLUMECLAIMS, "default", "c", bound, subresource=subresource
        )
    await eventually(lambda: rig.node_of("p") == "n1")
    attempt = rig.scheduler.decisions.of(rig.api.need("pods", "p")["metadata"]["uid"])[-1]
    assert {"preBind", "bind"} <= attempt.seconds.keys()


async def test_a_pod_whose_volume_never_comes_is_tried_again_and_told_why(rig):
    await rig.create(node("n1"), LATER, waiting_claim(), mounting())
    await asyncio.sleep(590)
    assert rig.condition("p") == {}
    await eventually(lambda: rig.condition("p").get("message"), within=30)
    assert rig.condition("p")["reason"] == "SchedulerError"
    assert rig.condition("p")["message"] == (
        'running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded'
    )
    assert rig.scheduler.cache.node("n1").pods.keys() <= {
        rig.api.need("pods", "p")["metadata"]["uid"]
    }


async def test_others_are_bound_while_many_wait_for_volumes(rig):
    await rig.create(node("n1"), LATER, waiting_claim())
    await rig.create(*(mounting(f"p{i}") for i in range(80)), pod("q"))
    await eventually(lambda: rig.node_of("q") == "n1")


def profiles(*names):
    return Configuration(tuple(ProfileConfig(name) for name in names))


async def test_schedulers_come_and_go(rig):
    await rig.create(node("n1"), pod("p").spec(schedulerName="other"))
    await asyncio.sleep(10)
    assert rig.node_of("p") is None
    rig.scheduler.configure(profiles("default-scheduler", "other"))
    await eventually(lambda: rig.node_of("p") == "n1")
    await rig.create(pod("q").spec(schedulerName="other").requests(cpu="9"))
    await eventually(lambda: rig.condition("q").get("message"))
    rig.scheduler.configure(profiles("default-scheduler"))
    await rig.create(node("n2").cpu(16))
    await asyncio.sleep(400)
    assert rig.node_of("q") is None
    assert len(rig.scheduler.queue) == 0


async def test_other_rules_let_pods_be_tried_at_once(rig):
    await rig.create(node("n1").tainted("gpu", "NoSchedule"), pod("p"))
    await eventually(lambda: rig.condition("p").get("message"))
    without = {"multiPoint": {"disabled": [{"name": "TaintToleration"}]}}
    rig.scheduler.configure(Configuration((ProfileConfig(plugins=without),)))
    await eventually(lambda: rig.node_of("p") == "n1", within=5)
