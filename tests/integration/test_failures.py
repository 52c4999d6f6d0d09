"""What happens next when something breaks, and that it is well again once it is mended."""

import asyncio

import pytest

from apimachinery.errors import AlreadyExists, Invalid, NotFound, Timeout, Unauthorized
from nodes.client import resources
from nodes.client.rest import Client
from playground.cluster import RunningCluster
from playground.failures.journal import Journal
from playground.kept import Kept
from tests.integration.conftest import deployment, service
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


async def broken(lab, kind, **target):
    return await lab.cluster.failures.begin({"kind": kind, "target": target})


async def mended(lab, failure):
    await lab.cluster.failures.end(failure.id)


def condition(obj, name):
    return next(c for c in obj["status"]["conditions"] if c["type"] == name)


def node_of(lab, name="node-1"):
    return lab.get("nodes", name, "")


def taints(lab, name="node-1"):
    return {(t["key"], t["effect"]) for t in node_of(lab, name)["spec"].get("taints") or ()}


def events(lab, reason):
    return [e for e in lab.all("events") if e["reason"] == reason]


async def running(lab, replicas=3, **spec):
    await lab.client.create(deployment(replicas=replicas, **spec))
    await lab.client.create(service())
    await lab.available(replicas=replicas)
    return lab.pods()


def on(lab, node):
    return [p for p in lab.pods() if p["spec"].get("nodeName") == node]


async def test_a_killed_container_is_started_again(lab):
    pod = (await running(lab, 1))[0]
    failure = await broken(lab, "kill-container", pod=f"default/{pod['metadata']['name']}")
    await eventually(lambda: lab.pods()[0]["status"]["containerStatuses"][0]["restartCount"] == 1)
    status = lab.pods()[0]["status"]["containerStatuses"][0]
    assert status["lastState"]["terminated"]["exitCode"] == 137
    assert not lab.cluster.failures.journal.failures
    moment = lab.cluster.failures.journal.moments[-1]
    assert (moment.failure, moment.state) == (failure.id, "began")
    assert moment.what == f"Killed the containers of pod default/{pod['metadata']['name']}"


async def test_a_container_that_is_killed_again_and_again_crash_loops_until_that_is_undone(lab):
    pod = (await running(lab, 1))[0]
    name = f"default/{pod['metadata']['name']}"
    failure = await broken(lab, "kill-container", pod=name, again=True)

    def waits():
        state = lab.pods()[0]["status"]["containerStatuses"][0]["state"]
        return state.get("waiting", {}).get("reason") == "CrashLoopBackOff"

    await eventually(waits, within=60)
    await mended(lab, failure)
    await lab.available(replicas=1, within=120)
    await asyncio.sleep(60)
    assert "running" in lab.pods()[0]["status"]["containerStatuses"][0]["state"]


async def test_a_node_without_power_is_noticed_when_its_lease_lapses(lab):
    await running(lab)
    failure = await broken(lab, "stop-node", node="node-1")
    await asyncio.sleep(45)
    assert condition(node_of(lab), "Ready")["status"] == "True"
    await eventually(lambda: condition(node_of(lab), "Ready")["status"] == "Unknown", within=10)
    assert condition(node_of(lab), "Ready")["reason"] == "NodeStatusUnknown"
    await eventually(
        lambda: ("node.kubernetes.io/unreachable", "NoExecute") in taints(lab), within=10
    )
    # Pods tolerate that for five minutes; then others take their place.
    await asyncio.sleep(280)
    assert len(lab.pods()) == 3
    await lab.available(within=60)
    assert len(on(lab, "node-1")) == 1
    assert on(lab, "node-1")[0]["metadata"]["deletionTimestamp"]
    await mended(lab, failure)
    await eventually(lambda: not taints(lab), within=30)
    await eventually(lambda: not on(lab, "node-1"), within=30)
    assert condition(node_of(lab), "Ready")["status"] == "True"


async def test_when_every_node_is_silent_no_pod_is_driven_away(lab):
    await running(lab)
    for name in ("node-1", "node-2", "node-3"):
        await broken(lab, "stop-node", node=name)
    await eventually(
        lambda: all(condition(n, "Ready")["status"] == "Unknown" for n in lab.all("nodes")),
        within=60,
    )
    await asyncio.sleep(400)
    assert {effect for _, effect in taints(lab)} == {"NoSchedule"}
    assert not any(pod["metadata"].get("deletionTimestamp") for pod in lab.pods())


async def test_what_ran_on_a_node_starts_again_with_it(lab):
    await running(lab)
    before = on(lab, "node-1")[0]
    failure = await broken(lab, "stop-node", node="node-1")
    await eventually(lambda: condition(node_of(lab), "Ready")["status"] == "Unknown", within=60)
    await mended(lab, failure)
    await lab.available(within=60)
    after = on(lab, "node-1")[0]
    status = after["status"]["containerStatuses"][0]
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert status["restartCount"] == 1
    assert status["lastState"]["terminated"]["exitCode"] == 255
    assert status["lastState"]["terminated"]["reason"] == "Unknown"
    assert events(lab, "Rebooted")
    assert events(lab, "SandboxChanged")
    assert "Welcome" in await lab.exec(after["metadata"]["name"], "wget", "-qO-", "http://web")


async def test_pods_that_may_not_restart_fail_when_their_node_comes_back(lab):
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "once", "namespace": "default"},
        "spec": {
            "nodeName": "node-1",
            "restartPolicy": "Never",
            "containers": [{"name": "c", "image": "nginx:1.27"}],
        },
    }
    await lab.client.create(pod)
    await eventually(lambda: lab.get("pods", "once")["status"]["phase"] == "Running")
    failure = await broken(lab, "stop-node", node="node-1")
    await asyncio.sleep(20)
    await mended(lab, failure)
    await eventually(lambda: lab.get("pods", "once")["status"]["phase"] == "Failed")
    ended = lab.get("pods", "once")["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (255, "Unknown")


async def test_a_node_that_is_cut_off_goes_on_and_is_heard_again(lab):
    await running(lab)
    failure = await broken(lab, "cut-link", **{"from": "node/control-plane", "to": "node/node-1"})
    await eventually(lambda: condition(node_of(lab), "Ready")["status"] == "Unknown", within=60)
    here, there = on(lab, "node-1")[0], on(lab, "node-2")[0]
    # Its pods still answer the other nodes: only the API does not hear of them.
    page = await lab.exec(there["metadata"]["name"], "wget", "-qO-", here["status"]["podIP"])
    assert "Welcome" in page
    await mended(lab, failure)
    await eventually(lambda: not taints(lab), within=60)
    await lab.available(within=60)
    assert on(lab, "node-1")[0]["status"]["containerStatuses"][0]["restartCount"] == 0


async def test_what_could_not_be_broken_whole_is_not_broken_at_all(lab, monkeypatch):
    node = lab.cluster.nodes["node-1"]
    cut_off = node.cut_off

    async def and_hear_no_answer():
        await cut_off()
        raise TimeoutError

    monkeypatch.setattr(node, "cut_off", and_hear_no_answer)
    with pytest.raises(TimeoutError):
        await broken(lab, "cut-link", **{"from": "node/control-plane", "to": "node/node-1"})
    assert not lab.cluster.failures.journal.failures
    assert not node.unreachable
    # Nothing stands in the way of the same again.
    monkeypatch.setattr(node, "cut_off", cut_off)
    await broken(lab, "cut-link", **{"from": "node/control-plane", "to": "node/node-1"})
    assert node.unreachable


async def test_a_node_that_did_not_lose_its_power_is_heard_further_on(lab, monkeypatch):
    patch = Client.patch

    async def and_hear_no_answer(client, resource, *rest):
        await patch(client, resource, *rest)
        if resource is resources.LEASES:
            monkeypatch.setattr(Client, "patch", patch)
            raise Timeout("the answer is lost")

    monkeypatch.setattr(Client, "patch", and_hear_no_answer)
    with pytest.raises(Timeout):
        await broken(lab, "stop-node", node="node-1")
    await asyncio.sleep(100)
    assert condition(node_of(lab), "Ready")["status"] == "True"
    assert not taints(lab)


async def test_a_cut_link_loses_what_is_sent_over_it_and_nothing_else(lab):
    await running(lab)
    first, second, third = (on(lab, f"node-{n}")[0] for n in (1, 2, 3))
    failure = await broken(lab, "cut-link", **{"from": "node/node-1", "to": "node/node-2"})

    def fetch(source, target):
        url = f"http://{target['status']['podIP']}/"
        return lab.exec(source["metadata"]["name"], "wget", "-T", "3", "-qO-", url)

    assert "timed out" in await fetch(first, second)
    assert "timed out" in await fetch(second, first)
    assert "Welcome" in await fetch(first, third)
    assert "Welcome" in await fetch(first, first)
    await mended(lab, failure)
    assert "Welcome" in await fetch(first, second)


async def test_a_pod_that_is_cut_off_from_a_service_reaches_its_pods_otherwise(lab):
    await running(lab)
    pod = lab.pods()[0]
    name = f"pod/default/{pod['metadata']['name']}"
    failure = await broken(lab, "cut-link", **{"from": name, "to": "service/default/web"})
    other = lab.pods()[1]
    fetch = ("wget", "-T", "3", "-qO-")
    assert "timed out" in await lab.exec(pod["metadata"]["name"], *fetch, "http://web")
    assert "Welcome" in await lab.exec(other["metadata"]["name"], *fetch, "http://web")
    direct = f"http://{other['status']['podIP']}"
    assert "Welcome" in await lab.exec(pod["metadata"]["name"], *fetch, direct)
    await mended(lab, failure)
    assert "Welcome" in await lab.exec(pod["metadata"]["name"], *fetch, "http://web")


async def test_a_slow_api_makes_every_request_wait(lab):
    loop = asyncio.get_running_loop()
    failure = await broken(lab, "slow-api", milliseconds=500)
    began = loop.time()
    await lab.client.get(resources.NODES, "", "node-1")
    assert 0.5 <= loop.time() - began < 0.6
    await mended(lab, failure)
    began = loop.time()
    await lab.client.get(resources.NODES, "", "node-1")
    assert loop.time() - began < 0.1


async def test_expired_credentials_are_refused(lab):
    failure = await broken(lab, "expire-credentials", user="admin")
    with pytest.raises(Unauthorized):
        await lab.client.get(resources.NODES, "", "node-1")
    await mended(lab, failure)
    assert await lab.client.get(resources.NODES, "", "node-1")


async def test_an_image_that_the_registry_has_lost_cannot_be_pulled(lab):
    failure = await broken(lab, "image-missing", image="nginx")
    await lab.client.create(deployment(replicas=1))

    def waits():
        for status in lab.pods()[0]["status"].get("containerStatuses") or ():
            if status["state"]["waiting"]["reason"] == "ImagePullBackOff":
                return status
        return None

    status = await eventually(lambda: lab.pods() and waits())
    assert "docker.io/library/nginx:1.27: not found" in status["state"]["waiting"]["message"]
    await mended(lab, failure)
    await lab.available(replicas=1, within=60)


async def test_a_lost_image_may_be_on_the_disk_of_a_node_still(lab):
    pod = (await running(lab, 1))[0]
    failure = await broken(lab, "image-missing", image="nginx:1.27")
    await broken(lab, "kill-container", pod=f"default/{pod['metadata']['name']}")
    await eventually(lambda: lab.pods()[0]["status"]["containerStatuses"][0]["restartCount"] == 1)
    await mended(lab, failure)
    await broken(lab, "image-missing", image="docker.io/library/nginx:1.27", forget=True)
    await broken(lab, "kill-container", pod=f"default/{pod['metadata']['name']}")

    def waits():
        state = lab.pods()[0]["status"]["containerStatuses"][0]["state"]
        return state.get("waiting", {}).get("reason") == "ImagePullBackOff"

    await eventually(waits, within=60)


async def test_nothing_is_pulled_while_no_registry_answers(lab):
    failure = await broken(lab, "registry-down")
    await lab.client.create(deployment(replicas=1))

    def failed():
        return [e for e in events(lab, "Failed") if "i/o timeout" in e["message"]]

    await eventually(failed)
    await mended(lab, failure)
    await lab.available(replicas=1, within=60)


async def test_a_full_disk_leaves_alone_what_has_ended(lab):
    container = {"name": "c", "image": "busybox", "command": ["true"]}
    await lab.client.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "done", "namespace": "default"},
            "spec": {"nodeName": "node-1", "restartPolicy": "Never", "containers": [container]},
        }
    )

    def phase():
        return lab.get("pods", "done")["status"].get("phase")

    await eventually(lambda: phase() == "Succeeded", within=30)
    await broken(lab, "disk-full", node="node-1", freeMebibytes=500)
    await eventually(
        lambda: sum(e["count"] for e in events(lab, "EvictionThresholdMet")) > 2, within=60
    )
    assert phase() == "Succeeded"


async def test_a_full_disk_evicts_pods_and_turns_others_away(lab):
    await running(lab)
    victim = on(lab, "node-1")[0]
    failure = await broken(lab, "disk-full", node="node-1", freeMebibytes=1024)
    await eventually(lambda: condition(node_of(lab), "DiskPressure")["status"] == "True", within=11)
    assert condition(node_of(lab), "DiskPressure")["reason"] == "KubeletHasDiskPressure"
    await eventually(
        lambda: ("node.kubernetes.io/disk-pressure", "NoSchedule") in taints(lab), within=5
    )

    def evicted():
        found = lab.get("pods", victim["metadata"]["name"])
        return found and found["status"].get("reason") == "Evicted" and found

    found = await eventually(evicted, within=20)
    assert found["status"]["phase"] == "Failed"
    assert found["status"]["message"].startswith(
        "The node was low on resource: ephemeral-storage. Threshold quantity: 5Gi, available: "
    )
    assert condition(found, "DisruptionTarget")["reason"] == "TerminationByKubelet"
    assert {e["reason"] for e in lab.all("events")} >= {"Evicted", "EvictionThresholdMet"}
    await lab.available(within=60)
    await lab.client.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "late", "namespace": "default"},
            "spec": {"nodeName": "node-1", "containers": [{"name": "c", "image": "nginx:1.27"}]},
        }
    )
    await eventually(lambda: lab.get("pods", "late")["status"].get("reason") == "Evicted")
    assert lab.get("pods", "late")["status"]["message"] == (
        "Pod was rejected: The node had condition: [DiskPressure]. "
    )
    await mended(lab, failure)
    await asyncio.sleep(250)
    # It has been well for less than the transition period.
    assert condition(node_of(lab), "DiskPressure")["status"] == "True"
    await eventually(lambda: not taints(lab), within=80)
    assert condition(node_of(lab), "DiskPressure")["status"] == "False"


async def test_what_is_broken_already_is_said(lab):
    await broken(lab, "stop-node", node="node-1")
    with pytest.raises(AlreadyExists, match="Stopped node node-1"):
        await broken(lab, "stop-node", node="node-1")


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("slow-api", {"milliseconds": 1}, {"milliseconds": 2}),
        ("disk-full", {"node": "node-1"}, {"node": "node-1", "freeMebibytes": 1}),
        ("image-missing", {"image": "nginx"}, {"image": "docker.io/library/nginx", "forget": True}),
        (
            "cut-link",
            {"from": "node/node-1", "to": "node/node-2"},
            {"from": "node/node-2", "to": "node/node-1"},
        ),
    ],
)
async def test_what_is_mended_as_one_is_broken_once(lab, kind, first, second):
    failure = await broken(lab, kind, **first)
    with pytest.raises(AlreadyExists) as refused:
        await broken(lab, kind, **second)
    assert failure.what in refused.value.message
    await mended(lab, failure)
    await broken(lab, kind, **second)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({}, "kind: Required value"),
        ({"kind": "meteor"}, 'kind: Unsupported value: "meteor"'),
        ({"kind": "stop-node"}, "target.node: Required value"),
        ({"kind": "stop-node", "target": []}, "target: Invalid value"),
        ({"kind": "stop-node", "target": {"node": "n9"}}, 'target.node: Not found: "n9"'),
        ({"kind": "stop-node", "target": {"node": 7}}, "target.node: Required value"),
        ({"kind": "stop-node", "target": {"pod": "a"}}, "stop-node has no such field"),
        ({"kind": "kill-container", "target": {"pod": "default/x"}}, "Not found"),
        ({"kind": "cut-link", "target": {"from": "x", "to": "node/node-1"}}, "must be node/NAME"),
        ({"kind": "cut-link", "target": {"from": "node/node-1", "to": "node/node-1"}}, "already"),
        ({"kind": "slow-api", "target": {"milliseconds": 0}}, "must be between 1 and 30000"),
        ({"kind": "slow-api", "target": {"milliseconds": True}}, "must be between"),
        ({"kind": "image-missing", "target": {"image": "UPPER"}}, "invalid reference format"),
        ({"kind": "disk-full", "target": {"node": "node-1", "freeMebibytes": -1}}, "between 0 and"),
        ({"kind": "slow-api", "prediction": "x" * 501}, "at most 500 characters"),
    ],
)
async def test_what_makes_no_sense_is_refused(lab, wanted, says):
    with pytest.raises(Invalid) as refusal:
        await lab.cluster.failures.begin(wanted)
    assert says in str(refusal.value)
    assert not lab.cluster.failures.journal.moments


async def test_what_is_not_broken_cannot_be_mended(lab):
    with pytest.raises(NotFound):
        await lab.cluster.failures.end("stop-node-1")


async def test_a_restart_of_the_worker_mends_nothing(fleet, lab, tmp_path):
    await running(lab)
    lab.cluster.failures.journal.kept = Kept(tmp_path, "lab")
    await broken(lab, "stop-node", node="node-1")
    await broken(lab, "slow-api", milliseconds=20)
    await broken(lab, "cut-link", **{"from": "node/node-2", "to": "node/node-3"})
    await eventually(lambda: condition(node_of(lab), "Ready")["status"] == "Unknown", within=60)
    kept = Journal(Kept(tmp_path, "lab"))
    await kept.read()
    assert [one.kind for one in kept.failures.values()] == ["stop-node", "slow-api", "cut-link"]
    again = await reopened(fleet, lab, kept)
    assert again.cluster.api.trouble.delay == pytest.approx(0.02)
    assert "node-1" not in again.cluster.kubelets
    await asyncio.sleep(60)
    assert condition(node_of(again), "Ready")["status"] == "Unknown"
    assert again.cluster.failures.journal.moments[0].what == "Stopped node node-1"
    await again.cluster.failures.end_all()
    await eventually(lambda: condition(node_of(again), "Ready")["status"] == "True", within=30)
    await again.available(within=60)


async def reopened(fleet, lab, journal):
    """End the cluster as a worker does, and open it again from its storage."""
    name, clock = lab.cluster.name, lab.cluster.clock
    fleet._running.pop(name)
    await lab.cluster.close()
    store = await fleet._storage.open_cluster(name)
    store.clock = clock
    cluster = RunningCluster(store, fleet._surface, clock)
    cluster.failures.journal = journal
    await fleet._start(cluster)
    return type(lab)(cluster)
