"""What a strategic merge patch asks of a type: its fields, and how they merge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from apimachinery.patch.refusals import failed


class SchemaLike(Protocol):
    """What a patch has to know of a type."""

    kind: Any
    item: Any
    name: str
    go_type: str
    patch_merge_key: str
    patch_strategy: tuple[str, ...]

    @property
    def fields(self) -> Mapping[str, Any]: ...


def field_of(schema: SchemaLike | None, key: str) -> SchemaLike | None:
    """Return the type of a field. Raises ApiError where a struct has no such field."""
    if schema is None:
        return None
    if schema.kind == "map":
        found: SchemaLike | None = schema.item
        return found
    field = schema.fields.get(key)
    if field is None:
        struct = schema.go_type.rpartition(".")[2]
        raise failed(f'unable to find api field in struct {struct} for the json field "{key}"')
    return field.schema  # type: ignore[no-any-return]


def merges(field: SchemaLike | None) -> bool:
    """Tell whether lists of a field merge."""
    return field is not None and "merge" in field.patch_strategy


def replaces(field: SchemaLike | None) -> bool:
    """Tell whether a patch of a field replaces it."""
    return field is not None and "replace" in field.patch_strategy
