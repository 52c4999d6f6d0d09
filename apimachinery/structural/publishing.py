"""Schemas of custom kinds as OpenAPI documents show them: embedded objects say what they are."""

from __future__ import annotations

from typing import Any

import orjson

from apimachinery.meta import Obj

_DESCRIPTIONS = {
    "apiVersion": "The version of this object's schema.",
    "kind": "The kind of this object.",
}
_REFERENCE = "/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


def published(node: Obj | None) -> bytes:
    """Return the JSON of a schema; a kind without one is an object of anything."""
    return orjson.dumps(_shown(node or {"type": "object"}))


def _shown(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    made = dict(node)
    if node.get("properties"):
        made["properties"] = {name: _shown(part) for name, part in node["properties"].items()}
    for name in ("items", "additionalProperties"):
        if isinstance(node.get(name), dict):
            made[name] = _shown(node[name])
    if node.get("x-kubernetes-embedded-resource"):
        made["properties"] = made.get("properties", {}) | _type_meta()
    return made


def _type_meta() -> Obj:
    found: Obj = {
        name: {"type": "string", "description": text} for name, text in _DESCRIPTIONS.items()
    }
    found["metadata"] = {"$ref": _REFERENCE}
    return found
