"""PriorityClasses: bounds of values, names of the system, values for good."""

from __future__ import annotations

import pytest

from apiserver.registry.scheduling import PRIORITYCLASSES
from tests.apiserver.endpoints.support import Client, make_api
from tests.apiserver.registry.trying import create_errors, created, read, update_errors

RESERVED = "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for "


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("a", 1_000_000_000, None),
        ("system-node-critical", 2_000_001_000, None),
        (
            "a",
            1_000_000_001,
            "value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
        ),
        (
            "system-x",
            1,
            f"{RESERVED}system use only. error: system-x is not a known system priority class",
        ),
        (
            "system-node-critical",
            1,
            (
                f"{RESERVED}system use only. error: value of system-node-critical PriorityClass "
                "must be 2000001000"
            ),
        ),
    ],
)
def test_values(name, value, error):
    assert create_errors(PRIORITYCLASSES, name, value=value) == ([error] if error else [])


def test_preemption_policy():
    assert read(PRIORITYCLASSES, value=1)["preemptionPolicy"] == "PreemptLowerPriority"
    assert create_errors(PRIORITYCLASSES, value=1, preemptionPolicy="Always") == [
        (
            'preemptionPolicy: Unsupported value: "Always": '
            'supported values: "PreemptLowerPriority", "Never"'
        )
    ]


def test_what_pods_have_copied_is_for_good():
    old = created(PRIORITYCLASSES, value=1)
    change = {"value": 2, "preemptionPolicy": "Never"}
    assert update_errors(PRIORITYCLASSES, old, lambda c: c.update(change)) == [
        "value: Forbidden: may not be changed in an update.",
        'preemptionPolicy: Invalid value: "Never": field is immutable',
    ]


def test_no_change_counts_in_the_generation():
    old = created(PRIORITYCLASSES, value=1)
    assert not PRIORITYCLASSES.strategy.spec_changed(old | {"description": "d"}, old)


async def test_those_of_the_system_are_never_deleted():
    client = Client(await make_api())
    path = "/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical"
    refused = await client.request("DELETE", path)
    assert refused.status == 403
    assert refused.message == (
        'priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: '
        "this is a system priority class and cannot be deleted"
    )
    assert (await client.get(path)).status == 200
