"""Devices, their capacities and taints, and what claims are allocated."""

from __future__ import annotations

import pytest

from apiserver.registry.dra import DEVICECLASSES, RESOURCECLAIMS, RESOURCESLICES
from tests.apiserver.registry.trying import create_errors, created, update_errors, updated

SLICE = {
    "driver": "d.example.com",
    "pool": {"name": "p", "resourceSliceCount": 1},
    "nodeName": "n",
}
AT = "spec.devices[0]"
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)


def shared(policy, value="10"):
    capacity = {"memory": {"value": value, "requestPolicy": policy}}
    return {"allowMultipleAllocations": True, "capacity": capacity}


POLICY = f"{AT}.capacity[memory].requestPolicy"


@pytest.mark.parametrize(
    ("device", "errors"),
    [
        ({}, []),
        ({"name": "BAD"}, [f'{AT}.name: Invalid value: "BAD": {LABEL}']),
        ({"attributes": {"a": {"string": "x"}, "d.io/b": {"version": "1.2.3-rc.1+b"}}}, []),
        ({"attributes": {"a": {}}},
         [f'{AT}.attributes[a]: Invalid value: "": exactly one value must be specified']),
        ({"attributes": {"a": {"bool": True, "int": 1}}},
         [(f'{AT}.attributes[a]: Invalid value: {{"bool":true,"int":1}}: '
          "exactly one value must be specified")]),
        ({"attributes": {"a": {"strings": ["x"]}}},
         [f'{AT}.attributes[a]: Invalid value: "": exactly one value must be specified']),
        ({"attributes": {"a": {"version": "1.2"}}},
         [(f'{AT}.attributes[a].version: Invalid value: "1.2": must be a string compatible with '
          "semver.org spec 2.0.0")]),
        ({"attributes": {"a/b/c": {"int": 1}}},
         [f'{AT}.attributes: Invalid value: "a/b/c": must not contain more than one slash']),
        ({"attributes": {"/c": {"int": 1}}},
         [f'{AT}.attributes: Invalid value: "": the domain must not be empty']),
        ({"attributes": {f"a{at}": {"int": 1} for at in range(33)}},
         [(f"{AT}: Invalid value: 33: the total number of attributes and capacities must not "
          "exceed 32")]),
        ({"capacity": {"memory": {"value": "1", "requestPolicy": {}}}},
         [f"{POLICY}: Forbidden: allowMultipleAllocations must be true"]),
        (shared({"default": "1", "validValues": ["1", "2"]}), []),
        (shared({"validValues": ["1"]}),
         [f"{POLICY}.default: Required value: required when validValues is defined"]),
        (shared({"default": "3", "validValues": ["2", "1", "20"]}), [
            (f'{POLICY}.validValues[1]: Invalid value: "1": values must be sorted in ascending '
            "order"),
            (f'{POLICY}.validValues[2]: Invalid value: "20": option is larger than capacity value: '
            "10"),
            (f'{POLICY}.validValues: Invalid value: "3": default value is not valid according to '
            "the requestPolicy")]),
        (shared({"default": "4", "validRange": {"min": "2", "max": "8", "step": "2"}}), []),
        (shared({"default": "3", "validRange": {"min": "2", "max": "7", "step": "2"}}), [
            f'{POLICY}.validRange.step: Invalid value: "{value}": value is not a multiple of a '
            "given step (2) from (2)" for value in (3, 7)]),
        (shared({"default": "1", "validRange": {"min": "2", "max": "20"}}), [
            f'{POLICY}.validRange.default: Invalid value: "1": default is less than min: 2',
            (f'{POLICY}.validRange.max: Invalid value: "20": max is larger than capacity value: '
            "10")]),
        (shared({"validValues": ["1"], "validRange": {}}),
         [(f'{POLICY}: Forbidden: exactly one policy can be specified, cannot specify '
           '"validValues" and "validRange" at the same time')]),
        ({"taints": [{"key": "a", "effect": "Never"}, {"key": "a"}]}, [
            (f'{AT}.taints[0].effect: Unsupported value: "Never": supported values: "NoExecute", '
            '"NoSchedule", "None"'),
            f"{AT}.taints[1].effect: Required value"]),
        ({"consumesCounters": [{"counterSet": "s"}]},
         [f"{AT}.consumesCounters[0].counters: Required value"]),
        ({"consumesCounters": [{"counterSet": "s", "counters": {"c": {"value": "1"}}}] * 2},
         [f'{AT}.consumesCounters[1]: Duplicate value: "s"']),
        ({"nodeName": "n"},
         [(f"{AT}: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set "
          "if `perDeviceNodeSelection` is set to true in the ResourceSlice spec")]),
        ({"bindingConditions": ["a", "a"]}, [
            f'{AT}.bindingConditions[1]: Duplicate value: "a"',
            (f"{AT}.bindingFailureConditions: Invalid value: null: bindingFailureConditions are "
            "required to use bindingConditions")]),
        ({"bindingConditions": ["a"], "bindingFailureConditions": ["a"]},
         [(f'{AT}.bindingFailureConditions[0]: Invalid value: "a": bindingFailureConditions must '
          "not overlap with bindingConditions")]),
    ],
)  # fmt: skip
def test_devices(device, errors):
    obj = created(RESOURCESLICES, spec=SLICE | {"devices": [{"name": "one", **device}]})
    RESOURCESLICES.strategy.drop_disabled(obj, None)
    found = RESOURCESLICES.strategy.validate(obj, None)
    assert [str(error) for error in found] == errors


def test_each_device_may_say_where_it_is():
    spec = {key: value for key, value in SLICE.items() if key != "nodeName"}
    spec |= {"perDeviceNodeSelection": True}
    one = "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when "
    one += "`perDeviceNodeSelection` is set to true in the ResourceSlice spec"
    devices = [{"name": "a"}, {"name": "b", "nodeName": "n", "allNodes": True}]
    assert create_errors(RESOURCESLICES, spec=spec | {"devices": devices}) == [
        f"spec.devices[0]: Required value: {one}",
        f'spec.devices[1]: Invalid value: "{{`nodeName`, `allNodes`}}": {one}',
    ]


@pytest.mark.parametrize(
    ("spec", "errors"),
    [
        ({"sharedCounters": [{"name": "s", "counters": {"c": {"value": "1"}}}]}, []),
        ({"sharedCounters": [{"name": "s", "counters": {}}]},
         ["spec.sharedCounters[0].counters: Required value"]),
        ({"sharedCounters": [{"name": "s", "counters": {"c": {"value": "1"}}}],
          "devices": [{"name": "d"}]},
         ['spec: Invalid value: "": only one of `sharedCounters` or `devices` is allowed']),
        ({"allNodes": False},
         ["spec.allNodes: Invalid value: false: must be either unset or set to true"]),
        ({"pool": {"name": "", "generation": -1}}, [
            "spec.pool.name: Required value",
            "spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero",
            "spec.pool.generation: Invalid value: -1: must be greater than or equal to zero"]),
        ({"devices": [{"name": f"d{at}", "taints": [{"key": "a", "effect": "None"}]}
                      for at in range(65)]},
         ["spec.devices: Too many: 65: must have at most 64 items"]),
    ],
)  # fmt: skip
def test_slices(spec, errors):
    assert create_errors(RESOURCESLICES, spec=SLICE | spec) == errors


def test_a_slice_keeps_its_place():
    old = created(RESOURCESLICES, spec=SLICE)
    (error,) = update_errors(RESOURCESLICES, old, lambda new: new["spec"].update(nodeName="other"))
    assert error == 'spec.nodeName: Invalid value: "other": field is immutable'


GPU = {"name": "r", "exactly": {"deviceClassName": "gpu"}}
CLAIM = {"devices": {"requests": [GPU]}}
RESULT = {"request": "r", "driver": "d.example.com", "pool": "p", "device": "one"}


def claim(**status):
    return created(RESOURCECLAIMS, spec=CLAIM) | {"status": status}


def allocation(*results):
    return {"devices": {"results": list(results)}}


@pytest.mark.parametrize(
    ("before", "after", "errors"),
    [
        ({}, {"allocation": allocation(RESULT)}, []),
        ({}, {"allocation": allocation(RESULT | {"request": "x", "driver": "", "pool": ""})}, [
            ('status.allocation.devices.results[0].request: Invalid value: "x": must be the name '
            "of a request in the claim or the name of a request and a subrequest separated by '/'"),
            "status.allocation.devices.results[0].driver: Required value",
            "status.allocation.devices.results[0].pool: Required value"]),
        ({}, {"allocation": allocation(RESULT | {"shareID": "x"})},
         [('status.allocation.devices.results[0].shareID: Invalid value: "x": error validating '
          "uid: invalid UUID length: 1")]),
        ({}, {"reservedFor": [{"resource": "pods", "name": "p", "uid": "u"}] * 2}, [
            'status.reservedFor[1]: Duplicate value: "u"',
            "status.reservedFor: Forbidden: may not be specified when `allocated` is not set"]),
        ({}, {"devices": [{key: value for key, value in RESULT.items() if key != "request"}]}, [
            ('status.devices[0]: Invalid value: {"Driver":"d.example.com","Pool":"p",'
            '"Device":"one","ShareID":null}: must be an allocated device in the claim')]),
        ({}, {"allocation": allocation(RESULT), "devices": [
            {**RESULT, "networkData": {"ips": ["10.0.0.1", "10.0.0.1/24"]},
             "conditions": [{"type": "Ready", "status": "Maybe"}]}]}, [
            ('status.devices[0].conditions[0].status: Unsupported value: "Maybe": supported '
            'values: "False", "True", "Unknown"'),
            "status.devices[0].conditions[0].lastTransitionTime: Required value: must be set",
            "status.devices[0].conditions[0].reason: Required value: must be set",
            ('status.devices[0].networkData.ips[0]: Invalid value: "10.0.0.1": must be a valid '
            "address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)")]),
    ],
)  # fmt: skip
def test_status(before, after, errors):
    old = claim(**before)
    found = update_errors(RESOURCECLAIMS, old, lambda new: new.update(status=after), "status")
    assert found == errors


def test_an_allocation_is_for_good_and_takes_the_devices_status_along():
    status = {key: value for key, value in RESULT.items() if key != "request"}
    old = claim(allocation=allocation(RESULT), devices=[status])
    other = allocation(RESULT | {"device": "two"})
    change = {"allocation": other, "devices": [status]}
    (error,) = update_errors(RESOURCECLAIMS, old, lambda new: new.update(status=change), "status")
    assert error.startswith("status.allocation: Invalid value: ")
    new = updated(
        RESOURCECLAIMS, old, lambda new: new.update(status={"devices": [status]}), "status"
    )
    assert "devices" not in new["status"]


@pytest.mark.parametrize(
    ("request_", "errors"),
    [
        ({"tolerations": [{"operator": "Exists", "value": "x"}]},
         [('spec.devices.requests[0].exactly.tolerations[0].value: Invalid value: "x": must be '
          "empty for operator `Exists`")]),
        ({"tolerations": [{"operator": "Like", "effect": "Odd"}]}, [
            ('spec.devices.requests[0].exactly.tolerations[0].operator: Unsupported value: "Like": '
            'supported values: "Equal", "Exists"'),
            ('spec.devices.requests[0].exactly.tolerations[0].effect: Unsupported value: "Odd": '
            'supported values: "NoExecute", "NoSchedule", "None"')]),
    ],
)  # fmt: skip
def test_requests(request_, errors):
    spec = {"devices": {"requests": [{"name": "r", "exactly": GPU["exactly"] | request_}]}}
    assert create_errors(RESOURCECLAIMS, spec=spec) == errors


def test_the_name_of_an_extended_resource():
    assert create_errors(DEVICECLASSES, spec={"extendedResourceName": "example.com/gpu"}) == []
    assert create_errors(DEVICECLASSES, spec={"extendedResourceName": "cpu"}) == [
        'spec.extendedResourceName: Invalid value: "cpu": must be a valid extended resource name'
    ]
