"""Status of pods: what its writers may say of containers, claims, addresses and generations."""

# Tables of messages read best unwrapped.
# ruff: noqa: E501, ISC004

from __future__ import annotations

import pytest

from apiserver.registry.core.pods import PODS
from tests.apiserver.registry.podspec.support import changed, context, made, read, updated

C = {"name": "c", "image": "nginx:1"}
POD = {"spec": {"containers": [C]}}
STATUS = PODS.subresources["status"].strategy
BACK = "Forbidden: may not be transitioned to non-terminated state"


def after(status, spec=None, before=None):
    """Return (the new pod, errors) after a write of status."""
    old = made(PODS, {"spec": {"containers": [C], **(spec or {})}})
    old["status"] |= before or {}
    return updated(PODS, old, {**POD, "status": status}, STATUS)


def container(name="c", **state):
    return {"name": name, "image": "", "imageID": "", "ready": False, "restartCount": 0,
            "state": state}  # fmt: skip


CLAIMS = {"resourceClaims": [{"name": "g", "resourceClaimName": "c"}]}
LINUX = "status.containerStatuses[0].user.linux"


@pytest.mark.parametrize(
    ("status", "spec", "expected"),
    [
        ({"conditions": [{"type": "Ready", "status": "True"}]}, {}, []),
        ({"conditions": [{"type": "a b", "status": "True", "observedGeneration": -1}]}, {}, [
            ("status.conditions[0].observedGeneration", "Invalid value: -1: must be a "
             "non-negative integer"),
            ("status.conditions[0].Type", 'Invalid value: "a b": name part must consist of '
             "alphanumeric characters, '-', '_' or '.', and must start and end with an "
             "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
             "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')")]),
        ({"observedGeneration": -1}, {}, [
            ("status.observedGeneration", "Invalid value: -1: must be a non-negative integer")]),
        ({"nominatedNodeName": "n2"}, {"nodeName": "n"}, [
            ("status.nominatedNodeName",
             "Forbidden: may not be set on pods that are already bound to a node")]),
        ({"podIPs": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}]}, {}, [
            ("status.podIPs", 'Invalid value: [{"IP":"10.0.0.1"},{"IP":"10.0.0.2"}]: may specify '
             "no more than one IP for each IP family")]),
        ({"podIPs": [{"ip": "010.0.0.1"}]}, {}, [
            ("status.podIPs[0]", 'Invalid value: "010.0.0.1": must not have leading 0s')]),
        ({"resourceClaimStatuses": [{"name": "g", "resourceClaimName": "c"}]}, CLAIMS, []),
        ({"resourceClaimStatuses": [{"name": "h"}, {"name": "h"}]}, CLAIMS, [
            ("status.resourceClaimStatuses[0].name", 'Invalid value: "h": must match the name of an '
             "entry in `spec.resourceClaims`"),
            ("status.resourceClaimStatuses[1].name", 'Invalid value: "h": must match the name of an '
             "entry in `spec.resourceClaims`"),
            ("status.resourceClaimStatuses[1].name", 'Duplicate value: "h"')]),
        ({"containerStatuses": [container() | {"user": {"linux": {"uid": -1, "gid": 0}}}]}, {}, [
            (f"{LINUX}.uid", "Invalid value: -1: must be between 0 and 2147483647, inclusive")]),
        ({"containerStatuses": [container() | {"user": {"linux": {"uid": 1, "gid": 0}}}]},
         {"os": {"name": "windows"}}, [(LINUX, "Forbidden: cannot be set for a windows pod")]),
        ({"containerStatuses": [container() | {"allocatedResourcesStatus": [
            {"name": "gpu", "resources": [{"resourceID": "1", "health": "Ill"}]}]}]}, {}, [
            ("status.containerStatuses[0].allocatedResourcesStatus[0].name", 'Invalid value: "gpu": '
             "must match one of the container's resource requests"),
            ("status.containerStatuses[0].allocatedResourcesStatus[0].resources[0].health",
             'Unsupported value: "Ill": supported values: "Healthy", "Unhealthy", "Unknown"')]),
    ],
)  # fmt: skip
def test_rules(status, spec, expected):
    assert after(status, spec)[1] == expected


def rule(action, *codes):
    return {"action": action, "exitCodes": {"operator": "In", "values": list(codes)}}


@pytest.mark.parametrize(
    ("spec", "code", "free"),
    [
        ({"restartPolicy": "Always"}, 0, True),
        ({"restartPolicy": "Never"}, 1, False),
        ({"restartPolicy": "OnFailure"}, 1, True),
        ({"restartPolicy": "OnFailure"}, 0, False),
        ({"restartPolicy": "Always", "containers": [{**C, "restartPolicy": "Never"}]}, 1, False),
        ({"containers": [
            {**C, "restartPolicy": "Never", "restartPolicyRules": [rule("Restart", 7)]}]}, 7, True),
        ({"containers": [
            {**C, "restartPolicy": "Never", "restartPolicyRules": [rule("Restart", 7)]}]}, 8, False),
        ({"containers": [C, {**C, "name": "d", "restartPolicy": "Never",
                             "restartPolicyRules": [rule("RestartAllContainers", 1)]}],
          "restartPolicy": "Never"}, 0, True),
        # A container that the spec does not know starts for no reason.
        ({"restartPolicy": "Always", "containers": [{**C, "name": "other"}]}, 1, False),
    ],
)  # fmt: skip
def test_what_has_ended_starts_again_if_its_policy_says_so(spec, code, free):
    ended = {"containerStatuses": [container(terminated={"exitCode": code})]}
    _, errors = after({"containerStatuses": [container(running={})]}, spec, ended)
    assert errors == ([] if free else [("status.containerStatuses[0].state", BACK)])


def test_generations_that_are_left_out_stay():
    conditions = [{"type": "Ready", "status": "False", "observedGeneration": 3}]
    before = {"observedGeneration": 3, "conditions": conditions}
    new, errors = after({"conditions": [{"type": "Ready", "status": "True"}]}, {}, before)
    assert errors == []
    assert new["status"]["observedGeneration"] == 3
    assert new["status"]["conditions"][0]["observedGeneration"] == 3


def test_owners_stay():
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "o", "uid": "u"}
    old = made(PODS, POD)
    body = changed({**POD, "status": {}}, "metadata.ownerReferences", [owner])
    new, _ = updated(PODS, old, {**body, "metadata": {"name": "it", **body["metadata"]}}, STATUS)
    assert "ownerReferences" not in new["metadata"]


def test_addresses_in_other_forms_are_warned_of():
    pod = read(PODS, {**POD, "status": {"podIPs": [{"ip": "FD00::1"}]}})
    assert STATUS.warnings_on_update(pod, pod, context()) == [
        'status.podIPs[0].ip: IPv6 address "FD00::1" should be in RFC 5952 canonical format '
        '("fd00::1")'
    ]
