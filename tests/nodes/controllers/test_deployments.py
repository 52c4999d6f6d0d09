"""Rolls, pauses, scaling, history: what a Deployment does with its ReplicaSets, and says of it."""

import asyncio
import re

import pytest

from apimachinery.errors import Forbidden
from apimachinery.gvk import GroupResource
from apimachinery.meta import controller_of, name_of
from apimachinery.workloads import (
    DESIRED_REPLICAS,
    HASH_LABEL,
    MAX_REPLICAS,
    REVISION,
    REVISION_HISTORY,
    revision,
    template_hash,
)
from nodes.client.resources import DEPLOYMENTS, NAMESPACES, PODS
from nodes.controllers.common.templates import with_label
from nodes.controllers.deployment import facts, scaling
from tests.nodes.controllers.conftest import Pods
from tests.support.builders import deployment, namespace, replicaset, template

pytestmark = pytest.mark.looptime

DEPLOY, RS = "deployment-controller", "replicaset-controller"


@pytest.fixture
async def pods(rig):
    return Pods(rig)


async def patch(rig, body):
    await rig.client.patch(DEPLOYMENTS, "default", "web", body)


async def set_image(rig, image):
    containers = [{"name": "c", "image": image}]
    await patch(rig, {"spec": {"template": {"spec": {"containers": containers}}}})


def web(rig):
    return rig.need("deployments", "web")


def status(rig):
    return web(rig).get("status") or {}


def condition(rig, type_):
    found = [one for one in status(rig).get("conditions", []) if one["type"] == type_]
    return (found[0]["status"], found[0]["reason"], found[0]["message"]) if found else None


def sizes(rig):
    """Return the sizes of the ReplicaSets by revision."""
    return {revision(one): one["spec"]["replicas"] for one in rig.api.all("replicasets")}


def newest(rig):
    return name_of(max(rig.api.all("replicasets"), key=revision))


def told(rig):
    """Return what was said of the Deployment, the hashes replaced."""
    return [
        re.sub(r"web-[a-z0-9]+", "web-<hash>", event)
        for event in rig.events()
        if "ScalingReplicaSet" in event
    ]


async def done(rig, number):
    def check():
        found = status(rig)
        return (
            revision(web(rig)) == number
            and facts.is_complete(web(rig), found)
            and condition(rig, "Progressing")[1] == "NewReplicaSetAvailable"
        )

    await rig.until(check, within=120)


async def test_a_new_deployment_makes_one_replicaset(rig, pods):
    await rig.run(DEPLOY, RS)
    await rig.create(deployment("web", 3).annotations({"a": "b"}))
    await done(rig, 1)
    (only,) = rig.api.all("replicasets")
    labels = only["metadata"]["labels"]
    assert name_of(only) == f"web-{labels[HASH_LABEL]}"
    assert labels["app"] == "x"
    assert only["spec"]["selector"]["matchLabels"] == labels
    assert only["spec"]["template"]["metadata"]["labels"] == labels
    assert only["metadata"]["annotations"] == {
        "a": "b",
        "deployment.kubernetes.io/revision": "1",
        "deployment.kubernetes.io/desired-replicas": "3",
        "deployment.kubernetes.io/max-replicas": "4",
    }
    assert controller_of(only)["name"] == "web"
    assert told(rig) == ["Normal ScalingReplicaSet Scaled up replica set web-<hash> from 0 to 3"]
    found = dict(status(rig))
    conditions = found.pop("conditions")
    assert found == {
        "observedGeneration": 1,
        "replicas": 3,
        "updatedReplicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "terminatingReplicas": 0,
    }
    assert [one["type"] for one in conditions] == ["Available", "Progressing"]
    assert condition(rig, "Available") == (
        "True",
        "MinimumReplicasAvailable",
        "Deployment has minimum availability.",
    )
    assert condition(rig, "Progressing") == (
        "True",
        "NewReplicaSetAvailable",
        f'ReplicaSet "{newest(rig)}" has successfully progressed.',
    )


async def test_before_its_pods_are_ready_it_says_so(rig, pods):
    pods.broken.add("busybox:1.36")
    await rig.run(DEPLOY, RS)
    await rig.create(deployment("web", 2))
    await rig.settle(3)
    assert status(rig)["unavailableReplicas"] == 2
    assert condition(rig, "Available") == (
        "False",
        "MinimumReplicasUnavailable",
        "Deployment does not have minimum availability.",
    )
    assert condition(rig, "Progressing")[1] == "ReplicaSetUpdated"


async def test_scaling_keeps_the_revision_and_says_from_what_to_what(rig, pods):
    await rig.run(DEPLOY, RS)
    await rig.create(deployment("web", 3))
    await done(rig, 1)
    await patch(rig, {"spec": {"replicas": 1}})
    await done(rig, 1)
    assert sizes(rig) == {1: 1}
    assert told(rig)[1:] == [
        "Normal ScalingReplicaSet Scaled down replica set web-<hash> from 3 to 1"
    ]


async def test_a_roll_goes_in_steps_and_never_below_what_must_be_available(rig, pods):
    await rig.run(DEPLOY, RS)
    await rig.create(deployment("web", 3))
    await done(rig, 1)
    lowest, most = [], []

    def watch(old, new):
        if new is not None and new.get("status"):
            lowest.append(new["status"].get("availableReplicas", 0))
            most.append(sum(sizes(rig).values()))

    rig.manager.informers.get(DEPLOYMENTS).on_change(watch)
    await set_image(rig, "busybox:1.37")
    await done(rig, 2)
    assert sizes(rig) == {1: 0, 2: 3}
    assert min(lowest) >= 3
    assert max(most) <= 4
    assert sorted(told(rig)) == sorted(
        f"Normal ScalingReplicaSet Scaled {what}"
        for what in (
            "up replica set web-<hash> from 0 to 3",
            "up replica set web-<hash> from 0 to 1",
            "down replica set web-<hash> from 3 to 2",
            "up replica set web-<hash> from 1 to 2",
            "down replica set web-<hash> from 2 to 1",
            "up replica set web-<hash> from 2 to 3",
            "down replica set web-<hash> from 1 to 0",
        )
    )
    assert web(rig)["metadata"]["annotations"][REVISION] == "2"


async def test_recreate_stops_all_before_it_starts_any(rig, pods):
    await rig.run(DEPLOY, RS)
    await rig.create(deployment("web", 3).spec(strategy={"type": "Recreate"}))
    await done(rig, 1)
    old = newest(rig)
    seen = []

    def watch(before, after):
        if after is not None:
            seen.append({controller_of(one)["name"] for one in rig.api.all("pods")})

    rig.manager.informers.get(PODS).on_change(watch)
    await set_image(rig, "busybox:1.37")
    await done(rig, 2)
    assert all(len(owners) <= 1 for owners in seen)
    assert newest(rig) != old
    assert told(rig) == [
        "Normal ScalingReplicaSet Scaled up replica set web-<hash> from 0 to 3",
        "Normal ScalingReplicaSet Scaled down replica set web-<hash> from 3 to 0",
        "Normal ScalingReplicaSet Scaled up replica set web-<hash> from 0 to 3",
    ]


async def test_a_broken_roll_keeps_the_old_pods_and_times_out(rig, pods):
    pods.broken.add("broken")
    await rig.run(DEPLOY, RS)
    await rig.create(deployment("web", 4).spec(progressDeadlineSeconds=30))
    await done(rig, 1)
    await set_image(rig, "broken")
    await rig.settle(10)
    assert sizes(rig) == {1: 3, 2: 2}
    assert status(rig)["availableReplicas"] == 3
    assert status(rig)["unavailableReplicas"] == 2
    assert condition(rig, "Progressing")[1] == "ReplicaSetUpdated"
    await asyncio.sleep(30)
    assert condition(rig, "Progressing") == (
        "False",
        "ProgressDeadlineExceeded",
        f'ReplicaSet "{newest(rig)}" has timed out progressing.',
    )
    assert condition(rig, "Available")[0] == "True"


async def test_rolling_back_takes_the_old_replicaset_and_notes_its_history(rig, pods):
    await rig.run(DEPLOY, RS)
    await rig.create(deployment("web", 1))
    await done(rig, 1)
    first = newest(rig)
    await set_image(rig, "busybox:1.37")
    await done(rig, 2)
    await set_image(rig, "busybox:1.36")
    await done(rig, 3)
    assert newest(rig) == first
    annotations = rig.need("replicasets", first)["metadata"]["annotations"]
    assert annotations[REVISION] == "3"
    assert annotations[REVISION_HISTORY] == "1"
    assert len(rig.api.all("replicasets")) == 2


async def test_old_revisions_beyond_the_limit_are_deleted(rig, pods):
    await rig.run(DEPLOY, RS)
    await rig.create(deployment("web", 1).spec(revisionHistoryLimit=1))
    for number in range(1, 5):
        await done(rig, number)
        if number < 4:
            await set_image(rig, f"busybox:{number}")
    await rig.settle(2)
    assert sorted(sizes(rig)) == [3, 4]


async def test_paused_from_the_start_it_makes_nothing(rig, pods):
    await rig.run(DEPLOY, RS)
    await rig.create(deployment("web", 3).spec(paused=True))
    await rig.settle(2)
    assert rig.names("replicasets") == []
    assert "annotations" not in web(rig)["metadata"]
    assert [one["type"] for one in status(rig)["conditions"]] == ["Progressing", "Available"]
    assert condition(rig, "Progressing") == (
        "Unknown",
        "DeploymentPaused",
        "Deployment is paused",
    )
    await patch(rig, {"spec": {"paused": None}})
    await done(rig, 1)


async def test_paused_it_is_scaled_but_not_rolled(rig, pods):
    await rig.run(DEPLOY, RS)
    await rig.create(deployment("web", 2))
    await done(rig, 1)
    await patch(rig, {"spec": {"paused": True}})
    await set_image(rig, "busybox:1.37")
    await patch(rig, {"spec": {"replicas": 4}})
    await rig.settle(5)
    assert sizes(rig) == {1: 4}
    await patch(rig, {"spec": {"paused": None}})
    await rig.settle(0.1)
    assert condition(rig, "Progressing")[1] in ("DeploymentResumed", "ReplicaSetUpdated")
    await done(rig, 2)
    assert sizes(rig) == {1: 0, 2: 4}


async def test_scaling_in_mid_roll_is_shared_out(rig, pods):
    pods.broken.add("broken")
    await rig.run(DEPLOY, RS)
    await rig.create(
        deployment("web", 10).spec(
            strategy={
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2},
            }
        )
    )
    await done(rig, 1)
    await set_image(rig, "broken")
    await rig.settle(10)
    assert sizes(rig) == {1: 8, 2: 5}
    await patch(rig, {"spec": {"replicas": 20}})
    await rig.settle(3)
    assert sizes(rig) == {1: 14, 2: 9}


async def test_a_taken_name_is_counted_as_a_collision(rig, pods):
    await rig.run(DEPLOY, RS)
    wanted = deployment("web", 1)
    hashed = template_hash(wanted["spec"]["template"], None)
    await rig.create(replicaset(f"web-{hashed}", 0).owned_by(deployment("x").meta(uid="x")))
    await rig.create(wanted)
    await done(rig, 1)
    assert status(rig)["collisionCount"] == 1
    assert len(rig.names("replicasets")) == 2


async def test_a_replicaset_that_matches_is_adopted_and_found(rig, pods):
    await rig.run(DEPLOY, RS)
    orphan = replicaset("mine", 2)
    orphan["metadata"]["labels"] = {"app": "x"}
    orphan["spec"]["template"] = with_label(template(), HASH_LABEL, "abc")
    await rig.create(orphan)
    await rig.create(deployment("web", 2))
    await done(rig, 1)
    assert rig.names("replicasets") == ["mine"]
    assert controller_of(rig.need("replicasets", "mine"))["name"] == "web"


async def test_a_refused_replicaset_is_said(rig, pods):
    await rig.run(DEPLOY)
    refusal = Forbidden(GroupResource("apps", "replicasets"), "web-x", "no")
    rig.transport_for(rig.account(DEPLOY)).fail("create", "replicasets", refusal, times=3)
    await rig.create(deployment("web", 1))
    await rig.settle(0.004)
    status_, reason, message = condition(rig, "Progressing")
    assert (status_, reason) == ("False", "ReplicaSetCreateError")
    assert message.startswith('Failed to create new replica set "web-')
    await rig.settle(1)
    assert len(rig.names("replicasets")) == 1


async def test_pods_that_cannot_be_made_show_as_a_condition(rig, pods):
    await rig.run(DEPLOY, RS)
    refusal = Forbidden(GroupResource("", "pods"), "p", "exceeded quota: q")
    rig.transport_for(rig.account(RS)).fail("create", "pods", refusal, times=50)
    await rig.create(deployment("web", 1))
    await rig.settle(1)
    assert condition(rig, "ReplicaFailure") == (
        "True",
        "FailedCreate",
        'pods "p" is forbidden: exceeded quota: q',
    )
    rig.transport_for(rig.account(RS))._faults.clear()
    await patch(rig, {"spec": {"replicas": 2}})
    await done(rig, 1)
    assert condition(rig, "ReplicaFailure") is None


async def test_annotations_and_min_ready_seconds_follow(rig, pods):
    await rig.run(DEPLOY, RS)
    await rig.create(deployment("web", 1))
    await done(rig, 1)
    await patch(rig, {"metadata": {"annotations": {"new": "one"}}, "spec": {"minReadySeconds": 7}})
    await rig.settle(1)
    (only,) = rig.api.all("replicasets")
    assert only["metadata"]["annotations"]["new"] == "one"
    assert only["spec"]["minReadySeconds"] == 7


async def test_a_terminating_namespace_is_no_news(rig):
    await rig.create(namespace("default"))
    await rig.create(deployment("web", 1))
    await rig.client.delete(NAMESPACES, "", "default")
    await rig.run(DEPLOY)
    await rig.settle(5)
    assert rig.events() == []


async def test_settled_nothing_is_written_any_more(rig, pods):
    await rig.run(DEPLOY, RS)
    await rig.create(deployment("web", 3))
    await done(rig, 1)
    await rig.settle(5)
    before = len(rig.api.written())
    await asyncio.sleep(3600)
    assert len(rig.api.written()) == before
    assert len(rig.tasks) == 0


@pytest.mark.parametrize(
    ("wanted", "surge", "unavailable", "expected"),
    [
        (10, "25%", "25%", (3, 2)),
        (1, "25%", "25%", (1, 0)),
        (10, 0, "5%", (0, 1)),
        (4, 2, 10, (2, 4)),
        (0, "25%", "25%", (0, 0)),
        (0, 1, 1, (1, 0)),
    ],
)
def test_surge_and_unavailable(wanted, surge, unavailable, expected):
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
    assert facts.surge_and_unavailable(deployment("d", wanted).spec(strategy=strategy)) == expected


@pytest.mark.parametrize(
    ("before", "after", "present", "expected"),
    [
        # (wanted before, wanted after, sizes oldest first, sizes after by name)
        (10, 12, [10], {"rs-0": 12}),
        (10, 10, [10], {"rs-0": 10}),
        (10, 20, [5, 5], {"rs-0": 10, "rs-1": 10}),
        (10, 5, [5, 5], {"rs-0": 2, "rs-1": 3}),
        (10, 0, [7, 3], {"rs-0": 0, "rs-1": 0}),
        (3, 4, [1, 1, 1], {"rs-0": 1, "rs-1": 1, "rs-2": 2}),
    ],
)
def test_shares(before, after, present, expected):
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    sets = [
        replicaset(f"rs-{index}", size)
        .meta(creationTimestamp=f"2026-01-0{index + 1}T00:00:00Z")
        .annotations({MAX_REPLICAS: str(before), DESIRED_REPLICAS: str(before)})
        for index, size in enumerate(present)
    ]
    shared = scaling.proportional(deployment("d", after).spec(strategy=strategy), sets)
    assert {name_of(one): size for one, size in shared} == expected
