"""Where a pod may go because of its volumes: disks, claims, zones, drivers' limits."""

import pytest

from nodes.scheduler.framework import Change, Code, Event
from nodes.scheduler.plugins.node_volume_limits import NodeVolumeLimits
from nodes.scheduler.plugins.volume_binding import VolumeBinding
from nodes.scheduler.plugins.volume_restrictions import VolumeRestrictions
from nodes.scheduler.plugins.volume_zone import VolumeZone
from nodes.scheduler.podinfo import PodInfo
from tests.nodes.scheduler.test_plugins import refused, state
from tests.support.builders import node, obj, pod

UNSCHEDULABLE, UNRESOLVABLE = Code.UNSCHEDULABLE, Code.UNRESOLVABLE
ZONE = "topology.kubernetes.io/zone"


def mounting(*claims, name="p"):
    volumes = [{"name": c, "persistentVolumeClaim": {"claimName": c}} for c in claims]
    return pod(name).spec(volumes=volumes)


def claim(name, *, volume="", cls="", modes=("ReadWriteOnce",), **annotations):
    spec = {"accessModes": list(modes), "resources": {"requests": {"storage": "1Gi"}}}
    spec |= {"volumeName": volume} if volume else {}
    spec |= {"storageClassName": cls} if cls else {}
    built = obj("PersistentVolumeClaim", name, spec=spec, status={})
    return built.meta(uid=f"claim-{name}").annotations(annotations)


def volume(name, *, on="", cls="", handle="", driver="d", **labels):
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}
    spec |= {"storageClassName": cls} if cls else {}
    spec |= {"csi": {"driver": driver, "volumeHandle": handle}} if handle else {}
    if on:
        match = {"key": "kubernetes.io/hostname", "operator": "In", "values": [on]}
        terms = {"nodeSelectorTerms": [{"matchExpressions": [match]}]}
        spec["nodeAffinity"] = {"required": terms}
    built = obj("PersistentVolume", name, "", spec=spec, status={"phase": "Available"})
    return built.labels(**labels)


def storage_class(name, provisioner="d", mode="WaitForFirstConsumer", **more):
    return obj(
        "StorageClass",
        name,
        "",
        "storage.k8s.io/v1",
        provisioner=provisioner,
        volumeBindingMode=mode,
        **more,
    )


DISKS = {
    "gce": ({"gcePersistentDisk": {"pdName": "a"}}, "readOnly"),
    "aws": ({"awsElasticBlockStore": {"volumeID": "a"}}, ""),
    "iscsi": ({"iscsi": {"iqn": "a"}}, "readOnly"),
    "rbd": ({"rbd": {"monitors": ["m", "n"], "pool": "p", "image": "i"}}, "readOnly"),
}


@pytest.mark.parametrize(("disk", "shared_if"), DISKS.values(), ids=DISKS)
def test_a_disk_is_mounted_once_unless_all_only_read(disk, shared_if):
    wanted, nodes = pod("p").spec(volumes=[{"name": "v", **disk}]), [node("a"), node("b")]
    there = pod("q").spec(volumes=[{"name": "w", **disk}])
    found = refused(VolumeRestrictions(), wanted, nodes, [(there, "a")])
    assert found == {"a": (UNSCHEDULABLE, ("node(s) had no available disk",))}
    (kind,) = disk
    reading = {kind: disk[kind] | {"readOnly": True}}
    both = [pod(name).spec(volumes=[{"name": "v", **reading}]) for name in "pq"]
    found = refused(VolumeRestrictions(), both[0], nodes, [(both[1], "a")])
    assert bool(found) is not bool(shared_if)


def test_rbd_images_differ_by_monitors():
    one, two = (
        pod(name).spec(volumes=[{"name": "v", "rbd": {"monitors": [name], "image": "i"}}])
        for name in "pq"
    )
    assert refused(VolumeRestrictions(), one, [node("a")], [(two, "a")]) == {}


def test_a_claim_of_one_pod_alone_is_used_nowhere_else():
    claims = {"persistentvolumeclaims": [claim("c", modes=["ReadWriteOncePod"])]}
    nodes = [node("a"), node("b")]
    assert refused(VolumeRestrictions(), mounting("c"), nodes, **claims) == {}
    user = mounting("c", name="q")
    why = (
        "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod "
        "access mode"
    )
    found = refused(VolumeRestrictions(), mounting("c"), nodes, [(user, "a")], **claims)
    assert found == dict.fromkeys("ab", (UNSCHEDULABLE, (why,)))
    elsewhere = mounting("c", name="q").meta(namespace="other")
    assert refused(VolumeRestrictions(), mounting("c"), nodes, [(elsewhere, "a")], **claims) == {}
    missing = refused(VolumeRestrictions(), mounting("no"), nodes, **claims)
    assert missing == {"*": (UNRESOLVABLE, ('persistentvolumeclaim "no" not found',))}


def zoned(name, zone):
    return node(name).labels(**{ZONE: zone})


@pytest.mark.parametrize(
    ("labels", "refuses"),
    [
        ({}, ""),
        ({ZONE: "z1"}, "bc"),
        ({ZONE: "z1__z2"}, "c"),
        ({"failure-domain.beta.kubernetes.io/zone": "z1"}, "bc"),
        ({"topology.kubernetes.io/region": "r"}, "abc"),
    ],
)
def test_zones_of_volumes(labels, refuses):
    given = {
        "persistentvolumeclaims": [claim("c", volume="v")],
        "persistentvolumes": [volume("v", **labels)],
    }
    nodes = [zoned("a", "z1"), zoned("b", "z2"), zoned("c", "z3"), node("plain")]
    found = refused(VolumeZone(), mounting("c"), nodes, **given)
    why = (UNRESOLVABLE, ("node(s) had no available volume zone",))
    assert found == dict.fromkeys(refuses, why)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (claim("c", volume="gone"), 'persistentvolume "gone" not found'),
        (claim("c"), "PersistentVolumeClaim had no pv name and storageClass name"),
        (claim("c", cls="no"), 'storageclass.storage.k8s.io "no" not found'),
        (claim("c", cls="now"), "PersistentVolume had no name"),
        (claim("c", cls="later"), ""),
    ],
)
def test_zones_of_what_is_not_bound(given, why):
    classes = [storage_class("now", mode="Immediate"), storage_class("later")]
    found = refused(
        VolumeZone(),
        mounting("c"),
        [zoned("a", "z")],
        persistentvolumeclaims=[given],
        storageclasses=classes,
    )
    assert found == ({"*": (UNRESOLVABLE, (why,))} if why else {})


def capacity(name, cls="later", zone="z1", **sizes):
    topology = {"matchLabels": {ZONE: zone}}
    kind = ("CSIStorageCapacity", name, "kube-system", "storage.k8s.io/v1")
    return obj(*kind, storageClassName=cls, nodeTopology=topology, **sizes)


@pytest.mark.parametrize(
    ("tells", "capacities", "refuses"),
    [
        (True, [], "ab"),
        (False, [], ""),
        (True, [capacity("c", capacity="2Gi")], "b"),
        (True, [capacity("c", capacity="2Gi", maximumVolumeSize="100Mi")], "ab"),
        (True, [capacity("c", capacity="2Gi", cls="other")], "ab"),
        (True, [capacity("c")], "ab"),
        (True, [capacity("c", zone="z2", capacity="1Gi")], "a"),
    ],
)
def test_where_a_driver_has_room_for_a_volume(tells, capacities, refuses):
    driver = obj("CSIDriver", "d", "", "storage.k8s.io/v1", spec={"storageCapacity": tells})
    given = {
        "persistentvolumeclaims": [claim("c", cls="later")],
        "storageclasses": [storage_class("later")],
        "csidrivers": [driver],
        "csistoragecapacities": capacities,
    }
    nodes = [zoned("a", "z1"), zoned("b", "z2")]
    found = refused(VolumeBinding(), mounting("c"), nodes, **given)
    why = (UNRESOLVABLE, ("node(s) did not have enough free storage",))
    assert found == dict.fromkeys(refuses, why)


@pytest.mark.parametrize(
    ("event", "old", "new", "helps"),
    [
        (Event.CAPACITY_CHANGED, {"capacity": "1Gi"}, {"capacity": "2Gi"}, True),
        (Event.CAPACITY_CHANGED, {"capacity": "2Gi"}, {"capacity": "2048Mi"}, False),
        (Event.DRIVER_CHANGED, {"spec": {"storageCapacity": True}}, {"spec": {}}, True),
        (Event.DRIVER_CHANGED, {"spec": {}}, {"spec": {"storageCapacity": True}}, False),
    ],
)
def test_when_room_for_a_volume_may_have_come(event, old, new, helps):
    hint = VolumeBinding().hints()[event]
    assert hint(PodInfo.of(mounting("c")), Change(event, old, new), {}) is helps


def csi_node(name, **counts):
    drivers = [{"name": d, "allocatable": {"count": n}} for d, n in counts.items()]
    return obj("CSINode", name, "", "storage.k8s.io/v1", spec={"drivers": drivers})


def limits(placed, wanted, *, attached=(), **counts):
    names = ("one", "two", "three")
    given = {
        "persistentvolumeclaims": [
            *(claim(name, volume=name) for name in names),
            claim("later", cls="later"),
        ],
        "persistentvolumes": [volume(name, handle=name) for name in names],
        "storageclasses": [storage_class("later")],
        "csinodes": [csi_node("a", **counts)],
        "volumeattachments": [
            obj(
                "VolumeAttachment",
                f"va-{name}",
                "",
                "storage.k8s.io/v1",
                spec={"nodeName": "a", "source": {"persistentVolumeName": name}},
            )
            for name in attached
        ],
    }
    pods = [(mounting(one, name=f"q-{one}"), "a") for one in placed]
    return bool(
        refused(NodeVolumeLimits(), mounting(*wanted), [node("a"), node("b")], pods, **given)
    )


def test_as_many_volumes_as_the_driver_attaches():
    assert not limits(["one"], ["two"], d=2)
    assert limits(["one"], ["two", "three"], d=2)
    assert not limits(["one"], ["one", "two"], d=2), "a volume that is there counts once"
    assert not limits(["one"], ["two", "three"], other=1), "another driver's limit"
    assert not limits(["one"], ["two"]), "no limit"
    assert limits([], ["one"], d=0)
    assert limits(["one"], ["later"], d=1), "what is not bound counts for its provisioner"
    assert limits([], ["one"], attached=["two"], d=1), "attached though no pod uses it"
    assert not limits([], ["one"], attached=["one"], d=1)


def test_the_words_of_a_full_node():
    given = {
        "persistentvolumeclaims": [claim("one", volume="one")],
        "persistentvolumes": [volume("one", handle="h")],
        "csinodes": [csi_node("a", d=0)],
    }
    found = refused(NodeVolumeLimits(), mounting("one"), [node("a"), node("b")], **given)
    assert found == {"a": (UNSCHEDULABLE, ("node(s) exceed max volume count",))}


ON_B = {"key": "kubernetes.io/hostname", "values": ["b"]}
NOT_THERE = "node(s) didn't match PersistentVolume's node affinity"
NONE = "node(s) didn't find available persistent volumes to bind"
LOST = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"


@pytest.mark.parametrize(
    ("claims", "volumes", "classes", "expected"),
    [
        ([claim("c", volume="v")], [volume("v", on="a")], [], {"b": [NOT_THERE]}),
        ([claim("c", volume="v")], [volume("v")], [], {}),
        ([claim("c", volume="v")], [], [], {"a": [LOST], "b": [LOST]}),
        # Made on any node, or on those that the class allows.
        ([claim("c", cls="l")], [], [storage_class("l")], {}),
        (
            [claim("c", cls="l")],
            [],
            [
                storage_class(
                    "l",
                    allowedTopologies=[
                        {
                            "matchLabelExpressions": [
                                {"key": "kubernetes.io/hostname", "values": ["b"]}
                            ]
                        }
                    ],
                )
            ],
            {"a": [NONE]},
        ),
        # Not made at all: there must be one.
        (
            [claim("c", cls="l")],
            [volume("v", on="a", cls="l")],
            [storage_class("l", "kubernetes.io/no-provisioner")],
            {"b": [NONE]},
        ),
        # A node was chosen before.
        (
            [claim("c", cls="l", **{"volume.kubernetes.io/selected-node": "a"})],
            [],
            [storage_class("l")],
            {"b": [NONE]},
        ),
        # Two claims, one volume.
        (
            [claim("c", cls="l"), claim("d", cls="l")],
            [volume("v", on="a", cls="l")],
            [storage_class("l", "kubernetes.io/no-provisioner")],
            {"a": [NONE], "b": [NONE]},
        ),
        (
            [claim("c", volume="v"), claim("d", cls="l")],
            [volume("v", on="b")],
            [storage_class("l", "kubernetes.io/no-provisioner")],
            {"a": [NOT_THERE, NONE], "b": [NONE]},
        ),
    ],
)
def test_volumes_are_reached_found_or_made(claims, volumes, classes, expected):
    found = refused(
        VolumeBinding(),
        mounting(*(one["metadata"]["name"] for one in claims)),
        [node("a"), node("b")],
        persistentvolumeclaims=claims,
        persistentvolumes=volumes,
        storageclasses=classes,
    )
    assert found == {name: (UNRESOLVABLE, tuple(why)) for name, why in expected.items()}


def test_what_is_being_given_is_not_given_twice():
    plugin = VolumeBinding()
    cycle = state(
        [node("a")],
        persistentvolumeclaims=[claim("c", cls="l"), claim("d", cls="l")],
        persistentvolumes=[volume("v", on="a", cls="l")],
        storageclasses=[storage_class("l", "kubernetes.io/no-provisioner")],
    )
    first, second = (PodInfo.of(mounting(name, name=f"p-{name}")) for name in "cd")
    assert plugin.pre_filter(cycle, first).ok
    assert plugin.reserve(cycle, first, cycle.nodes[0]).ok
    later = state([node("a")])
    later.readers, later.kept = cycle.readers, cycle.kept
    assert plugin.pre_filter(later, second).ok
    assert plugin.filter(later, second, later.nodes[0]).reasons == (NONE,)
    plugin.unreserve(cycle, first, "a")
    assert plugin.filter(later, second, later.nodes[0]).ok
