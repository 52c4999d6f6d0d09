"""Defaults: what a schema fills in where a value leaves it out, in place.

A null where none is allowed counts as left out: it becomes the default, or goes.
"""

from __future__ import annotations

from typing import Any

from apimachinery.meta import Obj
from apimachinery.structural.pruning import copied
from apimachinery.structural.schema import MISSING, Structural


def fill(value: Any, schema: Structural | None) -> None:
    """Fill in defaults throughout a private value, and drop nulls that may not be."""
    if schema is None:
        return
    if value.__class__ is dict:
        _fill_fields(value, schema)
    elif value.__class__ is list:
        items = schema.items
        for at, item in enumerate(value):
            if item is None and items is not None and not items.nullable:
                if items.default is not MISSING:
                    value[at] = copied(items.default)
            else:
                fill(item, items)


def _fill_fields(value: Obj, schema: Structural) -> None:
    for name, part in schema.properties.items():
        present = name in value
        if present and (value[name] is not None or part.nullable):
            continue
        if part.default is not MISSING:
            value[name] = copied(part.default)
        elif present:
            del value[name]
    for name, found in value.items():
        own = schema.properties.get(name)
        if own is None:
            own = schema.additional
            if own is not None and _is_refused_null(found, own):
                value[name] = copied(own.default)
        fill(value[name], own)


def _is_refused_null(value: Any, schema: Structural) -> bool:
    return value is None and not schema.nullable and schema.default is not MISSING
