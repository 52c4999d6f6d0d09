"""The scheduler in a whole cluster, with controllers and kubelets."""

from __future__ import annotations

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
    await lab.client.create(pod("urgent", "c", priorityClassName="system-node-critical"))
    await eventually(lambda: placed(lab, "urgent") == node, within=120)
    assert lab.get("pods", "user") is None
    assert any(one["reason"] == "Preempted" for one in lab.all("events"))
