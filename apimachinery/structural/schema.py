"""A structural schema, compiled from the OpenAPI v3 schema of a CustomResourceDefinition.

`Structural` holds what decides about the shape of values. What only restricts values (bounds,
patterns, anyOf) stays in `node`, the JSON that it was made from.
"""

from __future__ import annotations

from typing import Any

from apimachinery.meta import Obj

# The fields that an object has without its schema naming them.
TYPE_META = frozenset({"apiVersion", "kind", "metadata"})


class _Missing:
    """Stands for "there is none", since None is a value."""


MISSING = _Missing()


class Structural:
    """What values of one place look like. Shared, and never changed once made."""

    __slots__ = (
        "additional", "closed", "default", "embedded", "embeds", "int_or_string", "items", "keyed",
        "list_keys", "list_type", "map_type", "node", "nullable", "open", "properties", "type",
    )  # fmt: skip

    def __init__(self, node: Obj, *, root: bool = False) -> None:
        self.node = node
        self.type: str = node.get("type") or ""
        self.properties = {
            name: Structural(part) for name, part in (node.get("properties") or {}).items()
        }
        items, additional = node.get("items"), node.get("additionalProperties")
        self.items = Structural(items) if isinstance(items, dict) else None
        self.additional = Structural(additional) if isinstance(additional, dict) else None
        # No further keys than those of `properties` are allowed.
        self.closed = not additional and not isinstance(additional, dict)
        self.nullable = bool(node.get("nullable"))
        default = node.get("default")
        self.default: Any = MISSING if default is None else default
        # Fields that no schema names are kept.
        self.open = bool(node.get("x-kubernetes-preserve-unknown-fields"))
        self.embedded = root or bool(node.get("x-kubernetes-embedded-resource"))
        self.int_or_string = bool(node.get("x-kubernetes-int-or-string"))
        self.list_type: str = node.get("x-kubernetes-list-type") or ""
        self.list_keys: tuple[str, ...] = tuple(node.get("x-kubernetes-list-map-keys") or ())
        self.map_type: str = node.get("x-kubernetes-map-type") or ""
        parts = [*self.properties.values(), self.items, self.additional]
        inner = [part for part in parts if part is not None]
        # Below here are objects with metadata of their own; here or below are sets or maps.
        self.embeds: bool = any(part.embedded or part.embeds for part in inner)
        self.keyed: bool = self.list_type in ("set", "map") or any(part.keyed for part in inner)


def has_rules(node: Any) -> bool:
    """Tell whether a schema has x-kubernetes-validations anywhere."""
    if not isinstance(node, dict):
        return False
    if node.get("x-kubernetes-validations"):
        return True
    parts = [*(node.get("properties") or {}).values()]
    parts += [node.get("items"), node.get("additionalProperties")]
    return any(map(has_rules, parts))
