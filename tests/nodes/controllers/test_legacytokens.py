"""Everlasting tokens that nobody uses: first invalid, then gone."""

import pytest

from apimachinery.meta import labels_of
from nodes.client.resources import PODS, SECRETS
from tests.support.builders import obj, pod

pytestmark = pytest.mark.looptime

CLEANER = "legacy-serviceaccount-token-cleaner-controller"
DAY = 86_400.0
INVALID, USED = "kubernetes.io/legacy-token-invalid-since", "kubernetes.io/legacy-token-last-used"


async def token(rig, *, listed=True, **labels):
    account = obj("ServiceAccount", "robot", secrets=[{"name": "t"}] if listed else [])
    made = await rig.create(account)
    notes = {
        "kubernetes.io/service-account.name": "robot",
        "kubernetes.io/service-account.uid": made["metadata"]["uid"],
    }
    secret = obj("Secret", "t", type="kubernetes.io/service-account-token").annotations(notes)
    secret.meta(creationTimestamp="2024-01-01T00:00:00Z", labels=labels)
    tracking = obj(
        "ConfigMap",
        "kube-apiserver-legacy-service-account-token-tracking",
        "kube-system",
        data={"since": "2026-01-02"},
    )
    await rig.create(secret, tracking)
    await rig.run(CLEANER)


async def days(rig, count):
    """Let days go by, as when a cluster's time is moved."""
    rig.clock.step(count * DAY)
    await rig.settle(1)


def invalid(rig):
    return labels_of(rig.need("secrets", "t")).get(INVALID)


async def test_it_becomes_invalid_after_a_year_and_goes_after_another(rig):
    await token(rig)
    await days(rig, 364)
    assert invalid(rig) is None
    await days(rig, 2)
    assert invalid(rig) == "2027-01-03"
    await days(rig, 364)
    assert rig.names("secrets") == ["t"]
    await days(rig, 2)
    assert rig.names("secrets") == []


async def test_one_that_is_used_stays_valid_and_is_looked_at_again(rig):
    await token(rig)
    await days(rig, 200)
    await rig.client.patch(SECRETS, "default", "t", {"metadata": {"labels": {USED: "2026-07-21"}}})
    await days(rig, 360)
    assert invalid(rig) is None
    await days(rig, 10)
    assert invalid(rig) == "2027-07-26"


async def test_one_that_a_user_made_is_left_alone(rig):
    await token(rig, listed=False)
    await days(rig, 1000)
    assert invalid(rig) is None


async def test_one_that_a_pod_mounts_waits_for_the_pod(rig):
    volumes = [{"name": "t", "secret": {"secretName": "t"}}]
    await rig.create(pod("p").spec(volumes=volumes))
    await token(rig)
    await days(rig, 400)
    assert invalid(rig) is None
    await rig.client.delete(PODS, "default", "p")
    await days(rig, 2)
    assert invalid(rig) is not None
