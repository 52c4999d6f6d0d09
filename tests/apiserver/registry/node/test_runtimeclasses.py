"""RuntimeClasses: handlers are names, for good."""

from __future__ import annotations

from apiserver.registry.node import RUNTIMECLASSES
from tests.apiserver.registry.trying import create_errors, created, update_errors


def test_handler_is_a_label():
    assert create_errors(RUNTIMECLASSES, handler="runc") == []
    (error,) = create_errors(RUNTIMECLASSES, handler="Run_C")
    assert error.startswith('handler: Invalid value: "Run_C": a lowercase RFC 1123 label')


def test_handler_is_for_good():
    old = created(RUNTIMECLASSES, handler="runc")
    assert update_errors(RUNTIMECLASSES, old, lambda c: c.update(handler="kata")) == [
        'handler: Invalid value: "kata": field is immutable'
    ]


def test_overhead_and_tolerations():
    toleration = {"key": "a", "operator": "Exists"}
    found = create_errors(
        RUNTIMECLASSES,
        handler="runc",
        overhead={"podFixed": {"cpu": "-1"}},
        scheduling={"tolerations": [toleration, toleration]},
    )
    assert [error.split(":")[0] for error in found] == [
        "overhead.limits[cpu]",
        "scheduling.tolerations[1]",
    ]
