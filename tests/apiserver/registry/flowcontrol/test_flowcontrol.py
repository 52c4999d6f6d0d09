"""FlowSchemas and priority levels: who is matched, and how many are served at once."""

from __future__ import annotations

import pytest

from apiserver.flowcontrol.bootstrap import mandatory_levels, mandatory_schemas
from apiserver.registry.flowcontrol import FLOWSCHEMAS, PRIORITYLEVELCONFIGURATIONS
from tests.apiserver.registry.trying import cells, create_errors, created

LEVEL = {"priorityLevelConfiguration": {"name": "l"}}
RULE = {
    "subjects": [{"kind": "User", "user": {"name": "u"}}],
    "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz", "/api/*"]}],
}


@pytest.mark.parametrize(
    ("more", "errors"),
    [
        ({"rules": [RULE]}, []),
        (
            {"matchingPrecedence": 1},
            [
                (
                    "spec.matchingPrecedence: Invalid value: 1: "
                    "only the schema named 'exempt' may have matchingPrecedence 1"
                )
            ],
        ),
        (
            {"priorityLevelConfiguration": {}},
            [
                (
                    "spec.priorityLevelConfiguration.name: Required value: "
                    "must reference a priority level"
                )
            ],
        ),
        (
            {"rules": [{}]},
            [
                (
                    "spec.rules[0].subjects: Required value: "
                    "subjects must contain at least one value"
                ),
                (
                    "spec.rules[0]: Required value: "
                    "at least one of resourceRules and nonResourceRules has to be non-empty"
                ),
            ],
        ),
        (
            {"rules": [RULE | {"subjects": [{"kind": "User", "group": {"name": "g"}}]}]},
            [
                (
                    "spec.rules[0].subjects[0].user: Required value: "
                    "user is required when subject kind is 'User'"
                ),
                (
                    "spec.rules[0].subjects[0].group: Forbidden: "
                    "group is forbidden when subject kind is not 'Group'"
                ),
            ],
        ),
        (
            {"rules": [RULE | {"nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["x"]}]}]},
            [
                (
                    'spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "x": '
                    "must start with slash"
                )
            ],
        ),
    ],
)
def test_flow_schemas(more, errors):
    assert create_errors(FLOWSCHEMAS, spec=LEVEL | more) == errors


def test_flow_schema_row():
    made = created(FLOWSCHEMAS, spec=LEVEL)
    assert cells(FLOWSCHEMAS, made)[1:4] == ["l", 1000, "<none>"]
    assert cells(FLOWSCHEMAS, made)[-1] == "?"
    made["status"] = {"conditions": [{"type": "Dangling", "status": "True"}]}
    assert cells(FLOWSCHEMAS, made)[-1] == "True"


def limited(**queuing):
    return {"type": "Limited", "limited": {"limitResponse": {"type": "Queue", "queuing": queuing}}}


QUEUING = "spec.limited.limitResponse.queuing"


@pytest.mark.parametrize(
    ("spec", "errors"),
    [
        (limited(), []),
        (
            {"type": "Nope"},
            ['spec.type: Unsupported value: "Nope": supported values: "Exempt", "Limited"'],
        ),
        (
            {"type": "Exempt"},
            [
                (
                    'spec.type: Invalid value: "Exempt": '
                    "type must be 'Exempt' if and only if name is 'exempt'"
                )
            ],
        ),
        (
            limited(queues=4, handSize=8),
            [f"{QUEUING}.handSize: Invalid value: 8: should not be greater than queues (4)"],
        ),
        (
            limited(queues=1000, handSize=7),
            [
                (
                    f"{QUEUING}.handSize: Invalid value: 7: required entropy bits of deckSize 1000 "
                    "and handSize 7 should not be greater than 60"
                )
            ],
        ),
        (
            {"type": "Limited", "limited": {"limitResponse": {"type": "Queue"}}},
            [
                (
                    f"{QUEUING}: Required value: "
                    "must not be empty if limited.limitResponse.type is Limited"
                )
            ],
        ),
    ],
)
def test_priority_levels(spec, errors):
    assert create_errors(PRIORITYLEVELCONFIGURATIONS, spec=spec) == errors


def test_priority_level_defaults_and_row():
    made = created(PRIORITYLEVELCONFIGURATIONS, spec=limited())
    assert cells(PRIORITYLEVELCONFIGURATIONS, made)[1:6] == ["Limited", 30, 64, 8, 50]


def test_what_nothing_goes_without_is_fixed():
    for resource, objects in (
        (FLOWSCHEMAS, mandatory_schemas()),
        (PRIORITYLEVELCONFIGURATIONS, mandatory_levels()),
    ):
        for obj in objects:
            name = obj["metadata"]["name"]
            assert create_errors(resource, name, spec=obj["spec"]) == []
            changed = obj["spec"] | {"matchingPrecedence": 7, "type": obj["spec"].get("type")}
            if name == "catch-all":
                limited = changed.get("limited") or {}
                changed["limited"] = limited | {"nominalConcurrencyShares": 7}
            found = create_errors(resource, name, spec=changed)
            fixed = f"spec of '{name}' must equal the fixed value"
            is_fixed = resource is FLOWSCHEMAS or name == "catch-all"
            assert [error.endswith(fixed) for error in found] == [True] * is_fixed


def test_the_seats_of_the_exempt_level_may_change():
    spec = {"type": "Exempt", "exempt": {"nominalConcurrencyShares": 5}}
    assert create_errors(PRIORITYLEVELCONFIGURATIONS, "exempt", spec=spec) == []
