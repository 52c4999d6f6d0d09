"""Claims of devices: made for pods, reserved for them, and free when they are done."""

import pytest

from apimachinery.features import GENERIC_WORKLOAD, GROUP_CLAIMS
from apimachinery.resourceclaims import FINALIZER, POD_CLAIM
from nodes.client.resources import PODGROUPS, PODS, RESOURCECLAIMS, RESOURCECLAIMTEMPLATES
from nodes.controllers.common.claimmaker import build_claim
from tests.support.builders import obj, pod

CLAIMS = "resourceclaim-controller"
V1 = "resource.k8s.io/v1"
SPEC = {"devices": {"requests": [{"name": "gpu", "exactly": {"deviceClassName": "gpu"}}]}}


def template(name="one-gpu", **metadata):
    spec = {"spec": SPEC} | ({"metadata": metadata} if metadata else {})
    return obj("ResourceClaimTemplate", name, api_version=V1, spec=spec)


def asking(name="p", **source):
    source = source or {"resourceClaimTemplateName": "one-gpu"}
    return pod(name).spec(resourceClaims=[{"name": "gpu", **source}])


def claim(name="c"):
    return obj("ResourceClaim", name, api_version=V1, spec=SPEC)


def reserved(name="c", *pods, finalizers=(FINALIZER,)):
    users = [{"resource": "pods", "name": p, "uid": uid} for p, uid in pods]
    made = claim(name).status(allocation={"devices": {"results": []}}, reservedFor=users)
    return made.finalizers(*finalizers)


@pytest.mark.parametrize(
    ("name", "claim_name", "base"),
    [
        ("web-0", "gpu", "web-0-gpu-"),
        ("p" * 60, "c" * 30, f"{'p' * 37}-{'c' * 18}"),
    ],
)
def test_a_claim_is_named_after_pod_and_purpose(name, claim_name, base):
    made = build_claim(pod(name).meta(uid="u"), claim_name, template(labels={"a": "b"}))
    assert made["metadata"]["generateName"] == base
    assert made["metadata"]["annotations"] == {POD_CLAIM: claim_name}
    assert made["metadata"]["labels"] == {"a": "b"}
    assert made["spec"] == SPEC


@pytest.mark.looptime
async def test_a_pod_gets_its_claim_of_the_template(rig):
    await rig.run(CLAIMS)
    made = await rig.create(asking())
    await rig.settle()
    why = (
        'PodResourceClaim gpu: resource claim template "one-gpu":'
        ' resourceclaimtemplate.resource.k8s.io "one-gpu" not found'
    )
    assert rig.events() == [f"Warning FailedResourceClaimCreation {why}"]
    await rig.create(template())
    await rig.settle()
    (found,) = rig.api.all("resourceclaims")
    assert found["metadata"]["ownerReferences"][0]["uid"] == made["metadata"]["uid"]
    assert rig.need("pods", "p")["status"]["resourceClaimStatuses"] == [
        {"name": "gpu", "resourceClaimName": found["metadata"]["name"]}
    ]
    assert len(rig.names("resourceclaims")) == 1


@pytest.mark.looptime
async def test_a_claim_that_was_made_and_not_noted_is_found_again(rig):
    await rig.create(template())
    owner = await rig.create(asking())
    orphan = claim("p-gpu-x").owned_by(owner).annotations({POD_CLAIM: "gpu"})
    await rig.create(orphan)
    await rig.run(CLAIMS)
    await rig.settle()
    assert rig.names("resourceclaims") == ["p-gpu-x"]
    statuses = rig.need("pods", "p")["status"]["resourceClaimStatuses"]
    assert statuses == [{"name": "gpu", "resourceClaimName": "p-gpu-x"}]


def status(rig, name="c"):
    return rig.need("resourceclaims", name).get("status") or {}


@pytest.mark.looptime
async def test_users_that_are_no_pods_stay_and_pods_go(rig):
    one = await rig.create(asking("a", resourceClaimName="c").on("n1").ready())
    both = reserved("c", ("a", one["metadata"]["uid"]))
    group = {"apiGroup": "x.io", "resource": "groups", "name": "g", "uid": "u"}
    both["status"]["reservedFor"].append(group)
    await rig.create(both)
    await rig.run(CLAIMS)
    await rig.client.delete(PODS, "default", "a", grace=0)
    await rig.settle()
    assert status(rig)["reservedFor"] == [group]
    assert "allocation" in status(rig)


@pytest.mark.looptime
@pytest.mark.parametrize("end", ["gone", "failed", "replaced"])
async def test_the_last_user_gives_the_devices_back(rig, end):
    one = await rig.create(asking("a", resourceClaimName="c").on("n1").ready())
    other = await rig.create(asking("b", resourceClaimName="c").on("n1").ready())
    uids = [made["metadata"]["uid"] for made in (one, other)]
    await rig.create(reserved("c", ("a", uids[0]), ("b", uids[1])))
    await rig.run(CLAIMS)
    await rig.settle()
    assert len(status(rig)["reservedFor"]) == 2
    await rig.client.delete(PODS, "default", "a", grace=0)
    await rig.settle()
    assert [user["name"] for user in status(rig)["reservedFor"]] == ["b"]
    assert "allocation" in status(rig)
    if end == "failed":
        failed = {"status": {"phase": "Failed"}}
        await rig.client.patch(PODS, "default", "b", failed, subresource="status")
    else:
        await rig.client.delete(PODS, "default", "b", grace=0)
    if end == "replaced":
        await rig.create(asking("b", resourceClaimName="c"))
    await rig.settle()
    assert status(rig) == {}
    assert not rig.need("resourceclaims", "c")["metadata"].get("finalizers")


@pytest.mark.looptime
async def test_a_claim_that_is_deleted_goes_when_nobody_uses_it(rig):
    user = await rig.create(asking("a", resourceClaimName="c").on("n1").ready())
    await rig.create(reserved("c", ("a", user["metadata"]["uid"])))
    await rig.run(CLAIMS)
    await rig.client.delete(RESOURCECLAIMS, "default", "c")
    await rig.settle()
    assert "allocation" in status(rig)
    await rig.client.delete(PODS, "default", "a", grace=0)
    await rig.settle()
    assert rig.names("resourceclaims") == []


@pytest.mark.looptime
async def test_the_claim_of_a_pod_that_has_ended_goes_before_the_pod(rig):
    await rig.create(template())
    await rig.run(CLAIMS)
    await rig.create(asking())
    await rig.settle()
    failed = {"status": {"phase": "Succeeded"}}
    await rig.client.patch(PODS, "default", "p", failed, subresource="status")
    await rig.settle()
    assert rig.names("resourceclaims") == []


@pytest.mark.looptime
async def test_a_pod_that_somebody_bound_has_its_claim_reserved(rig):
    await rig.create(reserved("c"))
    await rig.run(CLAIMS)
    made = await rig.create(asking("p", resourceClaimName="c").on("n1"))
    await rig.settle()
    uid = made["metadata"]["uid"]
    assert status(rig)["reservedFor"] == [{"resource": "pods", "name": "p", "uid": uid}]


@pytest.mark.looptime
async def test_templates_are_read_once_and_pods_without_claims_never(rig):
    await rig.create(template(), pod("plain").on("n1").ready())
    await rig.run(CLAIMS)
    await rig.client.delete(RESOURCECLAIMTEMPLATES, "default", "one-gpu")
    await rig.settle()
    assert rig.api.written(rig.account("resource-claim-controller")) == []


def group(name="g", **source):
    source = source or {"resourceClaimTemplateName": "one-gpu"}
    spec = {"resourceClaims": [{"name": "gpu", **source}]}
    return obj("PodGroup", name, api_version="scheduling.k8s.io/v1alpha2", spec=spec)


def in_group(made, name="g"):
    return made.spec(schedulingGroup={"podGroupName": name})


@pytest.fixture
def sharing(rig):
    rig.features = frozenset({GENERIC_WORKLOAD, GROUP_CLAIMS})
    return rig


def named(found):
    return [one.get("resourceClaimName") for one in found["status"]["resourceClaimStatuses"]]


@pytest.mark.looptime
async def test_the_pods_of_a_group_have_its_claim(sharing):
    rig = sharing
    await rig.run(CLAIMS)
    await rig.create(in_group(asking("a")), in_group(asking("b")))
    await rig.settle()
    assert rig.names("resourceclaims") == rig.events() == []
    made = await rig.create(group())
    await rig.settle()
    words = 'resource claim template "one-gpu": resourceclaimtemplate.resource.k8s.io "one-gpu"'
    assert rig.events() == [
        f"Warning FailedResourceClaimCreation PodGroupResourceClaim gpu: {words} not found"
    ]
    await rig.create(template())
    await rig.until(lambda: rig.need("pods", "b").get("status", {}).get("resourceClaimStatuses"))
    (claim,) = rig.api.all("resourceclaims")
    name = claim["metadata"]["name"]
    assert name.startswith("g-gpu-")
    assert claim["metadata"]["ownerReferences"][0]["uid"] == made["metadata"]["uid"]
    for found in (rig.need("podgroups", "g"), rig.need("pods", "a"), rig.need("pods", "b")):
        assert named(found) == [name]


@pytest.mark.looptime
async def test_a_pod_that_asks_otherwise_than_its_group_has_its_own(sharing):
    rig = sharing
    await rig.run(CLAIMS)
    await rig.create(template(), template("other"), group())
    await rig.create(in_group(asking("a", resourceClaimTemplateName="other")))
    await rig.until(lambda: len(rig.names("resourceclaims")) == 2)
    await rig.until(lambda: rig.need("pods", "a").get("status", {}).get("resourceClaimStatuses"))
    assert named(rig.need("pods", "a"))[0].startswith("a-gpu-")


@pytest.mark.looptime
async def test_a_claim_is_the_groups_until_that_has_gone(sharing):
    rig = sharing
    made = await rig.create(group(resourceClaimName="c"))
    held = reserved("c")
    uid = made["metadata"]["uid"]
    user = {"apiGroup": "scheduling.k8s.io", "resource": "podgroups", "name": "g", "uid": uid}
    held["status"]["reservedFor"] = [user]
    await rig.create(held)
    await rig.run(CLAIMS)
    await rig.settle()
    assert rig.need("resourceclaims", "c")["status"]["reservedFor"] == [user]
    await rig.client.delete(PODGROUPS, "default", "g")
    await rig.until(lambda: "allocation" not in rig.need("resourceclaims", "c")["status"])
    assert "reservedFor" not in rig.need("resourceclaims", "c")["status"]
