"""The core of the language gives what Google's own C++ runtime gives, for made-up expressions."""

import pytest
from cel_expr_python import cel
from cel_expr_python.ext import ext_optional, ext_strings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apimachinery.cel.env import CompileError, CostExceeded, Env, EvalError
from apimachinery.cel.types import DYN, INT, STRING, list_of

VALUES = {"x": 3, "s": "abc", "l": [1, 2, 3], "d": {"a": 1, "b": [True, 2.5, "c"], "n": None}}
OURS = Env({"x": INT, "s": STRING, "l": list_of(INT), "d": DYN})
THEIRS = cel.NewEnv(
    variables={
        "x": cel.Type.INT,
        "s": cel.Type.STRING,
        "l": cel.Type.List(cel.Type.INT),
        "d": cel.Type.DYN,
    },
    extensions=[ext_optional.ExtOptional(), ext_strings.ExtStrings()],
)
FAILED, REFUSED = object(), object()

ATOMS = st.sampled_from(
    ["x", "s", "l", "d", "d.a", "d.b", "d.n", "d.zz", "1", "0", "-2", "2.5", "3u", "'a'", "''",
     "true", "false", "null", "[]", "{}", "[1, 2]", "{'a': 1}", "l[0]", "d.b[1]", "d['a']"]
)  # fmt: skip
BINARY = st.sampled_from(["+", "-", "*", "/", "%", "==", "!=", "<", "<=", "&&", "||", "in"])
FORMS = st.sampled_from(
    ["size({})", "{}.size()", "type({}) == int", "string({})", "int({})", "double({})", "!{}",
     "-{}", "has(d.{})", "{}.all(v, v == 1)", "{}.exists(v, v == x)", "{}.map(v, v)",
     "{}.filter(v, v != 1)", "{}.exists_one(v, v == 1)", "{}.contains('a')", "dyn({}) == 1",
     "{}.startsWith('a')", "{}.a", "{}[0]", "d.?zz.orValue({})", "[{}]"]
)  # fmt: skip


def combined(inner):
    pairs = st.tuples(inner, BINARY, inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})")
    choice = st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} ? {p[1]} : {p[2]})")
    return pairs | choice | st.tuples(FORMS, inner).map(lambda p: p[0].format(p[1]))


EXPRESSIONS = st.recursive(ATOMS, combined, max_leaves=6)


def ours(text):
    try:
        program = OURS.compile(text)
    except CompileError:
        return REFUSED
    try:
        return plain(program.run(VALUES))
    except (EvalError, CostExceeded):
        return FAILED


def theirs(text):
    try:
        program = THEIRS.compile(text)
    except RuntimeError:
        return REFUSED
    try:
        found = program.eval(data=VALUES)
    except RuntimeError:
        return FAILED
    return FAILED if found.type() == cel.Type.ERROR else plain(found.plain_value())


def plain(value):
    """Return a value with its types, so that True is not 1."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (bool, str, float, type(None))):
        return (type(value).__name__, value)
    return ("int", int(value)) if isinstance(value, int) else type(value).__name__


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(EXPRESSIONS)
def test_the_same_outcome(text):
    mine, other = ours(text), theirs(text)
    if other is FAILED and (" in d" in text or " in {" in text):
        # Asking a map of JSON for a key that is no string is false in Go, and an error in C++.
        return
    if REFUSED in (mine, other) and mine is not other:
        # Theirs allows lists of mixed types, and does not compare numbers of two types: neither is
        # as Kubernetes has it.
        assert set(text) & set("[{?" if mine is REFUSED else "<"), text
        return
    # The order of a map's keys is nobody's promise.
    assert mine == other or unordered(mine) == unordered(other), text


def unordered(value):
    return sorted(map(repr, value)) if isinstance(value, list) else value


@pytest.mark.parametrize("text", ["x.y", "nope", "1 +", "x + s", "s.foo()", "x ? 1 : 2"])
def test_the_same_is_refused(text):
    assert ours(text) is REFUSED
    assert theirs(text) is REFUSED
