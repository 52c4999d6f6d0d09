"""Leases: durations that are positive, counts that are not negative."""

from __future__ import annotations

import pytest

from apiserver.registry.coordination import LEASES
from tests.apiserver.registry.trying import cells, create_errors, created


@pytest.mark.parametrize(
    ("spec", "errors"),
    [
        ({"holderIdentity": "me", "leaseDurationSeconds": 15}, []),
        ({"holderIdentity": ""}, []),
        (
            {"leaseDurationSeconds": 0, "leaseTransitions": -1},
            [
                "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
                "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0",
            ],
        ),
    ],
)
def test_spec(spec, errors):
    assert create_errors(LEASES, spec=spec) == errors


def test_what_coordinates_elections_is_off():
    made = created(LEASES, spec={"strategy": "OldestEmulationVersion", "preferredHolder": "you"})
    LEASES.strategy.drop_disabled(made, None)
    assert made["spec"] == {}


def test_whoever_renews_need_not_know_whether_it_was_there():
    assert LEASES.strategy.allow_create_on_update


def test_row():
    assert cells(LEASES, created(LEASES, spec={"holderIdentity": "me"}))[1] == "me"
