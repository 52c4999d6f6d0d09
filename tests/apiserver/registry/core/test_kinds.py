"""The smaller kinds of core/v1: what is wrong with an object, and what may not change."""

# Tables of messages read best unwrapped.
# ruff: noqa: E501, ISC004

from __future__ import annotations

import base64

import pytest

from apiserver.registry.core.componentstatuses import COMPONENTSTATUSES, computed
from apiserver.registry.core.configmaps import CONFIGMAPS
from apiserver.registry.core.endpoints import ENDPOINTS
from apiserver.registry.core.events import EVENTS, EventsV1Strategy, from_events_v1, to_events_v1
from apiserver.registry.core.limitranges import LIMITRANGES
from apiserver.registry.core.namespaces import NAMESPACES
from apiserver.registry.core.nodes import NODES
from apiserver.registry.core.persistentvolumeclaims import PERSISTENTVOLUMECLAIMS
from apiserver.registry.core.persistentvolumes import PERSISTENTVOLUMES
from apiserver.registry.core.podtemplates import PODTEMPLATES
from apiserver.registry.core.replicationcontrollers import REPLICATIONCONTROLLERS
from apiserver.registry.core.resourcequotas import RESOURCEQUOTAS
from apiserver.registry.core.secrets import SECRETS
from tests.apiserver.registry.podspec.support import (
    changed,
    context,
    create_errors,
    made,
    read,
    update_errors,
    updated,
)

CLAIM = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
VOLUME = {"spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
                   "hostPath": {"path": "/data"}}}  # fmt: skip
TEMPLATE = {
    "metadata": {"labels": {"a": "b"}},
    "spec": {"containers": [{"name": "c", "image": "i"}]},
}
EVENT = {"involvedObject": {"kind": "Pod", "namespace": "default", "name": "p"}}
FROZEN = "Forbidden: field is immutable when `immutable` is set"


def limits(**item):
    return {"spec": {"limits": [{"type": "Container", **item}]}}


def hard(**spec):
    return {"spec": spec}


@pytest.mark.parametrize(
    ("resource", "body", "expected"),
    [
        (CONFIGMAPS, {"data": {"a": "1"}, "binaryData": {"b": "eA=="}}, []),
        (CONFIGMAPS, {"data": {"..": "1"}}, [("data[..]", "Invalid value: \"..\": must not be '..'")]),
        (CONFIGMAPS, {"data": {"a": "1"}, "binaryData": {"a": "eA=="}}, [
            ("data[a]", 'Invalid value: "a": duplicate of key present in binaryData')]),
        (CONFIGMAPS, {"data": {"a": "x" * 1048577}}, [
            ("", "Too long: may not be more than 1048576 bytes")]),
        (SECRETS, {"type": "kubernetes.io/tls", "data": {"x": "eA=="}}, [
            ("data[tls.crt]", "Required value"), ("data[tls.key]", "Required value")]),
        (SECRETS, {"type": "kubernetes.io/basic-auth"}, [
            ("data[username]", "Required value"), ("data[password]", "Required value")]),
        (SECRETS, {"type": "kubernetes.io/dockerconfigjson", "stringData": {
            ".dockerconfigjson": "nope"}}, [("data[.dockerconfigjson]", 'Invalid value: "<secret '
            'contents redacted>": invalid character \'n\' looking for beginning of value')]),
        (SECRETS, {"type": "kubernetes.io/service-account-token"}, [
            ("metadata.annotations[kubernetes.io/service-account.name]", "Required value")]),
        (ENDPOINTS, {"subsets": [{"ports": [{"port": 0}]}]}, [
            ("subsets[0]", "Required value: must specify `addresses` or `notReadyAddresses`"),
            ("subsets[0].ports[0].port",
             "Invalid value: 0: must be between 1 and 65535, inclusive")]),
        (ENDPOINTS, {"subsets": [{"addresses": [{"ip": "169.254.1.1"}]}]}, [
            ("subsets[0].addresses[0].ip", 'Invalid value: "169.254.1.1": may not be in the '
             "link-local range (169.254.0.0/16, fe80::/10)")]),
        (EVENTS, EVENT, []),
        (EVENTS, changed(EVENT, "involvedObject.namespace", "elsewhere"), [
            ("involvedObject.namespace",
             'Invalid value: "elsewhere": does not match event.namespace')]),
        (EVENTS, {**EVENT, "eventTime": "2024-01-01T00:00:00.000000Z", "reason": "R",
                  "reportingComponent": "c", "reportingInstance": "i"}, [
            ("action", "Required value")]),
        (LIMITRANGES, limits(min={"cpu": "2"}, max={"cpu": "1"}), [
            ("spec.limits[0].min[cpu]",
             'Invalid value: "2": min value 2 is greater than max value 1'),
            ("spec.limits[0].default[cpu]",
             'Invalid value: "2": min value 2 is greater than default value 1'),
            ("spec.limits[0].defaultRequest[cpu]",
             'Invalid value: "1": min value 2 is greater than default request value 1')]),
        (LIMITRANGES, {"spec": {"limits": [{"type": "Pod", "default": {"cpu": "2"},
                                            "max": {"cpu": "1"}}, {"type": "Pod"}]}}, [
            ("spec.limits[0].default", "Forbidden: may not be specified when `type` is 'Pod'"),
            ("spec.limits[1].type", 'Duplicate value: "Pod"')]),
        (LIMITRANGES, limits(max={"bananas": "1"}), [
            (f"spec.limits[0].{bound}[bananas]", f'Invalid value: "bananas": must be a {words}')
            for bound in ("max", "default", "defaultRequest")
            for words in ("standard resource type or fully qualified",
                          "standard resource for containers")]),
        (LIMITRANGES, {"spec": {"limits": [{"type": "PersistentVolumeClaim"}]}}, [
            ("spec.limits[0].limits", "Required value: either minimum or maximum storage value "
             "is required, but neither was provided")]),
        (RESOURCEQUOTAS, hard(hard={"pods": "1", "count/jobs.batch": "2", "requests.cpu": "1"}), []),
        (RESOURCEQUOTAS, hard(hard={"bananas": "1"}), [
            ("spec.hard[bananas]", 'Invalid value: "bananas": must be a standard resource type or '
             "fully qualified"),
            ("spec.hard[bananas]",
             'Invalid value: "bananas": must be a standard resource for quota')]),
        (RESOURCEQUOTAS, hard(hard={"pods": "500m"}), [
            ("spec.hard[pods]", 'Invalid value: "500m": must be an integer')]),
        (RESOURCEQUOTAS, hard(hard={"cpu": "1"}, scopes=["BestEffort"]), [
            ("spec.scopes", 'Invalid value: ["BestEffort"]: unsupported scope applied to resource')]),
        (RESOURCEQUOTAS, hard(scopes=["Terminating", "NotTerminating"]), [
            ("spec.scopes",
             'Invalid value: ["Terminating","NotTerminating"]: conflicting scopes')]),
        (NODES, {"spec": {"taints": [{"key": "a", "effect": "Nope"}]}}, [
            ("metadata.taints[0].effect", 'Unsupported value: "Nope": supported values: '
             '"NoSchedule", "PreferNoSchedule", "NoExecute"')]),
        (NODES, {"spec": {"podCIDR": "10.0.0.0/33"}}, [
            ("spec.podCIDRs[0]", 'Invalid value: "10.0.0.0/33": must be a valid CIDR value, '
             "(e.g. 10.9.8.0/24 or 2001:db8::/64)")]),
        (PERSISTENTVOLUMECLAIMS, {"spec": {}}, [
            ("spec.accessModes", "Required value: at least 1 access mode is required"),
            ("spec.resources[storage]", "Required value")]),
        (PERSISTENTVOLUMECLAIMS, changed(CLAIM, "spec.accessModes", ["Nope"]), [
            ("spec.accessModes", 'Unsupported value: "Nope": supported values: "ReadOnlyMany", '
             '"ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"')]),
        (PERSISTENTVOLUMECLAIMS, changed(CLAIM, "spec.resources.requests.storage", "0"), [
            ("spec.resources[storage]", 'Invalid value: "0": must be greater than zero')]),
        (PERSISTENTVOLUMES, {"spec": {}}, [
            ("spec.accessModes", "Required value"),
            ("spec.capacity", "Required value"),
            ("spec.capacity", 'Unsupported value: {}: supported values: "storage"'),
            ("spec", "Required value: must specify a volume type")]),
        (PERSISTENTVOLUMES, changed(changed(VOLUME, "spec.hostPath", None), "spec.local",
                                    {"path": "/d"}), [
            ("spec.nodeAffinity", "Required value: Local volume requires node affinity")]),
        (PODTEMPLATES, {"template": {"spec": {"containers": []}}}, [
            ("template.spec.containers", "Required value")]),
        (REPLICATIONCONTROLLERS, {"spec": {"replicas": -1, "template": TEMPLATE}}, [
            ("spec.replicas", "Invalid value: -1: must be greater than or equal to 0")]),
        (REPLICATIONCONTROLLERS, {"spec": {"selector": {"x": "y"}, "template": TEMPLATE}}, [
            ("spec.template.metadata.labels", 'Invalid value: {"a":"b"}: `selector` does not match '
             "template `labels`")]),
        (NAMESPACES, {"spec": {"finalizers": ["odd"]}}, [
            ("spec.finalizers", 'Invalid value: "odd": name is neither a standard finalizer name '
             "nor is it fully qualified")]),
    ],
)  # fmt: skip
def test_create(resource, body, expected):
    assert sorted(create_errors(resource, body)) == sorted(expected)


@pytest.mark.parametrize(
    ("resource", "old", "new", "expected"),
    [
        (CONFIGMAPS, {"data": {"a": "1"}, "immutable": True}, {"data": {"a": "2"}},
         [("immutable", FROZEN), ("data", FROZEN)]),
        (SECRETS, {"immutable": True, "stringData": {"a": "1"}},
         {"immutable": True, "stringData": {"a": "2"}}, [("data", FROZEN)]),
        (SECRETS, {"type": "a/b"}, {"type": "c/d"},
         [("type", 'Invalid value: "c/d": field is immutable')]),
        (NODES, {"spec": {"podCIDR": "10.1.0.0/24", "providerID": "a"}},
         {"spec": {"podCIDR": "10.2.0.0/24"}},
         [("spec.podCIDRs",
           'Forbidden: node updates may not change podCIDR except from "" to valid'),
          ("spec.providerID",
           'Forbidden: node updates may not change providerID except from "" to valid')]),
        (RESOURCEQUOTAS, hard(scopes=["Terminating"]), hard(),
         [("spec.scopes", "Invalid value: null: field is immutable")]),
        (PERSISTENTVOLUMECLAIMS, CLAIM, changed(CLAIM, "spec.storageClassName", "late"), []),
        (PERSISTENTVOLUMECLAIMS, CLAIM, changed(CLAIM, "spec.resources.requests.storage", "2Gi"),
         [("spec", "Forbidden: spec is immutable after creation except resources.requests and "
           "volumeAttributesClassName for bound claims\n@@ -6,7 +6,7 @@\n  \"Resources\": {\n"
           '   "Limits": null,\n   "Requests": {\n-   "storage": "1Gi"\n+   "storage": "2Gi"\n'
           '   }\n  },\n  "VolumeName": "",\n')]),
        (PERSISTENTVOLUMES, VOLUME, changed(VOLUME, "spec.accessModes", ["ReadOnlyMany"]), []),
    ],
)  # fmt: skip
def test_update(resource, old, new, expected):
    assert update_errors(resource, made(resource, old), new) == expected


def test_a_bound_claim_may_grow_and_not_shrink_below_what_it_has():
    old = made(PERSISTENTVOLUMECLAIMS, changed(CLAIM, "spec.volumeName", "v"))
    old["status"] = {"phase": "Bound", "capacity": {"storage": "1Gi"}}
    grown = changed(old, "spec.resources.requests.storage", "2Gi")
    assert update_errors(PERSISTENTVOLUMECLAIMS, old, grown) == []
    shrunk = changed(old, "spec.resources.requests.storage", "512Mi")
    assert update_errors(PERSISTENTVOLUMECLAIMS, old, shrunk) == [
        ("spec.resources.requests.storage", "Forbidden: field can not be less than status.capacity")
    ]


def test_the_source_of_a_volume_stays():
    old = made(PERSISTENTVOLUMES, VOLUME)
    ((path, message),) = update_errors(
        PERSISTENTVOLUMES, old, changed(VOLUME, "spec.hostPath.path", "/x")
    )
    assert path == "spec.persistentvolumesource"
    assert message.startswith(
        "Forbidden: spec.persistentvolumesource is immutable after creation\n@@"
    )
    assert '+  "Path": "/x",\n' in message


def test_secrets_are_written_as_text_and_read_as_bytes():
    obj = read(SECRETS, {"stringData": {"user": "ann"}, "data": {"pw": "c2VjcmV0"}})
    assert obj["data"] == {"pw": "c2VjcmV0", "user": base64.b64encode(b"ann").decode()}
    assert "stringData" not in obj
    assert obj["type"] == "Opaque"


def test_a_limit_range_fills_itself_in():
    obj = read(
        LIMITRANGES, limits(default={"cpu": "500m"}, max={"memory": "1Gi"}, min={"cpu": "1m"})
    )
    assert obj["spec"]["limits"] == [
        {
            "type": "Container",
            "default": {"cpu": "500m", "memory": "1Gi"},
            "defaultRequest": {"cpu": "500m", "memory": "1Gi"},
            "max": {"memory": "1Gi"},
            "min": {"cpu": "1m"},
        }
    ]


def test_a_namespace_has_its_name_for_a_label_and_a_finalizer():
    obj = made(NAMESPACES, {"metadata": {"name": "n"}})
    assert obj["metadata"]["labels"] == {"kubernetes.io/metadata.name": "n"}
    assert obj["spec"] == {"finalizers": ["kubernetes"]}
    assert obj["status"] == {"phase": "Active"}
    assert not NAMESPACES.strategy.may_be_removed(obj)


def test_a_namespace_goes_when_its_finalizers_are_gone():
    old = made(NAMESPACES, {"metadata": {"name": "n"}})
    NAMESPACES.strategy.prepare_for_delete(old, context())
    assert old["status"]["phase"] == "Terminating"
    strategy = NAMESPACES.subresources["finalize"].strategy
    new, errors = updated(NAMESPACES, old, changed(old, "spec.finalizers", []), strategy)
    assert errors == []
    assert NAMESPACES.strategy.may_be_removed(new)
    kept, _ = updated(NAMESPACES, old, changed(old, "spec.finalizers", []))
    assert kept["spec"] == {"finalizers": ["kubernetes"]}


def test_a_namespaces_phase_follows_its_deletion():
    old = made(NAMESPACES, {"metadata": {"name": "n"}})
    body = {**old, "status": {"phase": "Terminating"}}
    _, errors = updated(NAMESPACES, old, body, NAMESPACES.subresources["status"].strategy)
    assert errors == [
        ("status.Phase",
         "Invalid value: \"Terminating\": may only be 'Active' if `deletionTimestamp` is empty")
    ]  # fmt: skip


def test_events_of_the_newer_group():
    event = {"kind": "Event", "apiVersion": "v1", "metadata": {"name": "e", "namespace": "default"},
             "involvedObject": {"kind": "Pod"}, "message": "hi", "reportingComponent": "c",
             "source": {}, "firstTimestamp": None, "type": "Odd"}  # fmt: skip
    shown = to_events_v1(event)
    assert shown["regarding"] == {"kind": "Pod"}
    assert (shown["note"], shown["reportingController"], shown["deprecatedSource"]) == (
        "hi",
        "c",
        {},
    )
    assert from_events_v1(shown) == event
    errors = [(e.path, e.message) for e in EventsV1Strategy().validate(event, context())]
    assert errors == [
        ("eventTime", "Required value"),
        ("type", 'Invalid value: "": has invalid value: Odd'),
    ]


def test_every_part_of_the_control_plane_is_well():
    cells = [[c.value(obj, 0.0) for c in COMPONENTSTATUSES.columns] for obj in computed()]
    assert cells[0] == ["scheduler", "Healthy", "ok", ""]


@pytest.mark.parametrize(
    ("resource", "body", "cells"),
    [
        (CONFIGMAPS, {"data": {"a": "1"}, "binaryData": {"b": "eA=="}}, ["it", 2]),
        (SECRETS, {"stringData": {"a": "1"}}, ["it", "Opaque", 1]),
        (ENDPOINTS, {"subsets": [{"addresses": [{"ip": f"10.0.0.{n}"} for n in range(1, 6)],
                                  "ports": [{"port": 80}]}]},
         ["it", "10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more..."]),
        (ENDPOINTS, {}, ["it", "<none>"]),
        (NODES, {"metadata": {"name": "it", "labels": {"node-role.kubernetes.io/control-plane": ""}},
                 "spec": {"unschedulable": True}},
         ["it", "Unknown,SchedulingDisabled", "control-plane"]),
        (PERSISTENTVOLUMES, VOLUME, ["it", "1Gi", "RWO", "Retain", "Pending", "", "", "<unset>", ""]),
        (PERSISTENTVOLUMECLAIMS, CLAIM, ["it", "Pending", "", "", "", "", "<unset>"]),
        (RESOURCEQUOTAS, {}, ["it", "", ""]),
        (PODTEMPLATES, {"template": TEMPLATE}, ["it", "c", "i", "a=b"]),
        (REPLICATIONCONTROLLERS, {"spec": {"template": TEMPLATE}}, ["it", 1, 0, 0]),
        (EVENTS, {**EVENT, "message": "hello\n", "type": "Normal"},
         ["<unknown>", "Normal", "", "pod/p", "", "", "hello", "<unknown>", 1, "it"]),
    ],
)  # fmt: skip
def test_columns(resource, body, cells):
    obj = made(resource, body)
    found = [column.value(obj, 0.0) for column in resource.columns[: len(cells)]]
    assert found == cells


def test_a_quota_shows_what_is_used():
    obj = made(RESOURCEQUOTAS, {})
    obj["status"] = {"hard": {"pods": "3", "limits.cpu": "2"}, "used": {"pods": "1"}}
    assert [c.value(obj, 0.0) for c in RESOURCEQUOTAS.columns[1:3]] == [
        "pods: 1/3", "limits.cpu: 0/2"
    ]  # fmt: skip


def test_a_changed_controller_is_checked_twice_but_for_its_counts():
    old = made(REPLICATIONCONTROLLERS, {"spec": {"template": TEMPLATE}})
    new = {"spec": {"template": TEMPLATE, "replicas": -1, "selector": {"x": "y"}}}
    assert [path for path, _ in update_errors(REPLICATIONCONTROLLERS, old, new)] == [
        "spec.template.metadata.labels",
        "spec.template.metadata.labels",
        "spec.replicas",
    ]
