"""Where a value is wrong and why: paths and field errors in Kubernetes' words.

The words and the order follow k8s.io/apimachinery/pkg/util/validation/field: the message of an
error is `path: what is wrong: the value: the detail`, and the causes of a Status carry the same.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias


# Not frozen, since that makes each of them a third dearer, and a pod's checks make some fifty.
@dataclass(slots=True, unsafe_hash=True)
class Path:
    """A place in an object: `Path("spec") / "containers"` then `[0]` or `.key("a")`.

    It is never changed.
    """

    text: str

    def __truediv__(self, name: str) -> Path:
        return Path(f"{self.text}.{name}" if self.text else name)

    def __getitem__(self, index: int) -> Path:
        return Path(f"{self.text}[{index}]")

    def key(self, key: str) -> Path:
        return Path(f"{self.text}[{key}]")

    def __str__(self) -> str:
        return self.text


class ErrorType(Enum):
    """The kinds of field error: (reason of the cause, words in the message)."""

    NOT_FOUND = ("FieldValueNotFound", "Not found")
    REQUIRED = ("FieldValueRequired", "Required value")
    DUPLICATE = ("FieldValueDuplicate", "Duplicate value")
    INVALID = ("FieldValueInvalid", "Invalid value")
    NOT_SUPPORTED = ("FieldValueNotSupported", "Unsupported value")
    FORBIDDEN = ("FieldValueForbidden", "Forbidden")
    TOO_LONG = ("FieldValueTooLong", "Too long")
    TOO_MANY = ("FieldValueTooMany", "Too many")
    INTERNAL = ("InternalError", "Internal error")
    TYPE_INVALID = ("FieldValueTypeInvalid", "Invalid value")


class _Omitted:
    """Stands for "no value to show", since None is a value (it prints as null)."""


OMITTED = _Omitted()


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong value. `message` is what a cause says; `str()` puts the path in front."""

    type: ErrorType
    path: str
    value: Any = OMITTED
    detail: str = ""

    @property
    def message(self) -> str:
        words = self.type.value[1]
        shown = (
            "" if self.value is OMITTED or self.type in _WITHOUT_VALUE else f": {show(self.value)}"
        )
        return f"{words}{shown}{f': {self.detail}' if self.detail else ''}"

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


_WITHOUT_VALUE = {
    ErrorType.REQUIRED,
    ErrorType.FORBIDDEN,
    ErrorType.TOO_LONG,
    ErrorType.INTERNAL,
}

FieldErrors: TypeAlias = Iterator[FieldError]


_HTML = {ord(char): f"\\u{ord(char):04x}" for char in "<>&"}


def show(value: Any) -> str:
    """Print a value as Go's field errors do: strings quoted, composites as JSON, nil as null."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None:
        return "null"
    if isinstance(value, (dict, list)):
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        return text.translate(_HTML)  # as Go's JSON encoder does
    return str(value)


def repeats(values: Iterable[Hashable]) -> set[int]:
    """Return the indexes of the values that stand in the list before, in time linear to it."""
    seen: set[Hashable] = set()
    again: set[int] = set()
    for at, value in enumerate(values):
        if value in seen:
            again.add(at)
        seen.add(value)
    return again


def required(path: Path, detail: str = "") -> FieldError:
    return FieldError(ErrorType.REQUIRED, str(path), "", detail)


def invalid(path: Path, value: Any, detail: str) -> FieldError:
    return FieldError(ErrorType.INVALID, str(path), value, detail)


def type_invalid(path: Path, value: Any, detail: str) -> FieldError:
    return FieldError(ErrorType.TYPE_INVALID, str(path), value, detail)


def not_supported(path: Path, value: Any, supported: Iterable[str]) -> FieldError:
    values = ", ".join(json.dumps(v) for v in supported)
    return FieldError(
        ErrorType.NOT_SUPPORTED, str(path), value, f"supported values: {values}" if values else ""
    )


def forbidden(path: Path, detail: str) -> FieldError:
    return FieldError(ErrorType.FORBIDDEN, str(path), "", detail)


def duplicate(path: Path, value: Any) -> FieldError:
    return FieldError(ErrorType.DUPLICATE, str(path), value)


def not_found(path: Path, value: Any) -> FieldError:
    return FieldError(ErrorType.NOT_FOUND, str(path), value)


def too_long(path: Path, value: Any, limit: int) -> FieldError:
    """Say that a string has more than `limit` bytes; the value itself is not shown."""
    del value
    unit = "byte" if limit == 1 else "bytes"
    detail = f"may not be more than {limit} {unit}" if limit >= 0 else "value is too long"
    return FieldError(ErrorType.TOO_LONG, str(path), OMITTED, detail)


def too_many(path: Path, actual: int, limit: int) -> FieldError:
    unit = "item" if limit == 1 else "items"
    detail = f"must have at most {limit} {unit}" if limit >= 0 else "has too many items"
    return FieldError(ErrorType.TOO_MANY, str(path), actual, detail)


def internal(path: Path, detail: str) -> FieldError:
    return FieldError(ErrorType.INTERNAL, str(path), OMITTED, detail)
