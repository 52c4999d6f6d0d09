"""PodDisruptionBudgets: one bound, numbers and shares, counts in status."""

from __future__ import annotations

import pytest

from apiserver.registry.policy import PODDISRUPTIONBUDGETS as BUDGETS
from tests.apiserver.registry.trying import cells, create_errors, created, update_errors


@pytest.mark.parametrize(
    ("spec", "errors"),
    [
        ({"minAvailable": 1}, []),
        ({"maxUnavailable": "50%"}, []),
        (
            {"minAvailable": 1, "maxUnavailable": 2},
            [
                (
                    'spec: Invalid value: {"MinAvailable":1,"Selector":null,"MaxUnavailable":2,'
                    '"UnhealthyPodEvictionPolicy":null}: '
                    "minAvailable and maxUnavailable cannot be both set"
                )
            ],
        ),
        (
            {"minAvailable": -1},
            ["spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"],
        ),
        (
            {"maxUnavailable": "120%"},
            ['spec.maxUnavailable: Invalid value: "120%": must not be greater than 100%'],
        ),
        (
            {"unhealthyPodEvictionPolicy": "Now"},
            [
                (
                    'spec.unhealthyPodEvictionPolicy: Unsupported value: "Now": '
                    'supported values: "AlwaysAllow", "IfHealthyBudget"'
                )
            ],
        ),
    ],
)
def test_spec(spec, errors):
    assert create_errors(BUDGETS, spec=spec) == errors


def test_status_starts_at_zero_and_stays_above():
    budget = created(BUDGETS, spec={"minAvailable": 1}, status={"currentHealthy": 9})
    assert budget["status"] == dict.fromkeys(
        ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"), 0
    )
    assert update_errors(
        BUDGETS, budget, lambda b: b["status"].update(disruptionsAllowed=-1), "status"
    ) == ["status.disruptionsAllowed: Invalid value: -1: must be greater than or equal to 0"]


def test_conditions_are_whole():
    budget = created(BUDGETS, spec={"minAvailable": 1})
    change = {"conditions": [{"type": "DisruptionAllowed", "status": "Maybe"}]}
    found = update_errors(BUDGETS, budget, lambda b: b["status"].update(change), "status")
    assert [error.split(":")[0] for error in found] == [
        "status.conditions[0].status",
        "status.conditions[0].lastTransitionTime",
        "status.conditions[0].reason",
    ]


def test_update_needs_the_version_it_was_made_from():
    assert BUDGETS.strategy.allow_unconditional_update is False


def test_row():
    assert cells(BUDGETS, created(BUDGETS, spec={"minAvailable": "50%"}))[1:4] == ["50%", "N/A", 0]
