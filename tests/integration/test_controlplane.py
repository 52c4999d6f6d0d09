"""The control plane as a node of its cluster: mirror pods, logs in klog's form, ports, metrics."""

import re
from functools import partial

import orjson
import pytest

from apimachinery.pods import is_ready
from nodes.client import resources
from nodes.network.http import request
from nodes.network.tls import INSECURE
from nodes.runtime.cri import LogOptions
from playground.failures.kinds import KillContainer, StopNode
from playground.machines import API_ADDRESS, control_plane
from tests.integration.conftest import Lab, deployment
from tests.support.builders import obj
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

NODE = "control-plane"
COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
LINE = re.compile(r"[IWE]\d{4} \d\d:\d\d:\d\d\.\d{6} {7}1 [\w.]+\.go:\d+\] .+")


def mirrors(lab):
    return {p["metadata"]["labels"]["component"]: p for p in lab.all("pods", "kube-system")}


@pytest.fixture
async def lab(fleet):
    made = await Lab(await fleet.create("lab", nodes=2, template="default")).ready()
    await eventually(lambda: sum(map(is_ready, mirrors(made).values())) == 4, within=30)
    network = made.cluster.network
    await eventually(lambda: len(network.listening(API_ADDRESS)) == 5, within=30)
    return made


async def log(lab, component, **options):
    kubelet = lab.cluster.kubelets[NODE]
    found = kubelet.logs(
        "kube-system", f"{component}-{NODE}", component, LogOptions(**options), previous=False
    )
    return b"".join([line async for line in found]).decode().splitlines()


async def ask(lab, url, source="", **more):
    trust = INSECURE if url.startswith("https") else None
    network = lab.cluster.network
    return await request(network, source or API_ADDRESS, url, trust=trust, **more)


async def test_each_node_has_a_range_of_its_own(lab):
    ranges = {n["metadata"]["name"]: n["spec"]["podCIDR"] for n in lab.all("nodes", "")}
    assert ranges[NODE] == control_plane().pod_cidr
    assert len(set(ranges.values())) == 3


async def test_mirror_pods_show_the_components_and_come_back(lab):
    found = mirrors(lab)
    assert sorted(found) == list(COMPONENTS)
    node = lab.get("nodes", NODE, "")
    assert "node-role.kubernetes.io/control-plane" in node["metadata"]["labels"]
    assert [t["effect"] for t in node["spec"]["taints"]] == ["NoSchedule"]
    pod = found["kube-scheduler"]
    metadata, spec = pod["metadata"], pod["spec"]
    assert metadata["name"] == f"kube-scheduler-{NODE}"
    assert metadata["labels"]["tier"] == "control-plane"
    (owner,) = metadata["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("Node", node["metadata"]["uid"])
    notes = metadata["annotations"]
    assert notes["kubernetes.io/config.source"] == "file"
    assert notes["kubernetes.io/config.mirror"] == notes["kubernetes.io/config.hash"]
    assert (spec["hostNetwork"], spec["priority"], spec["nodeName"]) == (True, 2000001000, NODE)
    assert pod["status"]["podIP"] == API_ADDRESS
    for broken in (StopNode(lab.cluster, {"node": NODE}), _killing(lab, metadata["name"])):
        (wrong, *_) = broken.errors()
        assert "the node of the control plane and its pods cannot be broken" in str(wrong)

    name = metadata["name"]
    for grace in (None, 0):
        before = lab.get("pods", name, "kube-system")
        await lab.client.delete(resources.PODS, "kube-system", name, grace=grace)
        after = await eventually(partial(_other, lab, before), within=20)
        same = [p["status"]["containerStatuses"][0]["containerID"] for p in (before, after)]
        assert same[0] == same[1]
        assert after["status"]["containerStatuses"][0]["restartCount"] == 0


def _killing(lab, name):
    return KillContainer(lab.cluster, {"pod": f"kube-system/{name}"})


def _other(lab, before):
    pod = lab.get("pods", before["metadata"]["name"], "kube-system")
    changed = pod is not None and pod["metadata"]["uid"] != before["metadata"]["uid"]
    return pod if changed and is_ready(pod) else None


async def test_logs_and_metrics_say_what_components_do(lab):
    await lab.client.create(deployment(replicas=2))
    await lab.available(replicas=2)
    lines = await log(lab, "kube-controller-manager")
    assert all(LINE.fullmatch(line) for line in lines), lines
    said = "\n".join(lines)
    assert '"Successfully acquired lease" lock="kube-system/kube-controller-manager"' in said
    assert re.search(
        r'event\.go:389\] "Event occurred" logger="deployment-controller" object="default/web" '
        r'fieldPath="" kind="Deployment" apiVersion="apps/v1" type="Normal" '
        r'reason="ScalingReplicaSet" message="Scaled up replica set web-\w+ from 0 to 2"',
        said,
    )
    (bound, _) = await log(lab, "kube-scheduler", tail_lines=2)
    assert re.search(
        r'"Successfully bound pod to node" pod="default/web-\S+" node="node-[12]" '
        r"evaluatedNodes=3 feasibleNodes=2$",
        bound,
    )
    await _check_metrics(lab)
    large = {"requests": {"cpu": "64"}}
    spec = {"containers": [{"name": "c", "image": "nginx", "resources": large}]}
    await lab.client.create(dict(obj("Pod", "large", spec=spec)))

    async def told():
        return (await log(lab, "kube-scheduler", tail_lines=1))[0]

    while "no fit" not in (line := await told()):
        await lab.cluster.clock.sleep(1)
    assert (
        '"Unable to schedule pod; no fit; waiting" pod="default/large" err="0/3 nodes are' in line
    )


async def test_ports_answer_to_who_may_ask(lab):
    plain = await ask(lab, "http://127.0.0.1:10252/healthz")
    assert (plain.status, plain.body) == (200, b"ok")
    far = lab.cluster.network.node_ip("node-1")
    with pytest.raises(ConnectionRefusedError):
        await ask(lab, f"http://{API_ADDRESS}:10252/healthz", far)
    for port in (10257, 10259):
        url = f"https://{API_ADDRESS}:{port}"
        assert (await ask(lab, f"{url}/healthz", far)).body == b"ok"
        refused = await ask(lab, f"{url}/metrics", far)
        assert refused.status == 403
        message = orjson.loads(refused.body)["message"]
        assert message == 'forbidden: User "system:anonymous" cannot get path "/metrics"'
        unknown = await ask(lab, f"{url}/metrics", far, headers={"Authorization": "Bearer x"})
        assert unknown.status == 401
        known = {"Authorization": "Bearer admin-token"}
        assert (await ask(lab, f"{url}/nowhere", far, headers=known)).status == 404
        assert (await ask(lab, f"{url}/metrics", far, headers=known)).status == 200
    verbose = (await ask(lab, "http://127.0.0.1:10251/readyz?verbose")).body.decode()
    assert verbose.endswith("[+]shutdown ok\nreadyz check passed\n")


async def _check_metrics(lab):
    manager = await values(lab, 10252)
    assert manager['leader_election_master_status{name="kube-controller-manager"}'] == 1
    assert manager['workqueue_adds_total{name="deployment"}'] > 0
    assert manager['workqueue_depth{name="deployment"}'] == 0
    handled = manager['workqueue_work_duration_seconds_count{name="deployment"}']
    assert handled == manager['workqueue_queue_duration_seconds_count{name="deployment"}'] > 0
    assert manager['node_collector_zone_size{zone=""}'] == 3
    posts = f'rest_client_requests_total{{code="201",host="{API_ADDRESS}:6443",method="POST"}}'
    assert manager[posts] > 2
    scheduler = await values(lab, 10251)
    profile = 'profile="default-scheduler"'
    assert scheduler[f'scheduler_schedule_attempts_total{{{profile},result="scheduled"}}'] == 2
    assert scheduler['scheduler_pending_pods{queue="unschedulable"}'] == 0
    assert scheduler["scheduler_pod_scheduling_attempts_count"] == 2
    came = 'event="UnscheduledPodAdd",queue="active"'
    assert scheduler[f"scheduler_queue_incoming_pods_total{{{came}}}"] == 2
    assert scheduler['scheduler_cache_size{type="nodes"}'] == 3
    etcd = await values(lab, 2381)
    assert etcd["etcd_debugging_mvcc_current_revision"] == lab.cluster.store.revision


async def values(lab, port):
    text = (await ask(lab, f"http://127.0.0.1:{port}/metrics")).body.decode()
    rows = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in rows}


async def test_a_restart_leaves_the_pods_and_a_cluster_without_machines_has_none(lab, fleet):
    await lab.quiet()
    before = mirrors(lab)
    await fleet.pause("lab")
    again = Lab(await fleet.resume("lab"))
    await again.quiet()
    assert mirrors(again) == before
    assert (await ask(again, "http://127.0.0.1:10252/healthz")).body == b"ok"
    assert '"Starting" version="v1.36' in (await log(again, "kube-controller-manager"))[1]
    empty = await Lab(await fleet.create("empty", nodes=0, template="default")).ready()
    await empty.quiet()
    assert (empty.all("nodes"), empty.all("pods")) == ([], [])
