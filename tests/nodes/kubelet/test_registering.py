"""A node whose API does not listen goes on until it does."""

from apimachinery.errors import ServiceUnavailable
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
