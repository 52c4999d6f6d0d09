"""Pods: what creation decides, what may change afterwards, and what their subresources do."""

# Tables of messages read best unwrapped.
# ruff: noqa: E501, ISC004

from __future__ import annotations

import time

import pytest

from apiserver.registry.core.pods import PODS
from apiserver.registry.podspec.godiff import diff
from apiserver.registry.podspec.overlaps import overlap_warnings
from tests.apiserver.registry.podspec.support import changed, context, made, read, updated

C = {"name": "c", "image": "nginx:1"}
POD = {"spec": {"containers": [C]}}
FROZEN = (
    "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
    "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set "
    "to 1 if it was previously negative)\n"
)


def sub(name):
    strategy = PODS.subresources[name].strategy
    assert strategy is not None
    return strategy


def test_creation_drops_the_status_and_classifies():
    body = {**POD, "status": {"phase": "Running"}}
    assert made(PODS, body)["status"] == {"phase": "Pending", "qosClass": "BestEffort"}


def test_a_gated_pod_says_so():
    pod = made(PODS, changed(POD, "spec.schedulingGates", [{"name": "a/b"}]))
    assert pod["status"]["conditions"] == [
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
            "lastProbeTime": None,
            "lastTransitionTime": "2026-01-02T03:04:05Z",
        }
    ]


def test_match_label_keys_become_selectors():
    pod = made(
        PODS,
        {
            "metadata": {"name": "p", "labels": {"v": "1"}},
            "spec": {
                "containers": [C],
                "topologySpreadConstraints": [
                    {
                        "maxSkew": 1,
                        "topologyKey": "z",
                        "whenUnsatisfiable": "DoNotSchedule",
                        "labelSelector": {"matchLabels": {"a": "b"}},
                        "matchLabelKeys": ["v", "absent"],
                    }
                ],
            },
        },
    )
    assert pod["spec"]["topologySpreadConstraints"][0]["labelSelector"] == {
        "matchLabels": {"a": "b"},
        "matchExpressions": [{"key": "v", "operator": "In", "values": ["1"]}],
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.containers.0.image", "nginx:2"),
        ("spec.activeDeadlineSeconds", 5),
        ("spec.tolerations", [{"key": "a", "operator": "Exists"}]),
        ("metadata.labels", {"a": "b"}),
    ],
)
def test_may_change(path, value):
    old = made(PODS, POD)
    _, errors = updated(PODS, old, changed(POD, path, value))
    assert errors == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (POD, changed(POD, "spec.containers", [C, {"name": "d", "image": "d"}]),
         ("spec.containers", "Forbidden: pod updates may not add or remove containers")),
        (changed(POD, "spec.activeDeadlineSeconds", 5), changed(POD, "spec.activeDeadlineSeconds", 9),
         ("spec.activeDeadlineSeconds", "Invalid value: 9: must be less than or equal to previous value")),
        (changed(POD, "spec.activeDeadlineSeconds", 5), POD,
         ("spec.activeDeadlineSeconds",
          "Invalid value: null: must not update from a positive integer to nil value")),
        (changed(POD, "spec.tolerations", [{"key": "a", "operator": "Exists"}]), POD,
         ("spec.tolerations",
          "Forbidden: existing toleration can not be modified except its tolerationSeconds")),
        (changed(POD, "spec.schedulingGates", [{"name": "a"}]),
         changed(POD, "spec.schedulingGates", [{"name": "a"}, {"name": "b"}]),
         ("spec.schedulingGates[1].name",
          "Forbidden: only deletion is allowed, but found new scheduling gate 'b'")),
        (POD, changed(POD, "spec.hostname", "h"), ("spec", FROZEN + (
            '@@ -64,7 +64,7 @@\n   "SELinuxChangePolicy": null\n  },\n  "ImagePullSecrets": null,\n'
            '- "Hostname": "",\n+ "Hostname": "h",\n  "Subdomain": "",\n'
            '  "SetHostnameAsFQDN": null,\n  "Affinity": null,\n'))),
    ],
)  # fmt: skip
def test_may_not_change(old, new, expected):
    _, errors = updated(PODS, made(PODS, old), new)
    assert errors == [expected]


def test_a_gated_pod_may_become_stricter_and_nothing_else():
    gated = changed(POD, "spec.schedulingGates", [{"name": "g"}])
    gated = changed(gated, "spec.nodeSelector", {"a": "b"})
    old = made(PODS, gated)
    assert updated(PODS, old, changed(gated, "spec.nodeSelector", {"a": "b", "c": "d"}))[1] == []
    _, errors = updated(PODS, old, changed(gated, "spec.nodeSelector", {"a": "x"}))
    assert errors == [
        ("spec.nodeSelector", 'Invalid value: {"a":"x"}: only additions to spec.nodeSelector are '
         "allowed (no mutations or deletions)")
    ]  # fmt: skip


def test_an_update_keeps_the_status():
    old = made(PODS, POD)
    new, _ = updated(PODS, old, {**POD, "status": {"phase": "Failed"}})
    assert new["status"] == old["status"]


def test_status_changes_nothing_but_status():
    old = made(PODS, POD)
    body = changed({**POD, "status": {"phase": "Running"}}, "spec.hostNetwork", True)
    new, errors = updated(PODS, old, body, sub("status"))
    assert errors == []
    assert new["spec"] == old["spec"]
    assert new["status"] == {"phase": "Running", "qosClass": "BestEffort"}


def test_what_ended_does_not_run_again():
    old = made(PODS, changed(POD, "spec.restartPolicy", "Never"))
    old["status"]["containerStatuses"] = [{"name": "c", "state": {"terminated": {"exitCode": 0}}}]
    body = {**POD, "status": {"containerStatuses": [
        {"name": "c", "image": "", "imageID": "", "ready": False, "restartCount": 0,
         "state": {"running": {}}}]}}  # fmt: skip
    _, errors = updated(PODS, old, body, sub("status"))
    assert errors == [
        ("status.containerStatuses[0].state",
         "Forbidden: may not be transitioned to non-terminated state")
    ]  # fmt: skip


def test_ephemeral_containers_are_added_and_then_stay():
    old = made(PODS, POD)
    body = changed(POD, "spec.ephemeralContainers", [{"name": "dbg", "image": "busybox"}])
    new, errors = updated(
        PODS, old, changed(body, "spec.hostname", "h"), sub("ephemeralcontainers")
    )
    assert errors == []
    assert "hostname" not in new["spec"]
    assert [c["name"] for c in new["spec"]["ephemeralContainers"]] == ["dbg"]
    body = changed(POD, "spec.ephemeralContainers", [{"name": "dbg", "image": "other"}])
    _, errors = updated(PODS, new, body, sub("ephemeralcontainers"))
    assert errors == [
        (
            "spec.ephemeralContainers",
            'Forbidden: existing ephemeral containers "dbg" may not be changed\n'
            '@@ -1,6 +1,6 @@\n {\n  "Name": "dbg",\n- "Image": "busybox",\n+ "Image": "other",\n'
            '  "Command": null,\n  "Args": null,\n  "WorkingDir": "",\n',
        )
    ]


def test_ephemeral_containers_serve_nothing():
    old = made(PODS, POD)
    body = changed(POD, "spec.ephemeralContainers", [
        {"name": "c", "image": "b", "ports": [{"containerPort": 1}], "targetContainerName": "x"}
    ])  # fmt: skip
    _, errors = updated(PODS, old, body, sub("ephemeralcontainers"))
    assert errors == [
        ("spec.ephemeralContainers[0].name", 'Duplicate value: "c"'),
        ("spec.ephemeralContainers[0].targetContainerName", 'Not found: "x"'),
        (
            "spec.ephemeralContainers[0].ports",
            "Forbidden: cannot be set for an Ephemeral Container",
        ),
    ]


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({"requests": {"cpu": "2"}}, []),
        ({}, [("spec", 'Invalid value: "Burstable": Pod QOS Class may not change as a result of '
               "resizing"),
              ("spec.containers[0].resources.requests",
               "Forbidden: resource requests cannot be removed")]),
        ({"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}, []),
        ({"requests": {"cpu": "1", "ephemeral-storage": "1Gi"}},
         [("spec", "Forbidden: only cpu and memory resources are mutable")]),
    ],
)  # fmt: skip
def test_resize(resources, expected):
    body = changed(POD, "spec.containers.0.resources", {"requests": {"cpu": "1"}})
    old = made(PODS, body)
    new, errors = updated(
        PODS, old, changed(body, "spec.containers.0.resources", resources), sub("resize")
    )
    assert errors == expected
    assert new["spec"]["containers"][0]["image"] == "nginx:1"


INIT = {"name": "i", "image": "i:1", "resources": {"requests": {"cpu": "1"}}}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("initContainers.0.resources.requests.cpu", "2", []),
        ("containers", [{**C, "name": "d"}],
         [("spec.containers[0].name", "Forbidden: containers may not be renamed or reordered on "
           "resize")]),
        ("containers", [C, {**C, "name": "d"}],
         [("spec.containers", "Forbidden: containers may not be added or removed on resize")]),
        ("initContainers.0.resources.requests", {"cpu": "1", "ephemeral-storage": "1Gi"},
         [("spec.initContainers[0]", "Forbidden: only cpu and memory resources for init or sidecar "
           "containers are mutable")]),
        ("resources", {"requests": {"cpu": "2"}}, []),
    ],
)  # fmt: skip
def test_resize_of_the_rest(path, value, expected):
    body = {"spec": {"containers": [C], "initContainers": [INIT]}}
    _, errors = updated(PODS, made(PODS, body), changed(body, f"spec.{path}", value), sub("resize"))
    assert errors == expected


def test_resize_needs_a_kubelet_that_reports_resources():
    old = made(PODS, changed(POD, "spec.containers.0.resources", {"requests": {"cpu": "1"}}))
    old["status"]["containerStatuses"] = [{"name": "c", "state": {"running": {}}}]
    _, errors = updated(PODS, old, old, sub("resize"))
    assert errors == [("spec", "Forbidden: Pod running on node without support for resize")]


def test_an_update_says_twice_what_is_wrong_with_tolerations():
    bad = [{"key": "a", "operator": "Maybe"}]
    _, errors = updated(PODS, made(PODS, POD), changed(POD, "spec.tolerations", bad))
    message = 'Unsupported value: "Maybe": supported values: "Equal", "Exists"'
    assert errors == [("spec.tolerations[0].operator", message)] * 2


def test_fields_of_features_that_are_off_are_dropped():
    body = {"spec": {
        "schedulingGroup": {"podGroupName": "g"},
        "containers": [{**C, "lifecycle": {"stopSignal": "SIGTERM"}}],
        "volumes": [{"name": "v", "projected": {"sources": [
            {"podCertificate": {"signerName": "a.b/c", "keyType": "ED25519"}}]}}]}}  # fmt: skip
    spec = made(PODS, body)
    PODS.strategy.drop_disabled(spec, None)
    spec = spec["spec"]
    assert "schedulingGroup" not in spec
    assert "lifecycle" not in spec["containers"][0]
    assert spec["volumes"][0]["projected"]["sources"] == [{}]


@pytest.mark.parametrize(
    ("spec", "phase", "requested", "expected"),
    [
        ({"nodeName": "n"}, "Running", None, 30),
        ({"nodeName": "n"}, "Running", 5, 5),
        ({"nodeName": "n"}, "Running", 0, 0),
        ({"nodeName": "n"}, "Running", -1, 1),
        ({"nodeName": "n"}, "Succeeded", None, 0),
        ({}, "Pending", 30, 0),
    ],
)
def test_grace(spec, phase, requested, expected):
    pod = made(PODS, {"spec": {"containers": [C], **spec}})
    pod["status"]["phase"] = phase
    assert PODS.strategy.grace_period(pod, requested, context()) == expected


def test_the_diff_shows_host_fields_where_the_server_keeps_them():
    old = read(PODS, POD)["spec"]
    assert diff("PodSpec", old, {**old, "hostNetwork": True}) == (
        '@@ -44,7 +44,7 @@\n  "AutomountServiceAccountToken": null,\n  "NodeName": "",\n'
        '  "SecurityContext": {\n-  "HostNetwork": false,\n+  "HostNetwork": true,\n'
        '   "HostPID": false,\n   "HostIPC": false,\n   "ShareProcessNamespace": null,\n'
    )


@pytest.mark.parametrize(
    ("container", "warning"),
    [
        ({"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]},
         'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when '
         "using apply"),
        ({"ports": [{"containerPort": 1}, {"containerPort": 1}]},
         "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]"),
        ({"resources": {"requests": {"memory": "1500m"}}},
         'spec.containers[0].resources.requests[memory]: fractional byte value "1500m" is invalid,'
         " must be an integer"),
    ],
)  # fmt: skip
def test_warnings(container, warning):
    pod = made(PODS, {"spec": {"containers": [{**C, **container}]}})
    assert PODS.strategy.warnings_on_create(pod, context()) == [warning]


def items(*paths):
    return [{"key": "k", "path": path} for path in paths]


def test_so_many_files_are_not_compared_that_others_would_wait():
    many = items(*(f"a{number}" for number in range(20_000)))
    nameless = [{"secret": {"name": "s"}}] * 20_000
    pod = {
        "metadata": {"name": "p"},
        "spec": {
            "volumes": [
                {"name": "m", "configMap": {"name": "m", "items": many}},
                {"name": "p", "projected": {
                    "sources": [{"configMap": {"name": "m", "items": many}}, *nameless]}},
            ]
        },
    }  # fmt: skip
    began = time.process_time()
    assert not list(overlap_warnings(pod["spec"]["volumes"]))
    # Comparing all would take minutes.
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("volume", "warnings"),
    [
        ({"configMap": {"name": "m", "items": items("a", "b/c")}}, []),
        ({"configMap": {"name": "m", "items": items("a", "a/b")}},
         ['volume "v" (ConfigMap "m"): overlapping paths: "a/b" with "a"']),
        ({"secret": {"secretName": "s", "items": items("a/b", "a/")}},
         ['volume "v" (Secret "s"): overlapping paths: "a" with "a/b"']),
        ({"projected": {"sources": [{}, {"secret": {"name": "s", "items": items("a")}},
                                    {"configMap": {"name": "m", "items": items("a")}}]}},
         ['volume "v" (Projected) has no sources provided',
          'volume "v" (Projected ConfigMap "m"): overlapping paths: "a" with "a"']),
        ({"ephemeral": {"volumeClaimTemplate": {"spec": {"resources": {"requests": {
            "storage": "1500m"}}}}}},
         ["spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources.requests[storage]: "
          'fractional byte value "1500m" is invalid, must be an integer']),
        ({"gitRepo": {"repository": "r"}}, ["spec.volumes[0].gitRepo: deprecated in v1.11"]),
    ],
)  # fmt: skip
def test_warnings_of_volumes(volume, warnings):
    pod = made(PODS, {"spec": {"containers": [C], "volumes": [{"name": "v", **volume}]}})
    assert PODS.strategy.warnings_on_create(pod, context()) == warnings


def test_warnings_of_names_and_ports():
    ports = [{"containerPort": 80, "name": "http", "hostIP": "10.0.0.1"}]
    body = {"metadata": {"name": "a.b", "namespace": "default"},
            "spec": {"containers": [{**C, "ports": ports}]}}  # fmt: skip
    assert PODS.strategy.warnings_on_create(made(PODS, body), context()) == [
        "metadata.name: this is used in the Pod's hostname, which can result in surprising "
        "behavior; a DNS label is recommended: [must not contain dots]",
        "spec.containers[0].ports[0]: hostIP set without hostPort: {Name:http HostPort:0 "
        "ContainerPort:80 Protocol:TCP HostIP:10.0.0.1}",
    ]


def test_columns():
    pod = made(PODS, changed(POD, "spec.nodeName", "n1"))
    pod["metadata"]["creationTimestamp"] = "2026-01-02T03:04:00Z"
    cells = [column.value(pod, 1_767_323_045.0) for column in PODS.columns]
    assert cells == ["it", "0/1", "Pending", "0", "5s", "<none>", "n1", "<none>", "<none>"]
    assert {path: value(pod) for path, value in PODS.selectable.items()} == {
        "spec.nodeName": "n1",
        "spec.restartPolicy": "Always",
        "spec.schedulerName": "default-scheduler",
        "spec.serviceAccountName": "",
        "spec.hostNetwork": "false",
        "status.phase": "Pending",
        "status.podIP": "",
        "status.nominatedNodeName": "",
    }
