"""Functions and operators return a value or refuse, whatever they are called with."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apimachinery.cel.env import CostExceeded, Env, EvalError
from apimachinery.cel.libs.all import KUBERNETES
from apimachinery.cel.libs.networks import parse_cidr, parse_ip
from apimachinery.cel.libs.optionals import OPTIONALS
from apimachinery.cel.libs.quantities import QUANTITIES
from apimachinery.cel.libs.semvers import parse_semver
from apimachinery.cel.libs.urls import parse_url
from apimachinery.cel.times import duration, timestamp
from apimachinery.cel.types import DYN
from apimachinery.cel.values import INT_MAX, INT_MIN, NOTHING, SECOND, UINT_MAX, Opt, UInt

NAMES = "abcd"
ENV = Env(dict.fromkeys(NAMES, DYN))
QUANTITY = next(one.run for one in QUANTITIES if one.function == "quantity")
LONG = "9" * 5000

INTS = st.sampled_from([0, 1, -1, 2, 7, INT_MAX, INT_MIN, 10**6]) | st.integers(INT_MIN, INT_MAX)
UINTS = st.sampled_from([0, 1, UINT_MAX]).map(UInt)
DOUBLES = st.floats() | st.sampled_from([0.0, -0.0, 1e308, -1e308, math.nan, math.inf, 2.0**63])
TEXTS = st.sampled_from(
    ["", "a", "%s", "%d%%", "%.2f", "%.99999f", "%", "[", "a{2}", "(a)(b)", "1", "-1", LONG,
     f"{LONG}h", "1h", "1.5.0-a+b", f"{LONG}.1.1", f"1e{LONG}", "1e1000", "10Gi", "8Ei", "::1",
     "1.2.3.4", "1.2.3.4/8", "fe80::1%e", "::/0", f"1.1.1.1/{LONG}", "http://a:1/b?c=d#e", "//",
     "http://[::1", "/%zz", "a=b", "a in (b)", "2024-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59",
     "+25:00", ":", "-1:", f"{LONG}:1", "America/New_York", "../x", "/etc", "\0", "dns1123Label",
     "å€🙂", "😀" * 9]
) | st.text(max_size=9)  # fmt: skip
MOMENTS = st.sampled_from([0, -62135596800, 253402300799]).map(lambda s: timestamp(s * SECOND))
SPANS = st.sampled_from([0, 1, -1, INT_MAX, INT_MIN]).map(duration)
OWN = st.sampled_from(
    [parse_ip("1.2.3.4"), parse_ip("ff02::1"), parse_cidr("1.2.3.4/8"), parse_cidr("::/0"),
     parse_semver("1.2.3-a.1+b"), parse_url("http://[::1]:8/a?b=c"), QUANTITY("1e1000"),
     QUANTITY("-1m"), QUANTITY("8Ei"), QUANTITY("9" * 2000), Opt(1), NOTHING]
)  # fmt: skip
PLAIN = st.none() | st.booleans() | INTS | UINTS | DOUBLES | TEXTS | st.binary(max_size=5)
VALUES = st.recursive(
    PLAIN | MOMENTS | SPANS | OWN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
CALLS = sorted(
    {
        (one.function, one.member, len(one.params))
        for library in (*KUBERNETES, OPTIONALS)
        for one in library
        if one.function.replace(".", "").isalpha()
    }
)
OPERATORS = ["a + b", "a - b", "a * b", "a / b", "a % b", "-a", "!a", "a == b", "a < b", "a in b",
             "a[b]", "a.x", "a[?b]", "a.?x.y", "has(a.x)", "a ? b : c", "a && b", "a || b",
             "[a, b].sum()", "{a: b}", "type(a) == type(b)", "size(a)", "a.map(x, b)",
             "a.filter(x, x == b)", "a.existsOne(x, y, y == b)", "a.transformMap(k, v, [k, v])",
             "a.sortBy(x, x)", "[a, b, c].sort()", "a.optMap(x, x)", "[a, b, c].distinct()",
             "[a, b].map(x, dyn(x)).flatten(3)", "string(dyn(a.map(i, i)))"]  # fmt: skip


def written(function, member, count):
    if member:
        return f"a.{function}({', '.join(NAMES[1:count])})"
    return f"{function}({', '.join(NAMES[:count])})"


EXPRESSIONS = [*(written(*call) for call in CALLS if call[0] != "check"), *OPERATORS]
PROGRAMS = {text: ENV.compile(text) for text in EXPRESSIONS}


@settings(max_examples=1500, deadline=20_000)
@given(st.sampled_from(EXPRESSIONS), st.tuples(VALUES, VALUES, VALUES, VALUES))
def test_a_value_or_a_refusal(text, values):
    why = ""
    try:
        PROGRAMS[text].run(dict(zip(NAMES, values, strict=True)))
    except (EvalError, CostExceeded) as error:
        why = str(error)
    assert "internal error" not in why


@pytest.mark.parametrize(
    "text",
    [LONG, f"-{LONG}", f"{LONG}u", "1e999", f"timestamp({LONG})", f"[1][{LONG}]"],
)
def test_numbers_that_are_too_long_are_refused_where_they_stand(text):
    with pytest.raises(ValueError, match=r"invalid (int|uint|double) literal"):
        ENV.compile(text)
