"""What a kubelet checks of a pod by itself, and what comes of a pod that it refuses."""

from types import SimpleNamespace

import pytest

from nodes.client import resources
from nodes.client.rest import STRATEGIC_PATCH
from nodes.kubelet.admission import asks_of, reasons
from nodes.kubelet.preemption import NoRoomError, victims
from tests.nodes.kubelet.conftest import sleeper
from tests.support.builders import node, pod
from tests.support.eventually import eventually

pytestmark = pytest.mark.looptime

CRITICAL = 2_000_000_000


def there(built):
    return SimpleNamespace(pod=built, asks=asks_of(built))


def n1():
    made = node("n1").labels(disk="ssd").cpu(2).memory("1Gi").pods(3)
    for name, amount in (("ephemeral-storage", "1Gi"), ("example.com/dongle", "1")):
        made["status"]["allocatable"][name] = amount
    return made


def port(number, **more):
    return pod("p").image("nginx", ports=[{"containerPort": 80, "hostPort": number, **more}])


def affine(operator, *values):
    term = {"matchExpressions": [{"key": "disk", "operator": operator, "values": [*values]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    return pod("p").spec(affinity={"nodeAffinity": required})


def setting(name):
    return pod("p").spec(securityContext={"sysctls": [{"name": name, "value": "1"}]})


def short(name, *amounts):
    words = "requested: {}, used: {}, capacity: {}".format(*amounts)
    return f"OutOf{name}", f"Node didn't have enough resource: {name}, {words}"


def failed(name, why):
    return name, f"Predicate {name} failed: {why}"


BIG = pod("p").requests(cpu="1500m", memory="512Mi")
AFFINITY = failed("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")
PORTS = failed("NodePorts", "node(s) didn't have free ports for the requested pod ports")
TAINTS = failed("TaintToleration", "node(s) had taints that the pod didn't tolerate")


@pytest.mark.parametrize(
    ("wanted", "others", "against"),
    [
        (BIG, [], []),
        (pod("p"), [BIG], []),
        (pod("p").requests(cpu="600m"), [BIG], [short("cpu", 600, 1500, 2000)]),
        (pod("p").requests(memory="1Gi"), [BIG], [short("memory", 2**30, 2**29, 2**30)]),
        (pod("p"), [pod(name) for name in "abc"], [short("pods", 1, 3, 3)]),
        # All that is against it is known: what is short first, and the first is what is told.
        (
            pod("p").requests(cpu="1500m").spec(nodeSelector={"disk": "hdd"}),
            [BIG],
            [short("cpu", 1500, 1500, 2000), AFFINITY],
        ),
        (
            pod("p").requests(**{"example.com/dongle": "1"}),
            [pod("q").requests(**{"example.com/dongle": "1"})],
            [short("example.com/dongle", 1, 1, 1)],
        ),
        # Nobody knows of it here: it is the cluster's.
        (pod("p").requests(**{"example.com/other": "1"}), [], []),
        (pod("p").requests(**{"hugepages-2Mi": "2Mi"}), [], [short("hugepages-2Mi", 2**21, 0, 0)]),
        (port(80), [port(81), port(80, protocol="UDP")], []),
        (port(80), [port(80, hostIP="127.0.0.1")], [PORTS]),
        (port(80, hostIP="127.0.0.2"), [port(80, hostIP="127.0.0.1")], []),
        (pod("p").spec(nodeSelector={"disk": "ssd"}), [], []),
        (pod("p").spec(nodeSelector={"disk": "hdd"}), [], [AFFINITY]),
        (affine("In", "ssd"), [], []),
        (affine("NotIn", "ssd"), [], [AFFINITY]),
        (
            pod("p").on("n2"),
            [],
            [failed("NodeName", "node(s) didn't match the requested node name")],
        ),
        (
            pod("p").labels(**{"kubernetes.io/os": "windows"}).spec(nodeSelector={"disk": "hdd"}),
            [],
            [
                (
                    "PodOSSelectorNodeLabelDoesNotMatch",
                    "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
                )
            ],
        ),
        (setting("net.ipv4.tcp_rmem"), [], []),
        (setting("net/ipv4/tcp_rmem"), [], []),
        (
            setting("net.core.somaxconn"),
            [],
            [("SysctlForbidden", 'forbidden sysctl: "net.core.somaxconn" not allowlisted')],
        ),
        (
            setting("kernel.shm_rmid_forced").spec(hostIPC=True),
            [],
            [
                (
                    "SysctlForbidden",
                    'forbidden sysctl: "kernel.shm_rmid_forced" not allowed with host ipc enabled',
                )
            ],
        ),
        (
            pod("p").spec(os={"name": "windows"}),
            [],
            [("PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS")],
        ),
    ],
)
def test_what_a_node_has_against_a_pod(wanted, others, against):
    found = reasons(wanted, asks_of(wanted), n1(), map(there, others))
    assert [(one.reason, one.message) for one in found] == against


@pytest.mark.parametrize(
    ("effect", "wanted", "against"),
    [
        ("NoExecute", pod("p"), [TAINTS]),
        ("NoExecute", pod("p").tolerates(key="gone", operator="Exists"), []),
        ("NoExecute", pod("p").annotations({"kubernetes.io/config.mirror": "x"}), []),
        # That is the scheduler's alone.
        ("NoSchedule", pod("p"), []),
    ],
)
def test_taints_that_drive_pods_away_keep_them_away(effect, wanted, against):
    found = reasons(wanted, asks_of(wanted), n1().tainted("gone", effect), [])
    assert [(one.reason, one.message) for one in found] == against


def held(name, *, qos="Burstable", priority=0, **amounts):
    built = pod(name).requests(**amounts).spec(priority=priority).status(qosClass=qos)
    return there(built)


@pytest.mark.parametrize(
    ("needs", "others", "ended"),
    [
        # Of each class as few as will do, and of equals those that ask for less.
        ({"cpu": 500}, [held("a", cpu="2"), held("b", cpu="1"), held("c", cpu="200m")], ["b"]),
        (
            {"cpu": 500, "memory": 2**20},
            [
                held("cpu", cpu="500m"),
                held("mem", memory="1Mi"),
                held("all", cpu="1", memory="1Gi"),
            ],
            ["all"],
        ),
        ({"cpu": 1000}, [held("a", cpu="600m"), held("b", cpu="500m")], ["a", "b"]),
        # Guaranteed pods give what the others cannot, and these no more than is missing then.
        (
            {"cpu": 1000},
            [held("strong", cpu="1", qos="Guaranteed"), held("weak", cpu="200m")],
            ["strong"],
        ),
        (
            {"cpu": 1000},
            [held("strong", cpu="900m", qos="Guaranteed"), held("weak", cpu="200m")],
            ["weak", "strong"],
        ),
        ({"pods": 1}, [held("a", cpu="1"), held("b", qos="BestEffort")], ["b"]),
        # Whether one may go is for priorities to say, not who goes first.
        ({"cpu": 500}, [held("a", cpu="1"), held("b", cpu="500m", priority=CRITICAL)], ["b"]),
        (
            {"cpu": 500},
            [held("a", cpu="1"), held("b", cpu="500m", priority=CRITICAL + 1000)],
            ["a"],
        ),
    ],
)
def test_who_makes_room_for_a_critical_pod(needs, others, ended):
    critical = pod("p").spec(priority=CRITICAL + 1000)
    assert [one.pod["metadata"]["name"] for one in victims(critical, others, needs)] == ended


def test_where_nobody_may_go_it_says_what_is_missing():
    others = [held("a", cpu="2", priority=CRITICAL), held("b", cpu="100m")]
    with pytest.raises(NoRoomError) as refused:
        victims(pod("p").spec(priority=CRITICAL), others, {"cpu": 500, "memory": 10})
    assert str(refused.value) == (
        "no set of running pods found to reclaim resources: "
        "[(res: cpu, q: 400), (res: memory, q: 10), ]"
    )


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


async def test_labels_that_the_kubelet_has_not_seen_yet_are_looked_up(rig):
    # What the rig's kubelet knows of its node is how it registered.
    labels = {"metadata": {"labels": {"disk": "ssd"}}}
    await rig.client.patch(resources.NODES, "", "n1", labels, STRATEGIC_PATCH)
    await rig.create(sleeper("fits").spec(nodeSelector={"disk": "ssd"}))
    await rig.create(sleeper("other").spec(nodeSelector={"disk": "hdd"}))
    await rig.ready("fits")
    await rig.phase("Failed", "other")
    assert rig.messages("NodeAffinity") == [AFFINITY[1]]


async def test_a_critical_pod_begins_once_others_have_made_room(rig):
    for name, cpu in (("small", "1"), ("large", "2")):
        await rig.create(sleeper(name).requests(cpu=cpu))
        await rig.ready(name)
    critical = sleeper("critical").requests(cpu="3").spec(priority=CRITICAL)
    began = rig.clock.seconds()
    await rig.create(critical, sleeper("late").requests(cpu="2"))
    await rig.ready("critical")
    # `sleep` does not hear SIGTERM: it has its thirty seconds.
    assert rig.clock.seconds() - began >= 30
    status = rig.status("large")
    words = "Preempted in order to admit critical pod"
    told = (status["phase"], status["reason"], status["message"])
    assert told == ("Failed", "Preempting", words)
    assert rig.messages("Preempting") == [words]
    disrupted = rig.condition("DisruptionTarget", "large")
    assert (disrupted["reason"], disrupted["message"]) == (
        "TerminationByKubelet",
        "Pod was preempted by Kubelet to accommodate a critical pod.",
    )
    assert rig.status("small")["phase"] == "Running"
    # Who came after it has waited, and finds no room.
    await rig.phase("Failed", "late")
    assert rig.status("late")["reason"] == "OutOfcpu"


async def test_a_critical_pod_that_nobody_can_make_room_for_fails(rig):
    await rig.create(sleeper("p").requests(cpu="5").spec(priority=CRITICAL))
    await rig.phase("Failed")
    status = rig.status()
    assert status["reason"] == "UnexpectedAdmissionError"
    assert status["message"] == (
        "Pod was rejected: Unexpected error while attempting to recover from admission failure: "
        "preemption: error finding a set of pods to preempt: no set of running pods found to "
        "reclaim resources: [(res: cpu, q: 1000), ]"
    )


async def test_a_pod_that_is_deleted_while_it_waits_does_not_begin(rig):
    await rig.create(sleeper("victim").requests(cpu="3"))
    await rig.ready("victim")
    await rig.create(sleeper("critical").requests(cpu="3").spec(priority=CRITICAL))
    await rig.create(sleeper("late"))
    await eventually(lambda: rig.messages("Preempting"))
    await rig.client.delete(resources.PODS, "default", "late")
    await eventually(lambda: not rig.api.get("pods", "late"))
    await rig.ready("critical")
    assert [
        e["involvedObject"]["name"] for e in rig.api.all("events") if e["reason"] == "Created"
    ] == [
        "victim",
        "critical",
    ]


def test_a_node_has_to_declare_what_a_pod_needs():
    rule = {"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [1]}}
    asking = pod("p").spec(containers=[{"name": "c", "restartPolicyRules": [rule]}])
    name = "RestartAllContainersOnContainerExits"
    (why,) = reasons(asking, asks_of(asking), n1(), [])
    words = f"Pod requires node features that are not available: {name}"
    assert (why.reason, why.message) == ("PodFeatureUnsupported", words)
    declaring = n1()
    declaring["status"]["declaredFeatures"] = [name]
    assert list(reasons(asking, asks_of(asking), declaring, [])) == []
