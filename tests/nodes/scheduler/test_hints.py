"""What each plugin makes of a change, for a pod that it has refused."""

import random

import pytest

from nodes.scheduler.framework import Change, Event
from nodes.scheduler.plugins.dynamic_resources import DynamicResources
from nodes.scheduler.plugins.inter_pod_affinity import InterPodAffinity
from nodes.scheduler.plugins.node_affinity import NodeAffinity
from nodes.scheduler.plugins.node_name import NodeName
from nodes.scheduler.plugins.node_ports import NodePorts
from nodes.scheduler.plugins.node_resources_fit import NodeResourcesFit
from nodes.scheduler.plugins.node_unschedulable import NodeUnschedulable
from nodes.scheduler.plugins.node_volume_limits import NodeVolumeLimits
from nodes.scheduler.plugins.pod_topology_spread import PodTopologySpread
from nodes.scheduler.plugins.scheduling_gates import SchedulingGates
from nodes.scheduler.plugins.taint_toleration import TaintToleration
from nodes.scheduler.plugins.volume_binding import VolumeBinding
from nodes.scheduler.plugins.volume_restrictions import VolumeRestrictions
from nodes.scheduler.plugins.volume_zone import VolumeZone
from nodes.scheduler.podgroup import GroupFeatures
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.profile import Profile
from tests.nodes.scheduler.test_memory import READ
from tests.nodes.scheduler.test_plugins import Objects
from tests.nodes.scheduler.test_shortcuts import OWNER, drawn_node, drawn_pod
from tests.support.builders import node, obj, pod

ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"


def helps(plugin, built, event, old=None, new=None, **readers):
    found = {"namespaces": Objects(), "services": Objects()}
    found |= {name: Objects(*given) for name, given in readers.items()}
    hint = plugin.hints()[event]
    return hint(PodInfo.of(built), Change(event, old, new), found)


def ports(name, port, **more):
    declared = [{"containerPort": 80, "hostPort": port, **more}]
    return pod(name).spec(containers=[{"name": "c", "image": "i", "ports": declared}])


def zoned(name, zone):
    return node(name).labels(**{ZONE: zone})


BIG = pod("p").requests(cpu="3", memory="1Gi")
CORDONED, OPEN = node("n").spec(unschedulable=True), node("n")
TAINTED, GPU = node("n").tainted("gpu", "NoSchedule"), node("n").tainted("gpu", "NoSchedule", "a")
PICKY = pod("p").spec(nodeSelector={"disk": "ssd"})
SSD = node("n").labels(disk="ssd")


@pytest.mark.parametrize(
    ("plugin", "built", "event", "old", "new", "expected"),
    [
        (NodeResourcesFit, BIG, Event.POD_GONE, pod("o").on("n"), None, True),
        (NodeResourcesFit, BIG, Event.NODE_ADDED, None, node("n").cpu(2), False),
        (NodeResourcesFit, BIG, Event.NODE_ADDED, None, node("n").cpu(3), True),
        (NodeResourcesFit, BIG, Event.NODE_ADDED, None, node("n").cpu(3).pods(0), False),
        # What grows is nothing that it asks for, or not enough.
        (NodeResourcesFit, BIG, Event.NODE_ALLOCATABLE, node("n"), node("n"), False),
        (NodeResourcesFit, BIG, Event.NODE_ALLOCATABLE, node("n").cpu(1), node("n").cpu(2), False),
        (NodeResourcesFit, BIG, Event.NODE_ALLOCATABLE, node("n").cpu(2), node("n").cpu(4), True),
        (NodeResourcesFit, BIG, Event.NODE_ALLOCATABLE, node("n").pods(5), node("n").pods(6), True),
        (NodeResourcesFit, BIG, Event.NODE_ALLOCATABLE, node("n").cpu(9), node("n").cpu(8), False),
        (
            *(NodeResourcesFit, BIG, Event.POD_SCALED_DOWN),
            *(pod("o").requests(cpu="2"), pod("o").requests(cpu="1"), True),
        ),
        (
            *(NodeResourcesFit, BIG, Event.POD_SCALED_DOWN),
            *(pod("o").requests(storage="2"), pod("o").requests(storage="1"), False),
        ),
        (NodeResourcesFit, BIG, Event.OWN_SCALED_DOWN, BIG, BIG, True),
        (NodeAffinity, PICKY, Event.NODE_ADDED, None, SSD, True),
        (NodeAffinity, PICKY, Event.NODE_ADDED, None, OPEN, False),
        (NodeAffinity, PICKY, Event.NODE_LABELS, OPEN, SSD, True),
        (NodeAffinity, PICKY, Event.NODE_LABELS, SSD, node("n").labels(disk="ssd", a="b"), False),
        (NodeAffinity, PICKY, Event.NODE_LABELS, SSD, OPEN, False),
        (TaintToleration, pod("p"), Event.NODE_ADDED, None, TAINTED, False),
        (TaintToleration, pod("p"), Event.NODE_ADDED, None, OPEN, True),
        (TaintToleration, pod("p"), Event.NODE_TAINTS, TAINTED, OPEN, True),
        (TaintToleration, pod("p"), Event.NODE_TAINTS, TAINTED, GPU, False),
        (TaintToleration, pod("p"), Event.NODE_TAINTS, OPEN, OPEN, False),
        (TaintToleration, pod("p"), Event.OWN_TOLERATIONS, pod("p"), pod("p"), True),
        (NodeUnschedulable, pod("p"), Event.NODE_ADDED, None, CORDONED, False),
        (NodeUnschedulable, pod("p"), Event.NODE_ADDED, None, OPEN, True),
        (NodeUnschedulable, pod("p"), Event.NODE_TAINTS, CORDONED, OPEN, True),
        (NodeUnschedulable, pod("p"), Event.NODE_TAINTS, OPEN, TAINTED, False),
        (NodeUnschedulable, pod("p"), Event.OWN_TOLERATIONS, pod("p"), pod("p"), False),
        (
            NodeUnschedulable,
            pod("p").tolerates(key="node.kubernetes.io/unschedulable", operator="Exists"),
            *(Event.OWN_TOLERATIONS, pod("p"), pod("p"), True),
        ),
        (NodePorts, ports("p", 80), Event.POD_GONE, pod("o").on("n"), None, False),
        (NodePorts, ports("p", 80), Event.POD_GONE, ports("o", 81), None, False),
        (NodePorts, ports("p", 80), Event.POD_GONE, ports("o", 80, protocol="UDP"), None, False),
        (NodePorts, ports("p", 80), Event.POD_GONE, ports("o", 80, hostIP="10.0.0.1"), None, True),
        (NodePorts, ports("p", 80), Event.NODE_ADDED, None, OPEN, True),
        (NodeName, pod("p"), Event.NODE_ADDED, None, OPEN, True),
        (SchedulingGates, pod("p"), Event.OWN_GATES, pod("p"), pod("p"), True),
    ],
)
def test_nodes_and_pods(plugin, built, event, old, new, expected):
    assert helps(plugin(), built, event, old, new) is expected


def test_affinity_that_a_profile_adds_has_to_match_too():
    plugin = NodeAffinity()
    term = {"matchExpressions": [{"key": "pool", "operator": "In", "values": ["a"]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    plugin.configure({"addedAffinity": required})
    both = node("n").labels(disk="ssd", pool="a")
    assert not helps(plugin, PICKY, Event.NODE_ADDED, None, SSD)
    assert helps(plugin, PICKY, Event.NODE_ADDED, None, both)
    assert helps(plugin, PICKY, Event.NODE_LABELS, SSD, both)


def spread(key=ZONE, **more):
    constraint = {
        "topologyKey": key,
        "maxSkew": 1,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
        **more,
    }
    return pod("p").labels(app="web").spec(topologySpreadConstraints=[constraint])


WEB, API = pod("o").labels(app="web").on("n"), pod("o").labels(app="api").on("n")
ELSEWHERE = pod("o", "other").labels(app="web").on("n")


@pytest.mark.parametrize(
    ("built", "event", "old", "new", "expected"),
    [
        (spread(), Event.POD_ADDED, None, WEB, True),
        (spread(), Event.POD_ADDED, None, API, False),
        (spread(), Event.POD_ADDED, None, ELSEWHERE, False),
        (spread(), Event.POD_GONE, WEB, None, True),
        (spread(), Event.POD_GONE, API, None, False),
        (spread(), Event.POD_LABELS, WEB, API, True),
        (spread(), Event.POD_LABELS, WEB, WEB, False),
        (spread(), Event.NODE_ADDED, None, zoned("n", "a"), True),
        (spread(), Event.NODE_ADDED, None, node("n"), False),
        (spread(), Event.NODE_GONE, zoned("n", "a"), None, True),
        (spread(), Event.NODE_GONE, node("n"), None, False),
        (spread(), Event.NODE_LABELS, zoned("n", "a"), zoned("n", "b"), True),
        (spread(), Event.NODE_LABELS, zoned("n", "a"), zoned("n", "a"), False),
        (spread(), Event.NODE_LABELS, zoned("n", "a"), node("n"), True),
        (spread(), Event.NODE_TAINTS, zoned("n", "a"), zoned("n", "a"), True),
        (spread(), Event.NODE_TAINTS, node("n"), node("n"), False),
        (spread(), Event.OWN_TOLERATIONS, pod("p"), pod("p"), False),
        (spread(nodeTaintsPolicy="Honor"), Event.OWN_TOLERATIONS, pod("p"), pod("p"), True),
    ],
)
def test_topology_spread(built, event, old, new, expected):
    assert helps(PodTopologySpread(), built, event, old, new) is expected


def affine(**which):
    terms = {
        key: {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": ZONE}
                for app in apps
            ]
        }
        for key, apps in which.items()
    }
    return pod("p").labels(app="p").spec(affinity=terms)


TOGETHER, APART = affine(podAffinity=["web"]), affine(podAntiAffinity=["web"])
BOTH = affine(podAffinity=["web", "api"])


@pytest.mark.parametrize(
    ("built", "event", "old", "new", "expected"),
    [
        (TOGETHER, Event.POD_ADDED, None, WEB, True),
        (TOGETHER, Event.POD_ADDED, None, API, False),
        (TOGETHER, Event.POD_ADDED, None, ELSEWHERE, False),
        (BOTH, Event.POD_ADDED, None, WEB, False),  # one pod has to match all terms
        (APART, Event.POD_ADDED, None, WEB, False),
        (TOGETHER, Event.POD_LABELS, API, WEB, True),
        (TOGETHER, Event.POD_LABELS, WEB, API, False),
        (APART, Event.POD_LABELS, WEB, API, True),
        (APART, Event.POD_GONE, WEB, None, True),
        (APART, Event.POD_GONE, API, None, False),
        # It was kept away by the terms of the other.
        (pod("p").labels(app="web"), Event.POD_GONE, APART.on("n"), None, True),
        (pod("p").labels(app="api"), Event.POD_GONE, APART.on("n"), None, False),
        (TOGETHER, Event.NODE_ADDED, None, zoned("n", "a"), True),
        (TOGETHER, Event.NODE_ADDED, None, node("n"), False),
        (TOGETHER, Event.NODE_LABELS, zoned("n", "a"), zoned("n", "b"), True),
        (TOGETHER, Event.NODE_LABELS, zoned("n", "a"), zoned("n", "a"), False),
        (pod("p"), Event.NODE_ADDED, None, node("n"), True),
        (TOGETHER, Event.OWN_LABELS, pod("p"), pod("p"), True),
    ],
)
def test_inter_pod_affinity(built, event, old, new, expected):
    assert helps(InterPodAffinity(), built, event, old, new) is expected


def mounting(name="p", claim="c", namespace="default"):
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": claim}}
    return pod(name, namespace).spec(volumes=[volume])


def disk(name, **more):
    volume = {"name": "v", "gcePersistentDisk": {"pdName": "d", **more}}
    return pod(name).spec(volumes=[volume])


def claim(name="c", namespace="default"):
    return obj("PersistentVolumeClaim", name, namespace, spec={})


def a_class(mode="Immediate", **more):
    return obj("StorageClass", "s", "", "storage.k8s.io/v1", volumeBindingMode=mode, **more)


def volume(**labels):
    return obj("PersistentVolume", "v", "", spec={}).labels(**labels)


def csi_node(count=None, **more):
    allocatable = {} if count is None else {"allocatable": {"count": count}}
    drivers = [{"name": "d.example.com", **allocatable}]
    return obj("CSINode", "n", "", "storage.k8s.io/v1", spec={"drivers": drivers}, **more)


def migrated(plugins):
    return csi_node().annotations({"storage.alpha.kubernetes.io/migrated-plugins": plugins})


ELSE = claim(namespace="other")
WAITS = a_class("WaitForFirstConsumer")


@pytest.mark.parametrize(
    ("plugin", "built", "event", "old", "new", "expected"),
    [
        *(
            (plugin, mounting(), Event.CLAIM_ADDED, None, new, expected)
            for plugin in (VolumeBinding, VolumeRestrictions, NodeVolumeLimits, VolumeZone)
            for new, expected in ((claim(), True), (claim("other"), False), (ELSE, False))
        ),
        (VolumeBinding, mounting(), Event.CLAIM_CHANGED, claim(), claim(), True),
        (VolumeBinding, mounting(), Event.CLASS_ADDED, None, a_class(), True),
        (VolumeBinding, mounting(), Event.CLASS_CHANGED, a_class(), a_class(), False),
        (
            *(VolumeBinding, mounting(), Event.CLASS_CHANGED, a_class()),
            *(a_class(allowedTopologies=[]), True),
        ),
        (VolumeBinding, mounting(), Event.VOLUME_CHANGED, volume(), volume(), True),
        (VolumeBinding, mounting(), Event.CSINODE_CHANGED, csi_node(), csi_node(5), False),
        (VolumeBinding, mounting(), Event.CSINODE_CHANGED, csi_node(), migrated("a"), True),
        (VolumeZone, mounting(), Event.CLASS_ADDED, None, a_class(), False),
        (VolumeZone, mounting(), Event.CLASS_ADDED, None, WAITS, True),
        (VolumeZone, mounting(), Event.VOLUME_ADDED, None, volume(), True),
        (VolumeZone, mounting(), Event.VOLUME_CHANGED, volume(), volume(a="b"), False),
        (VolumeZone, mounting(), Event.VOLUME_CHANGED, volume(), volume(**{ZONE: "a"}), True),
        (VolumeRestrictions, mounting(), Event.POD_GONE, mounting("o"), None, True),
        (VolumeRestrictions, mounting(), Event.POD_GONE, mounting("o", "d"), None, False),
        (VolumeRestrictions, mounting(), Event.POD_GONE, mounting("o", "c", "x"), None, False),
        (VolumeRestrictions, disk("p"), Event.POD_GONE, disk("o"), None, True),
        (VolumeRestrictions, disk("p"), Event.POD_GONE, disk("o", pdName="e"), None, False),
        (NodeVolumeLimits, mounting(), Event.POD_GONE, mounting("o", "d"), None, True),
        (NodeVolumeLimits, mounting(), Event.POD_GONE, pod("o"), None, False),
        (NodeVolumeLimits, mounting(), Event.CSINODE_ADDED, None, csi_node(), True),
        (NodeVolumeLimits, mounting(), Event.CSINODE_CHANGED, csi_node(2), csi_node(3), True),
        (NodeVolumeLimits, mounting(), Event.CSINODE_CHANGED, csi_node(3), csi_node(2), False),
        (NodeVolumeLimits, mounting(), Event.CSINODE_CHANGED, csi_node(3), csi_node(), True),
        (NodeVolumeLimits, mounting(), Event.ATTACHMENT_GONE, obj("X", "a"), None, True),
        (NodeVolumeLimits, pod("p"), Event.ATTACHMENT_GONE, obj("X", "a"), None, False),
    ],
)
def test_volumes(plugin, built, event, old, new, expected):
    assert helps(plugin(), built, event, old, new) is expected


def device_claim(name="c", *, allocated=False, **more):
    status = {"allocation": {"devices": {}}} if allocated else {}
    return obj("ResourceClaim", name, spec={}, status=status, **more).meta(uid=name)


NEEDING = pod("p").spec(resourceClaims=[{"name": "d", "resourceClaimName": "c"}])
MINE, THEIRS = device_claim(), device_claim("theirs", allocated=True)


@pytest.mark.parametrize(
    ("event", "old", "new", "there", "expected"),
    [
        (Event.DEVICE_CLAIM_ADDED, None, MINE, [MINE], True),
        (Event.DEVICE_CLAIM_ADDED, None, THEIRS, [MINE], False),
        (Event.DEVICE_CLAIM_ADDED, None, THEIRS, [], False),
        (Event.DEVICE_CLAIM_CHANGED, MINE, MINE, [MINE], False),
        (Event.DEVICE_CLAIM_CHANGED, MINE, device_claim(allocated=True), [MINE], True),
        (Event.DEVICE_CLAIM_CHANGED, THEIRS, device_claim("theirs"), [MINE], True),
        (Event.DEVICE_CLAIM_CHANGED, device_claim("theirs"), THEIRS, [MINE], False),
        (Event.DEVICE_CLAIM_GONE, THEIRS, None, [MINE], True),
        (Event.DEVICE_CLAIM_GONE, MINE, None, [MINE], False),
        (Event.OWN_CLAIMS, NEEDING, NEEDING, [MINE], True),
        (Event.OWN_CLAIMS, NEEDING, NEEDING, [], False),
        (Event.NODE_ADDED, None, OPEN, [MINE], True),
    ],
)
def test_devices(event, old, new, there, expected):
    found = helps(DynamicResources(), NEEDING, event, old, new, resourceclaims=there)
    assert found is expected


def drawn_one(chance):
    made = drawn_pod(chance).meta(
        uid=str(chance.random()), namespace=chance.choice(("default", "x"))
    )
    made.requests(cpu=chance.choice(("1", "3", "9")))
    made["spec"]["schedulingGroup"] = {"podGroupName": chance.choice("gh")}
    if chance.random() < 0.3:
        port = {"containerPort": 80, "hostPort": chance.choice((80, 81))}
        made["spec"]["containers"][0]["ports"] = [port]
    if chance.random() < 0.3:
        term = {
            "labelSelector": {"matchLabels": {"app": chance.choice("abc")}},
            "topologyKey": HOST,
        }
        apart = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
        made.spec(affinity={"podAntiAffinity": apart})
    for constraint in made["spec"].get("topologySpreadConstraints", ()):
        constraint |= {"labelSelector": {}, "matchLabelKeys": ["app"]}
    return made


def drawn_change(chance, event):
    kind, what = event.value.split("/")
    if kind == "PodGroup":
        old = new = obj("PodGroup", chance.choice("gh"), "x")
    elif kind == "DeviceClass":
        old = new = obj("DeviceClass", "c", "").spec(extendedResourceName="x.y/z")
    else:
        old, new = (
            drawn_node(chance, "n") if kind == "Node" else drawn_one(chance).on("n")
            for _ in range(2)
        )
        if what.startswith("Update"):  # it stays where it is, under its name
            new["metadata"] |= {"namespace": old["metadata"].get("namespace", "")}
    return Change(event, None if what == "Add" else old, None if what == "Delete" else new)


def test_pods_of_which_a_plugin_looks_at_the_same_are_answered_alike():
    chance = random.Random(7)
    readers = {name: Objects() for name in READ} | {"replicasets": Objects(OWNER)}
    pods = [PodInfo.of(drawn_one(chance)) for _ in range(300)]
    told_apart = set()
    plugins = Profile(features=GroupFeatures()).plugins
    spread = {"topologyKey": ZONE, "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}
    plugins["PodTopologySpread"].defaults = [spread]
    for plugin in plugins.values():
        if plugin.looks_at(pods[0]) == pods[0].uid:
            continue  # it is asked about each
        for event, hint in plugin.hints().items():
            if event.value.startswith("UnscheduledPod/Update"):
                continue  # one of the pod's own
            for _ in range(8):
                change, answers = drawn_change(chance, event), {}
                for info in pods:
                    said = hint(info, change, readers)
                    assert answers.setdefault(plugin.looks_at(info), said) == said
                if len({*answers.values()}) == 2:
                    told_apart.add(plugin.name)
    assert told_apart == {
        *("InterPodAffinity", "PodTopologySpread", "NodePorts", "GangScheduling"),
        *("NodeAffinity", "TaintToleration", "NodeResourcesFit"),
    }
