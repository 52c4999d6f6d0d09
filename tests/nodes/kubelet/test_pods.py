"""The life of a pod on a node: phases, conditions, restarts, probes, ends."""

import asyncio

import pytest

from apimachinery.errors import ServiceUnavailable
from nodes.client.resources import PODS
from nodes.kubelet.host import STATUSES_TOGETHER
from tests.nodes.kubelet.conftest import script, sleeper
from tests.support.builders import pod
from tests.support.eventually import eventually
from tests.support.faults import Faulty
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


async def test_a_pod_runs_and_says_so(rig):
    await rig.create(sleeper())
    await rig.ready()
    status = rig.status()
    assert status["phase"] == "Running"
    assert status["hostIP"] == "172.18.0.2"
    assert status["podIP"].startswith("10.244.0.")
    assert [c["type"] for c in status["conditions"]] == [
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    ]
    # What was said while it was not ready does not stay behind.
    assert "reason" not in rig.condition("Ready")
    container = rig.container()
    assert container["ready"] is True
    assert container["started"] is True
    assert container["restartCount"] == 0
    assert "startedAt" in container["state"]["running"]
    assert container["image"].endswith("busybox:1.36")
    await eventually(lambda: rig.messages("Started") == ["Container started"])
    assert rig.messages("Pulling") == ['Pulling image "busybox:1.36"']


async def test_the_node_is_registered_with_a_lease(rig):
    node = rig.api.need("nodes", "n1")
    assert {c["type"]: c["status"] for c in node["status"]["conditions"]}["Ready"] == "True"
    assert node["status"]["addresses"][0] == {"type": "InternalIP", "address": "172.18.0.2"}
    assert rig.api.need("leases", "n1", "kube-node-lease")["spec"]["holderIdentity"] == "n1"


async def test_an_image_that_cannot_be_pulled(rig):
    await rig.create(pod("p").on("n1").image("ngnix"))
    seen = set()

    def backing_off():
        seen.add((rig.container().get("state", {}).get("waiting") or {}).get("reason"))
        return "ImagePullBackOff" in seen

    await eventually(backing_off)
    assert "ErrImagePull" in seen
    assert rig.status()["phase"] == "Pending"
    waiting = rig.container()["state"]["waiting"]
    assert waiting["message"].startswith('Back-off pulling image "ngnix": ErrImagePull: ')
    assert 'Failed to pull image "ngnix": ' in rig.messages("Failed")[0]
    # Ten seconds, then twenty: the third pull is at thirty.
    began = rig.clock.seconds()
    pulls = len(rig.messages("Pulling"))
    await asyncio.sleep(100)
    assert rig.clock.seconds() - began >= 100
    pulled = [e for e in rig.api.all("events") if e["reason"] == "Pulling"]
    assert sum(e.get("count", 1) for e in pulled) - pulls in (3, 4)


async def test_a_container_that_fails_backs_off(rig):
    await rig.create(script("echo oops; exit 3"))
    await eventually(lambda: rig.container().get("restartCount") == 2, within=100)
    await eventually(
        lambda: rig.container()["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff"
    )
    container = rig.container()
    assert container["lastState"]["terminated"]["exitCode"] == 3
    assert container["lastState"]["terminated"]["reason"] == "Error"
    assert container["state"]["waiting"]["message"].startswith("back-off 20s restarting failed")
    assert rig.status()["phase"] == "Running"
    assert rig.condition("Ready")["reason"] == "ContainersNotReady"


@pytest.mark.parametrize(
    ("policy", "code", "phase"),
    [("Never", 0, "Succeeded"), ("Never", 2, "Failed"), ("OnFailure", 0, "Succeeded")],
)
async def test_pods_that_end(rig, policy, code, phase):
    await rig.create(script(f"exit {code}", policy=policy))
    await rig.phase(phase)
    terminated = rig.container()["state"]["terminated"]
    assert terminated["exitCode"] == code
    assert terminated["reason"] == ("Completed" if code == 0 else "Error")
    assert rig.condition("Ready")["reason"] == (
        "PodCompleted" if phase == "Succeeded" else "PodFailed"
    )
    await asyncio.sleep(600)
    assert rig.container()["restartCount"] == 0


async def test_init_containers_run_one_after_another(rig):
    built = sleeper().spec(
        initContainers=[
            {"name": "one", "image": "busybox:1.36", "command": ["sh", "-c", "sleep 5"]},
            {"name": "two", "image": "busybox:1.36", "command": ["sh", "-c", "sleep 5"]},
        ]
    )
    await rig.create(built)
    await eventually(
        lambda: "running" in rig.container(0, part="initContainerStatuses").get("state", {})
    )
    assert rig.status()["phase"] == "Pending"
    assert rig.container()["state"]["waiting"]["reason"] == "PodInitializing"
    assert rig.condition("Initialized")["message"] == (
        "containers with incomplete status: [one two]"
    )
    await rig.ready()
    states = [rig.container(i, part="initContainerStatuses")["state"] for i in range(2)]
    assert [s["terminated"]["reason"] for s in states] == ["Completed", "Completed"]


async def test_a_sidecar_starts_first_and_stays(rig):
    sidecar = {
        "name": "side",
        "image": "busybox:1.36",
        "command": ["sleep", "100000"],
        "restartPolicy": "Always",
    }
    await rig.create(sleeper().spec(initContainers=[sidecar]))
    await rig.ready()
    side = rig.container(0, part="initContainerStatuses")
    assert "running" in side["state"]
    assert side["ready"] is True


async def test_liveness_restarts_and_startup_holds_it_back(rig):
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 10, "failureThreshold": 3}
    await rig.create(sleeper(livenessProbe=probe))
    await rig.ready()
    await eventually(lambda: rig.container()["restartCount"] == 1, within=120)
    assert "Liveness probe failed: " in rig.messages("Unhealthy")
    assert rig.messages("Killing") == ["Container c failed liveness probe, will be restarted"]
    assert rig.container()["lastState"]["terminated"]["exitCode"] == 137


async def test_readiness_follows_the_probe(rig):
    probe = {"exec": {"command": ["cat", "/tmp/ready"]}, "periodSeconds": 5}
    await rig.create(sleeper(readinessProbe=probe))
    await rig.phase("Running")
    await asyncio.sleep(20)
    assert rig.condition("Ready")["status"] == "False"
    await rig.run("p", "touch", "/tmp/ready")
    await rig.ready(within=10)
    await rig.run("p", "rm", "/tmp/ready")
    await eventually(lambda: rig.condition("Ready")["status"] == "False", within=30)
    assert rig.container()["restartCount"] == 0


async def test_http_probes_reach_the_pod(rig):
    probe = {"httpGet": {"path": "/", "port": 80, "scheme": "HTTP"}, "periodSeconds": 5}
    await rig.create(pod("p").on("n1").image("nginx:1.27", readinessProbe=probe))
    await rig.ready()
    bad = {"httpGet": {"path": "/", "port": 81, "scheme": "HTTP"}, "periodSeconds": 5}
    await rig.create(pod("q").on("n1").image("nginx:1.27", readinessProbe=bad))
    await eventually(lambda: any("connection refused" in m for m in rig.messages("Unhealthy")))


async def test_deletion_gives_the_pod_its_grace(rig):
    await rig.create(sleeper())
    await rig.ready()
    began = rig.clock.seconds()
    await rig.client.delete(PODS, "default", "p", grace=7)
    await eventually(lambda: rig.api.get("pods", "p") is None)
    # `sleep` as process 1 ignores TERM.
    assert 7 <= rig.clock.seconds() - began < 8
    assert rig.messages("Killing") == ["Stopping container c"]
    assert await rig.runtime.list_containers() == []


async def test_pre_stop_runs_within_the_grace(rig):
    hook = {"preStop": {"sleep": {"seconds": 3}}}
    await rig.create(pod("p").on("n1").image("nginx:1.27", lifecycle=hook))
    await rig.ready()
    began = rig.clock.seconds()
    await rig.client.delete(PODS, "default", "p", grace=30)
    await eventually(lambda: rig.api.get("pods", "p") is None)
    assert 3 <= rig.clock.seconds() - began < 4  # nginx ends at once when told to


async def test_active_deadline(rig):
    await rig.create(sleeper().spec(activeDeadlineSeconds=20, terminationGracePeriodSeconds=1))
    await rig.phase("Failed")
    assert rig.status()["reason"] == "DeadlineExceeded"


async def test_a_new_kubelet_takes_the_pods_over(rig):
    await rig.create(sleeper())
    await rig.ready()
    await rig.kubelet.stop()
    rig.kubelet = rig.make()
    await rig.kubelet.start()
    await eventually(
        lambda: [w.containers.any_running() for w in rig.kubelet.pods.values()] == [True]
    )
    await rig.ready()
    assert rig.container()["restartCount"] == 0
    assert await rig.run("p", "echo", "here") == ("here\n", 0)


async def test_a_readiness_gate_holds_the_pod_back(rig):
    await rig.create(sleeper().spec(readinessGates=[{"conditionType": "example.com/ok"}]))
    await eventually(lambda: rig.condition("ContainersReady").get("status") == "True")
    assert rig.condition("Ready")["reason"] == "ReadinessGatesNotReady"


async def test_what_the_api_could_not_take_is_written_later(rig):
    """The last status of a pod, and its deletion, must not be lost to a moment's fault."""
    client = rig.kubelet.host.client
    faulty = client.transport = Faulty(client.transport)
    faulty.fail("patch", "pods", ServiceUnavailable("away"), times=3)
    await rig.create(sleeper())
    await rig.ready()
    faulty.fail("delete", "pods", ServiceUnavailable("away"), times=3)
    await rig.client.delete(PODS, "default", "p")
    await eventually(lambda: rig.api.get("pods", "p") is None, within=60)


async def test_a_slow_api_gets_few_statuses_at_a_time_and_each_pod_s_last(rig, monkeypatch):
    handle, under_way, most = rig.kubelet.host.client.transport.call, [0], [0]

    async def slow(call):
        if call.subresource != "status":
            return await handle(call)
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        await rig.clock.sleep(0.5)
        under_way[0] -= 1
        return await handle(call)

    monkeypatch.setattr(rig.kubelet.host.client.transport, "call", slow)
    names = [f"p{number}" for number in range(12)]
    await rig.create(*(sleeper(name) for name in names))
    for name in names:
        await rig.ready(name)
    await rig.clock.sleep(30)
    written = [each for each in rig.api.written() if each.startswith("patch pods/status")]
    assert most == [STATUSES_TOGETHER]
    # Whoever waits is told of once, as it is by then: not as it was on the way there.
    assert len(written) <= 2 * len(names)
