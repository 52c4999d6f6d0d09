"""Storage classes, drivers, nodes, capacities and attachments."""

from __future__ import annotations

from apiserver.registry.storage import (
    CSIDRIVERS,
    CSINODES,
    CSISTORAGECAPACITIES,
    STORAGECLASSES,
    VOLUMEATTACHMENTS,
    VOLUMEATTRIBUTESCLASSES,
)
from tests.apiserver.registry.trying import cells, create_errors, created, update_errors


def test_class_defaults_and_words():
    made = created(STORAGECLASSES, provisioner="example.com/d")
    assert (made["reclaimPolicy"], made["volumeBindingMode"]) == ("Delete", "Immediate")
    assert create_errors(
        STORAGECLASSES, provisioner="", reclaimPolicy="Recycle", volumeBindingMode="Later"
    ) == [
        "provisioner: Required value",
        'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
        (
            'volumeBindingMode: Unsupported value: "Later": '
            'supported values: "Immediate", "WaitForFirstConsumer"'
        ),
    ]


def test_how_a_class_makes_volumes_is_for_good():
    old = created(STORAGECLASSES, provisioner="a")
    change = {"provisioner": "b", "allowVolumeExpansion": True}
    assert update_errors(STORAGECLASSES, old, lambda c: c.update(change)) == [
        'provisioner: Invalid value: "b": field is immutable'
    ]


def test_topologies_are_not_said_twice():
    term = {"matchLabelExpressions": [{"key": "zone", "values": ["a", "a"]}]}
    found = create_errors(STORAGECLASSES, provisioner="a", allowedTopologies=[term, term])
    assert [error.split(":")[0] for error in found] == [
        "allowedTopologies[0].matchLabelExpressions[0].values[1]",
        "allowedTopologies[1].matchLabelExpressions[0].values[1]",
        "allowedTopologies[1].matchLabelExpressions",
    ]


def test_default_class_is_marked_in_its_row():
    notes = {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
    made = created(STORAGECLASSES, "c", metadata=notes, provisioner="a")
    assert cells(STORAGECLASSES, made)[0] == "c (default)"


def test_driver():
    made = created(CSIDRIVERS, spec={})
    assert made["spec"] == {
        "attachRequired": True,
        "podInfoOnMount": False,
        "storageCapacity": False,
        "fsGroupPolicy": "ReadWriteOnceWithFSType",
        "requiresRepublish": False,
        "seLinuxMount": False,
        "volumeLifecycleModes": ["Persistent"],
    }
    assert cells(CSIDRIVERS, made)[4] == "<unset>"
    tokens = [{"audience": "a", "expirationSeconds": 5}, {"audience": "a"}]
    assert create_errors(CSIDRIVERS, spec={"tokenRequests": tokens, "fsGroupPolicy": "No"}) == [
        (
            'spec.fsGroupPolicy: Unsupported value: "No": '
            'supported values: "File", "None", "ReadWriteOnceWithFSType"'
        ),
        (
            "spec.tokenRequests[0].expirationSeconds: Invalid value: 5: "
            "may not specify a duration less than 10 minutes"
        ),
        'spec.tokenRequests[1].audience: Duplicate value: "a"',
    ]
    assert update_errors(CSIDRIVERS, made, lambda d: d["spec"].update(attachRequired=False)) == [
        "spec.attachedRequired: Invalid value: false: field is immutable"
    ]


def test_node_drivers():
    driver = {"name": "d.example.com", "nodeID": "n"}
    assert create_errors(CSINODES, spec={"drivers": [driver, driver | {"nodeID": ""}]}) == [
        "spec.drivers[1].nodeID: Required value",
        'spec.drivers[1].name: Duplicate value: "d.example.com"',
    ]
    old = created(CSINODES, spec={"drivers": [driver]})

    def count(node):
        node["spec"]["drivers"][0]["allocatable"] = {"count": 3}

    def rename(node):
        node["spec"]["drivers"][0]["nodeID"] = "m"

    assert update_errors(CSINODES, old, count) == []
    (error,) = update_errors(CSINODES, old, rename)
    assert error.startswith("spec.drivers: Invalid value: ")


def test_attachment():
    spec = {"attacher": "a", "nodeName": "n", "source": {"persistentVolumeName": "v"}}
    made = created(VOLUMEATTACHMENTS, spec=spec, status={"attached": True})
    assert made["status"] == {"attached": False}
    assert cells(VOLUMEATTACHMENTS, made)[1:5] == ["a", "v", "n", False]
    found = create_errors(VOLUMEATTACHMENTS, spec={"source": {}})
    assert [error.split(":")[0] for error in found] == [
        "spec.attacher",
        "spec.source",
        "spec.nodeName",
    ]
    (error,) = update_errors(VOLUMEATTACHMENTS, made, lambda a: a["spec"].update(nodeName="m"))
    assert error.startswith("spec: Invalid value: ")
    why = {"attachError": {"message": "x" * 1025, "errorCode": -1}}
    found = update_errors(VOLUMEATTACHMENTS, made, lambda a: a["status"].update(why), "status")
    assert [error.split(":")[0] for error in found] == [
        "status.attachError.message",
        "status.attachError.errorCode",
    ]


def test_capacity():
    assert create_errors(CSISTORAGECAPACITIES, storageClassName="c", capacity="-1Gi") == [
        'capacity: Invalid value: "-1Gi": must be greater than or equal to 0'
    ]
    old = created(CSISTORAGECAPACITIES, storageClassName="c", capacity="1Gi")
    change = {"storageClassName": "d", "capacity": "2Gi"}
    assert update_errors(CSISTORAGECAPACITIES, old, lambda c: c.update(change)) == [
        'storageClassName: Invalid value: "d": field is immutable'
    ]


def test_attributes_class():
    assert create_errors(VOLUMEATTRIBUTESCLASSES, driverName="d") == [
        "parameters: Required value: must contain at least one key/value pair"
    ]
    old = created(VOLUMEATTRIBUTESCLASSES, driverName="d", parameters={"iops": "1"})
    assert update_errors(
        VOLUMEATTRIBUTESCLASSES, old, lambda c: c.update(parameters={"iops": "2"})
    ) == ["parameters: Forbidden: updates to parameters are forbidden."]


def test_a_driver_without_token_requests_has_no_place_for_them():
    assert create_errors(CSIDRIVERS, spec={"serviceAccountTokenInSecrets": False}) == [
        (
            "spec.serviceAccountTokenInSecrets: Invalid value: false: "
            "serviceAccountTokenInSecrets is set but no tokenRequests are specified"
        )
    ]
