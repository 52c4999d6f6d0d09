"""Selectors: what holds for all of them, and for every text that is none."""

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from apimachinery.errors import BadRequest
from apimachinery.fields import parse_fields
from apimachinery.labels import from_label_selector, parse_selector

QUICK = settings(max_examples=120, deadline=None, derandomize=True)

KEYS = st.sampled_from(["a", "b", "example.com/c"])
NAMES = st.sampled_from(["x", "y", "1", "22", ""])
# The empty value alone cannot be written as a set.
SETS = st.lists(NAMES, min_size=1, max_size=3, unique=True).filter(any)
LABELS = st.dictionaries(KEYS, NAMES, max_size=3)
TESTS = st.one_of(
    st.tuples(KEYS, st.sampled_from(["=", "==", "!="]), NAMES.map(lambda one: [one])),
    st.tuples(KEYS, st.sampled_from(["in", "notin"]), SETS),
    st.tuples(KEYS, st.sampled_from(["<", ">"]), st.sampled_from([["1"], ["5"], ["22"]])),
    st.tuples(KEYS, st.sampled_from(["exists", "!"]), st.just([])),
)


def text(test):
    key, operator, values = test
    if operator in ("in", "notin"):
        return f"{key} {operator} ({', '.join(values)})"
    if operator == "exists":
        return key
    return f"!{key}" if operator == "!" else f"{key} {operator} {values[0]}"


def holds(test, labels):
    key, operator, values = test
    value = labels.get(key)
    if operator == "exists":
        return value is not None
    if operator == "!":
        return value is None
    if operator in ("!=", "notin"):
        return value not in values
    if operator in ("<", ">"):
        bound, number = int(values[0]), value and value.isdigit() and int(value)
        return bool(value and value.isdigit()) and (
            number < bound if operator == "<" else number > bound
        )
    return value in values


@QUICK
@given(st.lists(TESTS, min_size=1, max_size=3), LABELS)
def test_labels_are_selected_as_each_test_says(tests, labels):
    selector = parse_selector(",".join(map(text, tests)))
    assert selector.matches(labels) == all(holds(test, labels) for test in tests)


@QUICK
@given(st.lists(TESTS, max_size=3))
def test_selectors_can_be_read_again(tests):
    selector = parse_selector(",".join(map(text, tests)))
    again = parse_selector(str(selector))
    assert again == selector
    assert str(again) == str(selector)


@QUICK
@given(
    LABELS,
    st.lists(st.tuples(KEYS, st.sampled_from(["In", "NotIn"]), SETS), max_size=2),
    LABELS,
)
def test_label_selectors_are_their_texts(wanted, expressions, labels):
    selector = from_label_selector(
        {
            "matchLabels": wanted,
            "matchExpressions": [
                {"key": key, "operator": operator, "values": values}
                for key, operator, values in expressions
            ],
        }
    )
    assert parse_selector(str(selector)).matches(labels) == selector.matches(labels)


SCRAPS = st.lists(
    st.sampled_from(
        ["a", "b.c/d", "in", "notin", "(", ")", ",", "!", "=", "==", "!=", "<", ">", " ", "1", "\\"]
    ),
    max_size=8,
).map("".join)


@QUICK
@given(st.text(max_size=12) | SCRAPS)
def test_every_other_text_is_a_bad_request(given_text):
    for parse in (parse_selector, parse_fields):
        with suppress(BadRequest):
            selector = parse(given_text)
            assert str(parse(str(selector))) == str(selector)


PATHS = st.sampled_from(["metadata.name", "status.phase", "spec.nodeName"])
VALUES = st.text(st.sampled_from("ab\\,=! "), max_size=4)


@QUICK
@given(st.dictionaries(PATHS, st.tuples(st.booleans(), VALUES)), st.dictionaries(PATHS, VALUES))
def test_fields_are_selected_as_each_test_says(tests, fields):
    def escaped(value):
        return value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")

    terms = [
        f"{path}{'=' if same else '!='}{escaped(value)}" for path, (same, value) in tests.items()
    ]
    selector = parse_fields(",".join(terms))
    assert selector.matches(fields) == all(
        (fields.get(path, "") == value) == same for path, (same, value) in tests.items()
    )
    assert parse_fields(str(selector)).matches(fields) == selector.matches(fields)
