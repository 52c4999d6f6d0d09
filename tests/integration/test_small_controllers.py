"""Controllers that do one small thing each, in a whole cluster: they may do it, and it shows.

What they do in which case is in tests/nodes/controllers.
"""

import base64
from datetime import UTC, datetime

import pytest

from apimachinery.clock import format_time
from nodes.client.resources import (
    CLUSTERROLES,
    CONFIGMAPS,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODS,
)
from tests.integration.conftest import Lab
from tests.integration.test_scheduling import claim, pod
from tests.support.builders import obj
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

PULL = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}


@pytest.fixture
async def lab(fleet):
    made = await fleet.create("lab", nodes=2, template="default")
    return await Lab(made).ready()


async def create(lab, made):
    return await lab.client.create(dict(made))


async def test_roles_jobs_endpoints_and_tokens(lab):
    rbac = "rbac.authorization.k8s.io/v1"
    selector = {"clusterRoleSelectors": [{"matchLabels": {"to": "all"}}]}
    await create(lab, obj("ClusterRole", "all", "", rbac, aggregationRule=selector, rules=[]))
    await create(lab, obj("ClusterRole", "one", "", rbac, rules=[PULL]).labels(to="all"))
    await eventually(
        lambda: lab.get("clusterroles.rbac.authorization.k8s.io", "all", "")["rules"] == [PULL]
    )
    await lab.client.delete(CLUSTERROLES, "", "one")
    await eventually(
        lambda: not lab.get("clusterroles.rbac.authorization.k8s.io", "all", "").get("rules")
    )

    container = {"name": "c", "image": "busybox:1.37", "command": ["sleep", "1"]}
    template = {"spec": {"containers": [container], "restartPolicy": "Never"}}
    spec = {"template": template, "ttlSecondsAfterFinished": 100}
    await create(lab, obj("Job", "short", api_version="batch/v1", spec=spec))
    await eventually(
        lambda: (lab.get("jobs.batch", "short").get("status") or {}).get("completionTime"),
        within=60,
    )
    ended = lab.cluster.clock.seconds()
    await eventually(lambda: lab.get("jobs.batch", "short") is None, within=120, every=1)
    assert lab.cluster.clock.seconds() - ended == pytest.approx(100, abs=3)
    await eventually(lambda: not lab.all("pods", "default"), within=60)

    await create(lab, obj("Service", "outside", spec={"ports": [{"port": 80}]}))
    subsets = [{"addresses": [{"ip": "192.0.2.7"}], "ports": [{"port": 80}]}]
    await create(lab, obj("Endpoints", "outside", subsets=subsets))
    (mirrored,) = await eventually(
        lambda: [
            one
            for one in lab.all("endpointslices.discovery.k8s.io", "default")
            if one["metadata"]["labels"].get("kubernetes.io/service-name") == "outside"
        ]
    )
    by = mirrored["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"]
    assert by == "endpointslicemirroring-controller.k8s.io"
    assert mirrored["endpoints"][0]["addresses"] == ["192.0.2.7"]

    await create(lab, obj("ConfigMap", "cluster-info", "kube-public", data={"kubeconfig": "x"}))
    data = {
        "token-id": "abcdef",
        "token-secret": "0123456789abcdef",
        "expiration": format_time(datetime.fromtimestamp(lab.cluster.clock.seconds() + 300, UTC)),
        "usage-bootstrap-signing": "true",
    }
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
    kind = {"type": "bootstrap.kubernetes.io/token", "data": encoded}
    await create(lab, obj("Secret", "bootstrap-token-abcdef", "kube-system", **kind))

    async def signed():
        found = await lab.client.get(CONFIGMAPS, "kube-public", "cluster-info")
        return "jws-kubeconfig-abcdef" in found["data"]

    await lab.quiet()
    assert await signed()
    await eventually(
        lambda: lab.get("secrets", "bootstrap-token-abcdef", "kube-system") is None,
        within=400,
        every=1,
    )
    await lab.quiet()
    assert not await signed()


async def test_volumes_and_nodes(lab):
    api = "storage.k8s.io/v1"
    grows = {"provisioner": "kubeground.io/simulated", "allowVolumeExpansion": True}
    await create(lab, obj("StorageClass", "grows", "", api, **grows))
    await create(lab, claim("data", ["ReadWriteOnce"], "grows"))

    def data():
        return lab.get("persistentvolumeclaims", "data")

    await eventually(lambda: data()["status"].get("phase") == "Bound", within=60)
    more = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    await lab.client.patch(PERSISTENTVOLUMECLAIMS, "default", "data", more)
    await eventually(lambda: data()["status"]["capacity"] == {"storage": "2Gi"}, within=60)
    volume = data()["spec"]["volumeName"]
    assert lab.get("persistentvolumes", volume, "")["spec"]["capacity"] == {"storage": "2Gi"}

    # A volume stays while it is bound, a claim while a pod has it.
    await create(lab, pod("user", "data"))
    await eventually(lambda: lab.get("pods", "user")["status"].get("phase") == "Running", within=60)
    await lab.client.delete(PERSISTENTVOLUMES, "", volume)
    await lab.client.delete(PERSISTENTVOLUMECLAIMS, "default", "data")
    await lab.quiet()
    assert data()["metadata"]["deletionTimestamp"]
    assert lab.get("persistentvolumes", volume, "")["metadata"]["deletionTimestamp"]
    await lab.client.delete(PODS, "default", "user")
    await eventually(lambda: data() is None, within=120)
    await eventually(lambda: lab.get("persistentvolumes", volume, "") is None, within=120)

    own = {"volumeClaimTemplate": {"spec": claim("x", ["ReadWriteOnce"], "grows")["spec"]}}
    made = pod("own", volumes=[{"name": "scratch", "ephemeral": own}])
    await create(lab, made)
    await eventually(lambda: lab.get("persistentvolumeclaims", "own-scratch"), within=60)
    await lab.client.delete(PODS, "default", "own")
    await eventually(lambda: lab.get("persistentvolumeclaims", "own-scratch") is None, within=120)

    # A node from outside gets a range for its pods; when it goes, what was there goes too.
    await create(lab, obj("Node", "extra", "", spec={}))
    found = await eventually(lambda: lab.get("nodes", "extra", "")["spec"].get("podCIDR"))
    ranges = [one["spec"]["podCIDR"] for one in lab.all("nodes")]
    assert ranges.count(found) == 1
    await create(lab, pod("lost", nodeName="extra"))
    await lab.client.delete(NODES, "", "extra")
    await eventually(lambda: lab.get("pods", "lost") is None, within=120, every=1)
