"""The rules of the simulation find what they are for: a small log against each of them.

That they also find it in a history was tried: the product was broken by hand, in one way at a time,
and the seeds from 0 on were played until the rule said so. A change of the deeds changes the seeds.

    rule                    what was broken                                           seed
    Finalized               an object that is deleted goes whatever holds it             0
    WithinItsNamespace      NamespaceLifecycle lets a namespace that goes grow           2
    OneWay                  a kubelet writes two statuses of a pod at once               5
    OneOwner                the API server takes two controllers of an object            9
    OneOwner                who adopts a pod puts itself in another's place              9
    OneIdentity             an update may take a deletion back                           3
    OneIdentity             an update may set the generation back                        8
    OneIdentity             each update makes generation 1                               0
    put_back                an update with an earlier generation is refused              3
    put_back                an update from before the deletion is refused                3
    NoMoreThanWanted        no expectations are waited for                               4
    Surge                   a new ReplicaSet has two more than the surge                 0
    InOrder                 every StatefulSet is taken for a parallel one                2
    OnePerNode              no expectations are waited for                               4
    WithinBounds            an autoscaler knows no least                                 3
    Parallelism             no expectations are waited for                               6
    OnceDone                a Job counts each pod that has ended twice                   0
    OnceDone                a Job forgets which pods it has let go of                    9
    OnceDone                a Job forgets its completed indexes                          7
    OnceDone                a Job goes on when it is over                                6
    Forbidden               a CronJob does not read that it forbids it                   9
    Forbidden               a CronJob leaves the Job alone that it is to replace        14
    OncePerMoment           a CronJob forgets for which moment it made a Job             7
    Quota                   quotas are not looked at                                     2
    Quota                   counts that lag are believed (as it was)                    13
    Capacity                NodeResourcesFit looks at a node as if it were empty         0
    Budget                  an eviction is granted with no disruption left              11
    Preemption              pods of equal priority are sent away, too                    0
    old ReplicaSets         the limit of revisions is not read                           2
    old Jobs                the limits of a CronJob's history are not read               0
    volumes                 a kubelet does not say that it has let go of a volume        3
"""

from __future__ import annotations

from typing import NamedTuple

import orjson
import pytest

from apiserver.storage import ChangeRecord, Entry, Key
from tests.simulation.invariants import broken
from tests.simulation.settled import unsettled
from tests.support.builders import (
    deployment,
    namespace,
    node,
    obj,
    pod,
    replicaset,
    service,
    template,
    workload,
)

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
    "DaemonSet": "daemonsets.apps",
    "CronJob": "cronjobs.batch",
    "Namespace": "namespaces",
    "HorizontalPodAutoscaler": "horizontalpodautoscalers.autoscaling",
    "PersistentVolume": "persistentvolumes",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "VolumeAttachment": "volumeattachments.storage.k8s.io",
}


class Gone(NamedTuple):
    """An object as it was when it went."""

    last: dict
    who: str = "admin"


def log(*states, actor="admin"):
    """Write objects, one each minute; a pair of an object and a name says who writes.

    The namespace that builders use is there already.
    """
    records, seen = [], set()
    for number, one in enumerate((namespace("default"), *states), 1):
        body, who = one if isinstance(one, tuple) else (one, actor)
        metadata = body["metadata"]
        metadata.setdefault("uid", f"uid-{body['kind']}-{metadata['name']}")
        metadata.setdefault("generation", 1)
        key = Key(PLURALS[body["kind"]], metadata.get("namespace", ""), metadata["name"])
        entry = Entry(key, metadata["uid"], number, orjson.dumps(body), {}, {})
        kind = "MODIFIED" if key in seen else "ADDED"
        if isinstance(one, Gone):
            kind = "DELETED"
        records.append(ChangeRecord(kind, entry, 60.0 * number, who, ""))
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
    assert "makes pods 2 under a quota of 1" in wrong(quota, pod("p-1"), pod("p-2"))[0]


def test_more_than_a_node_has():
    free = pod("p").requests(cpu="3")
    bound = pod("p").requests(cpu="3").on("n1")
    assert not wrong(node("n1").cpu(4), free, bound)
    taken = pod("first").requests(cpu="2").on("n1")
    assert "asks n1 for 5000m of 4000m" in wrong(node("n1").cpu(4), taken, free, bound)[0]


def budget(*disrupted):
    return obj(
        "PodDisruptionBudget",
        "b",
        spec={"minAvailable": 1, "selector": {"matchLabels": {"app": "x"}}},
        status={"desiredHealthy": 1, "disruptedPods": dict.fromkeys(disrupted, "")},
    )


def test_evictions_against_a_budget():
    pods = [pod(f"p-{i}").labels(app="x").ready() for i in range(2)]
    known = budget(), CONTROLLER + "disruption-controller"
    assert not wrong(*pods, known, budget("p-0"))
    assert "0 healthy of 1 are left" in wrong(*pods, known, budget("p-0", "p-1"))[0]


def test_out_of_order():
    owner = workload("StatefulSet", "db", 2).spec(podManagementPolicy="OrderedReady")
    first, second = owned("db-0", owner), owned("db-1", owner)
    assert not wrong(owner, first, owned("db-0", owner).ready(), second)
    assert "comes before db-0 is ready" in wrong(owner, first, second)[0]


def test_more_than_a_job_may():
    owner = obj("Job", "j", api_version="batch/v1", spec={"parallelism": 1})
    assert not wrong(owner, owned("j-1", owner))
    assert (
        "is pod 2 at a parallelism of 1"
        in wrong(owner, owned("j-1", owner), owned("j-2", owner))[0]
    )


def job(name="j", **status):
    return obj("Job", name, api_version="batch/v1", spec={"parallelism": 9}).status(**status)


def condition(kind):
    return {"type": kind, "status": "True"}


def test_a_job_does_nothing_twice():
    done = job(succeeded=2, completedIndexes="0-1")
    again = owned("j-2", done).annotations({"batch.kubernetes.io/job-completion-index": "1"})
    ended = [owned(f"j-{number}", done).phase("Succeeded") for number in range(3)]
    assert not wrong(*ended, done, job(succeeded=3, completedIndexes="0-2"))
    assert "counts 3 that succeeded of 2" in wrong(*ended[1:], job(), job(succeeded=3))[0]
    lost = job(succeeded=1, failed=1, uncountedTerminatedPods={"failed": ["uid-Pod-j-1"]})
    assert "counts 3 that ended of 2" in wrong(*ended[1:], job(), lost)[0]
    assert "is made for index 1 of 0-1" in wrong(done, again)[0]
    assert "forgets [1]" in wrong(done, job(succeeded=2, completedIndexes="0,3"))[0]
    assert "had 2 that succeeded" in wrong(done, job(succeeded=1, completedIndexes="0-1"))[0]
    complete = job(conditions=[condition("Complete")])
    assert "which is over: Complete" in wrong(complete, owned("j-1", complete))[0]
    going = job(conditions=[condition("FailureTarget")])
    assert "which is over: FailureTarget" in wrong(going, owned("j-1", going))[0]
    assert "is ['Complete'] no more" in wrong(complete, job())[0]
    both = job(conditions=[condition("Complete"), condition("Failed")])
    assert "complete and failed" in wrong(complete, both)[0]


def cronjob(policy):
    cron = obj("CronJob", "c", api_version="batch/v1", spec={"concurrencyPolicy": policy})
    return cron.meta(uid="uid-CronJob-c")


def test_cronjobs_that_forbid_it():
    cron = cronjob("Forbid")
    ended = job("one", conditions=[condition("Failed")]).owned_by(cron)
    assert not wrong(cron, ended, job("two").owned_by(cron))
    first, second = job("one").owned_by(cron), job("two").owned_by(cron)
    assert "while one is at work" in wrong(cron, first, second)[0]


def test_cronjobs_that_replace():
    cron = cronjob("Replace")
    first, second = job("one").owned_by(cron), job("two").owned_by(cron)
    going = job("one").owned_by(cron).meta(deletionTimestamp="2026-01-01T00:00:00Z")
    assert not wrong(cron, first, Gone(first), second)
    assert not wrong(cron, first, going, second)
    assert "while one is at work" in wrong(cron, first, second)[0]


def test_cronjobs_begin_once_for_a_moment():
    def at(name, minute):
        moment = {"batch.kubernetes.io/cronjob-scheduled-timestamp": f"2026-01-01T00:0{minute}:00Z"}
        return job(name).owned_by(cron).annotations(moment)

    cron = cronjob("Allow")
    first = at("one", 1)
    assert not wrong(cron, first, at("two", 2))
    assert "once more for" in wrong(cron, first, Gone(first), at("two", 1))[0]


def daemonset(surge=0):
    made = workload("DaemonSet", "agent", None)
    made["metadata"]["uid"] = "uid-DaemonSet-agent"
    return made.spec(updateStrategy={"rollingUpdate": {"maxSurge": surge}}, template=template())


def daemon(name, owner, node):
    terms = [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    return owned(name, owner).spec(affinity={"nodeAffinity": required})


def test_daemons_beside_each_other():
    plain, surging = daemonset(), daemonset(1)
    assert not wrong(plain, daemon("x", plain, "n1"), daemon("y", plain, "n2"))
    beside = wrong(plain, daemon("x", plain, "n1"), daemon("y", plain, "n1"))
    assert "is pod 2 of agent for n1" in beside[0]
    two = surging, daemon("x", surging, "n1"), daemon("y", surging, "n1")
    assert not wrong(*two)
    assert "is pod 3 of agent" in wrong(*two, daemon("z", surging, "n1"))[0]


def test_an_autoscaler_out_of_bounds():
    target = {"kind": "Deployment", "name": "web"}
    spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 3}
    scaler = obj("HorizontalPodAutoscaler", "web", spec=spec)
    who = CONTROLLER + "horizontal-pod-autoscaler"

    def scaled(replicas):
        return deployment("web", replicas).meta(generation=2), who

    assert not wrong(scaler, deployment("web", 1), scaled(3))
    assert "outside 1-3" in wrong(scaler, deployment("web", 1), scaled(4))[0]


def test_identity():
    assert not wrong(pod("p").meta(generation=1), pod("p").meta(generation=2))
    assert "earlier gen" in wrong(pod("p").meta(generation=2), pod("p").meta(generation=1))[0]
    assert "another spec" in wrong(replicaset("a", 1), replicaset("a", 2))[0]
    assert "another uid" in wrong(pod("p"), pod("p").meta(uid="other"))[0]
    assert "deleted no more" in wrong(pod("p").meta(deletionTimestamp="x"), pod("p"))[0]


def test_what_is_held_stays():
    held = pod("p").finalizers("x")
    assert not wrong(held, Gone(pod("p")))
    assert "goes while ['x'] hold it" in wrong(held, Gone(pod("p").finalizers("x")))[0]
    going = pod("p").meta(deletionTimestamp="x")
    assert (
        "is held by"
        in wrong(going, going | {"metadata": going["metadata"] | {"finalizers": ["x"]}})[0]
    )


def test_nothing_is_made_in_a_namespace_that_goes():
    going = namespace("team").meta(deletionTimestamp="x")
    assert not wrong(namespace("team"), pod("p", "team"))
    assert "which goes" in wrong(going, pod("p", "team"))[0]
    assert "is not there" in wrong(pod("p", "nowhere"))[0]


def test_pods_go_one_way():
    assert "moves from n1 to n2" in wrong(pod("p").on("n1"), pod("p").on("n2"))[0]
    woken = wrong(pod("p").phase("Failed"), pod("p").phase("Running"))
    assert "was Failed and is Running" in woken[0]

    def claim(**spec):
        return obj("PersistentVolumeClaim", "c", spec=spec)

    assert "lets go of v" in wrong(claim(volumeName="v"), claim().meta(generation=2))[0]


def test_room_is_made_for_nobody():
    low, high = pod("low").spec(priority=0).on("n1"), pod("high").spec(priority=9)
    killed = Gone(pod("low").spec(priority=0).on("n1"), "system:kube-scheduler")
    assert not wrong(low, high, killed)
    assert "makes room for nobody" in wrong(low, pod("other").spec(priority=0), killed)[0]


@pytest.mark.parametrize(
    ("objects", "said"),
    [
        ([owned("p", replicaset("gone")).phase("Running")], "outlives ReplicaSet gone"),
        ([pod("p").phase("Running").meta(deletionTimestamp="x")], "is still being deleted"),
        ([pod("p")], "is pending without a reason"),
        ([replicaset("a", 2).status(observedGeneration=1)], "has 0 pods of 2"),
        ([replicaset("a", 0)], "has not seen its spec"),
        ([job()], "has not ended"),
        ([service("s", app="x"), pod("p").labels(app="x").ready()], "leads to []"),
        ([deployment("d", 3).status(observedGeneration=1)], "has [0, 0, 0] of 3"),
        ([obj("PersistentVolume", "v", "", spec={})], "volume v is nobody's"),
        ([node("n").ready("False")], "node n is not ready"),
        ([node("n").ready().tainted("x", "NoExecute")], "node n has taints"),
        ([budget(), pod("x-1").labels(app="x").ready()], "budget b says None of 1"),
        ([obj("ResourceQuota", "q", spec={}), pod("p")], "quota q says 0 pods of 1"),
    ],
)
def test_what_has_not_settled(objects, said):
    found = list(unsettled(broken(log(*objects))[1]))
    assert any(said in one for one in found), found


def test_a_budget_that_cannot_count():
    lost = {"type": "DisruptionAllowed", "status": "False", "reason": "SyncFailed"}
    failed = budget() | {"status": {"expectedPods": 1, "conditions": [lost]}}
    for owner, is_wrong in ((job(), False), (replicaset("a", 1), True)):
        counted = owned("p", owner).labels(app="x").ready().phase("Running")
        found = unsettled(broken(log(failed, counted))[1])
        assert any("budget b" in one for one in found) is is_wrong
