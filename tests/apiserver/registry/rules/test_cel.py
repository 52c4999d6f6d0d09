"""CEL's grammar: what can be read, and the words for what cannot."""

from __future__ import annotations

import pytest

from apiserver.registry.rules.cel import why_not

STARTS = (
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, "
    "STRING, BYTES, IDENTIFIER}"
)


@pytest.mark.parametrize(
    "text",
    [
        "object.metadata.name != 'x'",
        'self.size < 9 || self.color == "blue"',
        "has(self.x) && self.x.all(y, y > 1)",
        "{'a': 1, 'b': [1, 2u, 0x1F, 1.5e3]}.a ? 1 : 2",
        "self.?x.orValue(1) + a[?0].orValue(-1)",
        "r'\\d+' in list && !b'\\x00'.startsWith(x)",
        '"""two\nlines"""',
        "Object{spec: Object.spec{replicas: 1}}",
        "variables.a % 2 == 0 // a remark",
        ".a.b(c)",
    ],
)
def test_good(text):
    assert why_not(text) is None


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        ("object.", "1:8", "Syntax error: no viable alternative at input '.'"),
        ("1 +", "1:4", f"Syntax error: mismatched input '<EOF>' expecting {STARTS}"),
        ("a b", "1:3", "Syntax error: extraneous input 'b' expecting <EOF>"),
        ("(a", "1:3", "Syntax error: mismatched input '<EOF>' expecting ')'"),
        ("a &", "1:3", "Syntax error: token recognition error at: '&'"),
        ("for.x", "1:1", "reserved identifier: for"),
    ],
)
def test_bad(text, place, why):
    column = int(place.split(":")[1]) - 1
    assert why_not(text) == (
        f"compilation failed: ERROR: <input>:{place}: {why}\n | {text}\n | {'.' * column}^"
    )


def test_lines_are_counted():
    shown = why_not("a ==\n  b c")
    assert shown is not None
    assert shown.endswith("<input>:2:5: Syntax error: extraneous input 'c' expecting <EOF>\n"
                          " |   b c\n | ....^")  # fmt: skip


def test_depth_has_a_bound():
    shown = why_not("(" * 1000)
    assert shown is not None
    assert "expression recursion limit exceeded: 50" in shown
