"""APIServices: names, priorities, and servers that are local or elsewhere."""

from __future__ import annotations

from apiserver.registry.apiregistration import APISERVICES
from tests.apiserver.registry.trying import cells, create_errors, created, update_errors

NAME = "v1.example.com"
SPEC = {
    "group": "example.com",
    "version": "v1",
    "groupPriorityMinimum": 100,
    "versionPriority": 10,
}


def test_local_services_are_available_at_once():
    made = created(APISERVICES, NAME, spec=SPEC)
    assert cells(APISERVICES, made)[1:3] == ["Local", "True"]


def test_other_services_are_not_known_yet():
    spec = SPEC | {"service": {"namespace": "n", "name": "s"}, "insecureSkipTLSVerify": True}
    made = created(APISERVICES, NAME, spec=spec)
    assert made["spec"]["service"]["port"] == 443
    assert cells(APISERVICES, made)[1:3] == ["n/s", "Unknown"]
    failed = {"type": "Available", "status": "False", "reason": "MissingEndpoints"}
    made["status"] = {"conditions": [failed]}
    assert cells(APISERVICES, made)[2] == "False (MissingEndpoints)"


def test_rules():
    spec = SPEC | {"groupPriorityMinimum": 0, "insecureSkipTLSVerify": True}
    assert create_errors(APISERVICES, "other", spec=spec) == [
        (
            'metadata.name: Invalid value: "other": '
            'must be `spec.version+"."+spec.group`: "v1.example.com"'
        ),
        "spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000",
        (
            "spec.insecureSkipTLSVerify: Invalid value: true: "
            "local APIServices may not have insecureSkipTLSVerify"
        ),
    ]


def test_a_name_that_is_none_is_told_no_more():
    assert create_errors(APISERVICES, "a/b", spec=SPEC) == [
        "metadata.name: Invalid value: \"a/b\": may not contain '/'"
    ]


def test_statuses_of_conditions():
    conditions = [{"type": "Available", "status": status} for status in ("Unknown", "Perhaps")]
    old = created(APISERVICES, NAME, spec=SPEC)
    found = update_errors(
        APISERVICES, old, lambda a: a["status"].update(conditions=conditions), "status"
    )
    assert found == [
        (
            'status.conditions[1].status: Unsupported value: "Perhaps": '
            'supported values: "True", "False", "Unknown"'
        )
    ]
