"""Controllers through the API, with the scheduler and kubelets at work, on virtual time."""

import pytest

from nodes.client.resources import (
    DAEMONSETS,
    PODS,
    RESOURCECLAIMS,
    RESOURCESLICES,
    STATEFULSETS,
)
from tests.integration.conftest import Lab, deployment
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard"},
    "provisioner": "kubeground.io/simulated",
}


def workload(kind, name="web", image="nginx:1.27", **spec):
    made = deployment(name, image=image)
    del made["spec"]["replicas"]
    return {**made, "kind": kind, "spec": {**made["spec"], **spec}}


def names(lab, plural):
    return sorted(one["metadata"]["name"] for one in lab.all(plural))


async def test_claims_go_with_what_they_were_made_for(lab):
    await lab.client.create(CLASS)
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "storageClassName": "standard",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    policy = {"whenDeleted": "Delete", "whenScaled": "Delete"}
    await lab.client.create(
        workload(
            "StatefulSet",
            serviceName="web",
            replicas=2,
            ordinals={"start": 3},
            volumeClaimTemplates=[claim],
            persistentVolumeClaimRetentionPolicy=policy,
        )
    )

    def ready(count):
        found = lab.get("statefulsets.apps", "web")
        return found["status"].get("readyReplicas", 0) == count

    await eventually(lambda: ready(2), within=60)
    assert names(lab, "persistentvolumeclaims") == ["data-web-3", "data-web-4"]
    await lab.client.patch(STATEFULSETS, "default", "web", {"spec": {"replicas": 1}})
    await eventually(lambda: names(lab, "persistentvolumeclaims") == ["data-web-3"], within=120)
    await lab.client.delete(STATEFULSETS, "default", "web")
    await eventually(lambda: names(lab, "persistentvolumeclaims") == [], within=120)


async def test_a_daemon_on_each_node_stays_while_the_next_one_starts(lab):
    rolling = {"maxSurge": "34%", "maxUnavailable": 0}
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
    await lab.client.create(workload("DaemonSet", updateStrategy=strategy))

    def status():
        return lab.get("daemonsets.apps", "web")["status"]

    await eventually(lambda: status().get("numberAvailable") == 3, within=60)
    # The older of two on a node is told by the second in which it was made.
    await lab.cluster.clock.sleep(2)
    template = {"spec": {"containers": [{"name": "c", "image": "nginx:1.28"}]}}
    await lab.client.patch(DAEMONSETS, "default", "web", {"spec": {"template": template}})
    seen = []

    def updated():
        seen.append((len(lab.pods()), status().get("numberAvailable")))
        return (
            status()["observedGeneration"] == 2
            and len(lab.pods()) == 3
            and (status().get("updatedNumberScheduled") == 3)
        )

    await eventually(updated, within=120)
    assert {available for _, available in seen} == {3}
    assert max(count for count, _ in seen) in (4, 5)


@pytest.fixture
async def stocked(fleet):
    """A cluster with storage whose volumes are attached."""
    made = await fleet.create("stocked", nodes=2, template="empty", features=["storage"])
    return await Lab(made).ready()


CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data", "namespace": "default"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


def pod_with_claim(name, node):
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "containers": [
                {
                    "name": "c",
                    "image": "busybox",
                    "command": ["sleep", "3600"],
                    "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                }
            ],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
            "nodeSelector": {"kubernetes.io/hostname": node},
            "terminationGracePeriodSeconds": 1,
        },
    }


async def test_a_disk_is_attached_to_one_node_and_then_to_another(stocked):
    lab = stocked
    await lab.client.create(CLAIM)
    await lab.client.create(pod_with_claim("a", "node-1"))
    await lab.client.create(pod_with_claim("b", "node-2"))

    def phase(name):
        return lab.get("pods", name)["status"]["phase"]

    def attached(node):
        status = lab.get("nodes", node, "")["status"]
        used = status.get("volumesInUse") or []
        return used, [one["name"] for one in status.get("volumesAttached") or ()]

    def placed(name):
        return "nodeName" in lab.get("pods", name)["spec"]

    await eventually(lambda: "Running" in {phase("a"), phase("b")}, within=60)
    # The second one finds its node once the claim is bound.
    await eventually(lambda: placed("a") and placed("b"), within=60)
    first, second = ("a", "b") if phase("a") == "Running" else ("b", "a")
    nodes = [lab.get("pods", name)["spec"]["nodeName"] for name in (first, second)]
    volume = lab.get("persistentvolumeclaims", "data")["spec"]["volumeName"]
    unique = f"kubernetes.io/csi/simulated.kubeground.io^{volume}"
    assert attached(nodes[0]) == ([unique], [unique])
    assert phase(second) == "Pending"
    why = f'Multi-Attach error for volume "{volume}" Volume is already used by pod(s) {first}'
    await eventually(lambda: why in {one["message"] for one in lab.all("events")}, within=10)
    # What waits says so after two minutes.
    stuck = (
        "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[data],"
        " failed to process volumes=[]: context deadline exceeded"
    )
    await eventually(lambda: stuck in {one["message"] for one in lab.all("events")}, within=130)
    await lab.client.delete(PODS, "default", first)
    await eventually(lambda: phase(second) == "Running", within=30)
    assert attached(nodes[1]) == ([unique], [unique])
    assert attached(nodes[0]) == ([], [])
    await lab.client.delete(PODS, "default", second)
    await eventually(lambda: not lab.all("volumeattachments.storage.k8s.io"), within=60)


async def test_a_claim_of_devices_is_made_for_a_pod_and_goes_with_it(lab):
    spec = {"devices": {"requests": [{"name": "gpu", "exactly": {"deviceClassName": "none"}}]}}
    await lab.client.create(
        {
            "apiVersion": "resource.k8s.io/v1",
            "kind": "ResourceClaimTemplate",
            "metadata": {"name": "gpu", "namespace": "default"},
            "spec": {"spec": spec},
        }
    )
    await lab.client.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p", "namespace": "default"},
            "spec": {
                "containers": [{"name": "c", "image": "busybox", "command": ["sleep", "9999"]}],
                "resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "gpu"}],
                "terminationGracePeriodSeconds": 1,
            },
        }
    )

    def made():
        return lab.get("pods", "p")["status"].get("resourceClaimStatuses")

    (status,) = await eventually(made, within=10)
    claim = lab.get("resourceclaims.resource.k8s.io", status["resourceClaimName"])
    assert claim["metadata"]["annotations"] == {"resource.kubernetes.io/pod-claim-name": "gpu"}
    assert claim["spec"] == spec | {
        "devices": {
            "requests": [
                {
                    "name": "gpu",
                    "exactly": {
                        "deviceClassName": "none",
                        "allocationMode": "ExactCount",
                        "count": 1,
                    },
                }
            ]
        }
    }
    managers = {one["manager"] for one in lab.get("pods", "p")["metadata"]["managedFields"]}
    assert "ResourceClaimController" in managers
    await lab.client.delete(PODS, "default", "p")
    await eventually(lambda: not lab.all("resourceclaims.resource.k8s.io"), within=60)


async def test_nodes_are_annotated_and_classes_of_attributes_protected(lab):
    notes = [one["metadata"]["annotations"] for one in lab.all("nodes")]
    assert {one["node.alpha.kubernetes.io/ttl"] for one in notes} == {"0"}
    gold = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "VolumeAttributesClass",
        "metadata": {"name": "gold"},
        "driverName": "simulated.kubeground.io",
        "parameters": {"iops": "3000"},
    }
    await lab.client.create(gold)

    def finalizers():
        found = lab.get("volumeattributesclasses.storage.k8s.io", "gold", "")
        return found["metadata"].get("finalizers")

    await eventually(lambda: finalizers() == ["kubernetes.io/vac-protection"])


async def test_a_pod_leaves_a_device_that_breaks(lab):
    device = {"name": "gpu-0"}
    pool = {"name": "node-1", "generation": 1, "resourceSliceCount": 1}
    shown = {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceSlice",
        "metadata": {"name": "gpus"},
        "spec": {
            "driver": "gpu.example.com",
            "pool": pool,
            "nodeName": "node-1",
            "devices": [device],
        },
    }
    await lab.client.create(shown)
    spec = {"devices": {"requests": [{"name": "gpu", "exactly": {"deviceClassName": "gpu"}}]}}
    claim = await lab.client.create(
        {
            "apiVersion": "resource.k8s.io/v1",
            "kind": "ResourceClaim",
            "metadata": {"name": "gpu", "namespace": "default"},
            "spec": spec,
        }
    )
    result = {"request": "gpu", "driver": "gpu.example.com", "pool": "node-1", "device": "gpu-0"}
    status = {"allocation": {"devices": {"results": [result]}}}
    await lab.client.update_status({**claim, "status": status}, RESOURCECLAIMS)
    await lab.client.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p", "namespace": "default"},
            "spec": {
                "nodeName": "node-1",
                "containers": [{"name": "c", "image": "busybox", "command": ["sleep", "9999"]}],
                "resourceClaims": [{"name": "gpu", "resourceClaimName": "gpu"}],
            },
        }
    )

    def reserved():
        found = lab.get("resourceclaims.resource.k8s.io", "gpu")["status"]
        return [one["name"] for one in found.get("reservedFor") or ()]

    # Somebody else than the scheduler has bound it, so that the controller reserves the claim.
    await eventually(lambda: reserved() == ["p"])
    taint = {"key": "example.com/broken", "effect": "NoExecute"}
    broken = {"spec": {"devices": [{**device, "taints": [taint]}]}}
    await lab.client.patch(RESOURCESLICES, "", "gpus", broken)
    await eventually(lambda: lab.get("pods", "p") is None, within=60)
    assert "DeviceTaintManagerEviction" in {one["reason"] for one in lab.all("events")}
    await eventually(lambda: reserved() == [])
