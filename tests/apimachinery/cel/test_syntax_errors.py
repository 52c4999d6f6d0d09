"""Syntax errors are told in the words of Google's parser, which reads by the same grammar."""

from __future__ import annotations

from contextlib import suppress

import pytest
from cel_expr_python import cel
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apimachinery.cel.env import CompileError, CostExceeded, Env, EvalError
from apimachinery.cel.types import DYN, INT, STRING, list_of

THEIRS = cel.NewEnv(variables={"a": cel.Type.DYN, "b": cel.Type.DYN})
OURS = Env({"a": DYN, "b": DYN})
ENV = Env({"a": DYN, "b": INT, "c": list_of(STRING)}, bindings=True)


def theirs(text):
    try:
        THEIRS.compile(text)
    except RuntimeError as error:
        found = str(error).removeprefix("INVALID_ARGUMENT: ").removesuffix(" [INVALID_ARGUMENT]")
        # What their own tree walker adds after an error of syntax.
        return found.replace("\nERROR: <input>:-1:-1: <<nil>> parsetree", "")
    return None


def ours(text):
    try:
        OURS.check(text)
    except CompileError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    "text",
    ["a.", "a +", "(a", "a && (b", "a(", "a.f(", "[", "[1", "[1,", "{", "{1", "{1:", "{1:2", "a[",
     "a[1", "1 + +", "*a", "* a | b", "a | b", "a = b", "a & b", "'abc", "'a\\q'", "@", "#", "a b",
     "a b c", "a ? b", "a ? b :", "a ? : b", "a..b", "a.1", "a.'x'", "!", "-", "a !", "a )", "(a))",
     "a,b", "f(a b)", "[a b]", "{a b}", "{a:b c:d}", "a.in", "for", "b.x + for", "a.for", "}", ")",
     "9223372036854775808", "99999999999999999999u", '"a\nb"', "", "  ", "a.b.", "a.?", "f(,)",
     "a in", "in a", "true false", "1 2", "a 'x'", "x{y}", "x{y:}", "x{>C}", "&& a", "a && && b",
     "a == == b", "a ? b ? c", "`a`", "a.`b", "(((", "()", "a.b(c", "[1,2", "1..2", "0x", "1.",
     "a-", "a%", "a<", "'''abc", "b'abc", "r'abc", "a.b.c(1).d[", "a.all(x, x ==)", "[a, , b]"],
)  # fmt: skip
def test_the_words_are_the_same(text):
    wanted, found = theirs(text), ours(text)
    if wanted is not None and "unsupported syntax" in wanted:
        # Optionals are read before they are refused there.
        wanted = wanted.partition("\n | ")[2].partition("^\n")[2]
    if wanted is not None and "Syntax error" not in wanted and "undeclared" in wanted:
        return
    assert found == wanted


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("b'\\u00e9'", "unable to unescape string"),
        ("'\\U11111111'", "invalid unicode code point"),
        ("'\\ud800'", "invalid unicode code point"),
        ("1e999", "invalid double literal"),
    ],
)
def test_literals_that_say_nothing(text, why):
    assert ours(text) == f"ERROR: <input>:1:1: {why}\n | {text}\n | ^"


PARTS = st.sampled_from(
    ["a", "b", "c", "1", "2u", "1.5", "'s'", "b'x'", "true", "null", "(", ")", "[", "]", "{", "}",
     ".", ",", ":", "?", "+", "-", "*", "/", "%", "!", "==", "!=", "<", "&&", "||", " in ", ".all(",
     ".map(", ".exists_one(", "x,", "has(", "size(", ".?", "[?", "&", "|", "=", "'", '"', "\\", "@",
     "`x-y`", "for ", "cel.bind(", "\n", "duration('1h')", ".matches('[')", "quantity('1')",
     "optional.of(", ".orValue(", "9223372036854775807", "-9223372036854775808", "Object{"]
)  # fmt: skip
SOUP = st.lists(PARTS, max_size=14).map("".join)


@settings(max_examples=400, deadline=20_000)
@given(SOUP)
@example("(" * 300)
@example("[" * 3000)
@example("!" * 5000 + "a")
@example("-" * 5000)
@example("a" + ".b" * 3000)
@example("a" + "[0]" * 3000)
@example("1" + "+1" * 3000)
@example("c.map(x, " * 60 + "1" + ")" * 60)
def test_nothing_that_is_written_breaks_more_than_itself(text):
    with suppress(CompileError, EvalError, CostExceeded):
        ENV.compile(text).run({"a": {"x": [1, "y"]}, "b": 4, "c": ["p", "q"]})


@settings(max_examples=300, deadline=20_000)
@given(SOUP.filter(lambda text: "?" not in text and "`" not in text))
def test_what_is_no_expression_there_is_none_here(text):
    wanted, found = theirs(text), ours(text)
    syntax = "Syntax error", "reserved identifier"
    assert any(word in (wanted or "") for word in syntax) == any(
        word in (found or "") for word in syntax
    )
