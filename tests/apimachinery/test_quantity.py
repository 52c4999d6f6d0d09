"""Quantities: grammar, canonical text, arithmetic."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apimachinery import quantity
from apimachinery.quantity import Format, Quantity, QuantityError, canonical, parse

# The machine that runs this may be busy with other things.
QUICK = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("0", "0"),
        ("", None),
        ("000", "0"),
        ("-0", "0"),
        ("0Ki", "0"),
        ("1", "1"),
        (1, "1"),
        (0.5, "500m"),
        (None, "0"),
        ("0.5", "500m"),
        (".5", "500m"),
        ("1.5", "1500m"),
        ("1.", "1."),
        ("100m", "100m"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("1000", "1k"),
        ("1500", "1500"),
        ("1000000", "1M"),
        ("1024", "1024"),
        ("1024Ki", "1Mi"),
        ("1024Mi", "1Gi"),
        ("1536Mi", "1536Mi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Gi", "512Mi"),
        ("0.5Ki", "512"),
        ("0.1Mi", "104857600m"),
        ("1000Mi", "1000Mi"),
        ("2048Gi", "2Ti"),
        ("1Ei", "1Ei"),
        ("100Ei", "9223372036854775807"),
        ("1e3", "1e3"),
        ("1E3", "1E3"),
        ("1000e0", "1e3"),
        ("12e-1", "1200e-3"),
        ("1n", "1n"),
        ("0.1n", "1n"),
        ("-0.1n", "-1n"),
        ("1001u", "1001u"),
        ("+1", "+1"),
        ("-1500m", "-1500m"),
        ("-1024Mi", "-1Gi"),
        (" 1 ", "1"),
        ("1E", "1E"),
        ("1000E", "1000E"),
    ],
)
def test_what_is_stored(given, stored):
    if stored is None:
        with pytest.raises(QuantityError):
            canonical(given)
    else:
        assert canonical(given) == stored


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", quantity.WRONG_FORMAT),
        ("abc", quantity.WRONG_FORMAT),
        ("1 Gi", quantity.WRONG_FORMAT),
        ("1.2.3", quantity.WRONG_FORMAT),
        ("--1", quantity.WRONG_SUFFIX),
        ("1e3x", quantity.WRONG_FORMAT),
        ("1mm", quantity.WRONG_SUFFIX),
        ("1ki", quantity.WRONG_SUFFIX),
        ("1K", quantity.WRONG_SUFFIX),
        ("1e", quantity.WRONG_SUFFIX),
    ],
)
def test_refusals(text, message):
    with pytest.raises(QuantityError) as caught:
        parse(text)
    assert str(caught.value) == message


def test_rounding_and_comparison():
    assert parse("1500m").value() == 2
    assert parse("-1500m").value() == -2
    assert parse("1u").milli_value() == 1
    assert parse("1Gi").value() == 2**30
    assert parse("1Gi") > parse("1G")
    assert parse("1024Mi") == parse("1Gi")
    assert hash(parse("1000m")) == hash(parse("1"))
    assert parse("0.5").as_float() == 0.5
    assert not parse("0")
    assert parse("1") <= parse("1000m") >= parse("1")


def test_sums_keep_the_first_family_that_is_not_zero():
    assert str(parse("0") + parse("1Gi")) == "1Gi"
    assert str(parse("1Gi") + parse("1G")) == "2073741824"
    assert str(parse("1Gi") - parse("512Mi")) == "512Mi"
    assert str(parse("1") - parse("1500m")) == "-500m"
    assert str(-parse("1") * 3) == "-3"


def test_resources_are_rounded_up_to_thousandths():
    given = {"cpu": "100u", "memory": "1024Mi", "pods": 3, "kept": "1e3"}
    assert quantity.canonical_resources(given) == {
        "cpu": "1m",
        "memory": "1Gi",
        "pods": "3",
        "kept": "1e3",
    }


AMOUNTS = st.builds(
    Quantity, st.integers(-(2**63), 2**63).map(lambda n: n * 10**6), st.sampled_from(Format)
)


@QUICK
@given(AMOUNTS)
def test_printing_and_reading_give_the_same_amount(amount):
    again = parse(str(amount))
    assert again == amount
    # A binary amount may have no suffix that would tell that it is one.
    assert str(again) == str(amount) or amount.format is Format.BINARY_SI


@QUICK
@given(AMOUNTS, AMOUNTS)
def test_subtraction_undoes_addition(one, other):
    assert one + other - other == one


def test_more_digits_than_anybody_needs_are_no_number():
    with pytest.raises(QuantityError, match="numeric part"):
        parse("9" * 5000)
    assert parse("1e1000").as_float() == float("inf")
