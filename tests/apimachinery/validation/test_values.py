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
        (values.immutable(AT, None, ""), None),
        (values.immutable(AT, {}, None), None),
        (values.immutable(AT, 0, None), "Invalid value: 0: field is immutable"),
        (values.immutable(AT, None, 1), "Invalid value: null: field is immutable"),
        (values.one_of(AT, "c", ("b", "a")), 'Unsupported value: "c": supported values: "b", "a"'),
        (values.one_of(AT, "a", ("b", "a")), None),
    ],
)
def test_rules(errors, expected):
    assert [error.message for error in errors] == ([expected] if expected else [])


def test_rules_for_names_explain_themselves():
    message = next(values.matches(AT, "A", names.is_dns1123_label)).message
    assert message.startswith('Invalid value: "A": a lowercase RFC 1123 label must consist of')
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
