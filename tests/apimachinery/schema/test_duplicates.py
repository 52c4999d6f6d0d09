"""Fields named twice are found wherever they are, and nowhere else."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apimachinery.schema.decode import find_duplicate_fields


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"{}", []),
        (b'{"a":1,"b":{"a":1}}', []),
        (b'{"a":":","b":"\\"x\\":1"}', []),
        (b'{"a":1,"a":1}', ['duplicate field "a"']),
        (b'{"spec":{"replicas":1,"replicas":2}}', ['duplicate field "spec.replicas"']),
        (b'{"a":[{"b":1},{"b":1,"b":2,"b":3}]}', ['duplicate field "a[1].b"']),
        (b'{"a":{"x":1,"x":1},"a":{"x":1,"x":1}}',
         ['duplicate field "a.x"', 'duplicate field "a"']),
        (b'{"a":1,"a":"\\u003a"}', ['duplicate field "a"']),
        (b'{"\\u0061":1,"a":2}', ['duplicate field "a"']),
        (b"not json", []),
        (b"[" * 100_000, []),
    ],
)  # fmt: skip
def test_duplicates(raw, found):
    assert sorted(find_duplicate_fields(raw)) == sorted(found)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=10,
)


@settings(max_examples=50, deadline=None)
@given(JSON)
def test_an_object_that_was_printed_has_none(value):
    assert find_duplicate_fields(orjson.dumps(value), value) == []
