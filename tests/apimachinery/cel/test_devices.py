"""Selectors of devices."""

import pytest

from apimachinery.cel.devices import compile_selector, is_too_complex


@pytest.mark.parametrize(
    "text",
    [
        "device.driver == 'dra.example.com'",
        "device.attributes['dra.example.com'].model == 'a100'",
        "device.capacity['dra.example.com'].memory.isGreaterThan(quantity('10Gi'))",
        "cel.bind(dra, device.attributes['dra.example.com'], dra.model == 'a' && dra.someBool)",
        "device.attributes['dra.example.com'].someBool",
    ],
)
def test_good(text):
    assert compile_selector(text).problem == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("device.driver", "must evaluate to bool or the unknown type, not string"),
        ("device.nope == 1", "compilation failed: ERROR: <input>:1:7: undefined field 'nope'"),
        ("object.a", "compilation failed: ERROR: <input>:1:1: undeclared reference to 'object'"),
    ],
)
def test_bad(text, why):
    assert compile_selector(text).problem.startswith(why)


@pytest.mark.parametrize(
    ("text", "complex_"),
    [
        ("device.attributes['dra.example.com'].model.matches('[a-z]+')", False),
        ("device.attributes.all(d, device.attributes[d].all(n, n.startsWith('a')))", False),
        (
            (
                "device.attributes.all(a, device.attributes.all(b, device.attributes.all(c, "
                "device.attributes.all(d, a == b))))"
            ),
            True,
        ),
    ],
)
def test_what_is_too_complex(text, complex_):
    assert is_too_complex(compile_selector(text)) is complex_
