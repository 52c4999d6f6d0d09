"""Percentages of a total, rounded up and down."""

import pytest

from apimachinery.intorstring import scaled


@pytest.mark.parametrize(
    ("value", "total", "up", "down"),
    [
        (3, 10, 3, 3),
        (0, 10, 0, 0),
        ("25%", 10, 3, 2),
        ("25%", 4, 1, 1),
        ("0%", 7, 0, 0),
        ("100%", 7, 7, 7),
        ("150%", 3, 5, 4),
    ],
)
def test_scaling(value, total, up, down):
    assert scaled(value, total, round_up=True) == up
    assert scaled(value, total, round_up=False) == down


@pytest.mark.parametrize("value", ["3", "a%", "%", ""])
def test_other_text_is_refused(value):
    with pytest.raises(ValueError, match="invalid value for IntOrString"):
        scaled(value, 10, round_up=True)
