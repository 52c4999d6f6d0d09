"""Rules for single values."""

import pytest

from apimachinery.validation import names, values
from apimachinery.validation.field import Path, show, too_long, too_many

AT = Path("x")


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        (values.nonnegative(AT, -1), "Invalid value: -1: must be greater than or equal to 0"),
        (values.nonnegative(AT, None), None),
        (values.positive(AT, 0), "Invalid value: 0: must be greater than zero"),
        (values.positive(AT, 1), None),
        (values.in_range(AT, 9, 1, 8), "Invalid value: 9: must be between 1 and 8, inclusive"),
        (values.port_number(AT, 0), "Invalid value: 0: must be between 1 and 65535, inclusive"),
        (values.immutable(AT, None, ""), None),
        (values.immutable(AT, {}, None), None),
        (values.immutable(AT, 0, None), "Invalid value: 0: field is immutable"),
        (values.immutable(AT, None, 1), "Invalid value: null: field is immutable"),
        (values.one_of(AT, "c", ("b", "a")), 'Unsupported value: "c": supported values: "b", "a"'),
        (values.one_of(AT, "a", ("b", "a")), None),
        (values.required_text(AT, "", "say it"), "Required value: say it"),
        (values.int_or_percent(AT, "10%"), None),
        (values.int_or_percent(AT, -1), "Invalid value: -1: must be greater than or equal to 0"),
        (values.at_most_100_percent(AT, "100%"), None),
        (
            values.at_most_100_percent(AT, "101%"),
            'Invalid value: "101%": must not be greater than 100%',
        ),
        (
            values.nonnegative_quantity(AT, "-1000m"),
            'Invalid value: "-1": must be greater than or equal to 0',
        ),
        (values.nonnegative_quantity(AT, "0"), None),
        (values.positive_quantity(AT, "0"), 'Invalid value: "0": must be greater than zero'),
    ],
)
def test_rules(errors, expected):
    assert [error.message for error in errors] == ([expected] if expected else [])


def test_percentages_are_explained():
    message = next(values.int_or_percent(AT, "abc")).message
    assert message.startswith('Invalid value: "abc": a valid percent string must be a numeric')
    assert list(values.matches(AT, "a", names.is_dns1123_label)) == []


def test_limits_count_in_the_singular_too():
    assert too_long(AT, "", 1).message == "Too long: may not be more than 1 byte"
    assert too_long(AT, "", -1).message == "Too long: value is too long"
    assert too_many(AT, 3, 1).message == "Too many: 3: must have at most 1 item"


def test_values_are_shown_as_go_shows_them():
    assert show({"a": "<b> & c"}) == '{"a":"\\u003cb\\u003e \\u0026 c"}'
    assert show("a<b") == '"a<b"'
    assert show(True) == "true"
    assert show(None) == "null"
