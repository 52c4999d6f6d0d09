"""Refusals: what they name of all that is wrong."""

from __future__ import annotations

from apimachinery.errors import Invalid
from apimachinery.gvk import GroupKind
from apimachinery.validation.field import Path, invalid, repeats


def test_a_refusal_that_nobody_could_read_names_its_first_causes() -> None:
    wrong = invalid(Path("spec"), "x" * 2**20, "is too much")
    causes = (Invalid(GroupKind("", "Pod"), "web", [wrong] * 100).details or {})["causes"]
    assert len(causes) == 16
    assert causes[0]["message"] == wrong.message


def test_equal_errors_are_told_once_and_are_a_cause_each() -> None:
    wrong = invalid(Path("spec") / "a", 1, "is odd")
    refused = Invalid(GroupKind("", "Pod"), "web", [wrong, wrong])
    assert refused.message == 'Pod "web" is invalid: spec.a: Invalid value: 1: is odd'
    assert len((refused.details or {})["causes"]) == 2


def test_repeats_are_all_but_the_first_of_equals() -> None:
    assert repeats(["a", "b", "a", "a", ""]) == {2, 3}
