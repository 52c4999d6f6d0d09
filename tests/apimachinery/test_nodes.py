"""Facts about nodes: status, roles, taints, selectors."""

import pytest

from apimachinery import nodes

NODE = {
    "metadata": {
        "name": "n1",
        "labels": {"zone": "a", "cpus": "8", "node-role.kubernetes.io/control-plane": ""},
    },
    "spec": {},
    "status": {
        "conditions": [{"type": "Ready", "status": "True"}],
        "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
    },
}


def test_readiness_roles_and_addresses():
    assert nodes.is_ready(NODE)
    assert nodes.display_status(NODE) == "Ready"
    cordoned = NODE | {"spec": {"unschedulable": True}}
    assert nodes.display_status(cordoned) == "Ready,SchedulingDisabled"
    assert nodes.display_status({}) == "Unknown"
    lost = {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}
    assert nodes.display_status(lost) == "NotReady"
    assert nodes.roles(NODE) == ["control-plane"]
    assert nodes.roles({"metadata": {"labels": {"kubernetes.io/role": "x"}}}) == ["x"]
    assert nodes.address(NODE, "InternalIP") == "10.0.0.1"
    assert nodes.address(NODE, "ExternalIP") == ""
    assert nodes.condition(NODE, "Ready") == {"type": "Ready", "status": "True"}
    assert nodes.condition(NODE, "DiskPressure") is None


TAINT = {"key": "a", "value": "x", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("toleration", "expected"),
    [
        ({"key": "a", "value": "x", "effect": "NoSchedule"}, True),
        ({"key": "a", "value": "x"}, True),
        ({"key": "a", "value": "y"}, False),
        ({"key": "a", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"key": "b", "operator": "Exists"}, False),
        ({"key": "a", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "a", "operator": "Near", "value": "x"}, False),
    ],
)
def test_tolerations(toleration, expected):
    assert nodes.tolerates(toleration, TAINT) is expected


def test_untolerated_taints():
    soft = {"key": "b", "effect": "PreferNoSchedule"}
    hard = {"key": "c", "effect": "NoExecute"}
    tolerations = [{"key": "c", "operator": "Exists"}]
    assert nodes.untolerated([TAINT, soft, hard], tolerations) == [TAINT]
    assert nodes.untolerated([TAINT, soft], None, ("PreferNoSchedule",)) == [soft]
    assert nodes.untolerated(None, None) == []
    assert nodes.tolerated(hard, tolerations)


def requirement(key, operator, *values):
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ({}, False),
        (requirement("zone", "In", "a", "b"), True),
        (requirement("zone", "In", "b"), False),
        (requirement("none", "NotIn", "b"), True),
        (requirement("zone", "NotIn", "a"), False),
        (requirement("zone", "Exists"), True),
        (requirement("zone", "DoesNotExist"), False),
        (requirement("cpus", "Gt", "7"), True),
        (requirement("cpus", "Gt", "8"), False),
        (requirement("cpus", "Lt", "9"), True),
        (requirement("zone", "Lt", "9"), False),
        (requirement("zone", "Odd"), False),
        ({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}, True),
        ({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n2"]}]}, False),
        ({"matchFields": [{"key": "spec.x", "operator": "In", "values": ["n1"]}]}, False),
    ],
)
def test_selector_terms(term, expected):
    assert nodes.matches_node_selector_term(term, NODE) is expected
    assert nodes.matches_node_selector({"nodeSelectorTerms": [{}, term]}, NODE) is expected


def test_no_terms_select_nothing():
    assert not nodes.matches_node_selector({"nodeSelectorTerms": []}, NODE)
    assert not nodes.matches_node_selector(None, NODE)


def test_what_a_pod_requires_of_its_node():
    def fits(**spec):
        return nodes.fits_node_requirements({"spec": spec}, NODE)

    required = "requiredDuringSchedulingIgnoredDuringExecution"
    bad = {"nodeAffinity": {required: {"nodeSelectorTerms": [requirement("zone", "In", "z")]}}}
    assert fits()
    assert fits(nodeSelector={"zone": "a"})
    assert not fits(nodeSelector={"zone": "b"})
    assert not fits(nodeSelector={"zone": "a"}, affinity=bad)
