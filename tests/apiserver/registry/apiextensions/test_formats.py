"""Formats that are ignored are warned about, once, and only where they are new."""

import pytest

from apiserver.registry.apiextensions.formats import format_warnings


def spec(*schemas):
    return {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": one}} for one in schemas]}


def text(name):
    return {"type": "string", "format": name}


@pytest.mark.parametrize(
    ("schema", "names"),
    [
        (text("e-mail"), []),
        (text("date-time"), []),
        (text("phone"), ["phone"]),
        (text("int32"), ["int32"]),
        ({"type": "integer", "format": "int32"}, []),
        ({"type": "integer", "format": "int99"}, []),
        ({"properties": {"format": text("a"), "b": {"items": text("b")}}}, ["a", "b"]),
        ({"additionalProperties": text("a"), "anyOf": [{"not": text("b")}, text("b")]}, ["b", "a"]),
        ({"additionalProperties": True, "items": [text("a")], "format": "x"}, ["a"]),
    ],
)
def test_formats_that_nobody_knows(schema, names):
    found = format_warnings(spec(schema, {"type": "object"}, {}))
    assert sorted(found) == sorted(f'unrecognized format "{name}"' for name in names)


def test_what_was_there_before_is_no_news():
    before, after = spec(text("a")), spec({"properties": {"x": text("a"), "y": text("b")}})
    assert format_warnings(after, before) == ['unrecognized format "b"']
    assert format_warnings({}, None) == []
