"""Field selectors: terms, escapes, and refusals."""

import pytest

from apimachinery.errors import BadRequest
from apimachinery.fields import parse_fields

POD = {"metadata.name": "web", "spec.nodeName": "", "status.phase": "Running"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("metadata.name=web", True),
        ("metadata.name==web", True),
        ("metadata.name!=web", False),
        ("spec.nodeName=", True),
        ("spec.nodeName!=", False),
        ("unknown=", True),
        ("metadata.name=web,status.phase=Running", True),
        ("metadata.name=web,status.phase!=Running", False),
        (",metadata.name=web,", True),
    ],
)
def test_matching(text, expected):
    assert parse_fields(text).matches(POD) is expected


def test_requirements_and_exact_values():
    selector = parse_fields(r"a==b\,c,d!=e")
    assert selector.requirements == (("a", "=", "b,c"), ("d", "!=", "e"))
    assert selector.exact("a") == "b,c"
    assert selector.exact("d") is None
    assert str(selector) == r"a=b\,c,d!=e"
    assert not selector.empty


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nosense", "invalid selector: 'nosense'; can't understand 'nosense'"),
        ("a=b,c", "invalid selector: 'a=b,c'; can't understand 'c'"),
        ("a=b=c", "invalid field selector: unescaped character in value: 61"),
        (r"a=b\x", r"invalid field selector: invalid escape sequence: \x"),
        ("a=b\\", "invalid field selector: invalid escape sequence: \\"),
    ],
)
def test_refusals(text, message):
    with pytest.raises(BadRequest) as caught:
        parse_fields(text)
    assert caught.value.message == message
