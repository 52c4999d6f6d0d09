"""The rules of the simulation find what they are for: a small log against each of them."""

from __future__ import annotations

import orjson
import pytest

from apiserver.storage import ChangeRecord, Entry, Key
from tests.simulation.invariants import broken
from tests.simulation.settled import unsettled
from tests.support.builders import deployment, node, obj, pod, replicaset, service, workload

CONTROLLER = "system:serviceaccount:kube-system:"
PLURALS = {
    "Pod": "pods",
    "Node": "nodes",
    "ReplicaSet": "replicasets.apps",
    "Deployment": "deployments.apps",
    "StatefulSet": "statefulsets.apps",
    "Job": "jobs.batch",
    "ResourceQuota": "resourcequotas",
    "PodDisruptionBudget": "poddisruptionbudgets.policy",
    "Service": "services",
}


def log(*states, actor="admin"):
    """Write objects one after the other; a pair of an object and a name says who writes."""
    records, seen = [], set()
    for number, one in enumerate(states, 1):
        body, who = one if isinstance(one, tuple) else (one, actor)
        metadata = body["metadata"]
        metadata.setdefault("uid", f"uid-{body['kind']}-{metadata['name']}")
        metadata.setdefault("generation", 1)
        key = Key(PLURALS[body["kind"]], metadata.get("namespace", ""), metadata["name"])
        entry = Entry(key, metadata["uid"], number, orjson.dumps(body), {}, {})
        records.append(ChangeRecord("MODIFIED" if key in seen else "ADDED", entry, 0.0, who, ""))
        seen.add(key)
    return records


def wrong(*states):
    return broken(log(*states))[0]


def owned(name, owner):
    owner["metadata"].setdefault("uid", f"uid-{owner['kind']}-{owner['metadata']['name']}")
    return pod(name).owned_by(owner)


def test_two_controllers():
    a, b = replicaset("a", 5), replicaset("b", 5)
    assert not wrong(a, b, owned("p", a))
    assert "has two controllers" in wrong(a, b, owned("p", a).owned_by(b))[0]
    assert "was taken" in wrong(a, b, owned("p", a), owned("p", b))[0]


def test_more_pods_than_wanted():
    owner = replicaset("a", 2)
    assert not wrong(owner, owned("p-1", owner), owned("p-2", owner))
    assert "makes 3 pods of a that wants 2" in "".join(
        wrong(owner, owned("p-1", owner), owned("p-2", owner), owned("p-3", owner))
    )


def test_a_scale_down_that_was_not_seen_yet_forbids_nothing():
    before = replicaset("a", 2).status(observedGeneration=1)
    after = replicaset("a", 0).meta(generation=2).status(observedGeneration=1)
    seen = replicaset("a", 0).meta(generation=2).status(observedGeneration=2)
    assert not wrong(before, after, owned("p-1", after))
    assert wrong(before, after, seen, owned("p-1", after))


def test_more_than_the_surge():
    owner = deployment("web", 4).meta(uid="uid-Deployment-web")
    writer = CONTROLLER + "deployment-controller"

    def half(name, replicas):
        return replicaset(name, replicas).owned_by(owner), writer

    assert not wrong(owner, half("old", 4), half("new", 1))
    assert "wants 6 pods where 5 are allowed" in wrong(owner, half("old", 4), half("new", 2))[0]


def test_beyond_a_quota():
    quota = obj("ResourceQuota", "q", spec={"hard": {"pods": "1"}}, status={"hard": {"pods": "1"}})
    assert not wrong(quota, pod("p-1"))
    assert "is pod 2 under a quota of 1" in wrong(quota, pod("p-1"), pod("p-2"))[0]


def test_more_than_a_node_has():
    free = pod("p").requests(cpu="3")
    bound = pod("p").requests(cpu="3").on("n1")
    assert not wrong(node("n1").cpu(4), free, bound)
    taken = pod("first").requests(cpu="2").on("n1")
    assert "asks n1 for 5000m of 4000m" in wrong(node("n1").cpu(4), taken, free, bound)[0]


def test_evictions_against_a_budget():
    def budget(*disrupted):
        return obj(
            "PodDisruptionBudget",
            "b",
            spec={"minAvailable": 1, "selector": {"matchLabels": {"app": "x"}}},
            status={"desiredHealthy": 1, "disruptedPods": dict.fromkeys(disrupted, "")},
        )

    pods = [pod(f"p-{i}").labels(app="x").ready() for i in range(2)]
    known = budget(), CONTROLLER + "disruption-controller"
    assert not wrong(*pods, known, budget("p-0"))
    assert "0 healthy of 1 are left" in wrong(*pods, known, budget("p-0", "p-1"))[0]


def test_out_of_order():
    owner = workload("StatefulSet", "db", 2).spec(podManagementPolicy="OrderedReady")
    assert not wrong(owner, owned("db-0", owner), owned("db-1", owner))
    assert "comes before db-0" in wrong(owner, owned("db-1", owner))[0]


def test_more_than_a_job_may():
    owner = obj("Job", "j", api_version="batch/v1", spec={"parallelism": 1})
    assert not wrong(owner, owned("j-1", owner))
    assert (
        "is pod 2 at a parallelism of 1"
        in wrong(owner, owned("j-1", owner), owned("j-2", owner))[0]
    )


@pytest.mark.parametrize(
    ("objects", "said"),
    [
        ([owned("p", replicaset("gone")).phase("Running")], "outlives ReplicaSet gone"),
        ([pod("p").phase("Running").meta(deletionTimestamp="x")], "is still being deleted"),
        ([pod("p")], "is pending without a reason"),
        ([replicaset("a", 2).status(observedGeneration=1)], "has 0 pods of 2"),
        ([replicaset("a", 0)], "has not seen its spec"),
        ([obj("Job", "j", api_version="batch/v1", spec={})], "has not ended"),
        ([service("s", app="x"), pod("p").labels(app="x").ready()], "leads to []"),
        ([deployment("d", 3).status(observedGeneration=1)], "has [0, 0, 0] of 3"),
    ],
)
def test_what_has_not_settled(objects, said):
    found = list(unsettled(broken(log(*objects))[1]))
    assert any(said in one for one in found), found
