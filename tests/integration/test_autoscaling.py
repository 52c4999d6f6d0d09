"""Autoscalers on a whole cluster: load, scaling, windows, and why nothing is scaled."""

import pytest

from nodes.client.resources import DEPLOYMENTS, HORIZONTALPODAUTOSCALERS
from tests.integration.conftest import Lab, deployment
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

HPA = "horizontalpodautoscalers.autoscaling"
BUSY = ["sh", "-c", "while true; do :; done"]


@pytest.fixture
async def lab(fleet):
    cluster = await fleet.create("lab", nodes=3, template="bare", features=("metrics",))
    return await Lab(cluster).ready()


def autoscaler(name="web", most=6, metrics=None, target="web", **spec):
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target},
            "maxReplicas": most,
            "metrics": metrics or [{"type": "Resource", "resource": cpu}],
            **spec,
        },
    }


def web(replicas=1, command=BUSY, cpu="100m"):
    made = deployment(replicas=replicas, image="busybox:1.36")
    container = made["spec"]["template"]["spec"]["containers"][0]
    container["command"] = command
    if cpu:
        container["resources"] = {"requests": {"cpu": cpu}, "limits": {"cpu": cpu}}
    return made


def status(lab, name="web"):
    return lab.get(HPA, name).get("status") or {}


def conditions(lab, name="web"):
    found = status(lab, name).get("conditions") or ()
    return {one["type"]: (one["status"], one["reason"], one["message"]) for one in found}


def told(lab, reason):
    return [e["message"] for e in lab.all("events") if e.get("reason") == reason]


async def has(lab, replicas, within=120):
    def check():
        return lab.get("deployments.apps", "web")["spec"]["replicas"] == replicas

    await eventually(check, within, every=1)


async def test_load_brings_pods_and_their_end_takes_them_after_five_minutes(lab):
    await lab.client.create(web())
    await lab.available(replicas=1)
    await lab.client.create(autoscaler())
    await has(lab, 2)
    await has(lab, 4)
    await has(lab, 6)
    assert "New size: 2; reason: cpu resource utilization (percentage of request) above target" in (
        told(lab, "SuccessfulRescale")
    )
    await eventually(
        lambda: conditions(lab)["ScalingLimited"][:2] == ("True", "TooManyReplicas"), 60
    )
    metric = status(lab)["currentMetrics"][0]["resource"]
    assert metric == {
        "name": "cpu",
        "current": {"averageUtilization": 100, "averageValue": "100m"},
    }
    assert conditions(lab)["ScalingActive"] == (
        "True",
        "ValidMetricFound",
        (
            "the HPA was able to successfully calculate a replica count from"
            " cpu resource utilization (percentage of request)"
        ),
    )
    body = web(command=["sleep", "1d"])["spec"]["template"]["spec"]
    await lab.client.patch(DEPLOYMENTS, "default", "web", {"spec": {"template": {"spec": body}}})
    began = lab.cluster.clock.seconds()
    await has(lab, 1, within=900)
    assert lab.cluster.clock.seconds() - began > 290
    assert "New size: 1; reason: All metrics below target" in told(lab, "SuccessfulRescale")
    assert status(lab)["desiredReplicas"] == 1


async def test_bounds_hold_whatever_is_measured(lab):
    await lab.client.create(web(replicas=5))
    await lab.client.create(autoscaler(most=3))
    await has(lab, 3)
    assert told(lab, "SuccessfulRescale") == [
        "New size: 3; reason: Current number of replicas above Spec.MaxReplicas"
    ]
    await lab.client.patch(DEPLOYMENTS, "default", "web", {"spec": {"replicas": 0}})
    await eventually(lambda: conditions(lab).get("ScalingActive"), 60)
    assert conditions(lab)["ScalingActive"] == (
        "False",
        "ScalingDisabled",
        "scaling is disabled since the replica count of the target is zero",
    )
    await lab.quiet()
    assert lab.get("deployments.apps", "web")["spec"]["replicas"] == 0


REFUSED = "the HPA was unable to compute the replica count: "


@pytest.mark.parametrize(
    ("metric", "reason", "message", "whole"),
    [
        (
            {
                "type": "Resource",
                "resource": {
                    "name": "memory",
                    "target": {"type": "Utilization", "averageUtilization": 50},
                },
            },
            "FailedGetResourceMetric",
            "failed to get memory utilization: missing request for memory in container c of Pod ",
            "failed to get memory resource metric value: failed to get memory utilization: ",
        ),
        (
            {
                "type": "ContainerResource",
                "containerResource": {
                    "name": "cpu",
                    "container": "side",
                    "target": {"type": "Utilization", "averageUtilization": 50},
                },
            },
            "FailedGetContainerResourceMetric",
            (
                "failed to get cpu utilization: unable to get metrics for resource cpu:"
                " container side not present in metrics for pod default/web-"
            ),
            "failed to get cpu container metric value: ",
        ),
        (
            {
                "type": "Pods",
                "pods": {
                    "metric": {"name": "requests"},
                    "target": {"type": "AverageValue", "averageValue": "10"},
                },
            },
            "FailedGetPodsMetric",
            "unable to get metric requests: unable to fetch metrics from custom metrics API: ",
            "failed to get pods metric value: ",
        ),
        (
            {
                "type": "Object",
                "object": {
                    "metric": {"name": "requests"},
                    "target": {"type": "Value", "value": "10"},
                    "describedObject": {"apiVersion": "v1", "kind": "Service", "name": "web"},
                },
            },
            "FailedGetObjectMetric",
            "unable to get metric requests: Service on default web/unable to fetch metrics",
            "failed to get object metric value: ",
        ),
        (
            {
                "type": "External",
                "external": {
                    "metric": {"name": "jobs", "selector": {"matchLabels": {"queue": "q"}}},
                    "target": {"type": "AverageValue", "averageValue": "30"},
                },
            },
            "FailedGetExternalMetric",
            (
                "failed to get jobs external metric: unable to get external metric default/jobs/"
                "&LabelSelector{MatchLabels:map[string]string{queue: q,},"
                "MatchExpressions:[]LabelSelectorRequirement{},}:"
                " unable to fetch metrics from external metrics API: "
            ),
            "failed to get jobs external metric value: ",
        ),
    ],
)
async def test_what_cannot_be_measured_is_told_in_kubernetes_words(
    lab, metric, reason, message, whole
):
    await lab.client.create(web())
    await lab.available(replicas=1)
    await lab.client.create(autoscaler(metrics=[metric]))
    await eventually(lambda: conditions(lab).get("ScalingActive"), 60)
    state, why, text = conditions(lab)["ScalingActive"]
    assert (state, why) == ("False", reason)
    assert text.startswith(REFUSED + message)
    await eventually(lambda: told(lab, reason), 10)
    assert told(lab, reason)[0].startswith(message)
    (computed,) = told(lab, "FailedComputeMetricsReplicas")
    assert computed.startswith(f"invalid metrics (1 invalid out of 1), first error is: {whole}")
    assert lab.get("deployments.apps", "web")["spec"]["replicas"] == 1


async def test_a_metric_that_fails_takes_no_pods_and_lets_others_bring_some(lab):
    broken = {
        "type": "Pods",
        "pods": {
            "metric": {"name": "requests"},
            "target": {"type": "AverageValue", "averageValue": "10"},
        },
    }
    fine = autoscaler()["spec"]["metrics"][0]
    await lab.client.create(web())
    await lab.available(replicas=1)
    await lab.client.create(autoscaler(metrics=[broken, fine]))
    await has(lab, 2)
    assert conditions(lab)["ScalingActive"][0] == "True"


async def test_targets_that_are_not_there(lab):
    await lab.client.create(autoscaler())
    unable = "the HPA controller was unable to get the target's current scale: "
    await eventually(lambda: conditions(lab), 60)
    assert conditions(lab) == {
        "AbleToScale": (
            "False",
            "FailedGetScale",
            unable + 'deployments/scale.apps "web" not found',
        )
    }
    other = autoscaler("odd")
    other["spec"]["scaleTargetRef"] = {"apiVersion": "x.io/v1", "kind": "Odd", "name": "web"}
    await lab.client.create(other)
    await eventually(lambda: conditions(lab, "odd"), 60)
    why = 'no matches for kind "Odd" in group "x.io"'
    assert conditions(lab, "odd")["AbleToScale"] == ("False", "FailedGetScale", unable + why)


async def test_two_autoscalers_of_the_same_pods_do_nothing(lab):
    await lab.client.create(web())
    await lab.available(replicas=1)
    await lab.client.create(autoscaler("one"))
    await lab.client.create(autoscaler("two"))
    await eventually(lambda: conditions(lab, "two").get("ScalingActive"), 60)
    assert conditions(lab, "two")["ScalingActive"] == (
        "False",
        "AmbiguousSelector",
        "pods by selector app=web are controlled by multiple HPAs: [{one default} {two default}]",
    )
    await lab.client.delete(HORIZONTALPODAUTOSCALERS, "default", "one")
    await has(lab, 2)


async def test_a_cluster_without_metrics_says_what_it_asked_for(fleet):
    lab = await Lab(await fleet.create("plain", nodes=1, template="bare")).ready()
    await lab.client.create(web())
    await lab.available(replicas=1)
    await lab.client.create(autoscaler())
    await eventually(lambda: conditions(lab).get("ScalingActive"), 60)
    assert conditions(lab)["ScalingActive"][2] == (
        "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to"
        " get metrics for resource cpu: unable to fetch metrics from resource metrics API: the"
        " server could not find the requested resource (get pods.metrics.k8s.io)"
    )
