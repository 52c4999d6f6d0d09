"""Device classes, claims, templates and slices."""

from __future__ import annotations

import pytest

from apiserver.registry.dra import (
    DEVICECLASSES,
    RESOURCECLAIMS,
    RESOURCECLAIMTEMPLATES,
    RESOURCESLICES,
)
from apiserver.registry.dra.devicetaintrules import DEVICETAINTRULES
from tests.apiserver.registry.trying import cells, context, create_errors, created, update_errors

GPU = {"name": "r", "exactly": {"deviceClassName": "gpu"}}


def claim(*requests, **more):
    return {"devices": {"requests": list(requests), **more}}


ONE = "exactly one of `exactly` or `firstAvailable` is required"
ONE = "exactly one of `exactly` or `firstAvailable` is required"
REQUEST = "spec.devices.requests[0]"


@pytest.mark.parametrize(
    ("spec", "errors"),
    [
        (claim(GPU), []),
        (
            claim({"name": "r"}),
            [f"{REQUEST}: Required value: {ONE}"],
        ),
        (claim(GPU, GPU), ['spec.devices.requests[1]: Duplicate value: "r"']),
        (
            claim({"name": "r", "exactly": GPU["exactly"] | {"allocationMode": "All", "count": 2}}),
            [
                (
                    f"{REQUEST}.exactly.count: Invalid value: 2: "
                    "must not be specified when allocationMode is 'All'"
                )
            ],
        ),
        (
            claim(GPU, constraints=[{"requests": ["x"], "matchAttribute": "a.example.com/b"}]),
            [
                (
                    'spec.devices.constraints[0].requests[0]: Invalid value: "x": '
                    "must be the name of a request in the claim or the name of a request "
                    "and a subrequest separated by '/'"
                )
            ],
        ),
    ],
)
def test_claims(spec, errors):
    assert create_errors(RESOURCECLAIMS, spec=spec) == errors


def test_claim_asks_for_one_device_for_good():
    made = created(RESOURCECLAIMS, spec=claim(GPU))
    exactly = made["spec"]["devices"]["requests"][0]["exactly"]
    assert exactly == {"deviceClassName": "gpu", "allocationMode": "ExactCount", "count": 1}

    def more(obj):
        obj["spec"]["devices"]["requests"][0]["exactly"]["count"] = 2

    (error,) = update_errors(RESOURCECLAIMS, made, more)
    assert error.startswith("spec: Invalid value: ")
    assert error.endswith("field is immutable")


def test_claim_is_reserved_once_it_is_allocated():
    old = created(RESOURCECLAIMS, spec=claim(GPU))
    user = {"resource": "pods", "name": "p", "uid": "u"}
    found = update_errors(
        RESOURCECLAIMS, old, lambda c: c["status"].update(reservedFor=[user]), "status"
    )
    assert found == [
        "status.reservedFor: Forbidden: may not be specified when `allocated` is not set"
    ]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ({}, "pending"),
        ({"allocation": {}}, "allocated"),
        ({"allocation": {}, "reservedFor": [{}]}, "allocated,reserved"),
    ],
)
def test_claim_row(status, state):
    made = created(RESOURCECLAIMS, spec=claim(GPU)) | {"status": status}
    assert cells(RESOURCECLAIMS, made)[1] == state


def test_class_selectors_compile():
    selector = {"cel": {"expression": "1 +"}}
    (error,) = create_errors(DEVICECLASSES, spec={"selectors": [selector]})
    assert error.startswith(
        'spec.selectors[0].cel.expression: Invalid value: "1 +": compilation failed: '
    )


def test_template_never_changes():
    made = created(RESOURCECLAIMTEMPLATES, spec={"spec": claim(GPU)})
    assert made["spec"]["spec"]["devices"]["requests"][0]["exactly"]["count"] == 1
    change = {"metadata": {"labels": {"a": "b"}}}
    (error,) = update_errors(RESOURCECLAIMTEMPLATES, made, lambda t: t["spec"].update(change))
    assert error.startswith("spec: Invalid value: ")


def test_slices():
    spec = {"driver": "d.example.com", "pool": {"name": "p", "resourceSliceCount": 1}}
    assert create_errors(RESOURCESLICES, spec=spec | {"nodeName": "n"}) == []
    assert create_errors(RESOURCESLICES, spec=spec) == [
        (
            "spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, "
            "`perDeviceNodeSelection` is required"
        )
    ]
    devices = [{"name": "d"}, {"name": "d"}]
    assert create_errors(RESOURCESLICES, spec=spec | {"allNodes": True, "devices": devices}) == [
        'spec.devices[1]: Duplicate value: "d"'
    ]


def test_access_for_administrators_needs_a_namespace_for_it():
    spec = claim(GPU, GPU | {"name": "s", "exactly": GPU["exactly"] | {"adminAccess": True}})
    why = (
        "spec.devices.requests[1].adminAccess: Forbidden: admin access to devices requires the "
        "`resource.kubernetes.io/admin-access: true` label on the containing namespace"
    )
    assert create_errors(RESOURCECLAIMS, spec=spec) == [why]
    assert create_errors(RESOURCECLAIMTEMPLATES, spec={"spec": spec}) == [why]
    labels = {"resource.kubernetes.io/admin-access": "true"}
    namespace = {"metadata": {"name": "default", "labels": labels}}
    ctx = context(("namespaces", namespace))
    assert create_errors(RESOURCECLAIMS, ctx=ctx, spec=spec) == []
    given = {"request": "s", "driver": "x.io", "pool": "p", "device": "d", "adminAccess": True}
    old = created(RESOURCECLAIMS, spec=spec)
    assert update_errors(
        RESOURCECLAIMS,
        old,
        lambda c: c["status"].update(allocation={"devices": {"results": [given]}}),
        "status",
    ) == [why.replace("spec.devices.requests[1]", "status.allocation.devices.results[0]")]


BROKEN = {"key": "example.com/broken", "effect": "NoExecute"}


@pytest.mark.parametrize(
    ("spec", "errors"),
    [
        ({"taint": BROKEN}, []),
        ({"taint": BROKEN, "deviceSelector": {}}, []),
        ({"taint": BROKEN | {"effect": "None"}, "deviceSelector": {"pool": "a/b"}}, []),
        ({"taint": {"key": "k"}}, ["spec.taint.effect: Required value"]),
        ({"taint": BROKEN, "deviceSelector": {"pool": ""}}, ["deviceSelector.pool: Required"]),
        ({"taint": BROKEN, "deviceSelector": {"driver": "_"}}, ["deviceSelector.driver: Invalid"]),
        ({"taint": BROKEN, "deviceSelector": {"device": "_"}}, ["deviceSelector.device: Invalid"]),
    ],
)
def test_rules_that_taint_devices(spec, errors):
    found = create_errors(DEVICETAINTRULES, "r", spec=spec)
    assert len(found) == len(errors), found
    assert all(words in error for words, error in zip(errors, found, strict=True))


def test_a_taint_says_since_when_it_is_there():
    rule = created(DEVICETAINTRULES, "r", spec={"taint": dict(BROKEN)})
    device = {"name": "a", "taints": [dict(BROKEN), BROKEN | {"timeAdded": "2020-01-01T00:00:00Z"}]}
    slice_ = created(RESOURCESLICES, "s", spec={"devices": [device]})
    first, second = slice_["spec"]["devices"][0]["taints"]
    assert rule["spec"]["taint"]["timeAdded"] == first["timeAdded"]
    assert second["timeAdded"] == "2020-01-01T00:00:00Z"
