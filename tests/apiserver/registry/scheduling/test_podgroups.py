"""PodGroups and Workloads: one policy, for good; served where their feature is on."""

from __future__ import annotations

import pytest

from apimachinery import features
from apiserver.registry import gates
from apiserver.registry.catalog import Catalog, wanted
from apiserver.registry.podspec.features import drop_disabled
from apiserver.registry.scheduling import PODGROUPS, WORKLOADS
from tests.apiserver.registry.trying import create_errors, created, read, update_errors

GANG = {"gang": {"minCount": 2}}
POLICY = "spec.schedulingPolicy"
MEMBERS = "`basic`, `gang`"


@pytest.fixture
def workloads():
    gates.switch({features.GENERIC_WORKLOAD: True})
    yield
    gates.switch({})


def test_they_are_served_where_the_feature_is_on(workloads):
    found = Catalog(wanted())
    assert found.find("scheduling.k8s.io", "v1alpha2", "podgroups").resource is PODGROUPS
    assert found.groups()["scheduling.k8s.io"] == ["v1", "v1alpha2"]


def test_otherwise_they_are_not_and_pods_have_no_group():
    assert Catalog(wanted()).find("scheduling.k8s.io", "v1alpha2", "podgroups") is None
    spec = {"schedulingGroup": {"podGroupName": "g"}}
    drop_disabled(spec)
    assert spec == {}


def test_with_it_pods_have(workloads):
    spec = {"schedulingGroup": {"podGroupName": "g"}}
    drop_disabled(spec)
    assert spec == {"schedulingGroup": {"podGroupName": "g"}}


@pytest.mark.parametrize(
    ("policy", "error"),
    [
        ({"basic": {}}, None),
        (GANG, None),
        ({}, f'{POLICY}: Invalid value: "": must specify one of: {MEMBERS}'),
        (
            {"basic": {}, **GANG},
            f'{POLICY}: Invalid value: "{{basic, gang}}": must specify exactly one of: {MEMBERS}',
        ),
        ({"gang": {"minCount": 0}}, f"{POLICY}.gang.minCount: Required value"),
        (
            {"gang": {"minCount": -1}},
            f"{POLICY}.gang.minCount: Invalid value: -1: must be greater than or equal to 1",
        ),
    ],
)
def test_a_group_has_one_policy(policy, error):
    spec = {"schedulingPolicy": policy}
    assert create_errors(PODGROUPS, "g", spec=spec) == ([error] if error else [])
    template = {"name": "t", "schedulingPolicy": policy}
    found = create_errors(WORKLOADS, "w", spec={"podGroupTemplates": [template]})
    path = "spec.podGroupTemplates[0].schedulingPolicy"
    assert found == ([error.replace(POLICY, path)] if error else [])


def test_it_is_for_good():
    def smaller(group):
        group["spec"]["schedulingPolicy"]["gang"]["minCount"] = 1

    old = read(PODGROUPS, "g", spec={"schedulingPolicy": GANG})
    (error,) = update_errors(PODGROUPS, old, smaller)
    assert error.startswith(f"{POLICY}: Invalid value: ")
    assert error.endswith("field is immutable")


def test_fields_of_other_features_are_dropped():
    group = read(PODGROUPS, "g", spec={"schedulingPolicy": GANG, "priorityClassName": "high"})
    PODGROUPS.strategy.drop_disabled(group, None)
    assert group["spec"] == {"podGroupTemplateRef": None, "schedulingPolicy": GANG}


EVERY = [
    *(features.GENERIC_WORKLOAD, features.GANG_SCHEDULING),
    *(features.GROUP_PREEMPTION, features.TOPOLOGY),
]


@pytest.fixture
def every_feature():
    gates.switch(dict.fromkeys(EVERY, True))
    yield
    gates.switch({})


def test_fields_that_are_on_stay_and_groups_are_disrupted_pod_by_pod(every_feature):
    topology = {"topology": [{"key": "rack"}]}
    more = {"priorityClassName": "high", "schedulingConstraints": topology}
    group = read(PODGROUPS, "g", spec={"schedulingPolicy": GANG, **more})
    PODGROUPS.strategy.drop_disabled(group, None)
    assert group["spec"] == {
        "podGroupTemplateRef": None,
        "schedulingPolicy": GANG,
        **more,
        "disruptionMode": "Pod",
    }
    template = {"name": "t", "schedulingPolicy": GANG}
    workload = read(WORKLOADS, "w", spec={"podGroupTemplates": [template]})
    assert workload["spec"]["podGroupTemplates"][0]["disruptionMode"] == "Pod"


def test_what_a_group_had_stays_when_its_feature_goes_off():
    old = {"spec": {"disruptionMode": "PodGroup"}}
    new = {"spec": {"disruptionMode": "PodGroup", "priority": 5}}
    PODGROUPS.strategy.drop_disabled(new, old)
    assert new == old


KEYS = "spec.schedulingConstraints.topology"


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"schedulingConstraints": {}}, None),
        ({"schedulingConstraints": {"topology": [{"key": "example.com/Rack"}]}}, None),
        (
            {"schedulingConstraints": {"topology": [{"key": "a"}, {"key": "b"}]}},
            f"{KEYS}: Too many: 2: must have at most 1 item",
        ),
        ({"schedulingConstraints": {"topology": [{"key": ""}]}}, f"{KEYS}[0].key: Required value"),
        ({"disruptionMode": "PodGroup"}, None),
        (
            {"disruptionMode": "All"},
            'spec.disruptionMode: Unsupported value: "All": supported values: "Pod", "PodGroup"',
        ),
        (
            {"priority": 1_000_000_001},
            ("spec.priority: Invalid value: 1000000001: must be less than or equal to 1000000000"),
        ),
    ],
)
def test_what_features_add_is_checked(every_feature, more, error):
    spec = {"schedulingPolicy": GANG, **more}
    assert create_errors(PODGROUPS, "g", spec=spec) == ([error] if error else [])


def test_how_a_group_is_disrupted_is_for_good(every_feature):
    old = read(PODGROUPS, "g", spec={"schedulingPolicy": GANG})
    (error,) = update_errors(
        PODGROUPS, old, lambda group: group["spec"].update(disruptionMode="PodGroup")
    )
    assert error == 'spec.disruptionMode: Invalid value: "PodGroup": field is immutable'


def test_a_group_begins_without_a_status():
    status = {"conditions": [{"type": "PodGroupScheduled", "status": "True"}]}
    made = created(PODGROUPS, "g", spec={"schedulingPolicy": GANG}, status=status)
    assert "status" not in made


def test_a_workload_has_one_to_eight_templates_of_different_names():
    template = {"name": "t", "schedulingPolicy": GANG}
    path = "spec.podGroupTemplates"
    assert create_errors(WORKLOADS, "w", spec={"podGroupTemplates": []}) == [
        f"{path}: Required value"
    ]
    many = [{**template, "name": f"t{number}"} for number in range(9)]
    assert create_errors(WORKLOADS, "w", spec={"podGroupTemplates": many}) == [
        f"{path}: Too many: 9: must have at most 8 items"
    ]
    (error,) = create_errors(WORKLOADS, "w", spec={"podGroupTemplates": [template, template]})
    assert error.startswith(f"{path}[1]: Duplicate value")


GENERIC = "GenericWorkload"
NO_BOOL = 'strconv.ParseBool: parsing "x": invalid syntax'
BETA = (("api/beta", "true"),)
ALPHA = (("scheduling.k8s.io/v1alpha2", "true"),)


@pytest.mark.parametrize(
    ("features", "versions", "on", "words"),
    [
        ((), (), [], []),
        ((("APIServerIdentity", "false"),), (), [], []),
        ((("StorageVersionAPI", "true"),), (("api/alpha", "true"),), ["StorageVersionAPI"], []),
        ((("GenericWorkload", "true"),), ALPHA, ["GenericWorkload"], []),
        ((("GenericWorkload", "true"),), (), [], []),
        ((("GenericWorkload", "false"),), ALPHA, [], []),
        ((("Nope", "true"),), (), [], ["unrecognized feature gate: Nope"]),
        (
            (("GangScheduling", "true"),),
            (),
            [],
            ["GangScheduling is enabled, but depends on features that are disabled: " + GENERIC],
        ),
        (
            (("GenericWorkload", "x"),),
            (),
            [],
            [f"invalid value of GenericWorkload: x, err: {NO_BOOL}"],
        ),
        # Each needs its own kinds.
        ((("DRADeviceTaintRules", "true"),), ALPHA, [], []),
        ((("DRADeviceTaintRules", "true"),), BETA, ["DRADeviceTaintRules"], []),
        ((("StorageVersionMigrator", "true"),), BETA, ["StorageVersionMigrator"], []),
        # This one has none.
        ((("MaxUnavailableStatefulSet", "true"),), (), ["MaxUnavailableStatefulSet"], []),
        ((), (("foo/v1", "true"),), [], ["unknown api groups foo"]),
    ],
)
def test_flags(features, versions, on, words):
    assert list(gates.problems(features, versions)) == words
    chosen = gates.chosen(features, versions)
    assert [name for name, is_on in chosen.items() if is_on] == on


def test_what_is_on_by_default_is_on_unless_it_is_switched_off():
    identity = "APIServerIdentity"
    try:
        gates.switch(gates.chosen([("GenericWorkload", "true")], ALPHA))
        assert gates.all_on() == {identity, "GenericWorkload"}
        gates.switch(gates.chosen([(identity, "false")], ()))
        assert gates.all_on() == frozenset()
    finally:
        gates.switch({})
    assert gates.all_on() == gates.USUAL == {identity}


def test_a_status_tells_of_claims_that_the_group_has():
    claims = [{"name": "gpu", "resourceClaimTemplateName": "t"}]
    group = {"metadata": {"name": "g"}, "spec": {"resourceClaims": claims}}
    strategy = PODGROUPS.subresources["status"].strategy

    def errors(name):
        status = {"resourceClaimStatuses": [{"name": name, "resourceClaimName": "c"}]}
        return [
            str(one.path)
            for one in strategy.validate_update({**group, "status": status}, group, None)
        ]

    assert errors("gpu") == []
    assert errors("nic") == ["status.resourceClaimStatuses[0].name"]
