"""Claims and volumes: which are bound when, and what becomes of them."""

import pytest

from apimachinery.meta import annotations_of
from nodes.client.resources import (
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODS,
    VOLUMEATTRIBUTESCLASSES,
)
from tests.support.builders import node, obj, pod

pytestmark = pytest.mark.looptime

BINDER = "persistentvolume-binder-controller"
PROVISIONER = "simulated-provisioner"
EXPANDER = "persistentvolume-expander-controller"
PVC, PV = "persistentvolumeclaim-protection-controller", "persistentvolume-protection-controller"


def claim(name="c", size="1Gi", cls="fast", **spec):
    defaults = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    if cls is not None:
        defaults["storageClassName"] = cls
    return obj("PersistentVolumeClaim", name, spec=defaults | spec).status(phase="Pending")


def volume(name="v", size="2Gi", cls="fast", policy="Retain", **spec):
    defaults = {
        "capacity": {"storage": size},
        "accessModes": ["ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": policy,
        "storageClassName": cls,
        "nfs": {"server": "s", "path": "/"},
    }
    made = obj("PersistentVolume", name, "", spec=defaults | spec)
    return made.status(phase="Pending")


def storage_class(name="fast", mode="Immediate", provisioner="kubeground.io/simulated", **more):
    return obj(
        "StorageClass",
        name,
        "",
        "storage.k8s.io/v1",
        provisioner=provisioner,
        volumeBindingMode=mode,
        reclaimPolicy="Delete",
        **more,
    )


def user(name="p", claim_name="c"):
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": claim_name}}]
    return pod(name).spec(volumes=volumes)


def phase(rig, plural, name):
    return (rig.need(plural, name).get("status") or {}).get("phase")


def bound_to(rig, name="c"):
    return rig.need("persistentvolumeclaims", name)["spec"].get("volumeName")


async def bind(rig, name):
    target = {"target": {"name": "n1"}, "metadata": {"namespace": "default"}}
    await rig.client.create(target, PODS, subresource="binding", name=name)


async def test_the_smallest_that_is_large_enough_is_taken(rig):
    await rig.run(BINDER)
    await rig.create(
        volume("large", "9Gi"),
        volume("small", "500Mi"),
        volume("right", "2Gi"),
        volume("other", "1Gi", cls="slow"),
    )
    await rig.settle(0.5)
    await rig.create(claim())
    await rig.settle(0.5)
    found = rig.need("persistentvolumeclaims", "c")
    assert bound_to(rig) == "right"
    assert annotations_of(found) == {
        "pv.kubernetes.io/bind-completed": "yes",
        "pv.kubernetes.io/bound-by-controller": "yes",
    }
    assert found["status"] == {
        "phase": "Bound",
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "2Gi"},
    }
    taken = rig.need("persistentvolumes", "right")
    assert taken["status"]["phase"] == "Bound"
    assert taken["spec"]["claimRef"]["uid"] == found["metadata"]["uid"]
    assert phase(rig, "persistentvolumes", "large") == "Available"


async def test_a_volume_that_comes_later_is_taken(rig):
    await rig.run(BINDER)
    await rig.create(storage_class(provisioner="kubernetes.io/no-provisioner"), claim())
    await rig.settle(0.5)
    assert rig.events() == [
        "Warning ProvisioningFailed no volume plugin matched name: kubernetes.io/no-provisioner"
    ]
    await rig.create(volume())
    await rig.settle(0.5)
    assert bound_to(rig) == "v"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"cls": "slow"}, "storageClassName does not match"),
        ({"size": "3Gi"}, "requested PV is too small"),
        ({"accessModes": ["ReadWriteMany"]}, "incompatible accessMode"),
        ({"volumeMode": "Block"}, "incompatible volumeMode"),
    ],
)
async def test_a_volume_asked_for_by_name_has_to_suit(rig, change, why):
    await rig.run(BINDER)
    await rig.create(volume(), claim(volumeName="v", **change))
    await rig.settle(0.5)
    message = f'Warning VolumeMismatch Cannot bind to requested volume "v": {why}'
    assert rig.events()[0] == message
    assert phase(rig, "persistentvolumeclaims", "c") == "Pending"


async def test_a_reserved_volume_waits_for_its_claim(rig):
    await rig.run(BINDER)
    holder = {"namespace": "default", "name": "mine"}
    await rig.create(volume(claimRef=holder))
    await rig.create(claim("other"), claim("mine"))
    await rig.settle(0.5)
    assert (bound_to(rig, "other"), bound_to(rig, "mine")) == (None, "v")


async def test_a_selector_is_kept(rig):
    await rig.run(BINDER)
    await rig.create(volume("a"), volume("b").labels(tier="gold"))
    await rig.settle(0.2)
    await rig.create(claim(selector={"matchLabels": {"tier": "gold"}}))
    await rig.settle(0.5)
    assert bound_to(rig) == "b"


@pytest.mark.parametrize(
    ("policy", "path", "phase_after", "event"),
    [
        ("Retain", "/data", "Released", ""),
        (
            "Delete",
            "/data",
            "Failed",
            (
                "VolumeFailedDelete host_path deleter only supports /tmp/.+ but received provided"
                " /data"
            ),
        ),
        ("Recycle", "/d", "Failed", "VolumeFailedRecycle No recycler plugin found for the volume!"),
        ("Delete", "/tmp/x", None, ""),
    ],
)
async def test_a_volume_whose_claim_has_gone(rig, policy, path, phase_after, event):
    await rig.run(BINDER)
    await rig.create(volume(policy=policy, hostPath={"path": path}))
    await rig.settle(0.2)
    await rig.create(claim())
    await rig.until(lambda: bound_to(rig) == "v")
    await rig.settle(0.2)
    await rig.client.delete(PERSISTENTVOLUMECLAIMS, "default", "c")
    await rig.settle(0.5)
    if phase_after is None:
        assert rig.names("persistentvolumes") == []
    else:
        assert phase(rig, "persistentvolumes", "v") == phase_after
    assert [one for one in rig.events() if "Warning" in one] == [f"Warning {event}"] * bool(event)


async def test_a_claim_whose_volume_has_gone_is_lost(rig):
    await rig.run(BINDER)
    await rig.create(volume())
    await rig.settle(0.2)
    await rig.create(claim())
    await rig.until(lambda: bound_to(rig) == "v")
    await rig.settle(0.2)
    await rig.client.delete(PERSISTENTVOLUMES, "", "v")
    await rig.settle(0.5)
    assert phase(rig, "persistentvolumeclaims", "c") == "Lost"
    assert rig.events() == [
        "Warning ClaimLost Bound claim has lost its PersistentVolume. Data on the volume is lost!"
    ]


@pytest.mark.parametrize(
    ("cls", "event"),
    [
        ("fast", 'Warning ProvisioningFailed storageclass.storage.k8s.io "fast" not found'),
        (
            "",
            (
                "Normal FailedBinding no persistent volumes available for this claim and no storage"
                " class is set"
            ),
        ),
    ],
)
async def test_nothing_to_bind_is_told_of(rig, cls, event):
    await rig.run(BINDER)
    await rig.create(claim(cls=cls))
    await rig.settle(10)
    assert rig.events() == [event]
    assert phase(rig, "persistentvolumeclaims", "c") == "Pending"


async def test_a_claim_without_a_class_gets_the_default_once_there_is_one(rig):
    await rig.run(BINDER, PROVISIONER)
    await rig.create(claim(cls=None))
    await rig.settle(0.5)
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    await rig.create(storage_class("standard").annotations(default))
    await rig.until(lambda: phase(rig, "persistentvolumeclaims", "c") == "Bound")
    assert rig.need("persistentvolumeclaims", "c")["spec"]["storageClassName"] == "standard"


# Volumes that are made.


async def test_a_volume_is_made_and_goes_with_its_claim(rig):
    discarded = []
    rig.discard_volume = discarded.append
    await rig.run(BINDER, PROVISIONER, PVC, PV)
    await rig.create(storage_class(), claim(size="1500Mi"))
    await rig.until(lambda: phase(rig, "persistentvolumeclaims", "c") == "Bound")
    found = rig.need("persistentvolumeclaims", "c")
    name = f"pvc-{found['metadata']['uid']}"
    assert found["status"]["capacity"] == {"storage": "1500Mi"}
    made = rig.need("persistentvolumes", name)
    assert made["spec"]["csi"] == {"driver": "simulated.kubeground.io", "volumeHandle": name}
    assert (made["spec"]["persistentVolumeReclaimPolicy"], made["spec"]["storageClassName"]) == (
        "Delete",
        "fast",
    )
    assert annotations_of(made) == {"pv.kubernetes.io/provisioned-by": "kubeground.io/simulated"}
    assert sorted(one.split(" ")[1] for one in rig.events()) == [
        "ExternalProvisioning",
        "Provisioning",
        "ProvisioningSucceeded",
    ]
    await rig.client.delete(PERSISTENTVOLUMECLAIMS, "default", "c")
    await rig.until(lambda: rig.names("persistentvolumes") == [])
    await rig.settle(0.2)
    assert discarded == [name]


async def test_a_class_may_wait_for_the_first_consumer(rig):
    await rig.run(BINDER, PROVISIONER)
    await rig.create(node("n1"), storage_class(mode="WaitForFirstConsumer"), claim())
    await rig.settle(1)
    assert rig.events() == [
        "Normal WaitForFirstConsumer waiting for first consumer to be created before binding"
    ]
    await rig.create(user())
    await rig.settle(1)
    assert "Normal WaitForPodScheduled waiting for pod p to be scheduled" in rig.events()
    assert bound_to(rig) is None
    await bind(rig, "p")
    await rig.until(lambda: phase(rig, "persistentvolumeclaims", "c") == "Bound")
    notes = annotations_of(rig.need("persistentvolumeclaims", "c"))
    assert notes["volume.kubernetes.io/selected-node"] == "n1"


async def test_a_volume_of_another_node_is_not_for_the_consumer(rig):
    await rig.run(BINDER)
    waiting = storage_class(mode="WaitForFirstConsumer", provisioner="kubernetes.io/no-provisioner")

    def on(name):
        expression = {"key": "kubernetes.io/hostname", "operator": "In", "values": [name]}
        return {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}

    await rig.create(node("n1"), node("n2"), waiting, user(), claim())
    await rig.create(volume("a", nodeAffinity=on("n2")), volume("b", nodeAffinity=on("n1")))
    await rig.settle(0.5)
    assert bound_to(rig) is None
    await bind(rig, "p")
    await rig.settle(0.5)
    assert bound_to(rig) == "b"


async def test_what_another_provisioner_is_to_make_waits(rig):
    await rig.run(BINDER, PROVISIONER)
    await rig.create(storage_class(provisioner="example.com/disk"), claim())
    await rig.settle(1)
    assert rig.names("persistentvolumes") == []
    assert rig.events() == [
        (
            "Normal ExternalProvisioning Waiting for a volume to be created either by the external"
            " provisioner 'example.com/disk' or manually by the system administrator. If volume"
            " creation is delayed, please verify that the provisioner is running and correctly"
            " registered."
        )
    ]


async def test_a_claim_may_grow(rig):
    await rig.run(BINDER, PROVISIONER, EXPANDER)
    await rig.create(storage_class(allowVolumeExpansion=True), claim())
    await rig.until(lambda: phase(rig, "persistentvolumeclaims", "c") == "Bound")
    body = {"spec": {"resources": {"requests": {"storage": "5Gi"}}}}
    await rig.client.patch(PERSISTENTVOLUMECLAIMS, "default", "c", body)
    await rig.settle(0.5)
    found = rig.need("persistentvolumeclaims", "c")
    assert found["status"]["capacity"] == {"storage": "5Gi"}
    assert rig.need("persistentvolumes", bound_to(rig))["spec"]["capacity"] == {"storage": "5Gi"}
    assert rig.events()[-1] == "Normal VolumeResizeSuccessful Resize volume succeeded"


def attributes(name="gold", driver="simulated.kubeground.io"):
    return obj("VolumeAttributesClass", name, "", "storage.k8s.io/v1", driverName=driver)


async def test_a_claim_gets_attributes_and_others_later(rig):
    await rig.run(BINDER, PROVISIONER)
    await rig.create(storage_class(), claim(volumeAttributesClassName="gold"))
    await rig.settle(0.5)
    assert "not found" in rig.events()[-1]
    assert phase(rig, "persistentvolumeclaims", "c") == "Pending"
    await rig.create(attributes())
    await rig.until(lambda: phase(rig, "persistentvolumeclaims", "c") == "Bound")
    assert classes(rig) == ("gold", "gold", None)
    other = {"spec": {"volumeAttributesClassName": "silver"}}
    await rig.client.patch(PERSISTENTVOLUMECLAIMS, "default", "c", other)
    await rig.settle(0.5)
    waiting = {"targetVolumeAttributesClassName": "silver", "status": "Pending"}
    assert classes(rig) == ("gold", "gold", waiting)
    await rig.create(attributes("silver"))
    await rig.settle(0.5)
    assert classes(rig) == ("silver", "silver", None)
    done = "external resizer modified volume c with vac silver successfully"
    assert rig.events()[-3:] == [
        "Warning VolumeModifyFailed VAC silver does not exist.",
        "Normal VolumeModify external resizer is modifying volume c with vac silver",
        f"Normal VolumeModifySuccessful {done}",
    ]


def classes(rig):
    """Return what a claim has, what its volume has, and what is still to be."""
    status = rig.need("persistentvolumeclaims", "c")["status"]
    spec = rig.need("persistentvolumes", bound_to(rig))["spec"]
    return (
        status.get("currentVolumeAttributesClassName"),
        spec.get("volumeAttributesClassName"),
        status.get("modifyVolumeStatus"),
    )


async def test_a_volume_of_other_attributes_is_not_taken(rig):
    await rig.run(BINDER)
    await rig.create(volume("v", volumeAttributesClassName="gold"), claim(cls="fast"))
    await rig.create(claim("named", volumeName="v"))
    await rig.settle(0.5)
    assert bound_to(rig) is None
    why = "volumeAttributesClassName does not match"
    said = f'Warning VolumeMismatch Cannot bind to requested volume "v": {why}'
    assert said in rig.events()


# What is in use stays.


async def test_a_claim_in_use_stays_until_the_pod_has_gone(rig):
    await rig.run(PVC)
    await rig.create(claim(), user().on("n1"))
    await rig.settle(0.5)
    assert rig.need("persistentvolumeclaims", "c")["metadata"]["finalizers"] == [
        "kubernetes.io/pvc-protection"
    ]
    await rig.client.delete(PERSISTENTVOLUMECLAIMS, "default", "c")
    await rig.settle(5)
    assert rig.names("persistentvolumeclaims") == ["c"]
    await rig.client.delete(PODS, "default", "p", grace=0)
    await rig.settle(0.5)
    assert rig.names("persistentvolumeclaims") == []


async def test_a_pod_without_a_node_does_not_hold_a_claim(rig):
    await rig.run(PVC)
    await rig.create(claim().finalizers("kubernetes.io/pvc-protection"), user())
    await rig.settle(0.5)
    await rig.client.delete(PERSISTENTVOLUMECLAIMS, "default", "c")
    await rig.settle(0.5)
    assert rig.names("persistentvolumeclaims") == []


async def test_a_bound_volume_stays(rig):
    await rig.run(PV)
    await rig.create(volume())
    await rig.settle(0.5)
    await rig.client.patch(
        PERSISTENTVOLUMES, "", "v", {"status": {"phase": "Bound"}}, subresource="status"
    )
    await rig.client.delete(PERSISTENTVOLUMES, "", "v")
    await rig.settle(0.5)
    assert rig.names("persistentvolumes") == ["v"]
    await rig.client.patch(
        PERSISTENTVOLUMES, "", "v", {"status": {"phase": "Released"}}, subresource="status"
    )
    await rig.settle(0.5)
    assert rig.names("persistentvolumes") == []


async def test_a_pod_gets_claims_for_its_ephemeral_volumes(rig):
    await rig.run("ephemeral-volume-controller")
    template = {"metadata": {"labels": {"a": "b"}}, "spec": claim()["spec"]}
    volumes = [{"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}}]
    made = await rig.create(pod("p").spec(volumes=volumes))
    await rig.settle(0.5)
    found = rig.need("persistentvolumeclaims", "p-scratch")
    assert found["metadata"]["ownerReferences"][0]["uid"] == made["metadata"]["uid"]
    assert (found["metadata"]["labels"], found["spec"]) == ({"a": "b"}, claim()["spec"])


async def test_a_claim_of_another_is_none_for_an_ephemeral_volume(rig):
    await rig.run("ephemeral-volume-controller")
    await rig.create(claim("p-scratch"))
    volumes = [{"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}}]
    await rig.create(pod("p").spec(volumes=volumes))
    await rig.settle(0.01)
    why = "PVC default/p-scratch was not created for pod default/p (pod is not owner)"
    assert rig.events()[:1] == [f"Warning FailedBinding ephemeral volume scratch: {why}"]


async def test_a_class_of_attributes_stays_while_something_has_it(rig):
    await rig.run("volumeattributesclass-protection-controller")
    gold = obj("VolumeAttributesClass", "gold", "", "storage.k8s.io/v1", driverName="d")
    await rig.create(gold, claim(volumeAttributesClassName="gold"))
    await rig.settle()
    found = rig.need("volumeattributesclasses", "gold")
    assert found["metadata"]["finalizers"] == ["kubernetes.io/vac-protection"]
    await rig.client.delete(VOLUMEATTRIBUTESCLASSES, "", "gold")
    await rig.settle(5)
    assert rig.names("volumeattributesclasses") == ["gold"]
    await rig.client.delete(PERSISTENTVOLUMECLAIMS, "default", "c")
    await rig.settle()
    assert rig.names("volumeattributesclasses") == []
