"""Each plugin on its own: which nodes it refuses and in which words, which it prefers."""

import pytest

from apimachinery.meta import Obj, labels_of
from nodes.scheduler.cache import Cache
from nodes.scheduler.changes import of_node
from nodes.scheduler.config.args import completed
from nodes.scheduler.framework import Code, CycleState, Event
from nodes.scheduler.plugins.balanced_allocation import NodeResourcesBalancedAllocation
from nodes.scheduler.plugins.image_locality import ImageLocality
from nodes.scheduler.plugins.node_affinity import NodeAffinity
from nodes.scheduler.plugins.node_declared_features import NodeDeclaredFeatures
from nodes.scheduler.plugins.node_name import NodeName
from nodes.scheduler.plugins.node_ports import NodePorts
from nodes.scheduler.plugins.node_resources_fit import NodeResourcesFit
from nodes.scheduler.plugins.node_unschedulable import NodeUnschedulable
from nodes.scheduler.plugins.scheduling_gates import SchedulingGates
from nodes.scheduler.plugins.taint_toleration import TaintToleration
from nodes.scheduler.plugins.volume_binding import VolumeBinding
from nodes.scheduler.podinfo import PodInfo
from tests.support.builders import node, obj, pod


class Objects:
    """A reader over a list."""

    def __init__(self, *objects: Obj):
        self.objects = objects

    def get(self, namespace, name):
        wanted = (namespace, name)
        return next(
            (
                o
                for o in self.objects
                if (o["metadata"].get("namespace", ""), o["metadata"]["name"]) == wanted
            ),
            None,
        )

    def list(self, namespace="", selector=None):
        return [
            one
            for one in self.objects
            if not namespace or one["metadata"].get("namespace", "") == namespace
            if selector is None or selector.matches(labels_of(one))
        ]


def place(cache, pods):
    for number, (built, on) in enumerate(pods):
        built["metadata"].setdefault("uid", f"placed-{number}")
        cache.place(PodInfo.of(built), on)


def state(nodes, placed=(), **readers):
    cache = Cache()
    for one in nodes:
        cache.set_node(one)
    place(cache, placed)
    found = {
        name: Objects()
        for name in (
            "services",
            "replicationcontrollers",
            "replicasets",
            "statefulsets",
            "persistentvolumeclaims",
            "persistentvolumes",
            "storageclasses",
            "csinodes",
            "csidrivers",
            "csistoragecapacities",
            "volumeattachments",
            "resourceclaims",
            "resourceslices",
            "deviceclasses",
            "namespaces",
        )
    } | {name: Objects(*given) for name, given in readers.items()}
    return CycleState(cache.nodes, cache.counts, found)


def refused(plugin, built, nodes, placed=(), **readers):
    """Return node -> (code, reasons) of those that the plugin refuses; "*" before the nodes."""
    cycle, info = state(nodes, placed, **readers), PodInfo.of(built)
    if hasattr(plugin, "pre_filter"):
        before = plugin.pre_filter(cycle, info)
        if before.code is Code.SKIP:
            return {}
        if not before.ok:
            return {"*": (before.code, before.reasons)}
    answers = {one.name: plugin.filter(cycle, info, one) for one in cycle.nodes}
    return {name: (a.code, a.reasons) for name, a in answers.items() if not a.ok}


def scores(plugin, built, nodes, placed=(), **readers):
    cycle, info = state(nodes, placed, **readers), PodInfo.of(built)
    if (
        hasattr(plugin, "pre_score")
        and plugin.pre_score(cycle, info, cycle.nodes).code is Code.SKIP
    ):
        return None
    raw = plugin.scores(cycle, info, cycle.nodes)
    names = [one.name for one in cycle.nodes]
    return dict(zip(names, plugin.normalize(cycle, info, raw), strict=True))


UNSCHEDULABLE, UNRESOLVABLE = Code.UNSCHEDULABLE, Code.UNRESOLVABLE


def test_gates_keep_a_pod_out():
    gated = PodInfo.of(pod("p").spec(schedulingGates=[{"name": "a"}, {"name": "b"}]))
    status = SchedulingGates().pre_enqueue(gated, {})
    assert status.reasons == ("waiting for scheduling gates: [a b]",)
    assert SchedulingGates().pre_enqueue(PodInfo.of(pod("p")), {}).ok


def test_cordoned_nodes_need_a_toleration():
    cordoned = node("n").spec(unschedulable=True)
    assert refused(NodeUnschedulable(), pod("p"), [cordoned]) == {
        "n": (UNRESOLVABLE, ("node(s) were unschedulable",))
    }
    tolerant = pod("p").tolerates(key="node.kubernetes.io/unschedulable", operator="Exists")
    assert refused(NodeUnschedulable(), tolerant, [cordoned]) == {}


def test_node_name_is_that_node_alone():
    found = refused(NodeName(), pod("p").on("b"), [node("a"), node("b")])
    assert found == {"a": (UNRESOLVABLE, ("node(s) didn't match the requested node name",))}


PORTS = [{"containerPort": 80, "hostPort": 8080}]


@pytest.mark.parametrize(
    ("taken", "wanted", "free"),
    [
        ({}, {}, False),
        ({}, {"protocol": "UDP"}, True),
        ({"hostIP": "10.0.0.1"}, {"hostIP": "10.0.0.2"}, True),
        ({"hostIP": "10.0.0.1"}, {}, False),
        ({}, {"hostIP": "10.0.0.1"}, False),
    ],
)
def test_host_ports(taken, wanted, free):
    there = pod("a").image("x", ports=[{**PORTS[0], **taken}])
    wants = pod("b").image("x", ports=[{**PORTS[0], **wanted}])
    found = refused(NodePorts(), wants, [node("n")], [(there, "n")])
    why = ("node(s) didn't have free ports for the requested pod ports",)
    assert found == ({} if free else {"n": (UNSCHEDULABLE, why)})


def test_host_ports_of_sidecars_are_taken_too():
    init = {"name": "i", "image": "x", "ports": PORTS}
    wants = pod("b").image("x", ports=PORTS)
    for more, free in (({"restartPolicy": "Always"}, False), ({}, True)):
        there = pod("a").image("x").spec(initContainers=[{**init, **more}])
        assert (refused(NodePorts(), wants, [node("n")], [(there, "n")]) == {}) is free


def test_a_node_has_to_declare_what_a_pod_needs_of_its_kubelet():
    feature = "RestartAllContainersOnContainerExits"
    nodes = [node("old"), node("new").status(declaredFeatures=["Another", feature])]
    rule = {"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [1]}}
    needs = pod("p").image("x", restartPolicy="Never", restartPolicyRules=[rule])
    assert refused(NodeDeclaredFeatures(), needs, nodes) == {
        "old": (UNRESOLVABLE, ("node(s) didn't match Pod's required features",))
    }
    assert refused(NodeDeclaredFeatures(), pod("p"), nodes) == {}
    assert list(of_node(node("new"), nodes[1])) == [Event.NODE_FEATURES]


def test_taints():
    nodes = [
        node("hard").tainted("gpu", "NoSchedule", "true"),
        node("evicting").tainted("gpu", "NoExecute"),
        node("soft").tainted("gpu", "PreferNoSchedule"),
        node("clean"),
    ]
    found = refused(TaintToleration(), pod("p"), nodes)
    assert set(found) == {"hard", "evicting"}
    assert found["hard"] == (UNRESOLVABLE, ("node(s) had untolerated taint(s)",))
    tolerant = pod("p").tolerates(key="gpu", operator="Exists")
    assert refused(TaintToleration(), tolerant, nodes) == {}
    preferred = scores(TaintToleration(), pod("p"), nodes)
    assert preferred == {"hard": 100, "evicting": 100, "soft": 0, "clean": 100}


def required(*expressions, fields=()):
    term = {"matchExpressions": list(expressions), "matchFields": list(fields)}
    terms = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    return {"nodeAffinity": terms}


def test_node_affinity_and_selector():
    nodes = [node("a").labels(disk="ssd"), node("b").labels(disk="hdd")]
    why = (UNRESOLVABLE, ("node(s) didn't match Pod's node affinity/selector",))
    assert refused(NodeAffinity(), pod("p").spec(nodeSelector={"disk": "ssd"}), nodes) == {"b": why}
    expression = {"key": "disk", "operator": "NotIn", "values": ["ssd"]}
    assert refused(NodeAffinity(), pod("p").spec(affinity=required(expression)), nodes) == {
        "a": why
    }
    field = {"key": "metadata.name", "operator": "In", "values": ["b"]}
    assert refused(NodeAffinity(), pod("p").spec(affinity=required(fields=[field])), nodes) == {
        "a": why
    }


def test_preferred_node_affinity_adds_weights():
    terms = [
        {"weight": 80, "preference": {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}},
        {"weight": 20, "preference": {"matchExpressions": [{"key": "zone", "operator": "Exists"}]}},
    ]
    affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": terms}}
    nodes = [node("a").labels(disk="ssd"), node("b").labels(zone="x"), node("c")]
    found = scores(NodeAffinity(), pod("p").spec(affinity=affinity), nodes)
    assert found == {"a": 100, "b": 25, "c": 0}


@pytest.mark.parametrize(
    ("requests", "there", "expected"),
    [
        ({"cpu": "1"}, "3", None),
        ({"cpu": "1"}, "3500m", (UNSCHEDULABLE, ("Insufficient cpu",))),
        ({"cpu": "5"}, "0", (UNRESOLVABLE, ("Insufficient cpu",))),
        (
            {"cpu": "1", "memory": "9Gi"},
            "3500m",
            (UNRESOLVABLE, ("Insufficient cpu", "Insufficient memory")),
        ),
        ({"nvidia.com/gpu": "1"}, "0", (UNRESOLVABLE, ("Insufficient nvidia.com/gpu",))),
    ],
)
def test_resources_fit(requests, there, expected):
    placed = [(pod("a").requests(cpu=there), "n")]
    found = refused(NodeResourcesFit(), pod("p").requests(**requests), [node("n")], placed)
    assert found.get("n") == expected


def test_too_many_pods():
    placed = [(pod(f"p{i}"), "n") for i in range(2)]
    found = refused(NodeResourcesFit(), pod("p"), [node("n").pods(2)], placed)
    assert found == {"n": (UNSCHEDULABLE, ("Too many pods",))}


def test_the_emptier_node_scores_higher():
    placed = [(pod("a").requests(cpu="2", memory="4Gi"), "full")]
    found = scores(
        NodeResourcesFit(),
        pod("p").requests(cpu="1", memory="2Gi"),
        [node("full"), node("free")],
        placed,
    )
    assert found == {"full": 25, "free": 75}


def test_init_containers_and_sidecars_count():
    built = (
        pod("p")
        .requests(cpu="100m")
        .spec(
            initContainers=[
                {
                    "name": "sidecar",
                    "restartPolicy": "Always",
                    "resources": {"requests": {"cpu": "50m"}},
                },
                {"name": "setup", "resources": {"requests": {"cpu": "1"}}},
            ]
        )
    )
    # While `setup` runs the sidecar runs too: more than both that stay.
    assert dict(PodInfo.of(built).requests.amounts) == {"cpu": 1050}


@pytest.mark.parametrize(
    ("requests", "expected"),
    [
        # Half of the cpu of `lopsided` is taken; both stay as even as they are, or as they are not.
        ({"cpu": "1", "memory": "2Gi"}, {"lopsided": 75, "even": 75}),
        # The pod evens out the one, and not the other.
        ({"memory": "4Gi"}, {"lopsided": 87, "even": 62}),
        ({"cpu": "2"}, {"lopsided": 62, "even": 62}),
        ({}, None),
    ],
)
def test_balanced_allocation_prefers_where_use_becomes_more_even(requests, expected):
    placed = [(pod("a").requests(cpu="2"), "lopsided")]
    built = pod("p").requests(**requests)
    nodes = [node("lopsided"), node("even")]
    assert scores(NodeResourcesBalancedAllocation(), built, nodes, placed) == expected


def test_volumes_wait_for_their_claims():
    mounts = pod("p").spec(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}])
    found = refused(VolumeBinding(), mounts, [node("n")])
    assert found == {"*": (UNRESOLVABLE, ('persistentvolumeclaim "c" not found',))}
    claim = obj("PersistentVolumeClaim", "c", spec={"storageClassName": "later"})
    late = obj("StorageClass", "later", "", "storage.k8s.io/v1", volumeBindingMode="Immediate")
    given = {"persistentvolumeclaims": [claim], "storageclasses": [late]}
    unbound = ("pod has unbound immediate PersistentVolumeClaims",)
    assert refused(VolumeBinding(), mounts, [node("n")], **given) == {"*": (UNRESOLVABLE, unbound)}
    late["volumeBindingMode"] = "WaitForFirstConsumer"
    # The plugin has no filter of its own: passing before the nodes is all.
    info = PodInfo.of(mounts)
    assert VolumeBinding().pre_filter(state([node("n")], **given), info).ok


def test_image_locality_counts_large_images_that_are_there():
    images = [{"names": ["big:latest"], "sizeBytes": 900 * 1024 * 1024}]
    nodes = [node("has").status(images=images), node("has-not")]
    found = scores(ImageLocality(), pod("p").image("big"), nodes)
    assert found == {"has": 43, "has-not": 0}
    # Those of init containers count, and more containers want more of them there.
    waits = pod("p").image("big").spec(initContainers=[{"name": "i", "image": "big"}])
    assert scores(ImageLocality(), waits, nodes) == {"has": 44, "has-not": 0}


def configured(plugin, **args):
    plugin.configure(completed(plugin.name, args))
    return plugin


def shape(*points):
    line = [{"utilization": use, "score": score} for use, score in points]
    return {"type": "RequestedToCapacityRatio", "requestedToCapacityRatio": {"shape": line}}


GPU = [{"name": "example.com/gpu", "weight": 1}]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        # n1 has 4 cpus and 8Gi, n2 8 cpus and 32Gi; the pod asks for 2 cpus and 4Gi.
        ({"type": "LeastAllocated"}, {"n1": 50, "n2": 81}),
        ({"type": "MostAllocated"}, {"n1": 50, "n2": 18}),
        ({"type": "MostAllocated", "resources": [{"name": "cpu"}]}, {"n1": 50, "n2": 25}),
        (
            {
                "type": "MostAllocated",
                "resources": [{"name": "cpu", "weight": 3}, {"name": "memory", "weight": 1}],
            },
            {"n1": 50, "n2": 21},
        ),
        (shape((0, 0), (100, 10)), {"n1": 50, "n2": 19}),
        (shape((0, 10), (100, 0)), {"n1": 50, "n2": 82}),
        (shape((0, 0), (25, 10), (100, 0)), {"n1": 67, "n2": 74}),
        # Nobody asks for the resource.
        ({"type": "MostAllocated", "resources": GPU}, {"n1": 0, "n2": 0}),
    ],
)
def test_how_full_a_node_is_preferred(strategy, expected):
    plugin = configured(NodeResourcesFit(), scoringStrategy=strategy)
    nodes = [node("n1"), node("n2").cpu(8).memory("32Gi")]
    asking = pod("p").requests(cpu="2", memory="4Gi")
    assert scores(plugin, asking, nodes) == expected


def test_resources_that_somebody_else_looks_after():
    asking = pod("p").requests(**{"example.com/gpu": "1", "cpu": "1"})
    assert set(refused(NodeResourcesFit(), asking, [node("n")])) == {"n"}
    for args in (
        {"ignoredResources": ["example.com/gpu"]},
        {"ignoredResourceGroups": ["example.com"]},
    ):
        assert refused(configured(NodeResourcesFit(), **args), asking, [node("n")]) == {}
    hungry = pod("p").requests(cpu="5")
    plugin = configured(NodeResourcesFit(), ignoredResources=["cpu"])
    assert set(refused(plugin, hungry, [node("n")])) == {"n"}


def test_affinity_that_a_profile_adds():
    term = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}
    preference = {"weight": 5, "preference": term}
    added = {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]},
        "preferredDuringSchedulingIgnoredDuringExecution": [preference],
    }
    plugin = configured(NodeAffinity(), addedAffinity=added)
    nodes = [node("a").labels(disk="ssd"), node("b")]
    why = ("node(s) didn't match scheduler-enforced node affinity",)
    assert refused(plugin, pod("p"), nodes) == {"b": (UNRESOLVABLE, why)}
    assert scores(plugin, pod("p"), nodes) == {"a": 100, "b": 0}
