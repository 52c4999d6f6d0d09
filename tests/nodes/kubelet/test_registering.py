"""A node tells what it is and which drivers it has; if its API does not listen, until it does."""

from apimachinery.errors import ServiceUnavailable
from nodes.client.resources import CSIDRIVERS, CSINODES
from nodes.kubelet.csinode import register
from tests.nodes.kubelet.conftest import Rig
from tests.support.builders import pod
from tests.support.eventually import eventually
from tests.support.faults import Faulty
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


async def test_a_node_registers_when_the_api_listens_again():
    rig = Rig()
    client = rig.kubelet._client
    faulty = client.transport = Faulty(client.transport)
    faulty.fail("create", "nodes", ServiceUnavailable("away"), times=4)
    faulty.fail("create", "leases", ServiceUnavailable("away"))
    began = rig.clock.seconds()
    await rig.kubelet.start()
    assert rig.api.get("nodes", "n1", "") is None
    await rig.client.create(pod("p").on("n1").image("nginx:1.27"))
    await rig.ready()
    # 0.1, 0.2, 0.4 and 0.8 s, and for the lease 1.6 s.
    assert rig.clock.seconds() - began > 3.1
    assert rig.api.get("leases", "n1", "kube-node-lease")
    await eventually(lambda: rig.messages("Starting") == ["Starting kubelet."])
    await rig.kubelet.stop()
    await rig.tasks.close()
    await rig.runtime.close()
    await rig.network.close()


async def test_a_node_tells_which_drivers_it_has(rig):
    node = rig.api.need("nodes", "n1", "")
    found = rig.api.need("csinodes", "n1", "")
    assert found["spec"]["drivers"] == []
    owner = {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": node["metadata"]["uid"]}
    assert found["metadata"]["ownerReferences"] == [owner]
    (migrated,) = found["metadata"]["annotations"].values()
    assert migrated.startswith("kubernetes.io/aws-ebs,kubernetes.io/azure-disk,")

    other = {"name": "other.example.com", "nodeID": "x"}
    await rig.client.patch(CSINODES, "", "n1", {"spec": {"drivers": [other]}})
    driver = {"metadata": {"name": "simulated.kubeground.io"}, "spec": {}}
    await rig.client.create(
        {"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", **driver}, CSIDRIVERS
    )
    for _ in range(2):  # the second time there is nothing to write
        await register(rig.kubelet._client, node)
        found = rig.api.need("csinodes", "n1", "")
        ours = {
            "name": "simulated.kubeground.io",
            "nodeID": "n1",
            "allocatable": {"count": 127},
        }
        assert found["spec"]["drivers"] == [other, ours]
    assert rig.api.need("csinodes", "n1", "") is found
