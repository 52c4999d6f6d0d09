"""Owners and dependents: who goes, who stays, who waits."""

from dataclasses import replace

import pytest

from apimachinery.errors import Conflict
from apimachinery.gvk import GroupResource
from apimachinery.meta import is_deleting
from nodes.client.klog import Klog
from nodes.client.resources import (
    CONFIGMAPS,
    CUSTOMRESOURCEDEFINITIONS,
    DEPLOYMENTS,
    NODES,
    PODS,
    REPLICASETS,
    Res,
)
from tests.support.builders import deployment, namespace, node, obj, pod, replicaset

pytestmark = pytest.mark.looptime

GC = "garbage-collector-controller"
ACCOUNT = "system:serviceaccount:kube-system:generic-garbage-collector"


async def family(rig):
    """Make a deployment, its replica set, and two pods of that."""
    web = await rig.create(deployment("web"))
    middle = await rig.create(replicaset("web-1").owned_by(web))
    await rig.create(pod("p1").owned_by(middle), pod("p2").owned_by(middle))
    await rig.run(GC)


def left(rig):
    return [*rig.names("deployments"), *rig.names("replicasets"), *rig.names("pods")]


async def test_nothing_happens_while_owners_live(rig):
    await family(rig)
    await rig.settle(60)
    assert rig.api.written(ACCOUNT) == []


async def test_background_takes_dependents_after_their_owner(rig):
    await family(rig)
    await rig.client.delete(DEPLOYMENTS, "default", "web", propagation="Background")
    assert rig.names("deployments") == []
    await rig.until(lambda: left(rig) == [])


async def test_foreground_takes_dependents_before_their_owner(rig):
    await family(rig)
    await rig.create(pod("slow").on("n1").owned_by(rig.need("replicasets", "web-1")))
    await rig.settle()
    await rig.client.delete(DEPLOYMENTS, "default", "web", propagation="Foreground")
    await rig.settle()
    assert left(rig) == ["web", "web-1", "slow"]
    assert is_deleting(rig.need("pods", "slow"))
    await rig.client.delete(PODS, "default", "slow", grace=0)
    await rig.until(lambda: left(rig) == [])


async def test_foreground_does_not_wait_for_what_does_not_block(rig):
    owner = await rig.create(replicaset("r"))
    await rig.create(pod("p").owned_by(owner, blockOwnerDeletion=False).finalizers("x.io/hold"))
    await rig.run(GC)
    await rig.client.delete(REPLICASETS, "default", "r", propagation="Foreground")
    await rig.until(lambda: rig.names("replicasets") == [])
    await rig.settle()
    assert is_deleting(rig.need("pods", "p"))


async def test_orphan_leaves_dependents_without_an_owner(rig):
    await family(rig)
    await rig.client.delete(DEPLOYMENTS, "default", "web", propagation="Orphan")
    await rig.until(lambda: left(rig) == ["web-1", "p1", "p2"])
    await rig.settle(30)
    orphan = rig.need("replicasets", "web-1")["metadata"]
    assert "ownerReferences" not in orphan
    assert "finalizers" not in orphan
    assert left(rig) == ["web-1", "p1", "p2"]


async def test_an_owner_that_never_was_takes_its_dependent_with_it(rig):
    ghost = replicaset("ghost").meta(uid="never")
    await rig.create(pod("p").owned_by(ghost))
    await rig.run(GC)
    await rig.until(lambda: rig.names("pods") == [])


async def test_an_owner_of_the_same_name_is_not_the_owner(rig):
    await rig.create(replicaset("r"))
    await rig.create(pod("p").owned_by(replicaset("r").meta(uid="another")))
    await rig.run(GC)
    await rig.until(lambda: rig.names("pods") == [])


async def test_one_living_owner_is_enough_and_the_others_are_forgotten(rig):
    living = await rig.create(replicaset("living"))
    ghost = replicaset("ghost").meta(uid="never")
    await rig.create(pod("p").owned_by(living).owned_by(ghost, controller=False))
    await rig.run(GC)
    await rig.until(lambda: len(rig.need("pods", "p")["metadata"]["ownerReferences"]) == 1)
    (reference,) = rig.need("pods", "p")["metadata"]["ownerReferences"]
    assert reference["name"] == "living"


async def test_an_owner_that_the_cache_missed_is_asked_for_live(rig):
    """An owner of a resource that nobody watches here."""
    rig.resources = [res for res in rig.resources if res != DEPLOYMENTS]
    await rig.run(GC)
    owner = await rig.create(deployment("d"))
    await rig.create(replicaset("r").owned_by(owner))
    await rig.settle(5)
    assert rig.names("replicasets") == ["r"]


async def test_a_cluster_scoped_owner_owns_in_every_namespace(rig):
    owner = await rig.create(node("n1"))
    lease = obj("Lease", "n1", "kube-node-lease", "coordination.k8s.io/v1", spec={})
    await rig.create(lease.owned_by(owner))
    await rig.run(GC)
    await rig.settle(5)
    assert rig.names("leases") == ["n1"]
    await rig.client.delete(NODES, "", "n1")
    await rig.until(lambda: rig.names("leases") == [])


async def test_an_owner_in_another_namespace_does_not_count(rig):
    owner = await rig.create(replicaset("r", namespace="a"))
    await rig.create(pod("p", "b").owned_by(owner))
    await rig.run(GC)
    await rig.until(lambda: rig.names("pods") == [])
    await rig.settle()
    uid = owner["metadata"]["uid"]
    told = f"[apps/v1/ReplicaSet, namespace: b, name: r, uid: {uid}]"
    assert rig.events() == [
        f'Warning OwnerRefInvalidNamespace ownerRef {told} does not exist in namespace "b"'
    ]


async def test_a_cluster_scoped_dependent_of_a_namespaced_owner_stays(rig):
    await rig.create(namespace("n").owned_by(replicaset("r").meta(uid="never")))
    await rig.run(GC)
    await rig.settle(5)
    assert rig.names("namespaces") == ["n"]


async def test_a_conflict_is_tried_again(rig):
    await family(rig)
    rig.transport_for(ACCOUNT).fail(
        "delete", "pods", Conflict(GroupResource("", "pods"), "p1", "changed"), times=3
    )
    await rig.client.delete(REPLICASETS, "default", "web-1", propagation="Background")
    await rig.until(lambda: rig.names("pods") == [])


async def test_a_circle_of_blocking_owners_is_broken(rig):
    first = await rig.create(obj("ConfigMap", "first"))
    second = await rig.create(obj("ConfigMap", "second").owned_by(first))
    patch = {
        "metadata": {
            "ownerReferences": obj("ConfigMap", "x").owned_by(second)["metadata"]["ownerReferences"]
        }
    }
    await rig.client.patch(CONFIGMAPS, "default", "first", patch)
    await rig.run(GC)
    await rig.client.delete(CONFIGMAPS, "default", "first", propagation="Foreground")
    await rig.until(lambda: rig.names("configmaps") == [])


async def test_a_custom_kind_counts_once_it_is_served(rig):
    widgets = Res("example.com", "v1", "widgets", "Widget")
    ghost = obj("Widget", "w", api_version="example.com/v1").meta(uid="never")
    await rig.create(pod("p").owned_by(ghost))
    await rig.run(GC)
    await rig.settle(5)
    assert rig.names("pods") == ["p"]
    rig.resources = [*rig.resources, widgets]
    said = []
    collector = rig.manager.controllers[GC]
    klog = Klog(rig.clock, lambda _, line: said.append(bytes(line).decode().partition("] ")[2]))
    collector._context = replace(collector._context, klog=klog)
    crd = obj(
        "CustomResourceDefinition", "widgets.example.com", "", CUSTOMRESOURCEDEFINITIONS.api_version
    )
    await rig.create(crd)
    await rig.until(lambda: rig.names("pods") == [])
    logger = f'logger="{GC}"'
    what = "syncing garbage collector with updated resources from discovery"
    diff = "added: [example.com/v1, Resource=widgets], removed: []"
    assert said[:2] == [
        f'"{what}" {logger} attempt=1 diff="{diff}"',
        f'"synced garbage collector" {logger}',
    ]
