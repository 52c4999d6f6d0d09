"""JSON by its bytes: parts are cut out, and printed again as Go does."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apimachinery.verbatim import Verbatim, as_sent, compact, encoded, member

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b'{"data": {"a": 1, "b": [ 2 ]}, "x": 1}', '{"a": 1, "b": [ 2 ]}'),
        (b' {"x":"}","data":{"a":"\\"\\u0041"}} ', '{"a":"\\"\\u0041"}'),
        (b'{"data":{"a":1},"data":{"b":\n\t2}}', '{"b":  2}'),
        (b'{"x":{"data":1}}', ""),
        (b"{}", ""),
    ],
)
def test_a_member_is_found_in_its_own_words(raw, text):
    assert member(raw, "data") == text


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ('{"b": 1, "a": [ 1 , 2 ]}', '{"b":1,"a":[1,2]}'),
        ('{"a b": " <\\" > "}', '{"a b":" \\u003c\\" \\u003e "}'),
        ("12", "12"),
    ],
)
def test_compact_text_keeps_the_order(text, printed):
    assert compact(text) == printed


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.dictionaries(st.text(max_size=3), JSON))
def test_what_is_printed_again_says_the_same(value):
    raw = orjson.dumps({"x": [value], "data": value}, option=orjson.OPT_INDENT_2)
    text = member(raw, "data")
    assert (
        orjson.loads(text) == orjson.loads(compact(text)) == orjson.loads(encoded(value)) == value
    )
    assert encoded(orjson.loads(encoded(value))) == encoded(value)


def test_it_is_stored_in_its_own_words():
    value = {"data": Verbatim({"a": 1}, '{"a": 1}')}
    stored = orjson.dumps(value, default=as_sent, option=orjson.OPT_PASSTHROUGH_SUBCLASS)
    assert stored == b'{"data":{"a": 1}}'
    assert orjson.dumps(value) == b'{"data":{"a":1}}'
