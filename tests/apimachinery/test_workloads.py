"""Facts about workloads: hashes, limits of rollouts, revisions."""

import re

import pytest

from apimachinery import workloads

TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c"}]}}


def hashed(template, value):
    labels = {**template["metadata"]["labels"], workloads.HASH_LABEL: value}
    return {**template, "metadata": {"labels": labels}}


def test_hashes():
    one = workloads.template_hash(TEMPLATE)
    assert re.fullmatch(f"[{workloads._SAFE}]{{1,10}}", one)
    shuffled = {"spec": TEMPLATE["spec"], "metadata": TEMPLATE["metadata"]}
    assert workloads.template_hash(shuffled) == one
    assert workloads.template_hash({**TEMPLATE, "spec": {}}) != one
    assert workloads.template_hash(TEMPLATE, 0) != one
    assert workloads.template_hash(TEMPLATE, 1) != workloads.template_hash(TEMPLATE, 0)
    assert workloads.fnv32a(b"") == 0x811C9DC5
    assert workloads.fnv32a(b"a") == 0xE40C292C
    assert workloads.safe_encode("0123456789") == "456789bcdf"


def test_templates_are_compared_without_their_hash():
    assert workloads.same_template(TEMPLATE, hashed(TEMPLATE, "x"))
    assert not workloads.same_template(TEMPLATE, {**TEMPLATE, "spec": {}})
    only = {"metadata": {"labels": {workloads.HASH_LABEL: "x"}}}
    assert workloads.without_hash(only) == {"metadata": {}}


@pytest.mark.parametrize(
    ("surge", "unavailable", "desired", "expected"),
    [
        ("25%", "25%", 10, (3, 2)),
        ("25%", "25%", 1, (1, 0)),
        (0, "25%", 1, (0, 1)),
        (None, None, 5, (0, 1)),
        (2, 1, 5, (2, 1)),
    ],
)
def test_fenceposts(surge, unavailable, desired, expected):
    assert workloads.resolve_fenceposts(surge, unavailable, desired) == expected


def deployment(replicas=4, surge="25%", unavailable="25%", kind="RollingUpdate"):
    strategy = {"type": kind}
    if kind == "RollingUpdate":
        strategy["rollingUpdate"] = {"maxSurge": surge, "maxUnavailable": unavailable}
    return {
        "metadata": {"generation": 2},
        "spec": {"replicas": replicas, "strategy": strategy, "template": TEMPLATE},
    }


def test_rollout_limits():
    assert workloads.max_surge(deployment()) == 1
    assert workloads.max_unavailable(deployment()) == 1
    assert workloads.max_unavailable(deployment(2, unavailable=9)) == 2
    assert workloads.max_unavailable(deployment(0, unavailable=9)) == 0
    recreate = deployment(kind="Recreate")
    assert workloads.max_surge(recreate) == 0
    assert workloads.max_unavailable(recreate) == 0
    assert workloads.desired_replicas({}) == 1


def replicaset(name, revision, template, created):
    return {
        "metadata": {
            "name": name,
            "creationTimestamp": created,
            "annotations": {workloads.REVISION: revision},
        },
        "spec": {"template": template},
    }


def test_replicasets_of_a_deployment():
    other = {**TEMPLATE, "spec": {"containers": []}}
    old = replicaset("a", "1", hashed(other, "x"), "2026-01-01T00:00:00Z")
    new = replicaset("b", "2", hashed(TEMPLATE, "y"), "2026-01-01T00:00:01Z")
    twin = replicaset("c", "odd", hashed(TEMPLATE, "z"), "2026-01-01T00:00:02Z")
    assert workloads.find_new_replicaset(deployment(), [old, twin, new]) is new
    assert workloads.find_new_replicaset(deployment(), [old]) is None


def test_completion():
    def complete(**changes):
        counts = {"updatedReplicas": 4, "replicas": 4, "availableReplicas": 4}
        status = counts | {"observedGeneration": 2} | changes
        return workloads.is_complete(deployment() | {"status": status})

    assert complete()
    assert not complete(observedGeneration=1)
    assert not complete(replicas=5)
    assert not complete(availableReplicas=3)
