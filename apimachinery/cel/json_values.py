"""Values of expressions as JSON: what a mutation writes into an object."""

from __future__ import annotations

import base64
from typing import Any

from apimachinery.cel.errors import EvalError
from apimachinery.cel.times import print_duration, print_timestamp
from apimachinery.cel.values import Duration, Struct, Timestamp, type_name


class TypeMismatchError(EvalError):
    """An object that is written where another one belongs (Object.spec{a: Object.spec.b{}})."""


def to_json(value: Any) -> Any:
    """Return a value as JSON has it. Raises EvalError."""
    if isinstance(value, Struct):
        check_names(value, value.name)
    if isinstance(value, dict):
        return {str(key): to_json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [to_json(each) for each in value]
    if isinstance(value, Timestamp):
        return print_timestamp(value)
    if isinstance(value, Duration):
        return print_duration(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if value is None or isinstance(value, (bool, str, float)):
        return value
    if isinstance(value, int):
        return int(value)
    raise EvalError(f"type {type_name(value)} has no form in JSON")


def check_names(value: Any, name: str) -> None:
    """Refuse an object type below a field of another name. Raises TypeMismatchError."""
    if isinstance(value, Struct):
        if value.name != name:
            why = (
                f'unexpected type name "{value.name}", expected "{name}", which matches field name '
                "path from root Object type"
            )
            raise TypeMismatchError(why)
        for field, each in value.items():
            check_names(each, f"{name}.{field}")
    elif isinstance(value, list):
        for each in value:
            check_names(each, name)
    elif isinstance(value, dict):
        for each in value.values():
            check_names(each, name)
