"""Media types, JSON's complaints, YAML."""

import pytest

from apiserver.endpoints import yaml
from apiserver.endpoints.jsonerrors import syntax_error
from apiserver.endpoints.negotiation import negotiate

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@pytest.mark.parametrize(
    ("accept", "media_type", "transform"),
    [
        ("", "application/json", ""),
        ("*/*", "application/json", ""),
        ("application/yaml", "application/yaml", ""),
        ("application/vnd.kubernetes.protobuf, application/json", "application/json", ""),
        (f"{TABLE}, application/json", "application/json", "Table"),
        ("application/json;as=Nope;v=v1;g=meta.k8s.io,application/json", "application/json", ""),
        ("application/json;q=0.5, application/yaml", "application/yaml", ""),
        (f"{AGGREGATED}, application/json", "application/json", ""),
    ],
)
def test_negotiation(accept, media_type, transform):
    output = negotiate(accept)
    assert (output.media_type, output.transform) == (media_type, transform)


def test_discovery_has_a_form_of_its_own():
    output = negotiate(AGGREGATED, discovery=True)
    assert (output.transform, output.version) == ("APIGroupDiscoveryList", "v2")
    assert negotiate("text/html") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "unexpected end of JSON input"),
        ("{", "unexpected end of JSON input"),
        ("{not json", "invalid character 'n' looking for beginning of object key string"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ('{"a":1 "b"}', "invalid character '\"' after object key:value pair"),
        ("[1 2]", "invalid character '2' after array element"),
        ("{} x", "invalid character 'x' after top-level value"),
        ("nope", "invalid character 'o' in literal null (expecting 'u')"),
        ("-x", "invalid character 'x' in numeric literal"),
        ('"\\q"', "invalid character 'q' in string escape code"),
        ("'a'", "invalid character '\\'' looking for beginning of value"),
        ('{"a": [1, {"b": "\\u00e9"}], "c": -1.5e3}', ""),
    ],
)
def test_json_errors_are_those_of_go(text, message):
    assert syntax_error(text) == message


def test_yaml_reads_booleans_and_times_as_kubernetes_does():
    read = yaml.load(b"a: y\nb: yes\nc: 2026-01-02\n1: x\nd: no way\n")
    assert read == {"a": True, "b": True, "c": "2026-01-02", "1": "x", "d": "no way"}


def test_yaml_quotes_what_would_be_something_else():
    written = yaml.dump({"b": "1", "a": "true", "c": "text", "d": "x\ny\n"})
    assert written == b'a: "true"\nb: "1"\nc: text\nd: |\n  x\n  y\n'
    assert yaml.load(written) == {"a": "true", "b": "1", "c": "text", "d": "x\ny\n"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12:30", "12:30"),
        ("1:2.5", "1:2.5"),
        ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", float(2**64)),
        ("9" * 400, "9" * 400),
        ("9" * 5000, "9" * 5000),
        ("!!binary aGVsbG8=", "hello"),
        ("!!set {a, b}", {"a": None, "b": None}),
        ("!!omap [a: {1: 2}]", [{"a": {"1": 2}}]),
    ],
)
def test_what_json_has_no_word_for(text, value):
    assert yaml.load(f"a: {text}".encode()) == {"a": value}


@pytest.mark.parametrize("text", ["!!float x", "!!bool x", "!!timestamp x", "!!python/object x"])
def test_tags_that_do_not_fit_are_refused(text):
    with pytest.raises(yaml.YAMLError):
        yaml.load(f"a: {text}".encode())


def test_lists_of_pairs_are_counted_when_they_stand_for_more():
    lines = ["a0: &a0 [x]"]
    for at in range(1, 30):
        pairs = ", ".join(f"k{n}: *a{at - 1}" for n in range(9))
        lines.append(f"a{at}: &a{at} !!pairs [{pairs}]")
    with pytest.raises(yaml.YAMLError, match="excessive aliasing"):
        yaml.load("\n".join(lines).encode())
