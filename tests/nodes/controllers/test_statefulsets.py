"""Pods in order, with names and claims that stay; updates from the end."""

import re

import pytest

from apimachinery.errors import ApiError
from apimachinery.features import SEVERAL_AT_A_TIME
from apimachinery.meta import labels_of
from nodes.client.resources import PERSISTENTVOLUMECLAIMS, PODS, STATEFULSETS
from nodes.controllers.statefulset import retention
from tests.nodes.controllers.conftest import Pods
from tests.support.builders import pod, workload

pytestmark = pytest.mark.looptime

SS = "statefulset-controller"


@pytest.fixture
async def pods(rig):
    return Pods(rig)


def statefulset(replicas=3, **spec):
    return workload("StatefulSet", "db", replicas).spec(
        serviceName="db",
        updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        **spec,
    )


def status(rig):
    return rig.need("statefulsets", "db").get("status") or {}


async def patch(rig, **spec):
    await rig.client.patch(STATEFULSETS, "default", "db", {"spec": spec})


async def set_image(rig, image, **spec):
    containers = [{"name": "c", "image": image}]
    await patch(rig, template={"spec": {"containers": containers}}, **spec)


def images(rig):
    return [
        rig.need("pods", name)["spec"]["containers"][0]["image"].rpartition(":")[2]
        for name in rig.names("pods")
    ]


async def ready(rig, count):
    await rig.until(lambda: status(rig).get("availableReplicas") == count, within=60)


async def test_pods_come_in_order_each_when_the_one_before_is_ready(rig, pods):
    await rig.run(SS)
    await rig.create(statefulset(3))
    await rig.settle(0.5)
    assert rig.names("pods") == ["db-0"]
    await ready(rig, 3)
    first = rig.need("pods", "db-0")
    assert first["spec"]["hostname"] == "db-0"
    assert first["spec"]["subdomain"] == "db"
    labels = dict(labels_of(first))
    assert re.fullmatch(r"db-[a-z0-9]+", labels.pop("controller-revision-hash"))
    assert labels == {
        "app": "x",
        "apps.kubernetes.io/pod-index": "0",
        "statefulset.kubernetes.io/pod-name": "db-0",
    }
    assert rig.events() == [
        f"Normal SuccessfulCreate Create Pod db-{index} in StatefulSet db successful"
        for index in range(3)
    ]
    found = dict(status(rig))
    assert found.pop("currentRevision") == found.pop("updateRevision")
    assert found == {
        "observedGeneration": 1,
        "replicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "currentReplicas": 3,
        "updatedReplicas": 3,
        "collisionCount": 0,
    }


async def test_one_that_does_not_get_ready_holds_the_next_back(rig, pods):
    pods.broken.add("busybox:1.36")
    await rig.run(SS)
    await rig.create(statefulset(3))
    await rig.settle(30)
    assert rig.names("pods") == ["db-0"]
    assert status(rig)["replicas"] == 1
    assert "readyReplicas" not in status(rig)


async def test_parallel_waits_for_nobody(rig, pods):
    await rig.run(SS)
    await rig.create(statefulset(3, podManagementPolicy="Parallel"))
    await rig.settle(0.5)
    assert rig.names("pods") == ["db-0", "db-1", "db-2"]
    await ready(rig, 3)
    await patch(rig, replicas=0)
    await rig.until(lambda: rig.names("pods") == [])


async def test_they_go_from_the_end_one_at_a_time(rig, pods):
    await rig.run(SS)
    await rig.create(statefulset(3))
    await ready(rig, 3)
    await patch(rig, replicas=1)
    await rig.settle(0.5)
    assert [
        name
        for name in rig.names("pods")
        if rig.need("pods", name)["metadata"].get("deletionTimestamp")
    ] == ["db-2"]
    await rig.until(lambda: rig.names("pods") == ["db-0"])
    assert rig.events()[3:] == [
        "Normal SuccessfulDelete Delete Pod db-2 in StatefulSet db successful",
        "Normal SuccessfulDelete Delete Pod db-1 in StatefulSet db successful",
    ]


async def test_an_update_goes_from_the_end(rig, pods):
    await rig.run(SS)
    await rig.create(statefulset(3))
    await ready(rig, 3)
    await set_image(rig, "busybox:1.37")
    await rig.until(lambda: images(rig) == ["1.36", "1.36", "1.37"])
    await rig.until(
        lambda: (
            status(rig).get("updatedReplicas") == 3
            and status(rig)["currentRevision"] == status(rig)["updateRevision"]
        ),
        within=60,
    )
    assert images(rig) == ["1.37"] * 3
    assert len(rig.names("controllerrevisions")) == 2


@pytest.mark.parametrize(
    ("most", "policy", "together"),
    [
        (None, "Parallel", 1),
        (2, "Parallel", 2),
        (3, "OrderedReady", 3),
        ("50%", "Parallel", 2),  # of five, rounded down
        ("10%", "Parallel", 1),  # never none
    ],
)
async def test_as_many_are_replaced_together_as_may_be_unavailable(
    rig, pods, most, policy, together
):
    rig.features = frozenset({SEVERAL_AT_A_TIME})
    await rig.run(SS)
    await rig.create(statefulset(5, podManagementPolicy=policy))
    await ready(rig, 5)
    rolling = {"partition": 1, "maxUnavailable": most}
    seen = []

    def is_over():
        seen.append(status(rig)["availableReplicas"])
        return images(rig) == ["1.36", *["1.37"] * 4] and seen[-1] == 5

    await set_image(rig, "busybox:1.37", updateStrategy={"rollingUpdate": rolling})
    await rig.until(is_over, within=60)
    assert min(seen) == 5 - together


async def test_a_pod_that_is_not_well_counts_as_unavailable(rig, pods):
    rig.features = frozenset({SEVERAL_AT_A_TIME})
    await rig.run(SS)
    await rig.create(statefulset(4, podManagementPolicy="Parallel"))
    await ready(rig, 4)
    broken = {"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}]}
    await rig.client.patch(PODS, "default", "db-0", {"status": broken}, subresource="status")
    pods.broken.add("busybox:1.37")
    strategy = {"rollingUpdate": {"partition": 1, "maxUnavailable": 2}}
    await set_image(rig, "busybox:1.37", updateStrategy=strategy)
    await rig.settle(30)
    # One of the two is missing already, and what has taken the other's place never comes up.
    assert images(rig) == ["1.36", "1.36", "1.36", "1.37"]


async def test_a_partition_holds_the_update(rig, pods):
    await rig.run(SS)
    await rig.create(statefulset(3))
    await ready(rig, 3)
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    await set_image(rig, "busybox:1.37", updateStrategy=strategy)
    await rig.settle(20)
    assert images(rig) == ["1.36", "1.36", "1.37"]
    assert (status(rig)["currentReplicas"], status(rig)["updatedReplicas"]) == (2, 1)
    # Below the partition a lost pod comes back as it was.
    await rig.client.delete(PODS, "default", "db-0")
    await rig.settle(10)
    assert images(rig) == ["1.36", "1.36", "1.37"]


async def test_on_delete_updates_only_what_somebody_deletes(rig, pods):
    await rig.run(SS)
    await rig.create(statefulset(2).spec(updateStrategy={"type": "OnDelete"}))
    await ready(rig, 2)
    await set_image(rig, "busybox:1.37")
    await rig.settle(10)
    assert images(rig) == ["1.36", "1.36"]
    await rig.client.delete(PODS, "default", "db-1")
    await rig.settle(10)
    assert images(rig) == ["1.36", "1.37"]


async def test_going_back_takes_the_old_revision_with_a_new_number(rig, pods):
    await rig.run(SS)
    await rig.create(statefulset(1))
    await ready(rig, 1)
    first = status(rig)["currentRevision"]
    await set_image(rig, "busybox:1.37")
    await rig.until(lambda: images(rig) == ["1.37"] and status(rig).get("readyReplicas"))
    await set_image(rig, "busybox:1.36")
    await rig.until(lambda: images(rig) == ["1.36"] and status(rig)["currentRevision"] == first)
    assert rig.need("controllerrevisions", first)["revision"] == 3


async def test_a_failed_pod_is_made_anew(rig, pods):
    await rig.run(SS)
    await rig.create(statefulset(1))
    await ready(rig, 1)
    before = rig.need("pods", "db-0")["metadata"]["uid"]
    failed = {"status": {"phase": "Failed"}}
    await rig.client.patch(PODS, "default", "db-0", failed, subresource="status")
    await rig.until(lambda: rig.need("pods", "db-0")["metadata"]["uid"] != before)
    assert rig.events() == [
        "Normal SuccessfulCreate Create Pod db-0 in StatefulSet db successful",
        "Normal SuccessfulDelete Delete Pod db-0 in StatefulSet db successful",
    ]


async def test_a_pod_is_made_once_another_of_its_name_is_gone(rig, pods):
    await rig.create(pod("db-0"))
    await rig.run(SS)
    await rig.create(statefulset(1))
    await rig.settle(600)
    await rig.client.delete(PODS, "default", "db-0", grace=0)
    # It looks again after ever longer, as Kubernetes' does: at last after 1,000 s.
    await rig.until(lambda: status(rig).get("availableReplicas") == 1, within=1100)
    assert not [one for one in rig.events() if "FailedCreate" in one]


async def test_claims_are_made_once_and_outlive_their_pods(rig, pods):
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    await rig.run(SS)
    await rig.create(statefulset(2, volumeClaimTemplates=[claim]))
    await ready(rig, 2)
    assert rig.names("persistentvolumeclaims") == ["data-db-0", "data-db-1"]
    assert rig.need("pods", "db-1")["spec"]["volumes"] == [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data-db-1"}}
    ]
    assert labels_of(rig.need("persistentvolumeclaims", "data-db-0")) == {"app": "x"}
    assert (
        "Normal SuccessfulCreate Create Claim data-db-0 Pod db-0 in StatefulSet db success"
        in rig.events()
    )
    await patch(rig, replicas=1)
    await rig.until(lambda: rig.names("pods") == ["db-0"])
    assert rig.names("persistentvolumeclaims") == ["data-db-0", "data-db-1"]


async def test_ordinals_may_start_elsewhere(rig, pods):
    await rig.run(SS)
    await rig.create(statefulset(2, ordinals={"start": 5}))
    await ready(rig, 2)
    assert rig.names("pods") == ["db-5", "db-6"]


@pytest.mark.parametrize("policy", ["OrderedReady", "Parallel"])
async def test_availability_comes_min_ready_seconds_after_readiness(rig, pods, policy):
    await rig.run(SS)
    await rig.create(statefulset(1, minReadySeconds=30, podManagementPolicy=policy))
    await rig.settle(20)
    assert (status(rig)["readyReplicas"], status(rig)["availableReplicas"]) == (1, 0)
    await ready(rig, 1)


CLAIM = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


def owned(kind, name, uid="u"):
    return {"apiVersion": "v1", "kind": kind, "name": name, "uid": uid}


@pytest.mark.parametrize(
    ("deleted", "scaled", "condemned", "owner"),
    [
        ("Retain", "Retain", False, None),
        ("Retain", "Retain", True, None),
        ("Delete", "Retain", False, "StatefulSet"),
        ("Delete", "Retain", True, "StatefulSet"),
        ("Retain", "Delete", False, None),
        ("Retain", "Delete", True, "Pod"),
        ("Delete", "Delete", False, "StatefulSet"),
        ("Delete", "Delete", True, "Pod"),
    ],
)
@pytest.mark.parametrize(
    "before", [[], [owned("StatefulSet", "db", "old")], [owned("Pod", "db-0")]]
)
def test_a_claim_has_the_owner_that_the_policy_names(deleted, scaled, condemned, owner, before):
    policy = {"whenDeleted": deleted, "whenScaled": scaled}
    whole = statefulset(persistentVolumeClaimRetentionPolicy=policy)
    whole["metadata"]["uid"] = "set"
    one = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "db-0", "namespace": "default", "uid": "pod"},
    }
    others = [owned("Backup", "b")]
    claim = {"metadata": {"name": "data-db-0", "ownerReferences": before + others}}
    found = retention.owners(claim, whole, one, condemned=condemned)
    assert found[:1] == others
    uids = {"StatefulSet": "set", "Pod": "pod"}
    expected = [] if owner is None else [(owner, uids[owner], True)]
    assert [(o["kind"], o["uid"], o["controller"]) for o in found[1:]] == expected


async def test_claims_go_with_the_pod_that_is_scaled_away(rig, pods):
    policy = {"whenDeleted": "Retain", "whenScaled": "Delete"}
    await rig.run(SS, "garbage-collector-controller")
    await rig.create(
        statefulset(2, volumeClaimTemplates=[CLAIM], persistentVolumeClaimRetentionPolicy=policy)
    )
    await ready(rig, 2)
    await patch(rig, replicas=1)
    await rig.until(lambda: rig.names("persistentvolumeclaims") == ["data-db-0"])
    assert rig.names("pods") == ["db-0"]
    await patch(rig, replicas=2)
    await ready(rig, 2)
    assert rig.names("persistentvolumeclaims") == ["data-db-0", "data-db-1"]
    assert "ownerReferences" not in rig.need("persistentvolumeclaims", "data-db-0")["metadata"]


async def test_claims_go_with_the_set(rig, pods):
    policy = {"whenDeleted": "Delete", "whenScaled": "Retain"}
    await rig.run(SS, "garbage-collector-controller")
    await rig.create(
        statefulset(2, volumeClaimTemplates=[CLAIM], persistentVolumeClaimRetentionPolicy=policy)
    )
    await ready(rig, 2)
    await patch(rig, replicas=1)
    await rig.until(lambda: rig.names("pods") == ["db-0"])
    await rig.settle(5)
    assert rig.names("persistentvolumeclaims") == ["data-db-0", "data-db-1"]
    await rig.client.delete(STATEFULSETS, "default", "db")
    await rig.until(lambda: rig.names("persistentvolumeclaims") == [])


async def test_claims_have_their_owner_before_the_pod_runs(rig):
    await rig.run(SS)
    policy = {"whenDeleted": "Delete", "whenScaled": "Retain"}
    await rig.create(
        statefulset(1, volumeClaimTemplates=[CLAIM], persistentVolumeClaimRetentionPolicy=policy)
    )
    await rig.until(lambda: rig.get("pods", "db-0"))
    pending = {"status": {"phase": "Pending"}}
    await rig.client.patch(PODS, "default", "db-0", pending, subresource="status")
    await rig.settle()
    (owner,) = rig.need("persistentvolumeclaims", "data-db-0")["metadata"]["ownerReferences"]
    assert owner["kind"] == "StatefulSet"


async def test_a_claim_that_is_refused_is_said_of_claim_and_pod(rig):
    await rig.run(SS)
    refused = ApiError("exceeded quota: small", code=403)
    rig.faults[rig.account(SS)].fail("create", "persistentvolumeclaims", refused)
    await rig.create(statefulset(1, volumeClaimTemplates=[CLAIM]))
    await rig.settle()
    why = refused.message
    where = "Pod db-0 in StatefulSet db failed error:"
    assert rig.events()[:2] == [
        f"Warning FailedCreate Create Claim data-db-0 for {where} {why}",
        f"Warning FailedCreate Create {where} failed to create PVC data-db-0: {why}",
    ]


async def test_a_claim_of_another_controller_is_left_and_said(rig, pods):
    policy = {"whenDeleted": "Delete", "whenScaled": "Retain"}
    other = {**owned("Backup", "b"), "controller": True}
    mine = {**owned("StatefulSet", "db"), "controller": False}
    await rig.create(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                "name": "data-db-0",
                "namespace": "default",
                "ownerReferences": [other, mine],
            },
            "spec": {},
        }
    )
    await rig.run(SS)
    await rig.create(
        statefulset(1, volumeClaimTemplates=[CLAIM], persistentVolumeClaimRetentionPolicy=policy)
    )
    await ready(rig, 1)
    await rig.settle(1)
    claim = rig.need("persistentvolumeclaims", "data-db-0")
    assert claim["metadata"]["ownerReferences"] == [other]
    assert (
        "Warning ConflictingController PersistentVolumeClaim data-db-0 has a conflicting"
        " OwnerReference that acts as a managing controller, the retention policy is ignored"
        " for this claim"
    ) in rig.events()


async def test_a_pod_waits_until_a_claim_that_goes_is_gone(rig, pods):
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data-db-0", "namespace": "default", "finalizers": ["x.io/hold"]},
        "spec": {},
    }
    await rig.create(claim)
    await rig.client.delete(PERSISTENTVOLUMECLAIMS, "default", "data-db-0")
    await rig.run(SS)
    await rig.create(statefulset(1, volumeClaimTemplates=[CLAIM]))
    await rig.settle(5)
    assert rig.names("pods") == []
    why = "Create Pod db-0 in StatefulSet db failed error: pvc data-db-0 is being deleted"
    assert rig.events() == [f"Warning FailedCreate {why}"]
    free = {"metadata": {"finalizers": None}}
    await rig.client.patch(PERSISTENTVOLUMECLAIMS, "default", "data-db-0", free)
    await ready(rig, 1)


def adopted(name="db-0", **labels):
    """A pod that somebody made by hand with a name of the set's."""
    return pod(name).labels(app="x", **labels).spec(hostname=name, subdomain="db")


async def test_an_adopted_pod_gets_the_labels_of_its_name(rig, pods):
    await rig.create(adopted())
    await rig.run(SS)
    await rig.create(statefulset(1).spec(updateStrategy={"type": "OnDelete"}))
    await ready(rig, 1)
    await rig.settle(1)
    labels = labels_of(rig.need("pods", "db-0"))
    assert labels == {
        "app": "x",
        "apps.kubernetes.io/pod-index": "0",
        "statefulset.kubernetes.io/pod-name": "db-0",
    }
    said = "Normal SuccessfulUpdate Update Pod db-0 in StatefulSet db successful"
    assert rig.events() == [said]

    # A label that somebody took away comes back; that of the index alone does not.
    gone = {"metadata": {"labels": {"apps.kubernetes.io/pod-index": None}}}
    await rig.client.patch(PODS, "default", "db-0", gone)
    await rig.settle(5)
    assert "apps.kubernetes.io/pod-index" not in labels_of(rig.need("pods", "db-0"))
    gone["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] = None
    await rig.client.patch(PODS, "default", "db-0", gone)
    await rig.until(lambda: labels_of(rig.need("pods", "db-0")) == labels)


async def test_the_claims_of_an_adopted_pod_are_made(rig, pods):
    await rig.create(adopted(**{"statefulset.kubernetes.io/pod-name": "db-0"}))
    await rig.run(SS)
    made = statefulset(1, volumeClaimTemplates=[CLAIM])
    await rig.create(made.spec(updateStrategy={"type": "OnDelete"}))
    await rig.until(lambda: rig.get("persistentvolumeclaims", "data-db-0"), within=60)
    # This API lets volumes change; a real one refuses that, and the controller tries again.
    await rig.until(lambda: rig.need("pods", "db-0")["spec"].get("volumes"))
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}}
    assert rig.need("pods", "db-0")["spec"]["volumes"] == [volume]
