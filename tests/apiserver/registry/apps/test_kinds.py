"""Deployments and their kin: defaults, rules, what may not change, columns."""

# Tables of messages read best unwrapped.
# ruff: noqa: E501, ISC004

from __future__ import annotations

import pytest

from apiserver.registry.apps.controllerrevisions import CONTROLLERREVISIONS
from apiserver.registry.apps.daemonsets import DAEMONSETS
from apiserver.registry.apps.deployments import DEPLOYMENTS
from apiserver.registry.apps.replicasets import REPLICASETS
from apiserver.registry.apps.statefulsets import STATEFULSETS
from tests.apiserver.registry.podspec.support import (
    changed,
    create_errors,
    made,
    update_errors,
    updated,
)

SELECTOR = {"matchLabels": {"a": "b"}}
TEMPLATE = {
    "metadata": {"labels": {"a": "b"}},
    "spec": {"containers": [{"name": "c", "image": "i:1"}]},
}
WORKLOAD = {"spec": {"selector": SELECTOR, "template": TEMPLATE}}
ALL = [DEPLOYMENTS, REPLICASETS, STATEFULSETS, DAEMONSETS]
LABELS = ("spec.template.metadata.labels",
          'Invalid value: {"a":"b"}: `selector` does not match template `labels`')  # fmt: skip


def workload(**spec):
    return {"spec": {**WORKLOAD["spec"], **spec}}


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (DEPLOYMENTS, {
            "progressDeadlineSeconds": 600, "replicas": 1, "revisionHistoryLimit": 10,
            "strategy": {"type": "RollingUpdate",
                         "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}}),
        (REPLICASETS, {"replicas": 1}),
        (STATEFULSETS, {
            "replicas": 1, "revisionHistoryLimit": 10, "podManagementPolicy": "OrderedReady",
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}}),
        (DAEMONSETS, {
            "revisionHistoryLimit": 10,
            "updateStrategy": {"type": "RollingUpdate",
                               "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}}),
    ],
)  # fmt: skip
def test_defaults(resource, expected):
    spec = made(resource, WORKLOAD)["spec"]
    assert spec.pop("template")["spec"]["restartPolicy"] == "Always"
    assert spec.pop("selector") == SELECTOR
    spec.pop("serviceName", None)
    assert spec == expected


@pytest.mark.parametrize("resource", ALL)
def test_right(resource):
    assert create_errors(resource, WORKLOAD) == []


@pytest.mark.parametrize("resource", ALL)
def test_selectors_must_be_there_and_match(resource):
    missing = create_errors(resource, changed(WORKLOAD, "spec.selector", None))
    # No selector selects nothing, so the template's labels do not match either.
    required = [] if resource is DAEMONSETS else [("spec.selector", "Required value")]
    mismatch = 'Invalid value: {"a":"b"}: `selector` does not match template `labels`'
    assert missing == [*required, ("spec.template.metadata.labels", mismatch)]
    other = create_errors(resource, workload(selector={"matchLabels": {"x": "y"}}))
    assert other == [LABELS]


@pytest.mark.parametrize("resource", ALL)
def test_templates_are_checked_and_restart_always(resource):
    body = changed(WORKLOAD, "spec.template.spec.restartPolicy", "Never")
    assert create_errors(resource, body) == [
        ("spec.template.spec.restartPolicy",
         'Unsupported value: "Never": supported values: "Always"')
    ]  # fmt: skip
    body = changed(WORKLOAD, "spec.template.spec.containers.0.image", "")
    assert create_errors(resource, body) == [
        ("spec.template.spec.containers[0].image", "Required value")
    ]


def rolling(**values):
    return workload(strategy={"rollingUpdate": values})


ROLLING = "strategy.rollingUpdate"


@pytest.mark.parametrize(
    ("resource", "body", "expected"),
    [
        (DEPLOYMENTS, rolling(maxSurge=0, maxUnavailable=0), [
            (f"{ROLLING}.maxUnavailable", "Invalid value: 0: may not be 0 when `maxSurge` is 0")]),
        (DEPLOYMENTS, rolling(maxSurge="150%", maxUnavailable="abc"), [
            (f"{ROLLING}.maxUnavailable", 'Invalid value: "abc": a valid percent string must be a '
             "numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for "
             "validation is '[0-9]+%')")]),
        (DEPLOYMENTS, rolling(maxUnavailable="101%"), [
            (f"{ROLLING}.maxUnavailable", 'Invalid value: "101%": must not be greater than 100%')]),
        (DEPLOYMENTS, workload(strategy={"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}), [
            (ROLLING, "Forbidden: may not be specified when strategy `type` is 'Recreate'")]),
        (DEPLOYMENTS, workload(minReadySeconds=700), [
            ("progressDeadlineSeconds", "Invalid value: 600: must be greater than minReadySeconds")]),
        (DEPLOYMENTS, workload(revisionHistoryLimit=-1), [
            ("revisionHistoryLimit", "Invalid value: -1: must be greater than or equal to 0")]),
        (REPLICASETS, workload(replicas=-2), [
            ("replicas", "Invalid value: -2: must be greater than or equal to 0")]),
        (STATEFULSETS, workload(podManagementPolicy="Odd"), [
            ("podManagementPolicy",
             "Invalid value: \"Odd\": must be 'OrderedReady' or 'Parallel'")]),
        (STATEFULSETS, workload(updateStrategy={"type": "OnDelete",
                                                "rollingUpdate": {"partition": 1}}), [
            ("updateStrategy.rollingUpdate", 'Invalid value: {"Partition":1,"MaxUnavailable":null}'
             ": only allowed for updateStrategy 'RollingUpdate'")]),
        (STATEFULSETS, workload(ordinals={"start": -1}), [
            ("ordinals.start", "Invalid value: -1: must be greater than or equal to 0")]),
        (DAEMONSETS, workload(updateStrategy={"rollingUpdate": {"maxUnavailable": 0}}), [
            ("updateStrategy.rollingUpdate.maxUnavailable",
             "Required value: cannot be 0 when maxSurge is 0")]),
        (DAEMONSETS, workload(updateStrategy={"rollingUpdate": {"maxSurge": 1}}), [
            ("updateStrategy.rollingUpdate.maxSurge",
             "Invalid value: 1: may not be set when maxUnavailable is non-zero")]),
        (DAEMONSETS, workload(updateStrategy={"type": "Odd"}), [
            ("updateStrategy", 'Unsupported value: {"Type":"Odd","RollingUpdate":null}: '
             'supported values: "RollingUpdate", "OnDelete"')]),
        (DEPLOYMENTS, workload(strategy={"type": "Odd"}), [
            ("strategy", 'Unsupported value: {"Type":"Odd","RollingUpdate":null}: '
             'supported values: "Recreate", "RollingUpdate"')]),
        (STATEFULSETS, workload(persistentVolumeClaimRetentionPolicy={"whenDeleted": "Odd"}), [
            ("persistentVolumeClaimRetentionPolicy.whenDeleted",
             'Unsupported value: "Odd": supported values: "Retain", "Delete"')]),
    ],
)  # fmt: skip
def test_wrong(resource, body, expected):
    found = create_errors(resource, body)
    assert found == [(f"spec.{path}", message) for path, message in expected]


def test_mounts_of_a_stateful_set_may_name_its_claims():
    claim = {"metadata": {"name": "data"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}  # fmt: skip
    body = changed(WORKLOAD, "spec.template.spec.containers.0.volumeMounts",
                   [{"name": "data", "mountPath": "/d"}])  # fmt: skip
    assert create_errors(STATEFULSETS, body) == [
        ("spec.template.spec.containers[0].volumeMounts[0].name", 'Not found: "data"')
    ]
    body = changed(body, "spec.volumeClaimTemplates", [claim])
    assert create_errors(STATEFULSETS, body) == []
    assert made(STATEFULSETS, body)["spec"]["volumeClaimTemplates"][0]["status"] == {
        "phase": "Pending"
    }


@pytest.mark.parametrize("resource", [DEPLOYMENTS, REPLICASETS, DAEMONSETS])
def test_the_selector_stays(resource):
    body = changed(WORKLOAD, "spec.selector.matchLabels", {"a": "b", "c": "d"})
    body = changed(body, "spec.template.metadata.labels", {"a": "b", "c": "d"})
    assert update_errors(resource, made(resource, WORKLOAD), body) == [
        ("spec.selector",
         'Invalid value: {"matchLabels":{"a":"b","c":"d"}}: field is immutable')
    ]  # fmt: skip


def test_a_stateful_set_keeps_what_names_its_pods():
    old = made(STATEFULSETS, WORKLOAD)
    assert update_errors(STATEFULSETS, old, workload(replicas=3, minReadySeconds=1)) == []
    assert update_errors(STATEFULSETS, old, workload(serviceName="other")) == [
        ("spec", "Forbidden: updates to statefulset spec for fields other than 'replicas', "
         "'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', "
         "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden")
    ]  # fmt: skip


def test_a_daemon_set_counts_its_templates():
    key = "deprecated.daemonset.template.generation"
    old = made(DAEMONSETS, WORKLOAD)
    assert old["metadata"]["annotations"] == {key: "1"}
    same, _ = updated(DAEMONSETS, old, workload(minReadySeconds=3))
    assert same["metadata"]["annotations"][key] == "1"
    body = changed(WORKLOAD, "spec.template.spec.containers.0.image", "i:2")
    new, _ = updated(DAEMONSETS, old, body)
    assert new["metadata"]["annotations"][key] == "2"


def test_annotations_count_in_a_deployments_generation():
    old = made(DEPLOYMENTS, WORKLOAD)
    new = changed(old, "metadata.annotations", {"a": "b"})
    assert DEPLOYMENTS.strategy.spec_changed(new, old)
    assert not REPLICASETS.strategy.spec_changed(new, old)


@pytest.mark.parametrize(
    ("resource", "status", "expected"),
    [
        (DEPLOYMENTS, {"replicas": 1, "readyReplicas": 2}, [
            ("status.readyReplicas", "Invalid value: 2: cannot be greater than status.replicas")]),
        (REPLICASETS, {"replicas": 2, "readyReplicas": 1, "availableReplicas": 2}, [
            ("status.availableReplicas", "Invalid value: 2: cannot be greater than readyReplicas")]),
        (STATEFULSETS, {"replicas": -1, "availableReplicas": -1}, [
            ("status.replicas", "Invalid value: -1: must be greater than or equal to 0"),
            ("status.availableReplicas", "Invalid value: -1: must be greater than or equal to 0")]),
    ],
)  # fmt: skip
def test_counts_in_status(resource, status, expected):
    old = made(resource, WORKLOAD)
    strategy = resource.subresources["status"].strategy
    new, errors = updated(resource, old, {**WORKLOAD, "status": status}, strategy)
    assert [e for e in errors if "replicas" in e[0].lower()][: len(expected)] == expected
    assert new["spec"] == old["spec"]


def test_revisions_of_data_stay():
    old = made(CONTROLLERREVISIONS, {"data": {"a": 1}, "revision": 1})
    assert update_errors(CONTROLLERREVISIONS, old, {"data": {"a": 1}, "revision": 2}) == []
    assert update_errors(CONTROLLERREVISIONS, old, {"data": {"a": 2}, "revision": 1}) == [
        ("data", 'Invalid value: {"a":2}: field is immutable')
    ]
    assert create_errors(CONTROLLERREVISIONS, {}) == [("data", "Required value: data is mandatory")]


@pytest.mark.parametrize(
    ("resource", "names", "cells"),
    [
        (DEPLOYMENTS, ("Ready", "Up-to-date", "Available", "Containers", "Images", "Selector"),
         ["0/1", 0, 0, "c", "i:1", "a=b"]),
        (REPLICASETS, ("Desired", "Current", "Ready", "Selector"), [1, 0, 0, "a=b"]),
        (STATEFULSETS, ("Ready", "Containers", "Images"), ["0/1", "c", "i:1"]),
        (DAEMONSETS, ("Desired", "Node Selector", "Selector"), [0, "<none>", "a=b"]),
    ],
)  # fmt: skip
def test_columns(resource, names, cells):
    obj = made(resource, WORKLOAD)
    shown = {column.name: column for column in resource.columns}
    assert [shown[name].value(obj, 0.0) for name in names] == cells


def test_a_revision_names_its_controller():
    obj = made(CONTROLLERREVISIONS, {"data": {}, "revision": 3, "metadata": {
        "name": "it", "namespace": "default", "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": "u",
             "controller": True}]}})  # fmt: skip
    cells = [column.value(obj, 0.0) for column in CONTROLLERREVISIONS.columns[:3]]
    assert cells == ["it", "statefulset.apps/web", 3]
