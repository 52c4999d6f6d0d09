"""HorizontalPodAutoscalers: defaults, rules, rows, and the way to v1 and back."""

from __future__ import annotations

import pytest

from apiserver.registry.autoscaling import HORIZONTALPODAUTOSCALERS as SCALERS
from apiserver.registry.autoscaling.convert import from_v2, to_v2
from tests.apiserver.registry.trying import cells, create_errors, created, update_errors

TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
PREFIX = "autoscaling.alpha.kubernetes.io/"


def spec(**more):
    return {"maxReplicas": 5, "scaleTargetRef": TARGET, **more}


def resource(name="memory", **target):
    return {"type": "Resource", "resource": {"name": name, "target": target}}


def test_defaults():
    made = created(SCALERS, spec=spec(behavior={"scaleDown": {"selectPolicy": "Min"}}))
    assert made["spec"]["minReplicas"] == 1
    assert made["spec"]["metrics"] == [resource("cpu", type="Utilization", averageUtilization=80)]
    percent = {"type": "Percent", "value": 100, "periodSeconds": 15}
    assert made["spec"]["behavior"] == {
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "selectPolicy": "Max",
            "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}, percent],
        },
        "scaleDown": {"selectPolicy": "Min", "policies": [percent]},
    }
    assert made["status"] == {"desiredReplicas": 0, "currentMetrics": None}


METRIC = "spec.metrics[0]"


@pytest.mark.parametrize(
    ("more", "errors"),
    [
        (
            {"maxReplicas": 0},
            [
                "spec.maxReplicas: Required value: must be set and greater than 0",
                (
                    "spec.maxReplicas: Invalid value: 0: "
                    "must be greater than or equal to `minReplicas`"
                ),
            ],
        ),
        (
            {"minReplicas": 0},
            [
                "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1",
                (
                    "spec.metrics: Forbidden: must specify at least one Object or External metric "
                    "to support scaling to zero replicas"
                ),
            ],
        ),
        (
            {"scaleTargetRef": {"kind": "Deployment"}},
            [
                "spec.scaleTargetRef.name: Required value",
                (
                    'spec.scaleTargetRef.apiVersion: Invalid value: "": '
                    "apiVersion must specify API group"
                ),
            ],
        ),
        (
            {"scaleTargetRef": TARGET | {"apiVersion": "v1", "kind": "ReplicationController"}},
            [],
        ),
        (
            {"metrics": [{"type": "Pods", "resource": {"name": "cpu", "target": {}}}]},
            [
                (
                    f"{METRIC}.resource.target.type: Required value: "
                    "must specify a metric target type"
                ),
                (
                    f'{METRIC}.resource.target.type: Invalid value: "": '
                    "must be either Utilization, Value, or AverageValue"
                ),
                (
                    f"{METRIC}.resource.target.averageUtilization: Required value: "
                    "must set either a target raw value or a target utilization"
                ),
                (
                    f"{METRIC}.pods: Required value: "
                    "must populate information for the given metric source"
                ),
            ],
        ),
        (
            {"metrics": [resource(type="AverageValue", averageValue="0")]},
            [f'{METRIC}.resource.target.averageValue: Invalid value: "0": must be positive'],
        ),
        (
            {"behavior": {"scaleUp": {"stabilizationWindowSeconds": 4000, "policies": []}}},
            [
                (
                    "spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 4000: "
                    "must be less than or equal to 3600"
                ),
            ],
        ),
    ],
)
def test_refusals(more, errors):
    assert create_errors(SCALERS, spec=spec() | more) == errors


def test_row():
    made = created(
        SCALERS,
        spec=spec(
            metrics=[
                resource("cpu", type="Utilization", averageUtilization=50),
                resource(type="AverageValue", averageValue="1Gi"),
                resource("x.example.com/y", type="AverageValue", averageValue="1"),
            ]
        ),
    )
    used = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 7}}}
    made["status"] = {"currentMetrics": [used], "currentReplicas": 3}
    assert cells(SCALERS, made)[1:6] == [
        "Deployment/d",
        "cpu: 7%/50%, memory: <unknown>/1Gi + 1 more...",
        "1",
        5,
        3,
    ]


def test_counts_are_not_negative():
    old = created(SCALERS, spec=spec())
    assert update_errors(
        SCALERS, old, lambda h: h["status"].update(desiredReplicas=-1), "status"
    ) == ["status.desiredReplicas: Invalid value: -1: must be greater than or equal to 0"]


def test_one_cpu_metric_is_a_field_of_v1():
    old = created(SCALERS, spec=spec())
    shown = from_v2(old)
    assert shown["apiVersion"] == "autoscaling/v1"
    assert shown["spec"] == {
        "maxReplicas": 5,
        "minReplicas": 1,
        "scaleTargetRef": TARGET,
        "targetCPUUtilizationPercentage": 80,
    }
    assert "annotations" not in shown["metadata"]
    assert shown["status"] == {"desiredReplicas": 0, "currentReplicas": 0}


SOURCES = [
    resource(type="AverageValue", averageValue="1Gi"),
    {
        "type": "Pods",
        "pods": {
            "metric": {"name": "hits", "selector": {"matchLabels": {"a": "b"}}},
            "target": {"type": "AverageValue", "averageValue": "1k"},
        },
    },
    {
        "type": "Object",
        "object": {
            "describedObject": {"kind": "Service", "name": "s"},
            "metric": {"name": "hits"},
            "target": {"type": "Value", "value": "10k"},
        },
    },
    {
        "type": "External",
        "external": {
            "metric": {"name": "queue", "selector": {"matchLabels": {"q": "1"}}},
            "target": {"type": "AverageValue", "averageValue": "30"},
        },
    },
    {
        "type": "ContainerResource",
        "containerResource": {
            "name": "cpu",
            "container": "c",
            "target": {"type": "Utilization", "averageUtilization": 60},
        },
    },
]


@pytest.mark.parametrize("source", SOURCES, ids=[one["type"] for one in SOURCES])
def test_every_other_metric_survives_v1(source):
    old = created(SCALERS, spec=spec(metrics=[source]))
    shown = from_v2(old)
    assert PREFIX + "metrics" in shown["metadata"]["annotations"]
    assert to_v2(shown)["spec"]["metrics"] == [source]


LABELS = {"matchLabels": {"a": "b"}}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            SOURCES[0],
            '{"type":"Resource","resource":{"name":"memory","targetAverageValue":"1Gi"}}',
        ),
        (
            SOURCES[1],
            (
                '{"type":"Pods","pods":{"metricName":"hits","targetAverageValue":"1k",'
                '"selector":{"matchLabels":{"a":"b"}}}}'
            ),
        ),
        (
            SOURCES[2],
            (
                '{"type":"Object","object":{"target":{"kind":"Service","name":"s"},'
                '"metricName":"hits","targetValue":"10k"}}'
            ),
        ),
        (
            SOURCES[3],
            (
                '{"type":"External","external":{"metricName":"queue",'
                '"metricSelector":{"matchLabels":{"q":"1"}},"targetAverageValue":"30"}}'
            ),
        ),
        (
            SOURCES[4],
            (
                '{"type":"ContainerResource","containerResource":{"name":"cpu",'
                '"targetAverageUtilization":60,"container":"c"}}'
            ),
        ),
        (
            {
                "type": "Object",
                "object": {
                    "describedObject": {"name": "s", "kind": "Service", "apiVersion": "v1"},
                    "metric": {"selector": LABELS, "name": "<hits>"},
                    "target": {"type": "AverageValue", "averageValue": "3"},
                },
            },
            (
                '{"type":"Object","object":{"target":{"kind":"Service","name":"s","apiVersion":"v1"},'
                '"metricName":"\\u003chits\\u003e","targetValue":"0",'
                '"selector":{"matchLabels":{"a":"b"}},"averageValue":"3"}}'
            ),
        ),
    ],
)
def test_annotations_are_what_go_writes(source, text):
    shown = from_v2(created(SCALERS, spec=spec(metrics=[source])))
    assert shown["metadata"]["annotations"][PREFIX + "metrics"] == f"[{text}]"


def test_first_cpu_metric_alone_is_the_field_of_v1():
    cpu = [
        resource("cpu", type="AverageValue", averageValue="1"),
        resource("cpu", type="Utilization", averageUtilization=50),
    ]
    shown = from_v2(created(SCALERS, spec=spec(metrics=cpu)))
    assert "targetCPUUtilizationPercentage" not in shown["spec"]


@pytest.mark.parametrize(
    "text", ["", "{", "1", "[1]", "{}", '[{"type":1}]', '[{"type":"Pods","status":2,"pods":3}]']
)
@pytest.mark.parametrize("name", ["metrics", "behavior", "current-metrics", "conditions"])
def test_annotations_that_cannot_be_read_count_as_nothing(name, text):
    told = {"apiVersion": "autoscaling/v1", "metadata": {"annotations": {PREFIX + name: text}}}
    back = to_v2({**told, "spec": spec(), "status": {}})
    assert back["metadata"] == {}
    assert back["spec"] == spec()
    assert back["status"] == {"currentMetrics": None}


def test_v2_has_fields_for_what_travels_in_annotations():
    names = ("metrics", "behavior", "current-metrics", "conditions", "scale-up-tolerance")
    notes = {PREFIX + name: "{}" for name in names}
    both = created(SCALERS, metadata={"annotations": notes | {"a": "b"}}, spec=spec())
    assert both["metadata"]["annotations"] == {"a": "b"}
    alone = created(SCALERS, metadata={"annotations": notes}, spec=spec())
    assert "annotations" not in alone["metadata"]


def test_behavior_and_status_survive_v1():
    old = created(SCALERS, spec=spec(behavior={"scaleUp": {"selectPolicy": "Min"}}))
    used = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 7}}}
    condition = {"type": "AbleToScale", "status": "True", "lastTransitionTime": None}
    old["status"] = {"currentMetrics": [used], "conditions": [condition], "desiredReplicas": 2}
    shown = from_v2(old)
    assert shown["status"]["currentCPUUtilizationPercentage"] == 7
    back = to_v2(shown)
    assert back["spec"]["behavior"] == old["spec"]["behavior"]
    # The amount that v1 always writes is there from now on.
    used["resource"]["current"]["averageValue"] = "0"
    assert back["status"]["currentMetrics"] == [used]
    assert back["status"]["conditions"] == [condition]
    assert "annotations" not in back["metadata"]
