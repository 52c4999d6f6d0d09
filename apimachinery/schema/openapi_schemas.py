"""Definitions as OpenAPI publishes them, out of the installed schema package.

That package states definitions for validators: a value may be null, a quantity is a string or
a number. Here they get back the form in which the API server publishes them, in v3 and in v2.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from apimachinery.schema import builder
from apimachinery.schema.enums import ENUMS
from apimachinery.schema.openapi_served import ServedResource
from apimachinery.schema.table import Field, types

_V3, _V2 = "#/components/schemas/", "#/definitions/"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_GVK = "x-kubernetes-group-version-kind"
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
_ZEROS = {"string": "", "integer": 0, "number": 0, "boolean": False}


def v3(wanted: Iterable[str], resources: Iterable[ServedResource]) -> dict[str, Any]:
    """Return the definitions that are named, and all that they refer to, in the form of v3."""
    published = _published()
    custom = _custom(resources)
    found: dict[str, Any] = {}
    pending = sorted(wanted)
    while pending:
        name = pending.pop()
        if name in found:
            continue
        if name in published:
            found[name] = _definition_v3(name, published[name])
        elif name in custom:
            found[name] = _convert(custom[name], _V3)
        else:
            continue
        pending += _references(found[name], _V3)
    return dict(sorted(found.items()))


def v2(resources: Iterable[ServedResource]) -> dict[str, Any]:
    """Return all definitions in the form of v2."""
    found = {name: _definition_v2(name, body) for name, body in _published().items()}
    found |= {name: _convert(body, _V2) for name, body in _custom(resources).items()}
    return dict(sorted(found.items()))


def _published() -> dict[str, Any]:
    """Read the definitions; not kept, since the finished documents are."""
    types()
    definitions: dict[str, Any] = orjson.loads(builder.DEFINITIONS.read_bytes())
    return definitions


def _definition_v3(name: str, body: dict[str, Any]) -> dict[str, Any]:
    if name == _QUANTITY:
        return _described(body, {"oneOf": [{"type": "string"}, {"type": "number"}]})
    if name == _INT_OR_STRING:
        one_of = [{"type": "integer"}, {"type": "string"}]
        return _described(body, {"format": "int-or-string", "oneOf": one_of})
    converted: dict[str, Any] = _convert(_without_enums(body), _V3)
    if name in types():
        fields = types().definition(name).fields
        for field_name, schema in converted.get("properties", {}).items():
            if field_name in fields:
                _add_defaults(schema, fields[field_name])
    for field_name, values in ENUMS.get(name, {}).items():
        converted["properties"][field_name]["enum"] = list(values)
    return converted


def _definition_v2(name: str, body: dict[str, Any]) -> dict[str, Any]:
    if name == _QUANTITY:
        return _described(body, {"type": "string"})
    if name == _INT_OR_STRING:
        return _described(body, {"type": "string", "format": "int-or-string"})
    converted: dict[str, Any] = _convert(_without_enums(body), _V2)
    return converted


def _described(body: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
    return {"description": body.get("description", ""), **shape}


def _without_enums(body: dict[str, Any]) -> dict[str, Any]:
    """Drop the fixed values of apiVersion and kind, which only the package puts there."""
    if _GVK not in body or "properties" not in body:
        return body
    properties = dict(body["properties"])
    for name in ("apiVersion", "kind"):
        if "enum" in properties.get(name, ()):
            properties[name] = {k: v for k, v in properties[name].items() if k != "enum"}
    return {**body, "properties": properties}


def _convert(node: Any, prefix: str) -> Any:
    """Rewrite references and drop "or null", all the way down."""
    if isinstance(node, list):
        return [_convert(item, prefix) for item in node]
    if not isinstance(node, dict):
        return node
    converted = {
        key: value if key == _GVK else _convert(value, prefix) for key, value in node.items()
    }
    kind = converted.get("type")
    if isinstance(kind, list):
        converted["type"] = next(name for name in kind if name != "null")
    reference = converted.get("$ref")
    if isinstance(reference, str):
        reference = prefix + reference.rpartition("/")[2]
        if prefix == _V3 and len(converted) > 1:
            # In v3 nothing may stand beside a reference.
            del converted["$ref"]
            converted["allOf"] = [{"$ref": reference}]
        else:
            converted["$ref"] = reference
    return converted


def _add_defaults(schema: dict[str, Any], field: Field) -> None:
    """Say what a field is that Go never leaves out: the zero value of its type."""
    kind = field.schema.kind
    if not field.pointer and kind == "object":
        schema["default"] = {}
    elif not field.pointer and not field.omitempty and kind in _ZEROS:
        schema["default"] = _ZEROS[kind]
    elif kind in ("array", "map") and field.schema.item is not None:
        key = "items" if kind == "array" else "additionalProperties"
        item = field.schema.item.kind
        inner = schema.get(key)
        if isinstance(inner, dict) and (item == "object" or item in _ZEROS):
            if "$ref" in inner:
                inner = schema[key] = {"allOf": [inner]}
            inner["default"] = {} if item == "object" else _ZEROS[item]


def _references(node: Any, prefix: str) -> list[str]:
    found: list[str] = []
    pending = [node]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str):
                found.append(reference.removeprefix(prefix))
            pending += node.values()
        elif isinstance(node, list):
            pending += node
    return found


def _custom(resources: Iterable[ServedResource]) -> dict[str, Any]:
    """Return the definitions of custom kinds and of their lists."""
    found = {}
    for resource in resources:
        if resource.schema:
            found[resource.definition] = _custom_kind(resource)
            found[resource.definition + "List"] = _custom_list(resource)
    return found


def _custom_kind(resource: ServedResource) -> dict[str, Any]:
    schema: dict[str, Any] = orjson.loads(resource.schema)
    properties = {
        **schema.get("properties", {}),
        **_type_meta(),
        "metadata": {"$ref": _META + "ObjectMeta", "description": "Standard object's metadata."},
    }
    return {
        "type": "object",
        **schema,
        "properties": properties,
        _GVK: [_gvk_of(resource, resource.gvk.kind)],
    }


def _custom_list(resource: ServedResource) -> dict[str, Any]:
    return {
        "description": f"{resource.gvk.kind}List is a list of {resource.gvk.kind}",
        "type": "object",
        "required": ["items"],
        "properties": {
            **_type_meta(),
            "metadata": {"$ref": _META + "ListMeta", "description": "Standard list metadata."},
            "items": {
                "description": f"List of {resource.plural}.",
                "type": "array",
                "items": {"$ref": "/" + resource.definition},
            },
        },
        _GVK: [_gvk_of(resource, resource.gvk.kind + "List")],
    }


def _type_meta() -> dict[str, Any]:
    return {
        "apiVersion": {"description": "The version of this object's schema.", "type": "string"},
        "kind": {"description": "The kind of this object.", "type": "string"},
    }


def _gvk_of(resource: ServedResource, kind: str) -> dict[str, str]:
    return {"group": resource.gvk.group, "kind": kind, "version": resource.gvk.version}
