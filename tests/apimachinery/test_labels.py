"""Selectors: what they match, how they print, and how they refuse."""

import pytest

from apimachinery.errors import BadRequest
from apimachinery.labels import (
    EVERYTHING,
    NOTHING,
    from_label_selector,
    from_set,
    parse_selector,
)

WEB = {"app": "web", "tier": "front", "size": "10", "blank": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("app=web", True),
        ("app==web", True),
        ("app=db", False),
        ("app = web , tier = front", True),
        ("app=web,tier=back", False),
        ("app!=web", False),
        ("absent!=web", True),
        ("app in (db, web)", True),
        ("app in (db)", False),
        ("absent in (db)", False),
        ("app notin (db)", True),
        ("absent notin (db)", True),
        ("app notin (web,db)", False),
        ("app", True),
        ("absent", False),
        ("!app", False),
        ("!absent", True),
        ("! absent", True),
        ("size>9", True),
        ("size>10", False),
        ("size<11", True),
        ("tier>1", False),
        ("absent<1", False),
        ("blank=", True),
        ("blank", True),
        ("app=", False),
        ("blank in (,x)", True),
        ("app in ()x", None),
        ("in in (in, notin)", False),
        ("in", False),
    ],
)
def test_matching(text, expected):
    if expected is None:
        with pytest.raises(BadRequest):
            parse_selector(text)
    else:
        assert parse_selector(text).matches(WEB) is expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a===b", "unable to parse requirement: found '=', expected: identifier"),
        ("=", "found '=', expected: !, identifier, or 'end of string'"),
        (",a", "found ',', expected: !, identifier, or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
        ("a,,b", "found ',', expected: identifier after ','"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        (
            "a b",
            "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
        ),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in (=)", "unable to parse requirement: found '=', expected: ',', ')' or identifier"),
        (
            "a in ()",
            (
                "unable to parse requirement: values: Invalid value: []: "
                "for 'in', 'notin' operators, values set can't be empty"
            ),
        ),
        (
            "a>b",
            (
                'unable to parse requirement: values[0]: Invalid value: "b": '
                "for 'Gt', 'Lt' operators, the value must be an integer"
            ),
        ),
    ],
)
def test_refusals(text, message):
    with pytest.raises(BadRequest) as caught:
        parse_selector(text)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        # The path of a key is unset in Kubernetes' parser, which Go prints as <nil>.
        ("-a=b", '<nil>: Invalid value: "-a": name part must consist of alphanumeric'),
        ("a=b-", 'values[0][a]: Invalid value: "b-": a valid label must be an empty string'),
    ],
)
def test_refused_names(text, starts):
    with pytest.raises(BadRequest) as caught:
        parse_selector(text)
    assert caught.value.message.startswith(f"unable to parse requirement: {starts}")


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("b=2,a==1", "a==1,b=2"),
        ("x in (b,a),!y,z", "x in (a,b),!y,z"),
        ("n>3,m<4,k!=5,j notin (q)", "j notin (q),k!=5,m<4,n>3"),
    ],
)
def test_printing(text, printed):
    assert str(parse_selector(text)) == printed
    assert parse_selector(printed) == parse_selector(text)


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "db"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, False),
        (
            {
                "matchLabels": {"app": "web"},
                "matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}],
            },
            False,
        ),
    ],
)
def test_label_selector_objects(selector, expected):
    assert from_label_selector(selector).matches(WEB) is expected


def test_an_unknown_operator_is_refused():
    with pytest.raises(BadRequest, match='"Near" is not a valid label selector operator'):
        from_label_selector({"matchExpressions": [{"key": "a", "operator": "Near"}]})


def test_constants_and_indexes():
    assert EVERYTHING.empty
    assert EVERYTHING.matches(None)
    assert not NOTHING.empty
    assert not NOTHING.matches({})
    assert parse_selector("a=1,b in (2),c in (3,4)").exact == {"a": "1", "b": "2"}
    assert from_set({"app": "web"}).matches(WEB)
    assert from_set(None).empty
    assert len({parse_selector("a=1"), parse_selector("a = 1")}) == 1
