"""What a kubelet checks of a pod by itself, and what comes of a pod that it refuses."""

from types import SimpleNamespace

import pytest

from nodes.kubelet.admission import asks_of, refusal
from nodes.kubelet.node import Machine
from tests.nodes.kubelet.conftest import sleeper
from tests.support.builders import pod

pytestmark = pytest.mark.looptime

MACHINE = Machine("n1", "172.18.0.2", cpu="2", memory="1Gi", ephemeral_storage="1Gi", pods=3)


def there(built, *, over=False):
    return SimpleNamespace(asks=asks_of(built), over=over)


def port(number, **more):
    return pod("p").image("nginx", ports=[{"containerPort": 80, "hostPort": number, **more}])


BIG = pod("p").requests(cpu="1500m", memory="512Mi")


@pytest.mark.parametrize(
    ("wanted", "others", "reason", "words"),
    [
        (BIG, [], None, ""),
        (pod("p"), [there(BIG)], None, ""),
        (
            pod("p").requests(cpu="600m"),
            [there(BIG)],
            "OutOfcpu",
            "Node didn't have enough resource: cpu, requested: 600, used: 1500, capacity: 2000",
        ),
        (
            pod("p").requests(memory="1Gi"),
            [there(BIG)],
            "OutOfmemory",
            (
                "Node didn't have enough resource: memory, requested: 1073741824, used: 536870912,"
                " capacity: 1073741824"
            ),
        ),
        (BIG, [there(BIG, over=True)], None, ""),
        (
            pod("p"),
            [there(pod(name)) for name in "abc"],
            "OutOfpods",
            "Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3",
        ),
        (port(80), [there(port(81)), there(port(80, protocol="UDP"))], None, ""),
        (
            port(80),
            [there(port(80, hostIP="127.0.0.1"))],
            "NodePorts",
            (
                "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod"
                " ports"
            ),
        ),
        (port(80, hostIP="127.0.0.2"), [there(port(80, hostIP="127.0.0.1"))], None, ""),
    ],
)
def test_what_a_node_has_room_for(wanted, others, reason, words):
    found = refusal(MACHINE, asks_of(wanted), others)
    assert found == ((reason, words) if reason else None)


async def test_a_pod_without_room_fails_and_the_others_stay(rig):
    await rig.create(sleeper("first").requests(cpu="3"))
    await rig.ready("first")
    await rig.create(sleeper().requests(cpu="2"))
    await rig.phase("Failed")
    why = "Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000"
    status = rig.status()
    assert (status["reason"], status["message"]) == ("OutOfcpu", f"Pod was rejected: {why}")
    assert rig.messages("OutOfcpu") == [why]
    assert rig.status("first")["phase"] == "Running"
    # Its room is not taken: the next one fits.
    await rig.create(sleeper("third").requests(cpu="1"))
    await rig.ready("third")
