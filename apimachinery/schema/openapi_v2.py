"""An OpenAPI v2 document as gnostic's protobuf message `openapi.v2.Document`.

Clients before v1.27, and `kubectl explain --output=plaintext-openapiv2`, read v2 in this form
alone. Only what the API server's document has is encoded. Numbers are gnostic's field numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from apimachinery.wire import varint

# Field numbers of a method in PathItem.
_METHODS = {"get": 2, "put": 3, "post": 4, "delete": 5, "patch": 8}
# Of a parameter that is not in the body, in NonBodyParameter.
_PLACES = {"header": 1, "formData": 2, "query": 3, "path": 4}


def encode(document: Mapping[str, Any]) -> bytes:
    """Return the message `Document`."""
    info = _text(1, document["info"]["title"]) + _text(2, document["info"]["version"])
    security = b"".join(
        _message(12, _named_all(1, requirement, _string_array))
        for requirement in document.get("security", ())
    )
    return (
        _text(1, document["swagger"])
        + _message(2, info)
        + _message(8, _named_all(2, document["paths"], _path_item))
        + _message(9, _named_all(1, document["definitions"], schema))
        + _message(10, _named_all(1, document.get("parameters", {}), _shared_parameter))
        + security
        + _message(13, _named_all(1, document.get("securityDefinitions", {}), _api_key))
    )


def schema(node: Mapping[str, Any]) -> bytes:
    """Return the message `Schema`."""
    out = bytearray()
    out += _text(1, node.get("$ref")) + _text(2, node.get("format")) + _text(3, node.get("title"))
    out += _text(4, node.get("description"))
    if "default" in node:
        out += _message(5, _any(node["default"]))
    for name in node.get("required", ()):
        out += _text(19, name)
    for value in node.get("enum", ()):
        out += _message(20, _any(value))
    additional = node.get("additionalProperties")
    if isinstance(additional, Mapping):
        out += _message(21, _message(1, schema(additional)))
    elif additional is not None:
        out += _message(21, _flag(2, on=bool(additional)))
    if isinstance(node.get("type"), str):
        out += _message(22, _text(1, node["type"]))
    if isinstance(node.get("items"), Mapping):
        out += _message(23, _message(1, schema(node["items"])))
    for part in node.get("allOf", ()):
        out += _message(24, schema(part))
    if node.get("properties"):
        out += _message(25, _named_all(1, node["properties"], schema))
    return bytes(out) + _extensions(31, node)


def _path_item(node: Mapping[str, Any]) -> bytes:
    out = b"".join(
        _message(number, _operation(node[method]))
        for method, number in _METHODS.items()
        if method in node
    )
    return out + b"".join(_message(9, _parameter(p)) for p in node.get("parameters", ()))


def _operation(node: Mapping[str, Any]) -> bytes:
    out = _texts(1, node.get("tags", ())) + _text(3, node.get("description"))
    out += _text(5, node.get("operationId"))
    out += _texts(6, node.get("produces", ())) + _texts(7, node.get("consumes", ()))
    out += b"".join(_message(8, _parameter(p)) for p in node.get("parameters", ()))
    out += _message(9, _named_all(1, node.get("responses", {}), _response))
    return out + _texts(10, node.get("schemes", ())) + _extensions(13, node)


def _parameter(node: Mapping[str, Any]) -> bytes:
    """Return `ParametersItem`: a parameter, or a reference to one that is shared."""
    if "$ref" in node:
        return _message(2, _text(1, node["$ref"]))
    return _message(1, _shared_parameter(node))


def _shared_parameter(node: Mapping[str, Any]) -> bytes:
    """Return `Parameter`: one in the body, in the query, in the path or in a header."""
    if node["in"] == "body":
        body = _text(2, node["name"]) + _text(3, "body")
        body += _flag(4, on=node.get("required", False)) + _message(5, schema(node["schema"]))
        return _message(1, body)
    inner = _flag(1, on=node.get("required", False)) + _text(2, node["in"])
    inner += _text(3, node.get("description")) + _text(4, node["name"])
    in_query = node["in"] in ("query", "formData")
    inner += _text(6 if in_query else 5, node["type"])
    inner += _flag(20 if in_query else 19, on=node.get("uniqueItems", False))
    return _message(2, _message(_PLACES[node["in"]], inner))


def _response(node: Mapping[str, Any]) -> bytes:
    inner = _text(1, node.get("description"))
    if "schema" in node:
        inner += _message(2, _message(1, schema(node["schema"])))
    return _message(1, inner)


def _api_key(node: Mapping[str, Any]) -> bytes:
    inner = _text(1, node["type"]) + _text(2, node["name"]) + _text(3, node["in"])
    return _message(2, inner + _text(4, node.get("description")))


def _string_array(values: Iterable[str]) -> bytes:
    return _texts(1, values)


def _extensions(number: int, node: Mapping[str, Any]) -> bytes:
    return b"".join(
        _message(number, _text(1, key) + _message(2, _any(value)))
        for key, value in node.items()
        if key.startswith("x-")
    )


def _any(value: Any) -> bytes:
    """Return `Any`: the value as YAML, which JSON is."""
    return _text(2, orjson.dumps(value).decode())


def _named_all(number: int, items: Mapping[str, Any], encode_one: Callable[[Any], bytes]) -> bytes:
    """Return pairs of name and value, as every map is written."""
    return b"".join(
        _message(number, _text(1, name) + _message(2, encode_one(item)))
        for name, item in items.items()
    )


def _message(number: int, payload: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def _text(number: int, text: str | None) -> bytes:
    return _message(number, text.encode()) if text else b""


def _texts(number: int, texts: Iterable[str]) -> bytes:
    return b"".join(_message(number, text.encode()) for text in texts)


def _flag(number: int, *, on: bool) -> bytes:
    return varint(number << 3) + b"\x01" if on else b""
