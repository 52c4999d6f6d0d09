"""Columns of `kubectl get`: the values that most kinds' columns are made of.

A column's value is a function of the object and of now, in seconds. It reads the object as it is
stored, and it has to be cheap: a list of 5,000 objects calls it 5,000 times.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from apimachinery.duration import translate_timestamp_since
from apimachinery.meta import Obj
from apimachinery.table import age_cell, created_cell, name_cell
from apiserver.registry.resource import Column

Value = Callable[[Obj, float], Any]


def field(path: str, default: Any = "") -> Value:
    """Return the value at a path of names; `default` where it is not there."""
    parts = tuple(path.split("."))

    def read(obj: Obj, now: float) -> Any:
        found = dig(obj, parts)
        return default if found is None else found

    return read


def count(path: str) -> Value:
    """Return how many items the list or map at a path has."""
    parts = tuple(path.split("."))

    def read(obj: Obj, now: float) -> Any:
        return len(dig(obj, parts) or ())

    return read


def joined(path: str, default: str = "<none>") -> Value:
    """Return the texts of the list at a path with commas between them."""
    parts = tuple(path.split("."))

    def read(obj: Obj, now: float) -> Any:
        return ",".join(map(str, dig(obj, parts) or ())) or default

    return read


def first_few(texts: Sequence[str], most: int, separator: str = ",") -> str:
    """Return the first texts, and how many there are besides."""
    shown, more = separator.join(texts[:most]), len(texts) - most
    return f"{shown} + {more} more..." if more > 0 else shown


def since(path: str, default: str = "<none>") -> Value:
    """Return how long ago the time at a path was, in the short form of ages."""
    parts = tuple(path.split("."))

    def read(obj: Obj, now: float) -> Any:
        found = dig(obj, parts)
        return translate_timestamp_since(found, now) if found else default

    return read


def dig(obj: Any, parts: tuple[str, ...]) -> Any:
    """Return what stands at a path of names, None where any part of it is missing."""
    for part in parts:
        if not isinstance(obj, dict):
            return None
        obj = obj.get(part)
    return obj


NAME = Column("Name", name_cell, format="name")
AGE = Column("Age", age_cell)
CREATED_AT = Column("Created At", created_cell, type="date")

# What a kind without columns of its own shows.
DEFAULT_COLUMNS = (NAME, CREATED_AT)
