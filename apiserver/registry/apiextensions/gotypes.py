"""Schemas as the server's own Go structs print: messages show whole values that way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from apimachinery.meta import Obj


def _same(value: Any) -> Any:
    return value


def _text(value: Any) -> str:
    return value or ""


def _flag(value: Any) -> bool:
    return bool(value)


def _schemas(value: Any) -> Any:
    return None if value is None else [schema(one) for one in value]


def _named(value: Any) -> Any:
    return None if value is None else {name: schema(value[name]) for name in sorted(value)}


def _schema_or_none(value: Any) -> Any:
    return None if value is None else schema(value)


def _or_bool(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, bool):
        return {"Allows": value, "Schema": None}
    return {"Allows": True, "Schema": schema(value)}


def _or_array(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, list):
        return {"Schema": None, "JSONSchemas": _schemas(value)}
    return {"Schema": schema(value), "JSONSchemas": None}


def _or_strings(value: Any) -> Any:
    if value is None:
        return None
    return {
        name: {"Schema": None, "Property": one}
        if isinstance(one, list)
        else {"Schema": schema(one), "Property": None}
        for name, one in sorted(value.items())
    }


def _docs(value: Any) -> Any:
    if value is None:
        return None
    return {"Description": value.get("description") or "", "URL": value.get("url") or ""}


def rule(value: Mapping[str, Any]) -> Obj:
    """Print a rule of x-kubernetes-validations."""
    return {
        "Rule": value.get("rule") or "",
        "Message": value.get("message") or "",
        "MessageExpression": value.get("messageExpression") or "",
        "Reason": value.get("reason"),
        "FieldPath": value.get("fieldPath") or "",
        "OptionalOldSelf": value.get("optionalOldSelf"),
    }


def _rules(value: Any) -> Any:
    return None if value is None else [rule(one) for one in value]


# Go's name -> (the name in JSON, how a value prints), in the order of the struct.
_FIELDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "ID": ("id", _text),
    "Schema": ("$schema", _text),
    "Ref": ("$ref", _same),
    "Description": ("description", _text),
    "Type": ("type", _text),
    "Nullable": ("nullable", _flag),
    "Format": ("format", _text),
    "Title": ("title", _text),
    "Default": ("default", _same),
    "Maximum": ("maximum", _same),
    "ExclusiveMaximum": ("exclusiveMaximum", _flag),
    "Minimum": ("minimum", _same),
    "ExclusiveMinimum": ("exclusiveMinimum", _flag),
    "MaxLength": ("maxLength", _same),
    "MinLength": ("minLength", _same),
    "Pattern": ("pattern", _text),
    "MaxItems": ("maxItems", _same),
    "MinItems": ("minItems", _same),
    "UniqueItems": ("uniqueItems", _flag),
    "MultipleOf": ("multipleOf", _same),
    "Enum": ("enum", _same),
    "MaxProperties": ("maxProperties", _same),
    "MinProperties": ("minProperties", _same),
    "Required": ("required", _same),
    "Items": ("items", _or_array),
    "AllOf": ("allOf", _schemas),
    "OneOf": ("oneOf", _schemas),
    "AnyOf": ("anyOf", _schemas),
    "Not": ("not", _schema_or_none),
    "Properties": ("properties", _named),
    "AdditionalProperties": ("additionalProperties", _or_bool),
    "PatternProperties": ("patternProperties", _named),
    "Dependencies": ("dependencies", _or_strings),
    "AdditionalItems": ("additionalItems", _or_bool),
    "Definitions": ("definitions", _named),
    "ExternalDocs": ("externalDocs", _docs),
    "Example": ("example", _same),
    "XPreserveUnknownFields": ("x-kubernetes-preserve-unknown-fields", _same),
    "XEmbeddedResource": ("x-kubernetes-embedded-resource", _flag),
    "XIntOrString": ("x-kubernetes-int-or-string", _flag),
    "XListMapKeys": ("x-kubernetes-list-map-keys", _same),
    "XListType": ("x-kubernetes-list-type", _same),
    "XMapType": ("x-kubernetes-map-type", _same),
    "XValidations": ("x-kubernetes-validations", _rules),
}
# What stands at the root beside status, so that the schema of status loses nothing without it.
_AT_THE_ROOT = [
    "Description",
    "Type",
    "Format",
    "Title",
    "Maximum",
    "ExclusiveMaximum",
    "Minimum",
    "ExclusiveMinimum",
    "MaxLength",
    "MinLength",
    "Pattern",
    "MaxItems",
    "MinItems",
    "UniqueItems",
    "MultipleOf",
    "Required",
    "Items",
    "Properties",
    "ExternalDocs",
    "Example",
    "XPreserveUnknownFields",
    "XValidations",
]
ONLY_AT_THE_ROOT = (
    f"only [{' '.join(_AT_THE_ROOT)}] fields are allowed at the root of the schema if the status "
    "subresource is enabled"
)


def schema(node: Obj) -> Obj:
    """Print a JSONSchemaProps."""
    return {name: shown(node.get(field)) for name, (field, shown) in _FIELDS.items()}


def says_too_much_at_the_root(node: Obj) -> bool:
    """Tell whether a root schema says what it must not where there is a status subresource."""
    shown = schema(node)
    return any(shown[name] for name in _FIELDS if name not in _AT_THE_ROOT)


def _validation(value: Any) -> Any:
    return (
        None
        if value is None
        else {"OpenAPIV3Schema": _schema_or_none(value.get("openAPIV3Schema"))}
    )


def _subresources(value: Any) -> Any:
    if value is None:
        return None
    scale = value.get("scale")
    shown = scale and {
        "SpecReplicasPath": scale.get("specReplicasPath") or "",
        "StatusReplicasPath": scale.get("statusReplicasPath") or "",
        "LabelSelectorPath": scale.get("labelSelectorPath"),
    }
    return {"Status": value.get("status"), "Scale": shown}


def _columns(value: Any) -> Any:
    return value and [
        {
            "Name": one.get("name") or "",
            "Type": one.get("type") or "",
            "Format": one.get("format") or "",
            "Description": one.get("description") or "",
            "Priority": one.get("priority") or 0,
            "JSONPath": one.get("jsonPath") or "",
        }
        for one in value
    ]


def _selectable(value: Any) -> Any:
    return value and [{"JSONPath": one.get("jsonPath") or ""} for one in value]


def version(value: Obj) -> Obj:
    """Print a CustomResourceDefinitionVersion."""
    return {
        "Name": value.get("name") or "",
        "Served": bool(value.get("served")),
        "Storage": bool(value.get("storage")),
        "Deprecated": bool(value.get("deprecated")),
        "DeprecationWarning": value.get("deprecationWarning"),
        "Schema": _validation(value.get("schema")),
        "Subresources": _subresources(value.get("subresources")),
        "AdditionalPrinterColumns": _columns(value.get("additionalPrinterColumns")),
        "SelectableFields": _selectable(value.get("selectableFields")),
    }
