"""The protobuf form of OpenAPI v2, read back with a reader that knows only the wire format."""

from apimachinery.gvk import GroupVersionKind
from apimachinery.schema import openapi, openapi_v2
from apimachinery.wire import read_varint

SERVED = (
    openapi.ServedResource(
        GroupVersionKind("", "v1", "Secret"), "secrets", "secret", True, ("get", "patch", "create")
    ),
)


def fields(data):
    """Return [(number, value)] of a message, numbers for varints and bytes for the rest."""
    found, at = [], 0
    while at < len(data):
        key, at = read_varint(data, at)
        value, at = read_varint(data, at)
        if key & 7 == 2:
            value, at = data[at : at + value], at + value
        found.append((key >> 3, value))
    return found


def named(data, number):
    """Return the pairs of a map-like message as a dict."""
    pairs = [dict(fields(value)) for n, value in fields(data) if n == number]
    return {pair[1].decode(): pair.get(2, b"") for pair in pairs}


def test_the_document_has_paths_and_definitions():
    document = dict(fields(openapi.v2_protobuf(SERVED)))
    assert document[1] == b"2.0"
    definitions = named(document[9], 1)
    assert "io.k8s.api.core.v1.Secret" in definitions
    secret = fields(definitions["io.k8s.api.core.v1.Secret"])
    properties = named(dict(secret)[25], 1)
    assert {"data", "stringData", "metadata"} <= set(properties)
    extensions = {dict(fields(value))[1].decode() for number, value in secret if number == 31}
    assert "x-kubernetes-group-version-kind" in extensions


def test_a_patch_says_that_it_validates_fields():
    document = dict(fields(openapi.v2_protobuf(SERVED)))
    item = named(document[8], 2)["/api/v1/namespaces/{namespace}/secrets/{name}"]
    patch = dict(fields(item))[8]
    parameters = [value for number, value in fields(patch) if number == 8]
    assert any(b"fieldValidation" in value for value in parameters)
    assert b"x-kubernetes-group-version-kind" in patch


def test_each_part_of_a_schema_has_its_number():
    node = {
        "$ref": "#/definitions/a", "format": "f", "title": "t", "description": "d",
        "default": {"a": 1}, "required": ["x"], "enum": ["e"], "type": "object",
        "items": {"type": "string"}, "allOf": [{"type": "string"}],
        "additionalProperties": {"type": "integer"}, "properties": {"p": {"type": "boolean"}},
        "x-y": [1],
    }  # fmt: skip
    numbers = [number for number, _ in fields(openapi_v2.schema(node))]
    assert numbers == [1, 2, 3, 4, 5, 19, 20, 21, 22, 23, 24, 25, 31]
    assert fields(openapi_v2.schema({"additionalProperties": True})) == [(21, b"\x10\x01")]
