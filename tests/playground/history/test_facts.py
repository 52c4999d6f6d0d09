"""Writes become facts, and facts become sentences."""

import json
from dataclasses import asdict

import pytest

from playground.history.facts import facts
from playground.history.meaning import Write
from playground.history.sentences import sentence

CONTROLLER = "system:serviceaccount:kube-system:deployment-controller"
KUBELET = "system:node:node-1"


def named(kind, name, owner="", **more):
    meta = {"name": name, "namespace": "default", **more.pop("metadata", {})}
    if owner:
        meta["ownerReferences"] = [{"name": owner, "controller": True}]
    return {"kind": kind, "metadata": meta, **more}


def write(resource, before, after, actor="learner", revision=7):
    kind = "ADDED" if before is None else "DELETED" if after is None else "MODIFIED"
    return Write(resource, kind, revision, 1.0, actor, "t", before, after)


def said(*writes):
    # As it goes over the wire.
    return [sentence(json.loads(json.dumps(asdict(fact)))) for fact in facts(writes)]


def pod(name="web-1", phase="Running", ready=None, node="", statuses=()):
    conditions = [] if ready is None else [{"type": "Ready", "status": ready}]
    status = {"phase": phase, "conditions": conditions, "containerStatuses": list(statuses)}
    return named("Pod", name, "web-7c9", spec={"nodeName": node} if node else {}, status=status)


def scaled(n):
    return named("ReplicaSet", "web-7c9", spec={"replicas": n})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            write("replicasets.apps", scaled(2), scaled(3), CONTROLLER),
            "deployment-controller scaled web-7c9 from 2 to 3",
        ),
        (
            write("deployments.apps", None, named("Deployment", "web")),
            "learner created Deployment web",
        ),
        (
            write("pods", pod(), pod(node="node-2"), "system:kube-scheduler"),
            "The scheduler put Pod web-1 on node-2",
        ),
        (write("pods", pod(ready="False"), pod(ready="True"), KUBELET), "Pod web-1 became ready"),
        (
            write("pods", pod(ready="True"), pod(ready="False"), KUBELET),
            "Pod web-1 is not ready any more",
        ),
        (write("pods", pod(), pod(phase="Failed"), KUBELET), "Pod web-1 failed"),
        (
            write(
                "pods",
                pod(),
                pod(statuses=[{"name": "c", "state": {"waiting": {"reason": "ErrImagePull"}}}]),
                KUBELET,
            ),
            "The container c of web-1 cannot start: ErrImagePull",
        ),
        (
            write("pods", pod(), pod(statuses=[{"name": "c", "restartCount": 2}]), KUBELET),
            "The container c of web-1 was restarted, 2 times by now",
        ),
        (write("pods", pod(), None, KUBELET), "kubelet on node-1 deleted Pod web-1"),
        (
            write(
                "deployments.apps",
                named("Deployment", "web", spec={"containers": [{"name": "c", "image": "a:1"}]}),
                named("Deployment", "web", spec={"containers": [{"name": "c", "image": "a:2"}]}),
            ),
            "learner changed the image of c in Deployment web from a:1 to a:2",
        ),
        (
            write(
                "configmaps",
                named("ConfigMap", "app", data={"k": "1"}),
                named("ConfigMap", "app", data={"k": "2"}),
            ),
            "learner changed data.k of ConfigMap app from 1 to 2",
        ),
        (
            write(
                "configmaps",
                named("ConfigMap", "app", data={}),
                named("ConfigMap", "app", data=dict.fromkeys("abcd", "x")),
            ),
            "learner changed data.a, data.b, data.c and 1 more field of ConfigMap app",
        ),
        (
            write(
                "nodes",
                named("Node", "n", spec={}),
                named("Node", "n", spec={"unschedulable": True}),
            ),
            "learner cordoned n: no new pods go there",
        ),
        (
            write(
                "events",
                None,
                {
                    **named("Event", "e"),
                    "type": "Warning",
                    "reason": "BackOff",
                    "message": "again",
                    "involvedObject": {"kind": "Pod", "name": "web-1"},
                },
                KUBELET,
            ),
            "Warning BackOff for Pod web-1: again",
        ),
    ],
)
def test_one_write_in_one_sentence(change, expected):
    assert said(change) == [expected]


@pytest.mark.parametrize(
    "change",
    [
        write("leases.coordination.k8s.io", None, named("Lease", "n")),
        write("endpoints", None, named("Endpoints", "web")),
        write("services", named("Service", "s", status={}), named("Service", "s", status={"a": 1})),
        write("events", None, {**named("Event", "e"), "type": "Normal"}),
        write("pods", pod(), pod(phase="Running"), KUBELET),
    ],
)
def test_what_says_nothing_is_not_told(change):
    assert said(change) == []


def test_what_is_alike_is_told_once():
    made = [
        write("pods", None, named("Pod", f"web-{n}", "web-7c9"), CONTROLLER, revision=n)
        for n in range(8)
    ]
    other = write("pods", None, named("Pod", "db", "db-1"), CONTROLLER)
    five = "web-0, web-1, web-2, web-3, web-4"
    assert said(*made, other) == [
        f"deployment-controller created 8 pods for web-7c9: {five} and 3 more",
        "deployment-controller created Pod db for db-1",
    ]
    (first, _) = facts([*made, other])
    assert (first.count, first.revision) == (8, 7)
    twice = [write("pods", pod(ready="False"), pod(ready="True"), KUBELET)] * 2
    assert said(*twice) == ["Pod web-1 became ready"]


def test_of_many_each_is_named():
    """Whatever happens to two alike is told of both, in the plural."""
    names = ("a", "b")

    def both(resource, kind, before, after, actor=KUBELET):
        empty = {"spec": {}, "status": {}}
        sides = [empty | side for side in (before, after)]
        pairs = [[named(kind, name, **side) for side in sides] for name in names]
        return said(*(write(resource, old, new, actor) for old, new in pairs))

    def counts(ready):
        return {"spec": {"replicas": 3}, "status": {"readyReplicas": ready}}

    def statuses(**more):
        return {"status": {"containerStatuses": [{"name": "c", **more}]}}

    done = {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}
    taint = {"spec": {"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]}}
    ending = {"metadata": {"deletionTimestamp": "now"}}
    bound = {"status": {"phase": "Bound"}, "spec": {"volumeName": "v"}}
    again = {"kubectl.kubernetes.io/restartedAt": "now"}
    anew = {"spec": {"template": {"metadata": {"annotations": again}}}}
    deployments, claims = "deployments.apps", "persistentvolumeclaims"
    told = [
        both(deployments, "Deployment", counts(1), counts(3)),
        both("pods", "Pod", statuses(), statuses(restartCount=1)),
        both("jobs.batch", "Job", {}, done),
        both("nodes", "Node", {}, {"spec": {"unschedulable": True}}, "ann"),
        both("nodes", "Node", {"spec": {"unschedulable": True}}, {}, "ann"),
        both("nodes", "Node", {}, taint, "ann"),
        both("nodes", "Node", taint, {}, "ann"),
        both("configmaps", "ConfigMap", {"data": {"k": "1"}}, {"data": {"k": "2"}}, "ann"),
        both("networkpolicies.networking.k8s.io", "NetworkPolicy", {}, ending, "ann"),
        both(claims, "PersistentVolumeClaim", {}, bound),
        both(deployments, "Deployment", {"spec": {"template": {"metadata": {}}}}, anew, "ann"),
    ]
    assert [sentences for sentences in told if len(sentences) != 1] == []
    assert [one for (one,) in told] == [
        "All pods of 2 deployments are ready: a, b",
        "The container c was restarted in 2 pods: a, b",
        "2 jobs are complete: a, b",
        "ann cordoned 2 nodes: no new pods go to a, b",
        "ann uncordoned 2 nodes: a, b",
        "ann put the taint gpu=yes:NoSchedule on 2 nodes: a, b",
        "ann removed the taint gpu=yes:NoSchedule from 2 nodes: a, b",
        "ann changed data.k of 2 ConfigMaps (a, b) from 1 to 2",
        "ann asked 2 NetworkPolicies to end: a, b",
        "2 PersistentVolumeClaims got volumes: a, b",
        "ann had the pods of 2 deployments started anew: a, b",
    ]


def test_one_is_told_in_the_singular():
    one = named("Deployment", "web", spec={"replicas": 1}, status={})
    ready = {**one, "status": {"readyReplicas": 1}}
    assert said(write("deployments.apps", one, ready)) == ["The one pod of Deployment web is ready"]
    first = pod(statuses=[{"name": "c", "restartCount": 1}])
    assert said(write("pods", pod(), first)) == ["The container c of web-1 was restarted"]


def warning(name, message, kind="Pod"):
    about = {"kind": kind, "name": name}
    event = {"type": "Warning", "reason": "Unhealthy", "message": message, "involvedObject": about}
    return write("events", None, {**named("Event", "e"), **event}, KUBELET)


def test_warnings_are_added_up_where_they_say_the_same():
    assert said(warning("a", "a of node 1 is late"), warning("b", "b of node 2 is late")) == [
        "Warning Unhealthy for pods a, b: b of node 2 is late"
    ]
    assert len(said(warning("a", "0/3 nodes: no cpu"), warning("b", "0/3 nodes: no claim"))) == 2
    policies = [warning(name, "", "NetworkPolicy") for name in "ab"]
    assert said(*policies) == ["Warning Unhealthy for NetworkPolicies a, b"]


def test_a_warning_that_says_nothing_more_ends_there():
    (told,) = said(warning("a", "Readiness probe failed: "))
    assert told == "Warning Unhealthy for Pod a: Readiness probe failed"


def test_what_the_status_says_is_not_told_twice():
    """The kubelet's Event of an image that cannot be pulled repeats the container's reason."""
    event = warning("a", "Error: ImagePullBackOff")
    event.after["reason"] = "Failed"
    assert said(event) == []


def test_the_same_object_is_counted_once():
    crashes = [
        write("pods", pod(), pod(statuses=[{"name": "c", "restartCount": n}])) for n in range(1, 9)
    ]
    (fact,) = facts(crashes)
    assert (fact.count, sentence(asdict(fact))) == (
        1,
        "The container c of web-1 was restarted, 8 times by now",
    )
    seven = [write("pods", None, named("Pod", f"p{n % 7}")) for n in range(20)]
    assert [fact.count for fact in facts(seven)] == [7]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {"tier": "x"}, "set metadata.labels.tier of ConfigMap app to x"),
        ({}, {"tier": "two words"}, "set metadata.labels.tier of ConfigMap app to “two words”"),
        ({"tier": "x"}, {}, "removed metadata.labels.tier from ConfigMap app"),
        ({"tier": "x"}, {"tier": ""}, "changed metadata.labels.tier of ConfigMap app from x to “”"),
    ],
)
def test_what_came_and_went_is_told_so(before, after, expected):
    sides = [named("ConfigMap", "app", metadata={"labels": one}) for one in (before, after)]
    assert said(write("configmaps", *sides)) == [f"learner {expected}"]


def test_values_of_secrets_are_not_told():
    sides = [named("Secret", "key", data={"pw": value}) for value in ("b25l", "dHdv")]
    assert said(write("secrets", *sides)) == ["learner changed data.pw of Secret key"]


def test_scaling_and_more_in_one_write_are_both_told():
    sides = [named("Deployment", "web", spec={"replicas": n, "paused": bool(n)}) for n in (0, 2)]
    assert said(write("deployments.apps", *sides)) == [
        "learner scaled web from 0 to 2",
        "learner changed spec.paused of Deployment web from false to true",
    ]


def test_what_ends_is_asked_and_then_gone():
    there, ending = pod("a"), pod("a")
    ending["metadata"]["deletionTimestamp"] = "now"
    over = {**ending, "status": {"phase": "Succeeded"}}
    assert said(
        write("pods", there, ending),
        write("pods", ending, over, KUBELET),
        write("pods", over, None, KUBELET),
    ) == ["learner asked Pod a to end", "Pod a is gone"]


def test_what_runs_to_its_end_is_not_ready_but_done():
    def job(**more):
        found = pod("job-1", **more)
        return {**found, "spec": {"restartPolicy": "Never"}}

    assert said(write("pods", job(ready="False"), job(ready="True"), KUBELET)) == []
    assert said(write("pods", job(), job(phase="Succeeded"), KUBELET)) == [
        "Pod job-1 has done its work"
    ]


def test_scalings_are_not_added_up():
    up = write("replicasets.apps", scaled(2), scaled(3), revision=1)
    down = write("replicasets.apps", scaled(3), scaled(2), revision=2)
    assert len(said(up, down)) == 2
