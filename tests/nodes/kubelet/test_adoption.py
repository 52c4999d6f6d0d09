"""A kubelet that starts finds its pods running, though its runtime has lost its memory."""

import pytest

from nodes.client.resources import CONFIGMAPS, PODS
from nodes.client.supervise import TaskSet
from nodes.kubelet.stats import NodeStats
from nodes.network.fabric import Network
from nodes.runtime.cri import LogOptions
from tests.nodes.kubelet.conftest import Rig, script, sleeper
from tests.support.builders import pod
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

NGINX = "nginx:1.27"


class Restarted(Rig):
    """A rig whose worker can be ended and begun again: nothing is left but the API."""

    async def end(self):
        await self.kubelet.stop()
        await self.tasks.close()
        await self.runtime.close()
        await self.network.close()

    async def restart(self, *, meanwhile=None):
        await self.end()
        if meanwhile is not None:
            await meanwhile
        self.before = len(self.api.written("system:node:n1"))
        self.tasks = TaskSet(self.clock)
        self.network = Network(self.clock)
        self.network.add_node("n1", "172.18.0.2", "10.244.0.0/24")
        self.kubelet = self.make()
        await self.kubelet.start()
        await eventually(self.kubelet._pods_known.is_set)

    def writes(self):
        """Return what the kubelet has written of pods since the restart."""
        found = self.api.written("system:node:n1")[self.before :]
        return [write for write in found if " pods" in write]

    def asleep(self, name="p"):
        worker = self.kubelet.find("default", name)
        return not worker._sleep.over

    async def log(self, name="p", container="c", *, previous=False):
        lines = self.kubelet.logs("default", name, container, LogOptions(), previous=previous)
        return b"".join([line async for line in lines]).decode()


@pytest.fixture
async def rig():
    made = Restarted()
    await made.kubelet.start()
    yield made
    await made.end()


def server(name="p", **container):
    return pod(name).on("n1").image(NGINX, **container).spec(terminationGracePeriodSeconds=30)


async def test_a_server_is_as_it_was_and_nothing_is_written(rig):
    await rig.create(server())
    await rig.ready()
    before = rig.api.need("pods", "p")
    await rig.restart()
    await rig.clock.sleep(3600)
    assert rig.writes() == []
    assert rig.api.need("pods", "p") == before
    assert rig.messages("Started") == ["Container started"]
    assert rig.asleep()


async def test_its_address_answers_and_its_neighbours_get_others(rig):
    await rig.create(server(), server("other"))
    await rig.ready()
    await rig.ready("other")
    address = rig.status()["podIP"]
    await rig.restart(meanwhile=rig.client.delete(PODS, "default", "other", grace=0))
    # One that is made now gets an address of its own.
    await rig.create(server("new"))
    await rig.ready("new")
    assert rig.status("new")["podIP"] != address
    stream = await rig.network.connect("172.18.0.2", address, 80)
    await stream.write(b"GET / HTTP/1.0\r\n\r\n")
    assert b"200 OK" in await stream.read()
    assert not rig.asleep()
    # It says when it was started, not when it was asked.
    log = [
        line
        async for line in rig.kubelet.logs(
            "default", "p", "c", LogOptions(timestamps=True), previous=False
        )
    ]
    assert log[0].decode().startswith(rig.container()["state"]["running"]["startedAt"][:-1])
    assert all("pods" not in write or "new" in write for write in rig.writes())


@pytest.mark.parametrize("touch", ["exec", "log", "attach"])
async def test_whoever_meets_it_finds_it_awake(rig, touch):
    settings = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "default"},
    }
    await rig.create({**settings, "data": {"mode": "night"}})
    volume = {"name": "settings", "configMap": {"name": "settings"}}
    reference = {"configMapKeyRef": {"name": "settings", "key": "mode"}}
    built = server(
        env=[{"name": "MODE", "valueFrom": reference}],
        volumeMounts=[{"name": "settings", "mountPath": "/etc/settings"}],
    ).spec(volumes=[volume])
    await rig.create(built)
    await rig.ready()
    before = rig.container()
    await rig.restart()
    assert rig.asleep()
    if touch == "log":
        assert "start worker processes" in await rig.log()
    else:
        said, _ = await rig.run("p", "sh", "-c", "echo $MODE; cat /etc/settings/mode")
        assert said == "night\nnight"
    assert not rig.asleep()
    assert rig.container() == before


async def test_what_its_variables_came_from_may_be_gone(rig):
    settings = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "default"},
    }
    await rig.create({**settings, "data": {"mode": "night"}})
    reference = {"configMapKeyRef": {"name": "settings", "key": "mode"}}
    env = [{"name": "MODE", "valueFrom": reference}, {"name": "SIDE", "value": "left"}]
    await rig.create(server(env=env))
    await rig.ready()
    await rig.restart(meanwhile=rig.client.delete(CONFIGMAPS, "default", "settings"))
    said, _ = await rig.run("p", "sh", "-c", "echo $SIDE")
    assert (said, rig.container()["restartCount"]) == ("left\n", 0)


async def test_what_it_uses_goes_on_from_its_start(rig):
    await rig.create(server())
    await rig.ready()
    await rig.clock.sleep(1000)
    before = (await NodeStats(rig.kubelet).read()).pods[0].usage
    await rig.restart()
    asleep = (await NodeStats(rig.kubelet).read()).pods[0].usage
    await rig.run("p", "true")
    awake = (await NodeStats(rig.kubelet).read()).pods[0].usage
    assert before.core_nano_seconds <= asleep.core_nano_seconds <= awake.core_nano_seconds
    assert asleep.working_set == pytest.approx(before.working_set, rel=0.01)
    assert asleep.processes == awake.processes == before.processes


async def test_a_container_that_crashed_keeps_its_count_its_id_and_its_last_end(rig):
    await rig.create(script("exit 3"))
    await eventually(lambda: rig.container().get("restartCount") == 2, within=100)
    await eventually(lambda: "waiting" in rig.container()["state"], within=100)
    before = rig.api.need("pods", "p")
    ended = rig.clock.seconds()
    await rig.restart()
    await rig.clock.sleep(10)
    # The wait of 20 s goes on from where it was, and what is written says nothing new.
    assert rig.api.need("pods", "p") == before
    await eventually(lambda: rig.container()["restartCount"] == 3, within=20)
    assert 17 <= rig.clock.seconds() - ended <= 22
    await eventually(lambda: "waiting" in rig.container()["state"])
    assert "back-off 40s" in rig.container()["state"]["waiting"]["message"]


async def test_logs_of_the_run_before_are_empty_but_there(rig):
    await rig.create(
        script(
            "[ -e /mnt/once ] && sleep 1000; touch /mnt/once; exit 1",
            volumeMounts=[{"name": "v", "mountPath": "/mnt"}],
        ).spec(volumes=[{"name": "v", "emptyDir": {}}])
    )
    await eventually(
        lambda: rig.container().get("restartCount") == 1 and "running" in rig.container()["state"]
    )
    await rig.restart()
    assert await rig.log(previous=True) == ""


async def test_a_script_begins_again_in_the_same_container(rig):
    await rig.create(script("echo begun; sleep 30; echo done; sleep 1000"))
    await rig.phase("Running")
    before = rig.container()
    await rig.restart()
    await rig.clock.sleep(31)
    assert await rig.log() == "begun\ndone\n"
    assert rig.container() == before
    assert rig.writes() == []


async def test_what_should_end_ends(rig):
    await rig.create(script("sleep 30; exit 0", policy="Never"))
    await rig.phase("Running")
    started = rig.container()["state"]["running"]["startedAt"]
    identity = rig.container()["containerID"]
    await rig.clock.sleep(10)
    await rig.restart()
    await rig.phase("Succeeded")
    ended = rig.container()["state"]["terminated"]
    assert (ended["startedAt"], ended["containerID"], ended["exitCode"]) == (started, identity, 0)


async def test_what_has_ended_stays_so(rig):
    await rig.create(script("exit 0", policy="Never"), script("exit 1", "q", policy="Never"))
    await rig.phase("Succeeded")
    await rig.phase("Failed", "q")
    await rig.restart()
    await rig.clock.sleep(60)
    assert rig.writes() == []


async def test_one_that_was_deleted_meanwhile_ends_with_its_grace(rig):
    await rig.create(sleeper().spec(terminationGracePeriodSeconds=7), server("q"))
    await rig.ready()
    await rig.ready("q")

    async def delete():
        await rig.client.delete(PODS, "default", "p", grace=7)
        await rig.client.delete(PODS, "default", "q", grace=7)

    await rig.restart(meanwhile=delete())
    began = rig.clock.seconds()
    await eventually(lambda: rig.api.get("pods", "q") is None)
    assert rig.clock.seconds() - began < 1  # a server ends when it is told to
    await eventually(lambda: rig.api.get("pods", "p") is None)
    assert 6.9 <= rig.clock.seconds() - began <= 8  # sleep as PID 1 does not
    assert sorted(rig.messages("Killing")) == ["Stopping container c"] * 2


async def test_one_that_is_gone_leaves_nothing(rig):
    await rig.create(server())
    await rig.ready()
    await rig.restart(meanwhile=rig.client.delete(PODS, "default", "p", grace=0))
    await rig.clock.sleep(5)
    assert rig.kubelet.pods == {}
    assert await rig.runtime.list_containers() == []


async def test_init_containers_do_not_run_again(rig):
    built = server().spec(
        initContainers=[
            {"name": "first", "image": "busybox:1.36", "command": ["sh", "-c", "echo hi"]}
        ]
    )
    await rig.create(built)
    await rig.ready()
    before = rig.status()
    await rig.restart()
    await rig.clock.sleep(60)
    assert rig.status() == before
    assert rig.writes() == []
    assert await rig.log(container="first") == ""


async def test_what_init_containers_made_on_the_disk_is_made_again(rig):
    mount = [{"name": "site", "mountPath": "/usr/share/nginx/html"}]
    make = ["sh", "-c", "echo made > /usr/share/nginx/html/index.html"]
    init = {"name": "first", "image": "busybox:1.36", "command": make, "volumeMounts": mount}
    built = server(volumeMounts=mount).spec(
        initContainers=[init], volumes=[{"name": "site", "emptyDir": {}}]
    )
    await rig.create(built)
    await rig.ready()
    await rig.restart()
    await eventually(lambda: rig.writes() and rig.condition("Ready")["status"] == "True")
    stream = await rig.network.connect("172.18.0.2", rig.status()["podIP"], 80)
    await stream.write(b"GET / HTTP/1.0\r\n\r\n")
    assert b"made" in await stream.read()
    assert rig.container()["restartCount"] == 0


async def test_probes_go_on_and_only_a_failure_is_news(rig):
    probe = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 5, "failureThreshold": 2}
    alive = {**probe, "failureThreshold": 6}
    await rig.create(server(readinessProbe=probe, livenessProbe=alive))
    await rig.ready()
    before = rig.status()
    await rig.restart()
    await rig.clock.sleep(60)
    assert rig.status() == before
    assert rig.writes() == []
    # Its files are taken away: it is not ready, and in the end it is started again.
    await rig.run("p", "rm", "/usr/share/nginx/html/index.html")
    await eventually(lambda: rig.condition("Ready")["status"] == "False", within=20)
    await eventually(lambda: rig.container()["restartCount"] == 1, within=60)
    assert (
        rig.container()["lastState"]["terminated"]["containerID"]
        == before["containerStatuses"][0]["containerID"]
    )


async def test_a_kill_of_one_asleep_is_a_crash(rig):
    await rig.create(server())
    await rig.ready()
    before = rig.container()["containerID"]
    await rig.restart()
    rig.runtime.kill(before.removeprefix("containerd://"))
    await eventually(lambda: rig.container()["restartCount"] == 1)
    ended = rig.container()["lastState"]["terminated"]
    assert (ended["containerID"], ended["exitCode"]) == (before, 137)


async def test_images_that_are_used_are_on_the_node(rig):
    await rig.create(server())
    await rig.ready()
    before = await rig.kubelet.images.list_images()
    await rig.restart()
    assert await rig.kubelet.images.list_images() == before


async def test_others_said_that_the_node_was_silent(rig):
    await rig.create(server())
    await rig.ready()

    async def silence():
        status = rig.status()
        conditions = [
            {**each, "status": "False"} if each["type"] == "Ready" else each
            for each in status["conditions"]
        ]
        found = {**rig.api.need("pods", "p"), "status": {**status, "conditions": conditions}}
        await rig.client.update_status(found)

    await rig.restart(meanwhile=silence())
    await rig.ready()
    assert rig.container()["restartCount"] == 0


@pytest.mark.parametrize(
    "change",
    [
        {"podIP": "10.9.9.9", "podIPs": [{"ip": "10.9.9.9"}]},
        {"podIP": "nowhere", "podIPs": [{"ip": "nowhere"}]},
        {"containerStatuses": []},
        {"containerStatuses": [{"name": "c", "image": "x", "state": {"running": {}}}]},
    ],
)
async def test_a_status_that_cannot_be_so_starts_the_pod(rig, change):
    await rig.create(server())
    await rig.ready()
    found = rig.api.need("pods", "p")
    await rig.restart(
        meanwhile=rig.client.update_status({**found, "status": {**found["status"], **change}})
    )
    await eventually(lambda: len(rig.messages("Started")) == 2)
    await rig.ready()
    await eventually(lambda: rig.status()["podIP"].startswith("10.244.0."))


async def test_a_pod_that_comes_later_is_started_whatever_it_says(rig):
    await rig.create(server())
    await rig.ready()
    found = rig.api.need("pods", "p")
    await rig.restart(meanwhile=rig.client.delete(PODS, "default", "p", grace=0))
    metadata = {"name": "p", "namespace": "default"}
    await rig.create({**found, "metadata": metadata})
    await eventually(lambda: len(rig.messages("Started")) == 2)


SETTINGS = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings", "namespace": "default"},
    "data": {"mode": "night"},
}


async def restarted_without_settings(rig):
    """A pod that was found running, and whose ConfigMap is gone."""
    await rig.create(SETTINGS)
    volume = {"name": "settings", "configMap": {"name": "settings"}}
    mount = {"name": "settings", "mountPath": "/etc/settings"}
    await rig.create(server(volumeMounts=[mount]).spec(volumes=[volume]))
    await rig.ready()
    await rig.client.delete(CONFIGMAPS, "default", "settings")
    await rig.restart()


async def test_one_whose_volumes_cannot_be_mounted_ends_when_it_is_deleted(rig):
    await restarted_without_settings(rig)
    await rig.client.delete(PODS, "default", "p")
    await eventually(lambda: rig.api.get("pods", "p") is None, within=60)


async def test_one_goes_on_as_soon_as_its_volumes_are_there_again(rig):
    await restarted_without_settings(rig)
    await rig.kubelet.find("default", "p")._sleep.end()
    assert rig.asleep()
    await rig.create(SETTINGS)
    await eventually(lambda: not rig.asleep(), within=200)


@pytest.mark.parametrize("seconds", [20.5, 25])
async def test_containers_that_were_starting_over_go_on_with_it(rig, seconds):
    """Whether they were just being ended, or the init container ran again."""
    rule = {"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [88]}}
    watcher = {"restartPolicy": "Never", "restartPolicyRules": [rule]}
    ends = {"name": "ends", "image": "busybox:1.36", "command": ["sh", "-c", "sleep 20; exit 88"]}
    init = {"name": "init", "image": "busybox:1.36", "command": ["sleep", "10"]}
    main = {"name": "main", "image": NGINX}
    spec = {"initContainers": [init], "containers": [main, ends | watcher]}
    await rig.create(pod("p").on("n1").spec(restartPolicy="Never", **spec))
    await rig.ready()
    await rig.clock.sleep(seconds)
    assert not rig.container(0)["ready"]
    await rig.restart()
    await rig.ready(within=120)
    assert [rig.container(at)["restartCount"] for at in (0, 1)] == [1, 1]
