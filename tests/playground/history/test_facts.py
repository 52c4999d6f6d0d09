"""Writes become facts, and facts become sentences."""

import json
from dataclasses import asdict

import pytest

from playground.history.facts import Write, facts
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
            "the scheduler put Pod web-1 on node-2",
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
            "the container c of web-1 cannot start: ErrImagePull",
        ),
        (
            write("pods", pod(), pod(statuses=[{"name": "c", "restartCount": 2}]), KUBELET),
            "the container c of web-1 was restarted (restart 2)",
        ),
        (write("pods", pod(), None, KUBELET), "kubelet on node-1 deleted Pod web-1"),
        (
            write(
                "deployments.apps",
                named("Deployment", "web", spec={"containers": [{"name": "c", "image": "a:1"}]}),
                named("Deployment", "web", spec={"containers": [{"name": "c", "image": "a:2"}]}),
            ),
            "learner changed the image of web (c) from a:1 to a:2",
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


def test_scalings_are_not_added_up():
    up = write("replicasets.apps", scaled(2), scaled(3), revision=1)
    down = write("replicasets.apps", scaled(3), scaled(2), revision=2)
    assert len(said(up, down)) == 2
