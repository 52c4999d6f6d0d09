"""Volumes at their nodes: attached for the pods there, and detached when nobody uses them."""

import asyncio

import pytest

from apimachinery import attachments
from nodes.client.resources import NODES, PODS, VOLUMEATTACHMENTS
from nodes.controllers.volumes import attachdetach
from tests.support.builders import node, obj, pod

AD, ATTACHER = "persistentvolume-attach-detach-controller", "simulated-attacher"
DRIVER = attachments.SIMULATED_DRIVER


def csi_driver(name=DRIVER, **spec):
    return obj("CSIDriver", name, "", "storage.k8s.io/v1", spec=spec)


def volume(name="v", driver=DRIVER, modes=("ReadWriteOnce",), claim="c", namespace="default"):
    spec = {
        "csi": {"driver": driver, "volumeHandle": f"h-{name}"},
        "accessModes": list(modes),
        "claimRef": {"namespace": namespace, "name": claim},
    }
    return obj("PersistentVolume", name, "", spec=spec)


def claim(name="c", bound="v", namespace="default"):
    made = obj("PersistentVolumeClaim", name, namespace, spec={"volumeName": bound})
    return made.status(phase="Bound")


def user(name, on, claim_name="c", namespace="default"):
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": claim_name}}]
    return pod(name, namespace).spec(volumes=volumes).on(on).ready()


def unique(name="v"):
    return f"kubernetes.io/csi/{DRIVER}^h-{name}"


@pytest.mark.parametrize(
    ("driver", "described", "needed"),
    [
        (DRIVER, None, False),
        (DRIVER, csi_driver(attachRequired=True), True),
        (DRIVER, csi_driver(attachRequired=False), False),
        ("other.example.com", None, True),
        ("other.example.com", csi_driver("other.example.com"), True),
        ("other.example.com", csi_driver("other.example.com", attachRequired=False), False),
    ],
)
def test_who_has_to_be_attached(driver, described, needed):
    assert attachments.needs_attaching(volume(driver=driver), described) == needed


def test_others_need_nothing():
    plain = {"metadata": {"name": "v"}, "spec": {"hostPath": {"path": "/x"}}}
    assert not attachments.needs_attaching(plain, None)


@pytest.mark.parametrize(
    ("modes", "shared"),
    [
        (["ReadWriteOnce"], False),
        (["ReadWriteOncePod"], False),
        (["ReadWriteOnce", "ReadOnlyMany"], True),
        (["ReadWriteMany"], True),
        ([], True),
    ],
)
def test_which_may_be_at_several_nodes(modes, shared):
    assert attachments.may_be_shared(volume(modes=modes)) == shared


async def cluster(rig, *objects, attacher=True):
    await rig.create(csi_driver(attachRequired=True), node("n1"), node("n2"), *objects)
    await rig.run(*([AD, ATTACHER] if attacher else [AD]))
    await rig.settle()


def attached(rig, name="n1"):
    found = rig.need("nodes", name)["status"].get("volumesAttached") or []
    return [one["name"] for one in found]


def asked(rig):
    return sorted(
        (one["spec"]["source"]["persistentVolumeName"], one["spec"]["nodeName"])
        for one in rig.api.all("volumeattachments")
    )


async def in_use(rig, *names, at="n1"):
    body = {"status": {"volumesInUse": list(names) or None}}
    await rig.client.patch(NODES, "", at, body, subresource="status")


@pytest.mark.looptime
async def test_a_volume_is_attached_where_its_pod_is(rig):
    await cluster(rig, claim(), volume(), user("p", "n1"))
    assert asked(rig) == [("v", "n1")]
    assert attached(rig) == [unique()]
    assert attached(rig, "n2") == []
    (one,) = rig.api.all("volumeattachments")
    assert one["spec"]["attacher"] == DRIVER
    assert one["metadata"]["finalizers"] == ["external-attacher/simulated-kubeground-io"]
    assert rig.events() == [
        'Normal SuccessfulAttachVolume AttachVolume.Attach succeeded for volume "v" '
    ]
    assert len(rig.tasks) == 0


@pytest.mark.looptime
async def test_it_leaves_when_the_kubelet_lets_go(rig):
    await cluster(rig, claim(), volume(), user("p", "n1"))
    await in_use(rig, unique())
    await rig.client.delete(PODS, "default", "p", grace=0)
    await asyncio.sleep(1000)
    assert attached(rig) == [unique()]
    await in_use(rig)
    await rig.settle()
    assert attached(rig) == []
    assert asked(rig) == []


@pytest.mark.looptime
@pytest.mark.parametrize("how", ["silent", "out-of-service", "gone"])
async def test_of_a_node_that_is_ill_it_is_taken(rig, how):
    await cluster(rig, claim(), volume(), user("p", "n1"))
    await in_use(rig, unique())
    ill = {"conditions": [{"type": "Ready", "status": "Unknown"}]}
    await rig.client.patch(NODES, "", "n1", {"status": ill}, subresource="status")
    await rig.client.delete(PODS, "default", "p", grace=0)
    await asyncio.sleep(300)
    assert asked(rig) == [("v", "n1")]
    if how == "out-of-service":
        taint = {"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}
        await rig.client.patch(NODES, "", "n1", {"spec": {"taints": [taint]}})
        await rig.settle()
        assert asked(rig) == []
    if how == "gone":
        await rig.client.delete(NODES, "", "n1")
    await asyncio.sleep(61)
    assert asked(rig) == []


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("there", "words"),
    [
        (True, "Volume is already used by pod(s) a"),
        (False, "Volume is already exclusively attached to one node and can't be"),
    ],
)
async def test_a_volume_for_one_node_waits_for_the_other(rig, there, words):
    await cluster(rig, claim(), volume(), user("a", "n1"))
    await in_use(rig, unique())
    if not there:
        await rig.client.delete(PODS, "default", "a", grace=0)
        await rig.settle()
    await rig.create(user("b", "n2"))
    await rig.settle(10)
    assert asked(rig) == [("v", "n1")]
    (told,) = [one for one in rig.events() if "FailedAttachVolume" in one]
    start = 'Warning FailedAttachVolume Multi-Attach error for volume "v" '
    assert told.startswith(start + words)
    if there:
        await rig.client.delete(PODS, "default", "a", grace=0)
    await in_use(rig)
    await rig.settle()
    assert asked(rig) == [("v", "n2")]
    assert attached(rig, "n2") == [unique()]


@pytest.mark.parametrize(
    ("users", "words"),
    [
        (["a"], "Volume is already used by pod(s) a"),
        (["a", "far/b"], "Volume is already used by pod(s) a and 1 pod(s) in different namespaces"),
        (["far/b"], "Volume is already used by 1 pod(s) in different namespaces"),
    ],
)
def test_pods_of_other_namespaces_are_counted_and_not_named(users, words):
    split = [one.rpartition("/") for one in users]
    others = [pod(name, namespace or "default") for namespace, _, name in split]
    assert attachdetach.said_of_users(pod("p"), others) == words


@pytest.mark.looptime
async def test_a_shared_volume_is_at_both_nodes(rig):
    await cluster(rig, claim(), volume(modes=["ReadWriteMany"]), user("a", "n1"), user("b", "n2"))
    assert asked(rig) == [("v", "n1"), ("v", "n2")]


@pytest.mark.looptime
async def test_what_the_driver_says_is_passed_on_once(rig):
    await cluster(rig, claim(), volume(), user("p", "n1"), attacher=False)
    (one,) = rig.api.all("volumeattachments")
    error = {"attachError": {"message": "rpc error: code = Internal desc = no such disk"}}
    for _ in range(2):
        await rig.client.patch(
            VOLUMEATTACHMENTS, "", one["metadata"]["name"], {"status": error}, subresource="status"
        )
        error["attachError"]["time"] = rig.clock.timestamp()
        await rig.settle()
    why = (
        'AttachVolume.Attach failed for volume "v" : rpc error: code = Internal desc = no such disk'
    )
    assert rig.events() == [f"Warning FailedAttachVolume {why}"]
    assert attached(rig) == []


@pytest.mark.looptime
async def test_without_volumes_of_drivers_nothing_is_followed(rig):
    await rig.create(node("n1"), pod("p").on("n1").ready())
    await rig.run(AD, ATTACHER)
    await rig.settle(5)
    listed = {call.resource for _, call in rig.api.calls if call.verb == "list"}
    assert "volumeattachments" not in listed
