"""The scheduler in a whole cluster, with controllers and kubelets."""

from __future__ import annotations

import orjson
import pytest

from apimachinery.errors import ApiError
from nodes.client.resources import CONFIGMAPS, PODS
from nodes.network.http import HttpResponse, serve_http
from playground.machines import API_ADDRESS
from tests.support.builders import obj
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


def claim(name, modes, cls="local"):
    requests = {"requests": {"storage": "1Gi"}}
    spec = {"accessModes": modes, "resources": requests, "storageClassName": cls}
    return dict(obj("PersistentVolumeClaim", name, spec=spec))


def pod(name, *claims, **spec):
    volumes = [{"name": c, "persistentVolumeClaim": {"claimName": c}} for c in claims]
    containers = [{"name": "c", "image": "nginx"}]
    return dict(obj("Pod", name, spec={"containers": containers, "volumes": volumes, **spec}))


def volume(name, node, mode):
    match = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    terms = [{"matchExpressions": [match]}]
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": [mode],
        "storageClassName": "local",
        "local": {"path": f"/mnt/{name}"},
        "nodeAffinity": {"required": {"nodeSelectorTerms": terms}},
    }
    return dict(obj("PersistentVolume", name, "", spec=spec))


LOCAL = dict(
    obj(
        "StorageClass",
        "local",
        "",
        "storage.k8s.io/v1",
        provisioner="kubernetes.io/no-provisioner",
        volumeBindingMode="WaitForFirstConsumer",
    )
)


def placed(lab, name):
    found = lab.get("pods", name)
    return found["spec"].get("nodeName") if found else None


async def test_a_pod_goes_to_its_volume_and_one_of_higher_priority_takes_it_over(lab):
    await lab.ready()
    node = lab.all("nodes")[-1]["metadata"]["name"]
    mode = "ReadWriteOncePod"
    for one in (LOCAL, volume("v", node, mode), claim("c", [mode]), pod("user", "c")):
        await lab.client.create(one)
    await eventually(lambda: placed(lab, "user") == node, within=60)
    bound = lab.get("persistentvolumes", "v", "")
    assert bound["spec"]["claimRef"]["name"] == "c"
    assert lab.get("persistentvolumeclaims", "c")["status"]["phase"] == "Bound"
    await lab.client.create(pod("equal", "c"))
    await eventually(lambda: lab.get("pods", "equal")["status"].get("conditions"), within=60)
    (condition,) = lab.get("pods", "equal")["status"]["conditions"]
    count = len(lab.all("nodes"))
    assert condition["message"].startswith(
        f"0/{count} nodes are available: {count} node has pod using PersistentVolumeClaim with "
        "the same name and ReadWriteOncePod access mode."
    )
    assert (condition["observedGeneration"], condition["lastProbeTime"]) == (1, None)
    await lab.client.create(pod("urgent", "c", priorityClassName="system-node-critical"))
    await eventually(lambda: placed(lab, "urgent") == node, within=120)
    assert lab.get("pods", "user") is None
    assert any(one["reason"] == "Preempted" for one in lab.all("events"))


# What is said where a profile sends nobody away.
NO_MORE = "no new claims to deallocate"
CONFIG = """
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
- schedulerName: default-scheduler
- schedulerName: packing
  pluginConfig:
  - name: NodeResourcesFit
    args:
      scoringStrategy: {type: MostAllocated}
  plugins:
    postFilter: {disabled: [{name: DefaultPreemption}]}
    multiPoint: {disabled: [{name: PodTopologySpread}, {name: NodeResourcesBalancedAllocation}]}
"""


def config(text):
    name = {"name": "kube-scheduler-config", "namespace": "kube-system"}
    data = {"config.yaml": text}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": name, "data": data}


def told(lab, reason):
    return [one["message"] for one in lab.all("events") if one["reason"] == reason]


async def test_schedulers_are_configured_by_a_configmap(lab):
    await lab.ready()
    requests = {"requests": {"cpu": "100m"}}
    containers = [{"name": "c", "image": "nginx", "resources": requests}]
    packed = [pod(f"p{n}", schedulerName="packing", containers=containers) for n in range(4)]
    for one in packed:
        await lab.client.create(one)
    await lab.quiet()
    assert [placed(lab, f"p{n}") for n in range(4)] == [None] * 4

    await lab.client.create(config(CONFIG))
    await eventually(lambda: all(placed(lab, f"p{n}") for n in range(4)), within=60)
    assert len({placed(lab, f"p{n}") for n in range(4)}) == 1
    sources = {
        one.get("reportingComponent") or one["source"]["component"]
        for one in lab.all("events")
        if one["reason"] == "Scheduled"
        and one["message"].startswith("Successfully assigned default/p")
    }
    assert sources == {"packing"}

    huge = [{"name": "c", "image": "nginx", "resources": {"requests": {"cpu": "900"}}}]
    await lab.client.create(pod("huge", schedulerName="packing", containers=huge))
    count = len(lab.all("nodes"))
    await eventually(
        lambda: (
            told(lab, "FailedScheduling")
            == [f"0/{count} nodes are available: {count} Insufficient cpu. {NO_MORE}"]
        ),
        within=60,
    )


async def test_a_wrong_configuration_changes_nothing_and_says_why(lab):
    await lab.ready()
    await lab.client.create(config(CONFIG.replace("MostAllocated", "Best")))
    await eventually(lambda: told(lab, "InvalidConfiguration"), within=60)
    (message,) = told(lab, "InvalidConfiguration")
    assert message == lab.cluster.scheduler_config.error
    assert 'initializing plugin "NodeResourcesFit": scoringStrategy.type: Unsupported' in message
    await lab.client.create(pod("p"))
    await eventually(lambda: placed(lab, "p"), within=60)
    assert [one.name for one in lab.cluster.scheduler.profiles] == ["default-scheduler"]


def gpus(node, *names):
    pool = {"name": node, "generation": 1, "resourceSliceCount": 1}
    devices = [{"name": name, "attributes": {"model": {"string": "x"}}} for name in names]
    spec = {"driver": "gpu.example.com", "nodeName": node, "pool": pool, "devices": devices}
    return dict(obj("ResourceSlice", f"gpus-{node}", "", DRA, spec=spec))


DRA = "resource.k8s.io/v1"
GPU = dict(obj("DeviceClass", "gpu", "", DRA, spec={"selectors": []}))
REQUEST = {"name": "r", "exactly": {"deviceClassName": "gpu"}}
ONE_GPU = {"spec": {"devices": {"requests": [REQUEST]}}}
TEMPLATE = dict(obj("ResourceClaimTemplate", "one-gpu", "default", DRA, spec=ONE_GPU))


def drawing(name):
    claims = [{"name": "gpu", "resourceClaimTemplateName": "one-gpu"}]
    return pod(name, resourceClaims=claims)


async def test_pods_are_given_devices_and_wait_where_there_are_none(lab):
    await lab.ready()
    node = lab.all("nodes")[0]["metadata"]["name"]
    for one in (GPU, TEMPLATE, gpus(node, "a", "b"), drawing("p0"), drawing("p1")):
        await lab.client.create(one)
    await eventually(lambda: placed(lab, "p0") == placed(lab, "p1") == node, within=60)
    given = {}
    for claim_ in lab.all("resourceclaims.resource.k8s.io"):
        (result,) = claim_["status"]["allocation"]["devices"]["results"]
        (user,) = claim_["status"]["reservedFor"]
        given[user["name"]] = result["device"]
    assert sorted(given) == ["p0", "p1"]
    assert sorted(given.values()) == ["a", "b"]

    await lab.client.create(drawing("p2"))
    count = len(lab.all("nodes"))
    await eventually(lambda: told(lab, "FailedScheduling"), within=60)
    (message,) = told(lab, "FailedScheduling")
    assert message == (
        f"0/{count} nodes are available: {count} cannot allocate all claims. "
        f"still not schedulable, preemption: 0/{count} nodes are available: "
        f"{count} Preemption is not helpful for scheduling."
    )
    await lab.client.delete(PODS, "default", "p0")
    await eventually(lambda: placed(lab, "p2") == node, within=120)


async def test_pods_share_a_device_until_it_is_used_up(lab):
    await lab.ready()
    node = lab.all("nodes")[0]["metadata"]["name"]
    card = gpus(node, "card")
    policy = {"default": "1Gi", "validRange": {"min": "1Gi", "step": "1Gi"}}
    card["spec"]["devices"][0] |= {
        "allowMultipleAllocations": True,
        "capacity": {"memory": {"value": "8Gi", "requestPolicy": policy}},
    }
    wanted = {"deviceClassName": "gpu", "capacity": {"requests": {"memory": "3500Mi"}}}
    spec = {"spec": {"devices": {"requests": [{"name": "r", "exactly": wanted}]}}}
    template = dict(obj("ResourceClaimTemplate", "one-gpu", "default", DRA, spec=spec))
    for one in (GPU, template, card, drawing("p0"), drawing("p1"), drawing("p2")):
        await lab.client.create(one)
    await eventually(lambda: told(lab, "FailedScheduling"), within=60)
    names = ["p0", "p1", "p2"]
    await eventually(lambda: len([n for n in names if placed(lab, n)]) == 2, within=60)
    given = [
        claim_["status"]["allocation"]["devices"]["results"]
        for claim_ in lab.all("resourceclaims.resource.k8s.io")
        if claim_.get("status")
    ]
    assert [one["consumedCapacity"] for (one,) in given] == [{"memory": "4Gi"}] * 2
    assert len({one["shareID"] for (one,) in given}) == 2
    (waiting,) = (name for name in names if not placed(lab, name))
    names.remove(waiting)
    await lab.client.delete(PODS, "default", names[0])
    await eventually(lambda: placed(lab, waiting) == node, within=120)


async def test_devices_stand_for_an_extended_resource(lab):
    await lab.ready()
    node = lab.all("nodes")[0]["metadata"]["name"]
    resource = "example.com/gpu"
    named = dict(obj("DeviceClass", "gpu", "", DRA, spec={"extendedResourceName": resource}))
    asked = {"limits": {resource: "1"}}
    ends = {"name": "c", "image": "busybox", "command": ["sleep", "60"], "resources": asked}
    first = pod("p", containers=[ends], restartPolicy="Never")
    for one in (named, gpus(node, "a"), first):
        await lab.client.create(one)
    await eventually(lambda: placed(lab, "p") == node, within=60)
    (made,) = lab.all("resourceclaims.resource.k8s.io")
    assert made["metadata"]["name"].startswith("p-extended-resources-")
    said = lab.get("pods", "p")["status"]["extendedResourceClaimStatus"]
    assert said["resourceClaimName"] == made["metadata"]["name"]
    await lab.client.create(pod("q", containers=[{**ends, "command": ["sleep", "600"]}]))
    await eventually(lambda: told(lab, "FailedScheduling"), within=60)
    # The device is free once the first has ended, and nothing is left of its claim.
    await eventually(lambda: placed(lab, "q") == node, within=300)
    assert lab.get("pods", "p")["status"]["phase"] == "Succeeded"
    assert lab.get("pods", "p")["status"]["extendedResourceClaimStatus"] == said
    (left,) = lab.all("resourceclaims.resource.k8s.io")
    assert left["metadata"]["name"].startswith("q-extended-resources-")
    await eventually(lambda: lab.get("pods", "q")["status"]["phase"] == "Running", within=60)


async def test_a_quota_counts_devices_once_that_stand_for_what_a_pod_asks_for(lab):
    await lab.ready()
    node = lab.all("nodes")[0]["metadata"]["name"]
    resource, devices = "example.com/gpu", "gpu.deviceclass.resource.k8s.io/devices"
    hard = {f"requests.{resource}": "1", devices: "1"}
    named = dict(obj("DeviceClass", "gpu", "", DRA, spec={"extendedResourceName": resource}))
    asked = [{"name": "c", "image": "nginx", "resources": {"limits": {resource: "1"}}}]
    for one in (named, gpus(node, "a", "b"), dict(obj("ResourceQuota", "q", spec={"hard": hard}))):
        await lab.client.create(one)

    def used():
        return (lab.get("resourcequotas", "q").get("status") or {}).get("used")

    await eventually(lambda: used() == dict.fromkeys(hard, "0"), within=60)
    await lab.client.create(pod("p", containers=asked))
    await eventually(lambda: placed(lab, "p") == node, within=60)
    await eventually(lambda: used() == hard, within=60)
    for another in (
        pod("q", containers=asked),
        dict(obj("ResourceClaim", "c", "default", DRA, **ONE_GPU)),
    ):
        with pytest.raises(ApiError, match="exceeded quota: q, requested: "):
            await lab.client.create(another)
    await lab.client.delete(PODS, "default", "p")
    await eventually(lambda: used() == dict.fromkeys(hard, "0"), within=120)


async def test_a_pod_may_start_over_where_the_kubelet_declares_that_it_can(lab):
    await lab.ready()
    rule = {"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [88]}}
    ends = {"name": "ends", "image": "busybox", "command": ["sh", "-c", "sleep 30; exit 88"]}
    ends |= {"restartPolicy": "Never", "restartPolicyRules": [rule]}
    stays = {"name": "stays", "image": "nginx"}
    await lab.client.create(pod("p", containers=[ends, stays], restartPolicy="Never"))

    def counts():
        told = (lab.get("pods", "p").get("status") or {}).get("containerStatuses") or ()
        return [one["restartCount"] for one in told]

    await eventually(lambda: counts() == [2, 2], within=120)
    assert lab.get("pods", "p")["status"]["phase"] == "Running"


async def test_a_pod_waits_for_a_claim_that_is_made_later(lab):
    await lab.ready()
    node = lab.all("nodes")[0]["metadata"]["name"]
    for one in (GPU, gpus(node, "a")):
        await lab.client.create(one)
    shared = [{"name": "gpu", "resourceClaimName": "shared"}]
    await lab.client.create(pod("p", resourceClaims=shared))
    await lab.client.create(pod("q", resourceClaims=shared))
    await lab.quiet()
    assert placed(lab, "p") is None
    await lab.client.create(dict(obj("ResourceClaim", "shared", "default", DRA, **ONE_GPU)))
    await eventually(lambda: placed(lab, "p") == placed(lab, "q") == node, within=60)
    found = lab.get("resourceclaims.resource.k8s.io", "shared")
    assert {one["name"] for one in found["status"]["reservedFor"]} == {"p", "q"}
    assert "resource.kubernetes.io/delete-protection" in found["metadata"]["finalizers"]


async def test_an_extender_on_the_clusters_network_is_asked(lab):
    await lab.ready()
    node = lab.all("nodes")[-1]["metadata"]["name"]
    asked = []

    async def program(request):
        asked.append(request.path)
        others = [n for n in orjson.loads(request.body)["NodeNames"] if n != node]
        answer = {"NodeNames": [node], "FailedNodes": dict.fromkeys(others, "not today")}
        return HttpResponse(200, body=orjson.dumps(answer))

    lab.cluster.network.listen(API_ADDRESS, 9999, serve_http(program))
    await lab.client.create(config(EXTENDED % (API_ADDRESS, 9999)))
    await lab.quiet()
    await lab.client.create(pod("p"))
    await eventually(lambda: placed(lab, "p") == node, within=60)
    assert "/scheduler/filter" in asked
    attempt = lab.cluster.scheduler.decisions.of(lab.get("pods", "p")["metadata"]["uid"])[-1]
    assert {why for _, why in attempt.refused.values()} == {("not today",)}

    await lab.client.patch(
        CONFIGMAPS,
        "kube-system",
        "kube-scheduler-config",
        {"data": {"config.yaml": EXTENDED % (API_ADDRESS, 9998)}},
    )
    await lab.quiet()
    await lab.client.create(pod("q"))
    await eventually(lambda: told(lab, "FailedScheduling"), within=60)
    assert told(lab, "FailedScheduling")[0] == (
        f'Post "http://{API_ADDRESS}:9998/scheduler/filter": dial tcp {API_ADDRESS}:9998: '
        "connect: connection refused"
    )


EXTENDED = """
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
extenders:
- urlPrefix: http://%s:%d/scheduler
  filterVerb: filter
  nodeCacheCapable: true
"""


async def test_a_volume_is_made_where_its_driver_has_room(lab):
    await lab.ready()
    node = lab.all("nodes")[-1]["metadata"]["name"]
    driver, api = "room.example.com", "storage.k8s.io/v1"
    wait = {"provisioner": driver, "volumeBindingMode": "WaitForFirstConsumer"}
    for one in (
        obj("CSIDriver", driver, "", api, spec={"storageCapacity": True, "attachRequired": False}),
        obj("StorageClass", "roomy", "", api, **wait),
        claim("c", ["ReadWriteOnce"], "roomy"),
        pod("p", "c"),
    ):
        await lab.client.create(dict(one))
    await eventually(lambda: told(lab, "FailedScheduling"), within=60)
    assert "node(s) did not have enough free storage" in told(lab, "FailedScheduling")[0]
    where = {"nodeTopology": {"matchLabels": {"kubernetes.io/hostname": node}}}
    room = {"storageClassName": "roomy", "capacity": "10Gi", **where}
    await lab.client.create(dict(obj("CSIStorageCapacity", "r", "kube-system", api, **room)))
    chosen = "volume.kubernetes.io/selected-node"
    await eventually(
        lambda: (
            lab.get("persistentvolumeclaims", "c")["metadata"].get("annotations", {}).get(chosen)
            == node
        ),
        within=60,
    )
